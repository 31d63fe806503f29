#include "rpc/descriptors.h"

#include "base/arena.h"
#include "google/protobuf/descriptor.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Google__Protobuf__FileDescriptorProto FileProto;
typedef Google__Protobuf__DescriptorProto MessageProto;
typedef Google__Protobuf__EnumDescriptorProto EnumProto;
typedef Google__Protobuf__ServiceDescriptorProto ServiceProto;

enum { SYMBOL_MAX = 256 };

struct symbol {
    const char *name;
    size_t file;
    bool client_streaming, server_streaming; /* methods only */
};

/* Everything lives in the arena. */
struct descriptors {
    struct arena arena;
    struct descriptor_file files[DESCRIPTOR_FILES_MAX];
    size_t file_count;
    struct symbol *symbols; /* sorted by name; NULL while they are being counted */
    size_t symbol_count;
};

/* Where the walk is: the file and the name so far. */
struct scope {
    struct descriptors *all;
    size_t file;
    char name[SYMBOL_MAX];
};

/* The scope of something within `outer`, and a symbol for it. */
static struct scope enter(const struct scope *outer, const char *name)
{
    struct scope inner = { .all = outer->all, .file = outer->file };
    struct descriptors *all = outer->all;

    snprintf(inner.name, sizeof inner.name, "%.200s%s%.50s", outer->name, outer->name[0] ? "." : "", name);
    if (all->symbols)
        all->symbols[all->symbol_count] = (struct symbol){
            .name = arena_copy(&all->arena, inner.name, strlen(inner.name)),
            .file = outer->file,
        };
    all->symbol_count++;
    return inner;
}

static void walk_enum(const struct scope *outer, const EnumProto *type)
{
    enter(outer, type->name);
    for (size_t i = 0; i < type->n_value; i++)
        enter(outer, type->value[i]->name); /* an enum's values are its siblings */
}

static void walk_message(const struct scope *outer, const MessageProto *type)
{
    struct scope inner = enter(outer, type->name);

    for (size_t i = 0; i < type->n_field; i++)
        enter(&inner, type->field[i]->name);
    for (size_t i = 0; i < type->n_oneof_decl; i++)
        enter(&inner, type->oneof_decl[i]->name);
    for (size_t i = 0; i < type->n_enum_type; i++)
        walk_enum(&inner, type->enum_type[i]);
    for (size_t i = 0; i < type->n_nested_type; i++)
        walk_message(&inner, type->nested_type[i]);
}

static void walk_service(const struct scope *outer, const ServiceProto *service)
{
    struct scope inner = enter(outer, service->name);

    for (size_t i = 0; i < service->n_method; i++) {
        enter(&inner, service->method[i]->name);
        if (!outer->all->symbols)
            continue;
        struct symbol *symbol = &outer->all->symbols[outer->all->symbol_count - 1];
        symbol->client_streaming = service->method[i]->client_streaming;
        symbol->server_streaming = service->method[i]->server_streaming;
    }
}

static void walk_file(struct descriptors *all, size_t file, const FileProto *proto)
{
    struct scope scope = { .all = all, .file = file };

    snprintf(scope.name, sizeof scope.name, "%s", proto->package ? proto->package : "");
    for (size_t i = 0; i < proto->n_message_type; i++)
        walk_message(&scope, proto->message_type[i]);
    for (size_t i = 0; i < proto->n_enum_type; i++)
        walk_enum(&scope, proto->enum_type[i]);
    for (size_t i = 0; i < proto->n_extension; i++)
        enter(&scope, proto->extension[i]->name);
    for (size_t i = 0; i < proto->n_service; i++)
        walk_service(&scope, proto->service[i]);
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct symbol *)a)->name, ((const struct symbol *)b)->name);
}

/* Once to count, once to fill. */
static bool collect_symbols(struct descriptors *all, const Google__Protobuf__FileDescriptorSet *set)
{
    for (size_t i = 0; i < set->n_file; i++)
        walk_file(all, i, set->file[i]);
    all->symbols = arena_alloc(&all->arena, all->symbol_count * sizeof *all->symbols);
    if (!all->symbols)
        return false;
    all->symbol_count = 0;
    for (size_t i = 0; i < set->n_file; i++)
        walk_file(all, i, set->file[i]);
    for (size_t i = 0; i < all->symbol_count; i++) {
        if (!all->symbols[i].name)
            return false;
    }
    qsort(all->symbols, all->symbol_count, sizeof *all->symbols, compare);
    return true;
}

static bool link_imports(struct descriptors *all, size_t file, const FileProto *proto)
{
    size_t *imports = arena_alloc(&all->arena, (proto->n_dependency + 1) * sizeof *imports);
    size_t count = 0;

    if (!imports)
        return false;
    for (size_t i = 0; i < proto->n_dependency; i++) {
        const struct descriptor_file *found = descriptors_by_name(all, proto->dependency[i]);
        if (found)
            imports[count++] = (size_t)(found - all->files);
    }
    all->files[file].imports = imports;
    all->files[file].import_count = count;
    return true;
}

/* The serialized files one after the other: each is field 1 of the set, a length and its bytes. */
static bool locate_files(struct descriptors *all, const uint8_t *at, const uint8_t *end)
{
    for (size_t i = 0; i < all->file_count; i++) {
        size_t size = 0;
        unsigned shift = 0;
        if (at == end || *at++ != 0x0a)
            return false;
        do {
            if (at == end || shift > 28)
                return false;
            size |= (size_t)(*at & 0x7f) << shift;
            shift += 7;
        } while (*at++ & 0x80);
        if (size > (size_t)(end - at))
            return false;
        all->files[i].bytes = at;
        all->files[i].size = size;
        at += size;
    }
    return at == end;
}

static void *from_arena(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void keep(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

static bool load(struct descriptors *all, const uint8_t *bytes, size_t size)
{
    ProtobufCAllocator allocator = { .alloc = from_arena, .free = keep, .allocator_data = &all->arena };
    Google__Protobuf__FileDescriptorSet *set = google__protobuf__file_descriptor_set__unpack(&allocator, size, bytes);

    if (!set || set->n_file > DESCRIPTOR_FILES_MAX)
        return false;
    all->file_count = set->n_file;
    for (size_t i = 0; i < set->n_file; i++)
        all->files[i].name = set->file[i]->name;
    for (size_t i = 0; i < set->n_file; i++) {
        if (!link_imports(all, i, set->file[i]))
            return false;
    }
    return locate_files(all, bytes, bytes + size) && collect_symbols(all, set);
}

bool descriptors_load(const uint8_t *bytes, size_t size, struct descriptors **descriptors, struct error *err)
{
    *descriptors = calloc(1, sizeof **descriptors);
    if (!*descriptors)
        return error_set(err, REASON_INTERNAL, "out of memory");
    return load(*descriptors, bytes, size) ||
           error_set(err, REASON_INTERNAL, "the embedded descriptor set is damaged or too large");
}

void descriptors_free(struct descriptors *descriptors)
{
    if (descriptors)
        arena_release(&descriptors->arena);
    free(descriptors);
}

static const struct symbol *find(const struct descriptors *all, const char *name)
{
    struct symbol key = { .name = name };

    return bsearch(&key, all->symbols, all->symbol_count, sizeof *all->symbols, compare);
}

bool descriptors_streaming(const struct descriptors *descriptors, const char *method, bool *client, bool *server)
{
    char name[SYMBOL_MAX];

    snprintf(name, sizeof name, "%s", method);
    char *slash = strchr(name, '/');
    if (slash)
        *slash = '.';
    const struct symbol *symbol = find(descriptors, name);
    if (!symbol)
        return false;
    *client = symbol->client_streaming;
    *server = symbol->server_streaming;
    return true;
}

const struct descriptor_file *descriptors_by_name(const struct descriptors *descriptors, const char *name)
{
    for (size_t i = 0; i < descriptors->file_count; i++) {
        if (strcmp(descriptors->files[i].name, name) == 0)
            return &descriptors->files[i];
    }
    return NULL;
}

const struct descriptor_file *descriptors_by_symbol(const struct descriptors *descriptors, const char *symbol)
{
    const struct symbol *found = find(descriptors, symbol);

    return found ? &descriptors->files[found->file] : NULL;
}

size_t descriptors_closure(const struct descriptors *descriptors, const struct descriptor_file *file,
                           const struct descriptor_file *found[DESCRIPTOR_FILES_MAX])
{
    bool seen[DESCRIPTOR_FILES_MAX] = { false };
    size_t count = 0;

    found[count++] = file;
    seen[file - descriptors->files] = true;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < found[i]->import_count; k++) {
            size_t import = found[i]->imports[k];
            if (!seen[import])
                found[count++] = &descriptors->files[import];
            seen[import] = true;
        }
    }
    return count;
}

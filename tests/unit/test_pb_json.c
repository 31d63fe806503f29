/* Protobuf and JSON: what is accepted, what is refused and where, and every message there and back. */
#include "base/arena.h"
#include "base/limits.h"
#include "io/pb_json.h"
#include "service/services.h"

#include <alliance/v1/bank_service.pb-c.h>
#include <alliance/v1/diagnostics_service.pb-c.h>
#include <alliance/v1/member_service.pb-c.h>
#include <alliance/v1/operator_service.pb-c.h>
#include <alliance/v1/redemption_service.pb-c.h>
#include <alliance/v1/settlement_service.pb-c.h>
#include <google/protobuf/any.pb-c.h>
#include <google/protobuf/descriptor.pb-c.h>
#include <google/rpc/error_details.pb-c.h>
#include <grpc/reflection/v1alpha/reflection.pb-c.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define RULES    &alliance__v1__exchange_rules__descriptor
#define HOLD     &alliance__v1__hold_redemption_request__descriptor
#define MEMBER   &alliance__v1__member__descriptor
#define PING     &alliance__v1__ping_request__descriptor
#define TIME     &google__protobuf__timestamp__descriptor
#define DURATION &google__protobuf__duration__descriptor
#define INFO     &google__rpc__error_info__descriptor
#define ASK      &grpc__reflection__v1alpha__server_reflection_request__descriptor
#define OPTIONS  &google__protobuf__field_options__descriptor

static bool parse(const ProtobufCMessageDescriptor *type, const char *text, struct arena *arena, ProtobufCMessage **out,
                  struct error *err)
{
    *err = (struct error){ 0 };
    return pb_json_parse(type, text, strlen(text), arena, out, err);
}

/* Each text is read and written again; NULL means that it comes back as it was. */
static const struct {
    const char *story;
    const ProtobufCMessageDescriptor *type;
    const char *text, *written;
} accepted[] = {
    { "nothing set", RULES, "{}", NULL },
    { "64-bit integers leave as text", MEMBER, "{\"creditLimit\":\"9223372036854775807\"}", NULL },
    { "and may come as numbers", MEMBER, "{\"creditLimit\":9223372036854775807}",
      "{\"creditLimit\":\"9223372036854775807\"}" },
    { "least", MEMBER, "{\"creditLimit\":\"-9223372036854775808\"}", NULL },
    { "beyond 2^53 nothing is lost", MEMBER, "{\"creditLimit\":9007199254740993}",
      "{\"creditLimit\":\"9007199254740993\"}" },
    { "32-bit integers leave as numbers", RULES, "{\"version\":\"-5\"}", "{\"version\":-5}" },
    { "names as in the proto", RULES, "{\"bank_id\":\"b\",\"minimum_points\":3}",
      "{\"bankId\":\"b\",\"minimumPoints\":\"3\"}" },
    { "null is not set", RULES, "{\"bankId\":null,\"rates\":null,\"effectiveFrom\":null,\"version\":null}", "{}" },
    { "defaults are left out", RULES, "{\"bankId\":\"\",\"rates\":[],\"version\":0}", "{}" },
    { "an enum by name", MEMBER, "{\"status\":\"MEMBER_STATUS_FROZEN\"}", NULL },
    { "an enum by number", MEMBER, "{\"status\":2}", "{\"status\":\"MEMBER_STATUS_FROZEN\"}" },
    { "an enum's number without name", MEMBER, "{\"status\":77}", NULL },
    { "an empty message is not an unset one", RULES, "{\"accrualRate\":{}}", NULL },
    { "lists", MEMBER, "{\"cardTokens\":[\"a\",\"\",\"b\"]}", NULL },
    { "text with all planes", MEMBER, "{\"memberRef\":\"\\u4e2d\\ud83d\\ude00\\\"\\\\/\"}",
      "{\"memberRef\":\"中😀\\\"\\\\/\"}" },
    { "bytes", PING, "{\"payload\":\"+/+/AA==\"}", NULL },
    { "bytes, URL alphabet, no padding", PING, "{\"payload\":\"-_-_AA\"}", "{\"payload\":\"+/+/AA==\"}" },
    { "no bytes", PING, "{\"payload\":\"\"}", "{}" },
    { "a time", RULES, "{\"effectiveFrom\":\"2017-01-01T00:00:00Z\"}", NULL },
    { "the epoch is a time, not unset", RULES, "{\"effectiveFrom\":\"1970-01-01T00:00:00Z\"}", NULL },
    { "nanoseconds", RULES, "{\"effectiveFrom\":\"1969-12-31T23:59:59.999999999Z\"}", NULL },
    { "milliseconds", RULES, "{\"effectiveFrom\":\"2017-01-01T00:00:00.5Z\"}",
      "{\"effectiveFrom\":\"2017-01-01T00:00:00.500Z\"}" },
    { "an offset", RULES, "{\"effectiveFrom\":\"2017-01-01T08:00:00.000001+08:00\"}",
      "{\"effectiveFrom\":\"2017-01-01T00:00:00.000001Z\"}" },
    { "first time", RULES, "{\"effectiveFrom\":\"0001-01-01T00:00:00Z\"}", NULL },
    { "last time", RULES, "{\"effectiveFrom\":\"9999-12-31T23:59:59.999999999Z\"}", NULL },
    { "a duration", HOLD, "{\"lapseAfter\":\"1.5s\"}", "{\"lapseAfter\":\"1.500s\"}" },
    { "a negative duration", HOLD, "{\"lapseAfter\":\"-0.000000001s\"}", NULL },
    { "longest duration", HOLD, "{\"lapseAfter\":\"315576000000s\"}", NULL },
    { "a time alone", TIME, "\"2017-01-01T00:00:00Z\"", NULL },
    { "a map", INFO, "{\"metadata\":{\"a\":\"1\",\"b\":\"\"}}", NULL },
    { "a oneof, even when empty", ASK, "{\"listServices\":\"\"}", NULL },
    { "a oneof of messages", ASK, "{\"fileContainingExtension\":{\"containingType\":\"t\",\"extensionNumber\":4}}",
      NULL },
    { "optional fields of proto2, false but given", OPTIONS, "{\"packed\":false,\"ctype\":\"CORD\"}",
      "{\"ctype\":\"CORD\",\"packed\":false}" },
};

static void test_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(accepted); i++) {
        CLEANUP(arena_release) struct arena arena = { 0 };
        ProtobufCMessage *message;
        struct error err = { 0 };
        char *written;
        if (!parse(accepted[i].type, accepted[i].text, &arena, &message, &err))
            fail_msg("%s: %s: %s", accepted[i].story, err.field, error_text(&err));
        assert_true(pb_json_format(message, PB_JSON_PLAIN, &arena, &written, &err));
        if (strcmp(written, accepted[i].written ? accepted[i].written : accepted[i].text) != 0)
            fail_msg("%s: %s", accepted[i].story, written);
    }
}

static const struct {
    const char *story;
    const ProtobufCMessageDescriptor *type;
    const char *text, *field, *detail; /* detail: a part of the sentence */
} refused[] = {
    { "a path", RULES, "{\"rates\":[{},{},{\"settlementRate\":{\"num\":1.0}}]}", "rates[2].settlementRate.num",
      "1, not 1.0" },
    { "a path as the text spells it", RULES, "{\"rates\":[{\"settlement_rate\":{\"num\":\"x\"}}]}",
      "rates[0].settlement_rate.num", "whole number" },
    { "an exponent", MEMBER, "{\"creditLimit\":1e3}", "creditLimit", "without point or exponent" },
    { "a point in text", MEMBER, "{\"creditLimit\":\"1.0\"}", "creditLimit", "whole number" },
    { "one more than int64", MEMBER, "{\"creditLimit\":\"9223372036854775808\"}", "creditLimit",
      "9223372036854775807" },
    { "one less than int64", MEMBER, "{\"creditLimit\":\"-9223372036854775809\"}", "creditLimit", "whole number" },
    { "far beyond 64 bits", MEMBER, "{\"creditLimit\":\"99999999999999999999999\"}", "creditLimit", "whole number" },
    { "a literal beyond 64 bits", MEMBER, "{\"creditLimit\":9223372036854775808}", "", "beyond 64 bits" },
    { "blanks in a number", MEMBER, "{\"creditLimit\":\" 1\"}", "creditLimit", "whole number" },
    { "a plus sign", MEMBER, "{\"creditLimit\":\"+1\"}", "creditLimit", "whole number" },
    { "hexadecimal", MEMBER, "{\"creditLimit\":\"0x10\"}", "creditLimit", "whole number" },
    { "leading zeros", MEMBER, "{\"creditLimit\":\"010\"}", "creditLimit", "whole number" },
    { "an empty number", MEMBER, "{\"creditLimit\":\"\"}", "creditLimit", "whole number" },
    { "true for a number", MEMBER, "{\"creditLimit\":true}", "creditLimit", "whole number" },
    { "one more than int32", RULES, "{\"version\":2147483648}", "version", "-2147483648 to 2147483647" },
    { "a number for text", MEMBER, "{\"memberRef\":1}", "memberRef", "text in quotes" },
    { "a list for text", MEMBER, "{\"memberRef\":[]}", "memberRef", "text in quotes" },
    { "text for a list", MEMBER, "{\"cardTokens\":\"a\"}", "cardTokens", "list" },
    { "null in a list", MEMBER, "{\"cardTokens\":[\"a\",null]}", "cardTokens[1]", "text in quotes" },
    { "a list for a message", RULES, "{\"accrualRate\":[]}", "accrualRate", "object" },
    { "a list for a map", INFO, "{\"metadata\":[]}", "metadata", "object" },
    { "a wrong value in a map", INFO, "{\"metadata\":{\"a\":1}}", "metadata[\"a\"]", "text in quotes" },
    { "an unknown enum name", MEMBER, "{\"status\":\"FROZEN\"}", "status", "MEMBER_STATUS_DECEASED" },
    { "an enum's number as text", MEMBER, "{\"status\":\"2\"}", "status", "MemberStatus" },
    { "an unknown field", RULES, "{\"rates\":[{\"rate\":1}]}", "rates[0].rate",
      "currencyCode, conversionRate, settlementRate" },
    { "a name twice", MEMBER, "{\"memberRef\":\"a\",\"memberRef\":\"b\"}", "", "twice" },
    { "a name in both spellings", MEMBER, "{\"memberRef\":\"a\",\"member_ref\":\"b\"}", "member_ref", "twice" },
    { "two of a oneof", ASK, "{\"listServices\":\"\",\"fileByFilename\":\"f\"}", "fileByFilename", "excludes another" },
    { "not base64", PING, "{\"payload\":\"a$==\"}", "payload", "base64" },
    { "base64 cut short", PING, "{\"payload\":\"a\"}", "payload", "base64" },
    { "no such day", RULES, "{\"effectiveFrom\":\"2017-02-29T00:00:00Z\"}", "effectiveFrom", "a time such as" },
    { "no time zone", RULES, "{\"effectiveFrom\":\"2017-02-28T00:00:00\"}", "effectiveFrom", "a time such as" },
    { "ten digits of fraction", RULES, "{\"effectiveFrom\":\"2017-02-28T00:00:00.0000000001Z\"}", "effectiveFrom",
      "a time such as" },
    { "before the first time", RULES, "{\"effectiveFrom\":\"0001-01-01T00:00:00+00:01\"}", "effectiveFrom",
      "between the years" },
    { "after the last time", RULES, "{\"effectiveFrom\":\"9999-12-31T23:59:59-00:01\"}", "effectiveFrom",
      "between the years" },
    { "seconds as a number", RULES, "{\"effectiveFrom\":0}", "effectiveFrom", "a time such as" },
    { "a duration without unit", HOLD, "{\"lapseAfter\":\"15\"}", "lapseAfter", "1.5s" },
    { "a duration in minutes", HOLD, "{\"lapseAfter\":\"15m\"}", "lapseAfter", "1.5s" },
    { "a duration too long", HOLD, "{\"lapseAfter\":\"315576000001s\"}", "lapseAfter", "at most 315576000000" },
    { "not an object", RULES, "[]", "", "object" },
    { "not JSON", RULES, "{bank}", "", "line 1, column" },
    { "cut", RULES, "{\"bankId\":\"b\"", "", "too early" },
    { "more than one", RULES, "{}{}", "", "follows the end" },
    { "nothing", RULES, "", "", "line 1, column" },
    { "NUL", MEMBER, "{\"memberRef\":\"a\\u0000b\"}", "", "NUL" },
    { "not UTF-8", MEMBER, "{\"memberRef\":\"\xc3\x28\"}", "", "UTF-8" },
    { "half a surrogate", MEMBER, "{\"memberRef\":\"\\ud800\"}", "", "line 1, column" },
    { "a type that is not mapped", &google__protobuf__any__descriptor, "{}", "", "no JSON form" },
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        CLEANUP(arena_release) struct arena arena = { 0 };
        ProtobufCMessage *message;
        struct error err;
        if (parse(refused[i].type, refused[i].text, &arena, &message, &err))
            fail_msg("%s: accepted", refused[i].story);
        if (strcmp(err.field, refused[i].field) != 0 || !strstr(error_text(&err), refused[i].detail))
            fail_msg("%s: [%s] %s", refused[i].story, err.field, error_text(&err));
        assert_int_equal(reason_status(err.reason), STATUS_INVALID_ARGUMENT);
    }
}

/* {"nestedType":[{"nestedType":[ ... ]}]} with that many messages. */
static char *nested(struct arena *arena, int messages)
{
    static const char open[] = "{\"nestedType\":[", close[] = "]}";
    char *text = arena_alloc(arena, (size_t)messages * sizeof open * 2 + 1), *end = text;

    for (int i = 1; i < messages; i++)
        end = stpcpy(end, open);
    end = stpcpy(end, "{}");
    for (int i = 1; i < messages; i++)
        end = stpcpy(end, close);
    return text;
}

static void test_nesting_has_a_limit(void **state)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    const ProtobufCMessageDescriptor *type = &google__protobuf__descriptor_proto__descriptor;
    Google__Protobuf__DescriptorProto top = GOOGLE__PROTOBUF__DESCRIPTOR_PROTO__INIT, *inner;
    ProtobufCMessage *message;
    struct error err;
    char *text;

    (void)state;
    assert_true(parse(type, nested(&arena, NESTING_MAX), &arena, &message, &err));
    assert_true(pb_json_format(message, PB_JSON_PLAIN, &arena, &text, &err));
    assert_string_equal(text, nested(&arena, NESTING_MAX));

    inner = (Google__Protobuf__DescriptorProto *)message;
    top.nested_type = &inner;
    top.n_nested_type = 1;
    assert_false(pb_json_format(&top.base, PB_JSON_PLAIN, &arena, &text, &err));
    assert_non_null(strstr(error_text(&err), "nested deeper"));

    assert_false(parse(type, nested(&arena, NESTING_MAX + 1), &arena, &message, &err));
    assert_non_null(strstr(error_text(&err), "nested deeper"));
    assert_false(parse(type, nested(&arena, 100000), &arena, &message, &err));
}

static void test_memory_has_a_limit(void **state)
{
    static const char text[] = "{\"cardTokens\":[\"aaaaaaaa\",\"bbbbbbbb\",\"cccccccc\"],\"memberRef\":\"m\"}";
    bool read = false;

    (void)state;
    for (size_t limit = 1; !read; limit += 16) {
        CLEANUP(arena_release) struct arena arena = { .limit = limit };
        ProtobufCMessage *message;
        struct error err;
        read = parse(MEMBER, text, &arena, &message, &err);
        assert_true(read || strstr(error_text(&err), "memory"));
        assert_true(limit < 4096);
    }
}

static void test_bad_messages_are_not_written(void **state)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    Alliance__V1__Member member = ALLIANCE__V1__MEMBER__INIT;
    Alliance__V1__ExchangeRules rules = ALLIANCE__V1__EXCHANGE_RULES__INIT;
    Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    struct error err;
    char *text;

    (void)state;
    member.member_ref = (char[]){ "\xff" };
    assert_false(pb_json_format(&member.base, PB_JSON_PLAIN, &arena, &text, &err));
    assert_string_equal(err.field, "memberRef");
    time.nanos = -1;
    rules.effective_from = &time;
    assert_false(pb_json_format(&rules.base, PB_JSON_PLAIN, &arena, &text, &err));
    assert_string_equal(err.field, "effectiveFrom");
}

static void test_defaults_on_request(void **state)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    Alliance__V1__RowVerdict verdict = ALLIANCE__V1__ROW_VERDICT__INIT;
    Alliance__V1__PushAccrualsResponse response = ALLIANCE__V1__PUSH_ACCRUALS_RESPONSE__INIT;
    struct error err;
    char *text;

    (void)state;
    assert_true(pb_json_format(&verdict.base, PB_JSON_DEFAULTS, &arena, &text, &err));
    assert_string_equal(text, "{\"rowNumber\":\"0\",\"outcome\":\"ROW_OUTCOME_UNSPECIFIED\",\"reason\":\"\","
                              "\"detail\":\"\",\"points\":\"0\"}");
    assert_true(pb_json_format(&response.base, PB_JSON_DEFAULTS, &arena, &text, &err));
    assert_string_equal(text, "{\"verdicts\":[]}");
}

/* ---- every message type, filled from its descriptor ---- */

enum { TYPES_MAX = 256, VARIANTS = 4 };

struct types {
    const ProtobufCMessageDescriptor *at[TYPES_MAX];
    size_t count;
};

static void collect(struct types *types, const ProtobufCMessageDescriptor *type)
{
    for (size_t i = 0; i < types->count; i++) {
        if (types->at[i] == type)
            return;
    }
    assert_true(types->count < TYPES_MAX);
    types->at[types->count++] = type;
    for (unsigned i = 0; i < type->n_fields; i++) {
        if (type->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
            collect(types, type->fields[i].descriptor);
    }
}

static struct types every_type(void)
{
    /* In files and tables rather than in calls. */
    static const ProtobufCMessageDescriptor *const stored[] = {
        &alliance__v1__row_proof__descriptor,
        &alliance__v1__sealed_member__descriptor,
        &alliance__v1__settlement_posting__descriptor,
        &alliance__v1__position_part__descriptor,
    };
    struct types types = { 0 };

    for (size_t i = 0; i < service_count; i++) {
        const ProtobufCServiceDescriptor *service = services[i]->descriptor;
        for (unsigned m = 0; m < service->n_methods; m++) {
            collect(&types, service->methods[m].input);
            collect(&types, service->methods[m].output);
        }
    }
    collect(&types, INFO);
    collect(&types, &google__rpc__bad_request__descriptor);
    collect(&types, ASK);
    for (size_t i = 0; i < COUNT(stored); i++)
        collect(&types, stored[i]);
    return types;
}

static bool holds(const struct types *types, const char *package, const char *name)
{
    char full[256];

    snprintf(full, sizeof full, "%s.%s", package, name);
    for (size_t i = 0; i < types->count; i++) {
        if (strcmp(types->at[i]->name, full) == 0)
            return true;
    }
    return false;
}

static void test_no_message_of_the_contract_is_left_out(void **state)
{
    extern const uint8_t alliance_fds[], alliance_fds_end[];
    struct types types = every_type();
    size_t size = (size_t)(alliance_fds_end - alliance_fds), seen = 0;
    Google__Protobuf__FileDescriptorSet *set = google__protobuf__file_descriptor_set__unpack(NULL, size, alliance_fds);

    (void)state;
    assert_non_null(set);
    for (size_t f = 0; f < set->n_file; f++) {
        const Google__Protobuf__FileDescriptorProto *file = set->file[f];
        if (strcmp(file->package, "alliance.v1") != 0)
            continue;
        for (size_t m = 0; m < file->n_message_type; m++, seen++) {
            if (!holds(&types, file->package, file->message_type[m]->name))
                fail_msg("%s is not tested", file->message_type[m]->name);
        }
    }
    assert_true(seen > 40);
    google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
}

static ProtobufCMessage *fill(struct arena *arena, const ProtobufCMessageDescriptor *type, unsigned variant);

/* Ends of ranges first: what is lost, is lost there. */
static const int64_t wholes[VARIANTS] = { 1, INT64_MAX, INT64_MIN, INT64_C(-9007199254740993) };
static const int64_t seconds[VARIANTS] = { 0, INT64_C(253402300799), INT64_C(-62135596800), 1483228800 };
static const int32_t nanos[VARIANTS] = { 1, 999999999, 1000, 500000000 };

static void fill_value(struct arena *arena, const ProtobufCFieldDescriptor *field, void *member, unsigned variant)
{
    static char *const texts[VARIANTS] = { "x", "中文 \xf0\x9f\x98\x80 \"\\", "line\nbreak\ttab\x01", "é" };
    static uint8_t bytes[] = { 0xfb, 0xff, 0x00, 0x10, 0x83 };
    const ProtobufCEnumDescriptor *names = field->descriptor;
    int64_t whole = wholes[variant];
    int32_t low = variant == 0 ? 1 : variant == 1 ? INT32_MAX : INT32_MIN;

    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        *(char **)member = texts[variant];
        break;
    case PROTOBUF_C_TYPE_BYTES:
        *(ProtobufCBinaryData *)member = (ProtobufCBinaryData){ sizeof bytes - variant, bytes };
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        *(ProtobufCMessage **)member = fill(arena, field->descriptor, variant);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)member = 1;
        break;
    case PROTOBUF_C_TYPE_ENUM:
        *(int *)member = names->values[variant % names->n_values].value;
        break;
    case PROTOBUF_C_TYPE_INT64:
        memcpy(member, &whole, sizeof whole);
        break;
    case PROTOBUF_C_TYPE_INT32:
        memcpy(member, &low, sizeof low);
        break;
    default:
        fail_msg("%s: fill this type too", field->name);
    }
}

static void fill_field(struct arena *arena, const ProtobufCFieldDescriptor *field, char *message, unsigned variant)
{
    static const size_t sizes[] = { [PROTOBUF_C_TYPE_STRING] = sizeof(char *),
                                    [PROTOBUF_C_TYPE_MESSAGE] = sizeof(ProtobufCMessage *),
                                    [PROTOBUF_C_TYPE_BYTES] = sizeof(ProtobufCBinaryData),
                                    [PROTOBUF_C_TYPE_INT32] = sizeof(int32_t),
                                    [PROTOBUF_C_TYPE_INT64] = sizeof(int64_t),
                                    [PROTOBUF_C_TYPE_ENUM] = sizeof(int) };

    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF && *(uint32_t *)(message + field->quantifier_offset))
            return;
        if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
            *(uint32_t *)(message + field->quantifier_offset) = field->id;
        fill_value(arena, field, message + field->offset, variant);
        return;
    }
    assert_true(field->type < COUNT(sizes) && sizes[field->type]);
    size_t n = variant == 3 ? 2 : 1;
    if (strcmp(field->name, "metadata") == 0)
        n = 1; /* a map: two entries of one key would be one */
    char *values = arena_alloc(arena, n * sizes[field->type]);
    for (size_t i = 0; i < n; i++)
        fill_value(arena, field, values + i * sizes[field->type], (variant + (unsigned)i) % VARIANTS);
    *(void **)(message + field->offset) = values;
    *(size_t *)(message + field->quantifier_offset) = n;
}

static ProtobufCMessage *fill(struct arena *arena, const ProtobufCMessageDescriptor *type, unsigned variant)
{
    ProtobufCMessage *message = arena_alloc(arena, type->sizeof_message);
    bool time = type == TIME, duration = type == DURATION;

    protobuf_c_message_init(type, message);
    for (unsigned i = 0; i < type->n_fields && !time && !duration; i++)
        fill_field(arena, &type->fields[i], (char *)message, variant);
    if (time || duration) {
        ((Google__Protobuf__Timestamp *)message)->seconds = seconds[variant];
        ((Google__Protobuf__Timestamp *)message)->nanos = nanos[variant] * (duration && seconds[variant] < 0 ? -1 : 1);
    }
    return message;
}

static char *packed_hex(struct arena *arena, const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = arena_alloc(arena, size + 1);
    char *hex = arena_alloc(arena, 2 * size + 1);

    protobuf_c_message_pack(message, bytes);
    for (size_t i = 0; i < size; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    return hex;
}

static void test_every_message_there_and_back(void **state)
{
    struct types types = every_type();

    (void)state;
    for (size_t i = 0; i < types.count; i++) {
        for (unsigned variant = 0; variant < VARIANTS; variant++) {
            CLEANUP(arena_release) struct arena arena = { 0 };
            ProtobufCMessage *message = fill(&arena, types.at[i], variant), *back;
            struct error err = { 0 };
            char *text;
            if (!pb_json_format(message, variant % 2 ? PB_JSON_INDENT : PB_JSON_DEFAULTS, &arena, &text, &err) ||
                !parse(types.at[i], text, &arena, &back, &err))
                fail_msg("%s: %s: %s", types.at[i]->name, err.field, error_text(&err));
            assert_string_equal(packed_hex(&arena, back), packed_hex(&arena, message));
        }
    }
}

static void write_cases(const char *path)
{
    struct types types = every_type();
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    for (size_t i = 0; i < types.count; i++) {
        for (unsigned variant = 0; variant <= VARIANTS; variant++) {
            CLEANUP(arena_release) struct arena arena = { 0 };
            ProtobufCMessage *message = arena_alloc(&arena, types.at[i]->sizeof_message);
            struct error err;
            char *plain, *defaults;
            protobuf_c_message_init(types.at[i], message);
            if (variant < VARIANTS)
                message = fill(&arena, types.at[i], variant);
            assert_true(pb_json_format(message, PB_JSON_PLAIN, &arena, &plain, &err));
            assert_true(pb_json_format(message, PB_JSON_DEFAULTS, &arena, &defaults, &err));
            fprintf(file, "%s\t%s\t%s\t%s\n", types.at[i]->name, packed_hex(&arena, message), plain, defaults);
        }
    }
    assert_int_equal(fclose(file), 0);
}

static const ProtobufCMessageDescriptor *type_named(const struct types *types, const char *name)
{
    for (size_t i = 0; i < types->count; i++) {
        if (strcmp(types->at[i]->name, name) == 0)
            return types->at[i];
    }
    fail_msg("no type %s", name);
    return NULL;
}

/* Python's JSON of each message must be read as the same message. */
static size_t read_answers(const char *path)
{
    struct types types = every_type();
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t capacity = 0, lines = 0;

    assert_non_null(file);
    for (; getline(&line, &capacity, file) > 0; lines++) {
        CLEANUP(arena_release) struct arena arena = { 0 };
        char *rest = line;
        const char *name = strsep(&rest, "\t"), *hex = strsep(&rest, "\t");
        ProtobufCMessage *message;
        struct error err;
        if (!parse(type_named(&types, name), rest, &arena, &message, &err))
            fail_msg("%s: %s: %s in %s", name, err.field, error_text(&err), rest);
        assert_string_equal(packed_hex(&arena, message), hex);
    }
    free(line);
    fclose(file);
    return lines;
}

static void test_same_as_googles(void **state)
{
    char folder[] = "/tmp/pb_json.XXXXXX", cases[64], answers[64], command[1024];

    (void)state;
    if (system("/usr/bin/python3 -c 'import google.protobuf' 2>/dev/null") != 0) {
        print_message("SKIPPED: python3-protobuf is not installed, nothing to compare with\n");
        skip();
    }
    assert_non_null(mkdtemp(folder));
    snprintf(cases, sizeof cases, "%s/cases", folder);
    snprintf(answers, sizeof answers, "%s/answers", folder);
    write_cases(cases);
    snprintf(command, sizeof command,
             "/usr/bin/python3 %s/tests/unit/pb_json_oracle.py %s/proto/generated/services.fds %s %s", SOURCE_DIR,
             BINARY_DIR, cases, answers);
    assert_int_equal(system(command), 0);
    assert_int_equal(read_answers(answers), every_type().count * (VARIANTS + 1));
    unlink(cases);
    unlink(answers);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_nesting_has_a_limit),
        cmocka_unit_test(test_memory_has_a_limit),
        cmocka_unit_test(test_bad_messages_are_not_written),
        cmocka_unit_test(test_defaults_on_request),
        cmocka_unit_test(test_no_message_of_the_contract_is_left_out),
        cmocka_unit_test(test_every_message_there_and_back),
        cmocka_unit_test(test_same_as_googles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

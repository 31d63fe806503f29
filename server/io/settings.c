#include "io/settings.h"

#include "base/text.h"
#include "io/settings_table.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char prefix[] = "ALLIANCE_";
enum { PREFIX = sizeof prefix - 1 };

/* Reads one value into its field, or says in `right` what a right value looks like. */
typedef bool value_reader(const struct setting *setting, const char *value, void *field, char right[80]);

static bool read_text(const struct setting *setting, const char *value, void *field, char right[80])
{
    size_t n = strlen(value);

    (void)setting;
    snprintf(right, 80, "text of at most %d bytes of UTF-8", SETTINGS_TEXT - 1);
    if (n >= SETTINGS_TEXT || !text_utf8(value, n))
        return false;
    memcpy(field, value, n + 1);
    return true;
}

static bool read_int(const struct setting *setting, const char *value, void *field, char right[80])
{
    char *end;

    snprintf(right, 80, "a whole number from %" PRId64 " to %" PRId64, setting->min, setting->max);
    errno = 0;
    int64_t number = strtoll(value, &end, 10);
    if (errno || end == value || *end || isspace((unsigned char)*value) || *value == '+')
        return false;
    if (number < setting->min || number > setting->max)
        return false;
    memcpy(field, &number, sizeof number);
    return true;
}

static bool read_bool(const struct setting *setting, const char *value, void *field, char right[80])
{
    bool truth = strcmp(value, "true") == 0;

    (void)setting;
    snprintf(right, 80, "true or false");
    if (!truth && strcmp(value, "false") != 0)
        return false;
    memcpy(field, &truth, sizeof truth);
    return true;
}

static bool read_address(const struct setting *setting, const char *value, void *field, char right[80])
{
    char host[SETTINGS_HOST];
    uint16_t port;

    if (!settings_split_address(value, host, &port)) {
        snprintf(right, 80, "an address and a port, such as 127.0.0.1:8080; port 0 chooses a free one");
        return false;
    }
    return read_text(setting, value, field, right);
}

static bool read_level(const struct setting *setting, const char *value, void *field, char right[80])
{
    static const char *const words[] = { "debug", "info", "warn", "error" };

    for (size_t i = 0; i < COUNT(words); i++) {
        if (strcmp(value, words[i]) == 0)
            return read_text(setting, value, field, right);
    }
    snprintf(right, 80, "debug, info, warn or error");
    return false;
}

static const struct {
    value_reader *read;
    const char *word; /* as --help names it */
} kinds[] = {
    [SETTING_TEXT] = { read_text, "text" },
    [SETTING_PATH] = { read_text, "path" },
    [SETTING_INT] = { read_int, "number" },
    [SETTING_DURATION_MS] = { read_int, "milliseconds" },
    [SETTING_BOOL] = { read_bool, "true|false" },
    [SETTING_ADDRESS] = { read_address, "address:port" },
    [SETTING_LEVEL] = { read_level, "debug|info|warn|error" },
};

const char *setting_kind_word(enum setting_kind kind)
{
    return kinds[kind].word;
}

/* where is "file:line" or the variable's name. */
static bool assign(struct settings *settings, const struct setting *setting, const char *value, const char *where,
                   struct error *err)
{
    char right[80] = "", shown[48];

    if (kinds[setting->kind].read(setting, value, (char *)settings + setting->offset, right))
        return true;
    snprintf(shown, sizeof shown, "%.40s", setting->secret ? "(not shown)" : value);
    return error_field(err, REASON_SETTING_INVALID, setting->name, "%.70s: %s is %s; it must be %s", where,
                       setting->name, shown, right);
}

bool settings_split_address(const char *address, char host[SETTINGS_HOST], uint16_t *port)
{
    const char *colon = strrchr(address, ':');
    size_t length = colon ? (size_t)(colon - address) : 0;
    bool bracketed = length >= 2 && address[0] == '[' && address[length - 1] == ']';
    uint8_t binary[16];
    char *end;

    if (length == 0 || length >= SETTINGS_HOST || !isdigit((unsigned char)colon[1]))
        return false;
    long number = strtol(colon + 1, &end, 10);
    if (*end || number > UINT16_MAX)
        return false;
    snprintf(host, SETTINGS_HOST, "%.*s", (int)(bracketed ? length - 2 : length), address + bracketed);
    *port = (uint16_t)number;
    return inet_pton(bracketed ? AF_INET6 : AF_INET, host, binary) == 1;
}

static const struct setting *find(const char *name)
{
    for (size_t i = 0; i < settings_count; i++) {
        if (strcmp(settings_table[i].name, name) == 0)
            return &settings_table[i];
    }
    return NULL;
}

void settings_init(struct settings *settings)
{
    struct error never;

    *settings = (struct settings){ 0 };
    for (size_t i = 0; i < settings_count; i++) {
        if (!assign(settings, &settings_table[i], settings_table[i].initial, "default", &never))
            abort(); /* the table contradicts itself; the unit test says where */
    }
}

/* What the line reader and the handler of libinih share. */
struct reading {
    struct settings *settings;
    FILE *lines;
    const char *name;
    int line;
    bool seen[SETTINGS_MAX];
    bool failed;
    struct error *err; /* the first mistake */
};

static void mistake(struct reading *reading, const char *what, const char *name)
{
    if (!reading->failed)
        error_set(reading->err, REASON_SETTING_INVALID, "%.60s:%d: %s%.40s", reading->name, reading->line, what, name);
    reading->failed = true;
}

/* libinih would go on in the middle of a line longer than its buffer; we refuse the line. */
static char *read_line(char *line, int size, void *stream)
{
    struct reading *reading = stream;

    if (reading->failed || !fgets(line, size, reading->lines))
        return NULL;
    reading->line++;
    if (!strchr(line, '\n') && !feof(reading->lines)) {
        mistake(reading, "the line is too long", "");
        return NULL;
    }
    return line;
}

/* libinih's callback: 1 to go on, 0 for a mistake. */
static int handle(void *user, const char *section, const char *name, const char *value)
{
    struct reading *reading = user;
    const struct setting *setting = find(name);
    char where[72];

    if (*section)
        mistake(reading, "settings have no sections; take out ", section);
    else if (!setting)
        mistake(reading, "there is no such setting (--help lists them): ", name);
    else if (reading->seen[setting - settings_table])
        mistake(reading, "given twice: ", name);
    if (reading->failed)
        return 0;
    reading->seen[setting - settings_table] = true;
    snprintf(where, sizeof where, "%.60s:%d", reading->name, reading->line);
    reading->failed = !assign(reading->settings, setting, value, where, reading->err);
    return !reading->failed;
}

bool settings_read(struct settings *settings, FILE *lines, const char *name, struct error *err)
{
    struct reading reading = { .settings = settings, .lines = lines, .name = name, .err = err };
    int first_wrong = ini_parse_stream(read_line, &reading, handle, &reading);

    if (first_wrong == 0 && !reading.failed && !ferror(lines))
        return true;
    reading.line = first_wrong > 0 ? first_wrong : reading.line;
    mistake(&reading, "this line must be: name = value", "");
    return false;
}

/* Variables of the command line and of the tests, which may well be set where a program starts. */
static const char *const elsewhere[] = { "server", "home", "test_cluster" };

static bool is_elsewhere(const char *name)
{
    for (size_t i = 0; i < COUNT(elsewhere); i++) {
        if (strcmp(name, elsewhere[i]) == 0)
            return true;
    }
    return false;
}

/* "ALLIANCE_LOG_LEVEL=info" */
static bool read_variable(struct settings *settings, const char *variable, struct error *err)
{
    char name[48], lower[48];
    const char *equals = strchr(variable, '=');
    size_t n = equals ? (size_t)(equals - variable) : strlen(variable), i;

    snprintf(name, sizeof name, "%.*s", n < sizeof name ? (int)n : (int)sizeof name - 1, variable);
    for (i = 0; name[PREFIX + i]; i++)
        lower[i] = (char)tolower((unsigned char)name[PREFIX + i]);
    lower[i] = '\0';
    if (is_elsewhere(lower))
        return true;
    const struct setting *setting = find(lower);
    if (!setting || !equals)
        return error_set(err, REASON_SETTING_INVALID, "environment: %s names no setting (--help lists them)", name);
    return assign(settings, setting, equals + 1, name, err);
}

bool settings_read_environment(struct settings *settings, char *const *environment, struct error *err)
{
    for (; *environment; environment++) {
        bool ours = strncmp(*environment, prefix, PREFIX) == 0;
        if (ours && !read_variable(settings, *environment, err))
            return false;
    }
    return true;
}

bool settings_check(const struct settings *settings, enum settings_program program, struct error *err)
{
    for (size_t i = 0; i < settings_count; i++) {
        const struct setting *setting = &settings_table[i];
        if ((setting->required_by & program) && !*((const char *)settings + setting->offset))
            return error_field(err, REASON_SETTING_INVALID, setting->name, "%s is missing: %s", setting->name,
                               setting->help);
    }
    return true;
}

static void close_stream(FILE **stream)
{
    if (*stream)
        fclose(*stream);
}

bool settings_load(struct settings *settings, enum settings_program program, const char *path, struct error *err)
{
    CLEANUP(close_stream) FILE *lines = NULL;

    settings_init(settings);
    if (!text_empty(path)) {
        lines = fopen(path, "re");
        if (!lines)
            return error_set(err, REASON_SETTING_INVALID, "settings file %.120s: %s", path, strerror(errno));
        if (!settings_read(settings, lines, path, err))
            return false;
    }
    return settings_read_environment(settings, environ, err) && settings_check(settings, program, err);
}

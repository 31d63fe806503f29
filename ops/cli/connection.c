#include "connection.h"

#include "client/client.h"
#include "io/lines.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *key, *environment;
    enum option option; /* OPTION_COUNT: none */
    size_t offset;
    bool file;
} parts[] = {
    { "server", "ALLIANCE_SERVER", OPTION_SERVER, offsetof(struct connection, server), false },
    { "ca", "ALLIANCE_TLS_CA", OPTION_CA, offsetof(struct connection, ca), true },
    { "cert", "ALLIANCE_TLS_CERT", OPTION_CERT, offsetof(struct connection, cert), true },
    { "key", "ALLIANCE_TLS_KEY", OPTION_KEY, offsetof(struct connection, key), true },
    { "server_name", "ALLIANCE_SERVER_NAME", OPTION_COUNT, offsetof(struct connection, server_name), false },
};

static char *part_of(struct connection *connection, size_t i)
{
    return (char *)connection + parts[i].offset;
}

static bool put(struct connection *connection, size_t i, const char *folder, const char *value, struct error *err)
{
    bool relative = parts[i].file && *folder && *value != '/';
    int n =
        snprintf(part_of(connection, i), CONNECTION_TEXT, "%s%s%s", relative ? folder : "", relative ? "/" : "", value);

    return n < CONNECTION_TEXT || error_set(err, REASON_SETTING_INVALID, "%s is too long", parts[i].key);
}

static bool put_line(struct connection *connection, char *line, const char *folder, struct error *err)
{
    char *value = strchr(line, '=');

    if (!*line || *line == '#')
        return true;
    if (!value)
        return error_set(err, REASON_SETTING_INVALID, "must be key=value");
    *value++ = '\0';
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (strcmp(parts[i].key, line) == 0)
            return put(connection, i, folder, value, err);
    }
    return error_set(err, REASON_SETTING_INVALID, "there is no %.20s; there are server, ca, cert, key, server_name",
                     line);
}

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

static bool read_profile(FILE *file, const char *path, struct connection *connection, struct error *err)
{
    CLEANUP(lines_release) struct lines lines = { 0 };
    struct error why = { 0 };
    char folder[CONNECTION_TEXT];
    const char *slash = strrchr(path, '/');

    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 0, path);
    if (!lines_init(&lines, file, CONNECTION_TEXT, err))
        return false;
    while (lines_next(&lines)) {
        if (!put_line(connection, lines.text, folder, &why))
            return error_set(err, REASON_SETTING_INVALID, "%.100s, line %d: %.80s", path, (int)lines.number,
                             why.detail);
    }
    return true;
}

bool connection_load(const char *path, struct connection *connection, struct error *err)
{
    CLEANUP(close_file) FILE *file = fopen(path, "re");

    return file ? read_profile(file, path, connection, err)
                : error_set(err, REASON_SETTING_INVALID, "there is no profile %.150s", path);
}

bool connection_profiles(char out[CONNECTION_TEXT])
{
    const char *home = getenv("ALLIANCE_HOME");

    return snprintf(out, CONNECTION_TEXT, "%s/profiles", home && *home ? home : "var") < CONNECTION_TEXT;
}

static bool load_named(const char *name, struct connection *connection, struct error *err)
{
    char folder[CONNECTION_TEXT], path[CONNECTION_TEXT];

    if (!*name || strchr(name, '/'))
        return error_set(err, REASON_FIELD_INVALID, "--profile is a name, not a path");
    if (!connection_profiles(folder) || snprintf(path, sizeof path, "%s/%s", folder, name) >= CONNECTION_TEXT)
        return error_set(err, REASON_SETTING_INVALID, "ALLIANCE_HOME is too long");
    return connection_load(path, connection, err);
}

bool connection_find(const struct arguments *arguments, struct connection *connection, struct error *err)
{
    const char *profile = arguments->option[OPTION_PROFILE];

    *connection = (struct connection){ 0 };
    for (size_t i = 0; i < COUNT(parts); i++) {
        const char *value = getenv(parts[i].environment);
        if (value && !put(connection, i, "", value, err))
            return false;
    }
    if (profile && !load_named(profile, connection, err))
        return false;
    for (size_t i = 0; i < COUNT(parts); i++) {
        const char *value = parts[i].option == OPTION_COUNT ? NULL : arguments->option[parts[i].option];
        if (value && !put(connection, i, "", value, err))
            return false;
    }
    return true;
}

static const char *or_null(const char *text)
{
    return *text ? text : NULL;
}

bool connection_open(const struct connection *connection, struct client **client, struct error *err)
{
    struct client_options options = {
        .target = connection->server,
        .ca_file = or_null(connection->ca),
        .cert_file = or_null(connection->cert),
        .key_file = or_null(connection->key),
        .target_name = or_null(connection->server_name),
    };

    if (!*connection->server)
        return error_set(err, REASON_SETTING_INVALID,
                         "no server is named: give --profile NAME, or --server, --ca, --cert and --key");
    if (!options.ca_file || !options.cert_file || !options.key_file)
        return error_set(err, REASON_SETTING_INVALID,
                         "the server is only reached over mTLS: give --ca, --cert and --key, or --profile NAME");
    return client_open(&options, client, err);
}

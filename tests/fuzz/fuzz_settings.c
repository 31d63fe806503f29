/* A settings file. What is taken can be written as the sample file is, name = value, and read to the same settings. */
#include "fuzz.h"

#include "io/settings.h"
#include "io/settings_table.h"

static bool read_text(const void *text, size_t size, struct settings *settings, struct error *err)
{
    FILE *lines = fmemopen((void *)(uintptr_t)text, size, "r");

    CLAIM(lines != NULL);
    settings_init(settings);
    bool read = settings_read(settings, lines, "fuzz", err);
    fclose(lines);
    return read;
}

static void addresses(const struct settings *settings)
{
    char host[SETTINGS_HOST], again[SETTINGS_TEXT];
    uint16_t port;

    if (!settings_split_address(settings->listen, host, &port))
        return;
    snprintf(again, sizeof again, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
    CLAIM(settings_split_address(again, host, &port));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct settings settings, again;
    char environment[SETTINGS_TEXT + 64], *variables[] = { environment, NULL };
    struct error err = { 0 };

    if (size == 0)
        return 0;
    if (!read_text(bytes, size, &settings, &err)) {
        CLAIM(err.reason == REASON_SETTING_INVALID && err.detail[0]);
        return 0;
    }
    addresses(&settings);
    settings_init(&again);
    snprintf(environment, sizeof environment, "ALLIANCE_DATABASE=%s", settings.database);
    CLAIM(settings_read_environment(&again, variables, &err) && strcmp(again.database, settings.database) == 0);
    snprintf(environment, sizeof environment, "ALLIANCE_%.*s", (int)(size < 80 ? size : 80), (const char *)bytes);
    (void)!settings_read_environment(&again, variables, &err);
    return 0;
}

/* The settings table as text for people. */
#include "io/settings_table.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

static const struct {
    enum settings_program program;
    const char *name;
} programs[] = {
    { SETTINGS_SERVER, "alliance-server" },
    { SETTINGS_MERCHANTS, "alliance-merchants" },
    { SETTINGS_LOGISTICS, "alliance-logistics" },
    { SETTINGS_SETTLE, "alliance-settle" },
};

static bool is_number(const struct setting *setting)
{
    return setting->kind == SETTING_INT || setting->kind == SETTING_DURATION_MS;
}

/* "milliseconds, 10 to 60000" */
static void print_kind(FILE *out, const struct setting *setting)
{
    fputs(setting_kind_word(setting->kind), out);
    if (is_number(setting))
        fprintf(out, ", %" PRId64 " to %" PRId64, setting->min, setting->max);
}

static void print_upper(FILE *out, const char *name)
{
    for (; *name; name++)
        fputc(toupper((unsigned char)*name), out);
}

void settings_help(FILE *out, enum settings_program program)
{
    fputs("Settings, in the file or as environment variables (which win):\n", out);
    for (size_t i = 0; i < settings_count; i++) {
        const struct setting *setting = &settings_table[i];
        if (!(setting->programs & program))
            continue;
        fprintf(out, "\n  %s =%s%s\n      ALLIANCE_", setting->name, *setting->initial ? " " : "", setting->initial);
        print_upper(out, setting->name);
        fputs("; ", out);
        print_kind(out, setting);
        fprintf(out, "%s\n      %s\n", setting->required_by & program && !*setting->initial ? "; required" : "",
                setting->help);
    }
}

static void print_programs(FILE *out, unsigned mask)
{
    const char *separator = "";

    for (size_t i = 0; i < COUNT(programs); i++) {
        if (mask & programs[i].program) {
            fprintf(out, "%s%s", separator, programs[i].name);
            separator = ", ";
        }
    }
}

void settings_sample(FILE *out)
{
    fputs(
        "# Settings of all programs of the alliance. Lines that begin with # show the defaults.\n"
        "# Each may also be given as an environment variable, such as ALLIANCE_LOG_LEVEL, which wins over this file.\n"
        "# This file is what alliance-logistics --sample prints; a test keeps the two the same.\n",
        out);
    for (size_t i = 0; i < settings_count; i++) {
        const struct setting *setting = &settings_table[i];
        fprintf(out, "\n# %s\n# ", setting->help);
        print_kind(out, setting);
        fputs(" (", out);
        print_programs(out, setting->programs);
        fprintf(out, ")\n#%s =%s%s\n", setting->name, *setting->initial ? " " : "", setting->initial);
    }
}

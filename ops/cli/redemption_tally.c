#include "redemption_tally.h"

#include "batch.h"
#include "show.h"

#include <inttypes.h>
#include <string.h>

static const char *known_action(const char *action)
{
    for (int i = 0; i < BATCH_ACTIONS; i++) {
        if (strcmp(batch_action_name((enum batch_action)i), action) == 0)
            return action;
    }
    return "?";
}

void redemption_tally_add(struct redemption_tally *tally, const char *action, const char *reason)
{
    size_t i = 0;

    action = known_action(action);
    while (i < tally->count &&
           (strcmp(tally->entries[i].action, action) != 0 || strcmp(tally->entries[i].reason, reason) != 0))
        i++;
    if (i == TALLY_MAX)
        i--; /* far more than there are reasons; the rest shares the last line */
    else if (i == tally->count) {
        tally->count++;
        snprintf(tally->entries[i].action, sizeof tally->entries[i].action, "%s", action);
        snprintf(tally->entries[i].reason, sizeof tally->entries[i].reason, "%s", reason);
    }
    tally->entries[i].count++;
}

static void write_json(const struct redemption_tally *tally, FILE *out)
{
    putc('[', out);
    for (size_t i = 0; i < tally->count; i++)
        fprintf(out, "%s{\"action\":\"%s\",\"reason\":\"%s\",\"count\":\"%" PRId64 "\"}", i ? "," : "",
                tally->entries[i].action, tally->entries[i].reason, tally->entries[i].count);
    fputs("]\n", out);
}

void redemption_tally_write(const struct redemption_tally *tally, bool json, FILE *out)
{
    const char *cells[3 * (TALLY_MAX + 1)] = { "action", "reason", "count" };
    char counts[TALLY_MAX][24];

    if (json) {
        write_json(tally, out);
        return;
    }
    for (size_t i = 0; i < tally->count; i++) {
        snprintf(counts[i], sizeof counts[i], "%" PRId64, tally->entries[i].count);
        cells[3 * (i + 1)] = tally->entries[i].action;
        cells[3 * (i + 1) + 1] = tally->entries[i].reason;
        cells[3 * (i + 1) + 2] = counts[i];
    }
    show_cells(out, cells, tally->count + 1, 3);
}

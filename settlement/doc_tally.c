#include "doc_tally.h"

#include "base/exact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void doc_tally_begin(struct doc_tally *tally)
{
    tally->day_count = tally->store_count = 0;
    memset(tally->slots, 0, sizeof tally->slots);
}

static struct doc_sum *day_of(struct doc_tally *tally, struct date day)
{
    if (tally->day_count > 0 && tally->days[tally->day_count - 1].day.days == day.days)
        return &tally->days[tally->day_count - 1];
    if (tally->day_count == TALLY_DAYS)
        return NULL;
    tally->days[tally->day_count] = (struct doc_sum){ .day = day };
    return &tally->days[tally->day_count++];
}

/* FNV-1a. */
static size_t slot_of(const char *label)
{
    uint32_t hash = 2166136261u;

    for (; *label; label++)
        hash = (hash ^ (uint8_t)*label) * 16777619u;
    return hash % TALLY_SLOTS;
}

static struct doc_sum *store_of(struct doc_tally *tally, const char *label)
{
    size_t slot = slot_of(label);

    for (; tally->slots[slot]; slot = (slot + 1) % TALLY_SLOTS) {
        struct doc_sum *store = &tally->stores[tally->slots[slot] - 1];
        if (strcmp(store->label, label) == 0)
            return store;
    }
    if (tally->store_count == TALLY_STORES)
        return NULL;
    struct doc_sum *made = &tally->stores[tally->store_count++];
    *made = (struct doc_sum){ 0 };
    snprintf(made->label, sizeof made->label, "%s", label);
    tally->slots[slot] = (uint16_t)tally->store_count;
    return made;
}

static bool add(struct doc_sum *sum, const struct sheet_line *line)
{
    if (line->reversal) {
        sum->reversed_count++;
        return exact_sub(sum->reversed_points, line->points, &sum->reversed_points) &&
               exact_add(sum->reversed_gross, line->gross_minor, &sum->reversed_gross) &&
               exact_add(sum->reversed_commission, line->commission_minor, &sum->reversed_commission);
    }
    sum->confirmed_count++;
    return exact_add(sum->confirmed_points, line->points, &sum->confirmed_points) &&
           exact_add(sum->confirmed_gross, line->gross_minor, &sum->confirmed_gross) &&
           exact_add(sum->confirmed_commission, line->commission_minor, &sum->confirmed_commission);
}

bool doc_tally_line(struct doc_tally *tally, const struct sheet_line *line, struct error *err)
{
    struct doc_sum *day = day_of(tally, line->business_date), *store = store_of(tally, line->store_id);

    if (!day || !store)
        return error_set(err, REASON_INTERNAL, "a statement can have at most %d days and %d stores", TALLY_DAYS,
                         TALLY_STORES);
    return (add(day, line) && add(store, line)) ||
           error_set(err, REASON_DOES_NOT_TIE, "a day's or a store's lines add up to more than fits");
}

static int by_label(const void *a, const void *b)
{
    return strcmp(((const struct doc_sum *)a)->label, ((const struct doc_sum *)b)->label);
}

void doc_tally_end(struct doc_tally *tally, struct statement_doc *doc)
{
    if (tally->store_count > 0)
        qsort(tally->stores, tally->store_count, sizeof tally->stores[0], by_label);
    doc->days = (struct doc_sums){ tally->days, tally->day_count };
    doc->stores = (struct doc_sums){ tally->stores, tally->store_count };
}

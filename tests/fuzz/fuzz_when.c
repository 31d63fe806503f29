/* Days, instants and amounts of money as text. What is read and written again is read as the same. */
#include "fuzz.h"

#include "base/limits.h"
#include "base/when.h"
#include "io/amount.h"

static void day(const char *text)
{
    char again[DATE_TEXT];
    struct date date;
    int year, month, day_of_month;

    if (!date_parse(text, &date))
        return;
    date_format(date, again);
    CLAIM(strcmp(text, again) == 0);
    date_split(date, &year, &month, &day_of_month);
    CLAIM(date_of(year, month, day_of_month).days == date.days);
    CLAIM(month >= 1 && month <= 12 && day_of_month >= 1 && day_of_month <= 31);
    CLAIM(date_month_start(date, 0).days == date.days - (day_of_month - 1));
}

static void instant(const char *text)
{
    char written[INSTANT_TEXT];
    struct instant first, again;

    if (!instant_parse(text, &first))
        return;
    instant_format(first, written);
    CLAIM(instant_parse(written, &again) && again.us == first.us);
}

static void money(const char *text)
{
    static const char *const currencies[] = { "CNY", "JPY", "KWD" };
    struct error err = { 0 };
    char written[AMOUNT_TEXT];
    int64_t minor, again;

    for (size_t i = 0; i < COUNT(currencies); i++) {
        if (!amount_parse(text, currencies[i], &minor, &err))
            continue;
        CLAIM(minor > 0 && minor <= AMOUNT_MINOR_MAX);
        amount_format(minor, currencies[i], written);
        CLAIM(amount_parse(written, currencies[i], &again, &err) && again == minor);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct feed feed = { bytes, size };
    const char *text = feed_text(&feed, &arena);

    day(text);
    instant(text);
    money(text);
    return 0;
}

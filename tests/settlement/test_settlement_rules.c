/* The pure rules of settlement: periods, money, cells, totals, ties, seals, the command line. */
#include "csv.h"
#include "domain/period.h"
#include "money.h"
#include "options.h"
#include "seal.h"
#include "sheet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    int kind;
    const char *text, *first, *last;
} periods[] = {
    { PERIOD_MONTH, "2017-01", "2017-01-01", "2017-01-31" },
    { PERIOD_MONTH, "2017-02", "2017-02-01", "2017-02-28" },
    { PERIOD_MONTH, "2016-02", "2016-02-01", "2016-02-29" },
    { PERIOD_MONTH, "2000-02", "2000-02-01", "2000-02-29" },
    { PERIOD_MONTH, "1900-02", "1900-02-01", "1900-02-28" },
    { PERIOD_MONTH, "2017-12", "2017-12-01", "2017-12-31" },
    { PERIOD_DAY, "2016-02-29", "2016-02-29", "2016-02-29" },
    { PERIOD_DAY, "2017-12-31", "2017-12-31", "2017-12-31" },
    /* The first weeks of ISO 8601 years that begin on each day of the week, and the 53rd of long years. */
    { PERIOD_WEEK, "2018-W01", "2018-01-01", "2018-01-07" },
    { PERIOD_WEEK, "2019-W01", "2018-12-31", "2019-01-06" },
    { PERIOD_WEEK, "2020-W01", "2019-12-30", "2020-01-05" },
    { PERIOD_WEEK, "2015-W01", "2014-12-29", "2015-01-04" },
    { PERIOD_WEEK, "2021-W01", "2021-01-04", "2021-01-10" },
    { PERIOD_WEEK, "2022-W01", "2022-01-03", "2022-01-09" },
    { PERIOD_WEEK, "2017-W01", "2017-01-02", "2017-01-08" },
    { PERIOD_WEEK, "2020-W53", "2020-12-28", "2021-01-03" },
    { PERIOD_WEEK, "2026-W53", "2026-12-28", "2027-01-03" },
    { PERIOD_WEEK, "2026-W48", "2026-11-23", "2026-11-29" },
    { PERIOD_CUSTOM, "2026-11-01--2026-11-10", "2026-11-01", "2026-11-10" },
    { PERIOD_CUSTOM, "2026-11-26--2026-11-26", "2026-11-26", "2026-11-26" },
    { PERIOD_CUSTOM, "2026-01-01--2027-02-04", "2026-01-01", "2027-02-04" },
};

static void a_period_is_named_by_its_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(periods); i++) {
        struct period period;
        char text[DATE_TEXT];
        assert_true(period_parse(periods[i].text, &period));
        assert_string_equal(period.text, periods[i].text);
        assert_int_equal(period.kind, periods[i].kind);
        date_format(period.first, text);
        assert_string_equal(text, periods[i].first);
        date_format(period.last, text);
        assert_string_equal(text, periods[i].last);
        if (period.kind == PERIOD_CUSTOM)
            continue;
        assert_string_equal(period_of(period.kind, period.last).text, period.text);
        assert_string_equal(period_of(period.kind, period.first).text, period.text);
        assert_true(period_begins(period.kind, period.first));
        assert_int_equal(period_begins(period.kind, period.last), period.kind == PERIOD_DAY);
    }
}

/* From 1969 to 2030 every day is in one week, and each week begins where the one before ends. */
static void weeks_follow_one_another(void **state)
{
    struct period week = period_of(PERIOD_WEEK, date_of(1969, 1, 1)), next, again;

    (void)state;
    while (week.last.days < date_of(2031, 1, 1).days) {
        next = period_of(PERIOD_WEEK, (struct date){ week.last.days + 1 });
        assert_int_equal(next.first.days, week.last.days + 1);
        assert_int_equal(next.last.days, next.first.days + 6);
        assert_true(strcmp(next.text, week.text) > 0);
        assert_true(period_parse(next.text, &again));
        assert_int_equal(again.first.days, next.first.days);
        week = next;
    }
}

static void what_is_no_period_is_refused(void **state)
{
    static const char *const wrong[] = { "",
                                         "2017",
                                         "2017-13",
                                         "2017-00",
                                         "2017-1",
                                         "17-01",
                                         "2017/01",
                                         "2017-02-29",
                                         "2017-W00",
                                         "2017-W53",
                                         "2017-W54",
                                         "2017-W60",
                                         "2017W01",
                                         "2017-w01",
                                         "2017-W1a",
                                         "2017-01-0",
                                         "2026-11-10--2026-11-09",
                                         "2026-11-01--2026-11-31",
                                         "2026-11-01..2026-11-10",
                                         "2026-01-01--2027-02-05",
                                         "2026-11-01--2026-11-10 " };
    struct period period;

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        if (period_parse(wrong[i], &period))
            fail_msg("\"%s\" was taken for %s", wrong[i], period.text);
    }
    assert_false(period_parse(NULL, &period));
}

static const struct {
    int64_t minor;
    const char *currency, *text;
} amounts[] = {
    { 0, "USD", "0.00" },
    { 5, "USD", "0.05" },
    { -5, "USD", "-0.05" },
    { 1234567, "USD", "12345.67" },
    { -100, "CNY", "-1.00" },
    { 1200, "JPY", "1200" },
    { -7, "JPY", "-7" },
    { 1, "KWD", "0.001" },
    { -1234, "KWD", "-1.234" },
    { 0, "XXX", "0" },
    { INT64_MAX, "USD", "92233720368547758.07" },
    { INT64_MIN, "USD", "-92233720368547758.08" },
    { INT64_MIN, "JPY", "-9223372036854775808" },
    { 99, "ZZZ", "0.99" },
};

static void money_has_the_points_of_its_currency(void **state)
{
    char text[MONEY_TEXT];

    (void)state;
    for (size_t i = 0; i < COUNT(amounts); i++) {
        money_format(amounts[i].minor, amounts[i].currency, text);
        assert_string_equal(text, amounts[i].text);
    }
}

static const struct {
    const char *text, *cell;
} cells[] = {
    { "", "" },           { "s1", "s1" },          { "a,b", "\"a,b\"" }, { "a\"b", "\"a\"\"b\"" },
    { "=1+1", "'=1+1" },  { "+1", "'+1" },         { "-1", "'-1" },      { "@x", "'@x" },
    { "a=b", "a=b" },     { "=a,b", "\"'=a,b\"" }, { "\tx", "'\tx" },    { "a\r\nb", "\"a\r\nb\"" },
    { "\"", "\"\"\"\"" },
};

static void cells_are_quoted_and_harmless(void **state)
{
    char cell[64];

    (void)state;
    for (size_t i = 0; i < COUNT(cells); i++) {
        csv_cell(cells[i].text, cell, sizeof cell);
        assert_string_equal(cell, cells[i].cell);
    }
}

static void a_cell_never_outgrows_its_room(void **state)
{
    char cell[CSV_CELL_SIZE(4)];

    (void)state;
    csv_cell("\"\"\"\"", cell, sizeof cell);
    assert_true(strlen(cell) < sizeof cell);
    csv_cell("\"\"\"\"\"\"\"\"\"\"\"\"", cell, sizeof cell);
    assert_true(strlen(cell) < sizeof cell);
}

static void totals_keep_both_kinds_apart(void **state)
{
    struct totals totals = { 0 };

    (void)state;
    assert_true(totals_add_entry(&totals, false, 100, 90, 9));
    assert_true(totals_add_entry(&totals, true, 40, -36, -4));
    struct totals expected = { 1, 100, 1, 40, 54, 5, 49 };
    int64_t a, b;
    assert_null(totals_difference(&totals, &expected, &a, &b));
    expected.net_minor++;
    assert_string_equal(totals_difference(&totals, &expected, &a, &b), "net");
    assert_int_equal(b - a, 1);
}

static void totals_never_wrap(void **state)
{
    struct totals totals = { 0 };

    (void)state;
    assert_true(totals_add_entry(&totals, false, INT64_MAX, 1, 0));
    assert_false(totals_add_entry(&totals, false, 1, 1, 0));
    assert_false(totals_add_entry(&totals, false, 0, INT64_MAX, 0));
    assert_false(totals_add_entry(&totals, false, 0, INT64_MIN, 1));
}

/* Two banks, two merchants, two currencies, all in order; one figure is changed by each story. */
static const struct sheet right[] = {
    { SHEET_PAIR, 1, 1, "a", "m", "USD", { 2, 20, 1, 5, 150, 15, 135 }, 3, { 0 }, { 0 }, 0, "", { 0 }, "", 0 },
    { SHEET_PAIR, 1, 2, "a", "n", "USD", { 1, 10, 0, 0, 100, 10, 90 }, 1, { 0 }, { 0 }, 0, "", { 0 }, "", 0 },
    { SHEET_PAIR, 2, 1, "b", "m", "EUR", { 1, 10, 2, 30, -200, -20, -180 }, 3, { 0 }, { 0 }, 0, "", { 0 }, "", 0 },
    { SHEET_BANK, 1, 0, "a", "", "USD", { 3, 30, 1, 5, 250, 25, 225 }, 2, { 0 }, { 0 }, 0, "", { 0 }, "", 0 },
    { SHEET_BANK, 2, 0, "b", "", "EUR", { 1, 10, 2, 30, -200, -20, -180 }, 1, { 0 }, { 0 }, 0, "", { 0 }, "", 0 },
    { SHEET_MERCHANT, 0, 1, "", "m", "EUR", { 1, 10, 2, 30, -200, -20, -180 }, 1, { 0 }, { 0 }, 0, "", { 0 }, "", 0 },
    { SHEET_MERCHANT, 0, 1, "", "m", "USD", { 2, 20, 1, 5, 150, 15, 135 }, 1, { 0 }, { 0 }, 0, "", { 0 }, "", 0 },
    { SHEET_MERCHANT, 0, 2, "", "n", "USD", { 1, 10, 0, 0, 100, 10, 90 }, 1, { 0 }, { 0 }, 0, "", { 0 }, "", 0 },
    { SHEET_OPERATOR, 0, 0, "", "", "EUR", { 1, 10, 2, 30, -200, -20, -180 }, 1, { 0 }, { 0 }, 0, "", { 0 }, "", 0 },
    { SHEET_OPERATOR, 0, 0, "", "", "USD", { 3, 30, 1, 5, 250, 25, 225 }, 2, { 0 }, { 0 }, 0, "", { 0 }, "", 0 },
};

static const struct {
    const char *story;
    size_t sheet;
    size_t figure; /* offset in struct totals */
    const char *told;
} ties[] = {
    { "a pair's gross", 0, offsetof(struct totals, gross_minor), "net of PAIR a m USD" },
    { "a bank's gross and net", 3, offsetof(struct totals, net_minor), "net of BANK a USD" },
    { "a bank's points", 3, offsetof(struct totals, confirmed_points),
      "confirmed points of BANK a USD: its pairs give "
      "30, its roll-up gives 31" },
    { "a merchant's count", 7, offsetof(struct totals, reversed_count), "reversed count of MERCHANT n USD" },
    { "the operator's points", 9, offsetof(struct totals, reversed_points), "reversed points of OPERATOR USD" },
    { "a pair's count", 2, offsetof(struct totals, reversed_count), "reversed count of BANK b EUR" },
};

static void sheets_that_tie_are_let_through(void **state)
{
    struct sheet sheets[COUNT(right)];
    struct sheet_list list = { sheets, COUNT(right), COUNT(right) };
    struct error err;

    (void)state;
    memcpy(sheets, right, sizeof right);
    assert_true(sheet_list_tie(&list, &err));
    for (size_t i = 0; i < COUNT(right); i++)
        sheets[i].line_count = -1;
    sheet_list_count_lines(&list);
    for (size_t i = 0; i < COUNT(right); i++)
        assert_int_equal(sheets[i].line_count, right[i].line_count);
}

static void one_figure_off_is_found_and_named(void **state)
{
    struct sheet sheets[COUNT(right)];
    struct sheet_list list = { sheets, COUNT(right), COUNT(right) };

    (void)state;
    for (size_t i = 0; i < COUNT(ties); i++) {
        struct error err = { 0 };
        memcpy(sheets, right, sizeof right);
        ++*(int64_t *)(void *)((char *)&sheets[ties[i].sheet].totals + ties[i].figure);
        assert_false(sheet_list_tie(&list, &err));
        assert_int_equal(err.reason, REASON_DOES_NOT_TIE);
        if (!strstr(err.detail, ties[i].told))
            fail_msg("%s: %s", ties[i].story, err.detail);
    }
}

/* All pairs and roll-ups agree with each other, but a bank is not listed: what banks owe is not what is paid out. */
static void money_without_a_bank_does_not_tie(void **state)
{
    struct sheet sheets[COUNT(right) - 1];
    struct sheet_list list = { sheets, COUNT(sheets), COUNT(sheets) };
    struct error err;

    (void)state;
    memcpy(sheets, right, 4 * sizeof *right);
    memcpy(sheets + 4, right + 5, (COUNT(right) - 5) * sizeof *right);
    assert_false(sheet_list_tie(&list, &err));
    assert_string_equal(err.detail,
                        "the whole of OPERATOR EUR: banks owe 0, merchants' net and the commission are -200");
}

static void names_say_whose_and_when(void **state)
{
    static const char *const ids[] = { [0] = "demo/2017-01/PAIR/a/m/USD",
                                       [3] = "demo/2017-01/BANK/a/USD",
                                       [6] = "demo/2017-01/MERCHANT/m/USD",
                                       [9] = "demo/2017-01/OPERATOR/USD" };
    static const char *const files[] = { [0] = "pair_a_m_2017-01_USD.csv",
                                         [3] = "bank_a_2017-01_USD.csv",
                                         [6] = "merchant_m_2017-01_USD.csv",
                                         [9] = "operator_demo_2017-01_USD.csv" };
    char text[SHEET_ID_TEXT];

    (void)state;
    for (size_t i = 0; i < COUNT(ids); i += 3) {
        sheet_id(&right[i], "demo", "2017-01", text);
        assert_string_equal(text, ids[i]);
        sheet_file_name(&right[i], "demo", "2017-01", "csv", text);
        assert_string_equal(text, files[i]);
    }
}

static void every_change_breaks_a_seal(void **state)
{
    struct entry entries[2] = {
        { .seq = 1, .kind = ENTRY_CONFIRM, .points = 5, .currency = "USD", .gross_minor = 7 },
        { .seq = 2, .kind = ENTRY_REVERSE, .points = 5, .currency = "USD", .gross_minor = -7 }
    };
    struct seal whole = { 0 }, empty = { 0 }, fewer = { 0 }, swapped = { 0 }, changed = { 0 };

    (void)state;
    assert_true(seal_add(&whole, &entries[0]) && seal_add(&whole, &entries[1]));
    assert_true(seal_add(&fewer, &entries[0]));
    assert_true(seal_add(&swapped, &entries[1]) && seal_add(&swapped, &entries[0]));
    entries[0].gross_minor++;
    assert_true(seal_add(&changed, &entries[0]) && seal_add(&changed, &entries[1]));
    assert_null(seal_difference(&whole, &whole));
    assert_string_equal(seal_difference(&whole, &empty), "the number of entries");
    assert_string_equal(seal_difference(&whole, &fewer), "the number of entries");
    assert_string_equal(seal_difference(&whole, &swapped), "the content of an entry");
    assert_string_equal(seal_difference(&whole, &changed), "the content of an entry");
    whole.points++;
    assert_string_equal(seal_difference(&whole, &changed), "the sum of points");
}

static const struct {
    const char *line;
    bool good;
    enum command command;
    const char *told; /* part of the sentence when not good */
} lines[] = {
    { "s day-close --programme demo", true, COMMAND_DAY_CLOSE, "" },
    { "s day-close --programme=demo --date=2017-01-02", true, COMMAND_DAY_CLOSE, "" },
    { "s day-close --programme demo --until 2017-01-02 --settings f", true, COMMAND_DAY_CLOSE, "" },
    { "s period-close --programme demo --period 2017-01 --out d", true, COMMAND_PERIOD_CLOSE, "" },
    { "s show --period 2017-01 --programme demo", true, COMMAND_SHOW, "" },
    { "s --help", true, COMMAND_HELP, "" },
    { "s show --help", true, COMMAND_HELP, "" },
    { "s", false, COMMAND_HELP, "a command is missing" },
    { "s close", false, COMMAND_HELP, "no command \"close\"" },
    { "s day-close", false, COMMAND_HELP, "--programme ID is missing" },
    { "s show --programme demo", false, COMMAND_HELP, "--period YYYY-MM is missing" },
    { "s day-close --programme Demo", false, COMMAND_HELP, "--programme must be given once" },
    { "s day-close --programme demo --programme demo", false, COMMAND_HELP, "--programme must be given once" },
    { "s day-close --programme demo --date 2017-02-29", false, COMMAND_HELP, "--date must be given once" },
    { "s day-close --programme demo --date", false, COMMAND_HELP, "--date must be given once" },
    { "s day-close --programme demo --period 2017-01", false, COMMAND_HELP, "\"--period\" is no option" },
    { "s day-close --programme demo --date 2017-01-01 --until 2017-01-02", false, COMMAND_HELP, "not both" },
    { "s show --programme demo --period 2017-1", false, COMMAND_HELP, "--period must be given once, as YYYY-MM" },
};

static void command_lines_are_understood_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        char text[128], *argv[16], *rest = text;
        int argc = 0;
        struct options options;
        struct error err = { 0 };
        snprintf(text, sizeof text, "%s", lines[i].line);
        while ((argv[argc] = strsep(&rest, " ")))
            argc++;
        bool good = options_parse(argc, argv, &options, &err);
        if (good != lines[i].good || (good && options.command != lines[i].command) ||
            !strstr(good ? "" : err.detail, lines[i].told))
            fail_msg("%s: %s", lines[i].line, err.detail);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_period_is_named_by_its_kind),     cmocka_unit_test(weeks_follow_one_another),
        cmocka_unit_test(what_is_no_period_is_refused),      cmocka_unit_test(money_has_the_points_of_its_currency),
        cmocka_unit_test(cells_are_quoted_and_harmless),     cmocka_unit_test(a_cell_never_outgrows_its_room),
        cmocka_unit_test(totals_keep_both_kinds_apart),      cmocka_unit_test(totals_never_wrap),
        cmocka_unit_test(sheets_that_tie_are_let_through),   cmocka_unit_test(one_figure_off_is_found_and_named),
        cmocka_unit_test(money_without_a_bank_does_not_tie), cmocka_unit_test(names_say_whose_and_when),
        cmocka_unit_test(every_change_breaks_a_seal),        cmocka_unit_test(command_lines_are_understood_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tests/unit/test_text.c -- text from outside: what is let in, and its nearest neighbours that are not. */
#include "base/error.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(text) text, sizeof(text) - 1

static const struct {
    const char *story, *bytes;
    size_t size;
    bool good;
} utf8[] = {
    { "nothing", BYTES(""), true },
    { "ASCII", BYTES("points"), true },
    { "the first character", BYTES("\x01"), true },
    { "the last of one byte", BYTES("\x7f"), true },
    { "NUL", BYTES("\0"), false },
    { "NUL in the middle", BYTES("a\0b"), false },
    { "NUL at the end", BYTES("ab\0"), false },
    { "a continuation alone", BYTES("\x80"), false },
    { "the last continuation alone", BYTES("\xbf"), false },
    { "overlong NUL", BYTES("\xc0\x80"), false },
    { "overlong slash", BYTES("\xc0\xaf"), false },
    { "the last overlong of two", BYTES("\xc1\xbf"), false },
    { "the first of two bytes", BYTES("\xc2\x80"), true },
    { "the last of two bytes", BYTES("\xdf\xbf"), true },
    { "overlong slash in three", BYTES("\xe0\x80\xaf"), false },
    { "the last overlong of three", BYTES("\xe0\x9f\xbf"), false },
    { "the first of three bytes", BYTES("\xe0\xa0\x80"), true },
    { "just before the surrogates", BYTES("\xed\x9f\xbf"), true },
    { "the first surrogate", BYTES("\xed\xa0\x80"), false },
    { "the last surrogate", BYTES("\xed\xbf\xbf"), false },
    { "a pair of surrogates", BYTES("\xed\xa0\xbd\xed\xb8\x80"), false },
    { "just after the surrogates", BYTES("\xee\x80\x80"), true },
    { "the last of three bytes", BYTES("\xef\xbf\xbf"), true },
    { "overlong slash in four", BYTES("\xf0\x80\x80\xaf"), false },
    { "the last overlong of four", BYTES("\xf0\x8f\xbf\xbf"), false },
    { "the first of four bytes", BYTES("\xf0\x90\x80\x80"), true },
    { "a face", BYTES("\xf0\x9f\x98\x80"), true },
    { "the last there is", BYTES("\xf4\x8f\xbf\xbf"), true },
    { "one beyond the last", BYTES("\xf4\x90\x80\x80"), false },
    { "far beyond the last", BYTES("\xf7\xbf\xbf\xbf"), false },
    { "five bytes", BYTES("\xf8\x88\x80\x80\x80"), false },
    { "six bytes", BYTES("\xfc\x84\x80\x80\x80\x80"), false },
    { "FE", BYTES("\xfe"), false },
    { "FF", BYTES("\xff"), false },
    { "one of two", BYTES("a\xc3"), false },
    { "one of three", BYTES("a\xe7"), false },
    { "two of three", BYTES("a\xe7\xa7"), false },
    { "one of four", BYTES("a\xf0"), false },
    { "three of four", BYTES("a\xf0\x9f\x98"), false },
    { "cut, then ASCII", BYTES("\xe7\xa7z"), false },
    { "cut, then another", BYTES("\xe7\xa7\xe7\xa7\xaf"), false },
    { "a NUL for a continuation", BYTES("\xc3\0"), false },
    { "a lead for a continuation", BYTES("\xc3\xc3"), false },
    { "one continuation too many", BYTES("\xc3\xa9\x80"), false },
    { "Latin-1", BYTES("caf\xe9"), false },
    { "Chinese", BYTES("\xe7\xa7\xaf\xe5\x88\x86"), true },
};

/* Each in a block of its own size, so that a sanitizer sees a byte read too far. */
static void utf8_is_well_formed_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(utf8); i++) {
        char *exact = malloc(utf8[i].size + !utf8[i].size);
        assert_non_null(exact);
        memcpy(exact, utf8[i].bytes, utf8[i].size);
        bool good = text_utf8(exact, utf8[i].size);
        free(exact);
        if (good != utf8[i].good)
            fail_msg("%s", utf8[i].story);
    }
}

/* Every code point, written by the definition, is good; the surrogates are not. */
static void every_code_point_is_known(void **state)
{
    (void)state;
    for (uint32_t point = 1; point < 0x120000; point++) {
        uint8_t s[4] = { (uint8_t)point };
        size_t n = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        static const uint8_t lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
        for (size_t i = n; n > 1 && i-- > 0;)
            s[i] = (uint8_t)((i == 0 ? lead[n] : 0x80) | (point >> (6 * (n - 1 - i)) & 0x3f));
        bool expected = point < 0xd800 || (point > 0xdfff && point < 0x110000);
        if (text_utf8(s, n) != expected)
            fail_msg("U+%04X", point);
    }
}

#define TEN "abcdefghij"

static const struct {
    const char *story, *text;
    bool id, ref; /* at most 32 characters; a ref may hold "_-." too */
} words[] = {
    { "none", NULL, false, false },
    { "empty", "", false, false },
    { "one letter", "a", true, true },
    { "one digit", "7", true, true },
    { "a dash", "city-bank", true, true },
    { "only a dash", "-", true, true },
    { "the last letters", "az09", true, true },
    { "capitals", "Bank", false, true },
    { "the last capitals", "AZ", false, true },
    { "an underline", "a_b", false, true },
    { "a point", "a.b", false, true },
    { "a blank", "a b", false, false },
    { "a blank behind", "ab ", false, false },
    { "a line end behind", "ab\n", false, false },
    { "a slash", "a/b", false, false },
    { "before 0", "a/", false, false },
    { "after 9", "a:", false, false },
    { "before A", "a@", false, false },
    { "after Z", "a[", false, false },
    { "before a", "a`", false, false },
    { "after z", "a{", false, false },
    { "a quote", "a'b", false, false },
    { "a percent", "%s", false, false },
    { "past ASCII", "b\xc3\xa4nk", false, false },
    { "exactly 32", TEN TEN TEN "ab", true, true },
    { "33", TEN TEN TEN "abc", false, false },
    { "very long", TEN TEN TEN TEN TEN TEN TEN TEN, false, false },
};

static void ids_and_refs_have_few_letters(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(words); i++) {
        if (text_is_id(words[i].text, 32) != words[i].id)
            fail_msg("%s, id", words[i].story);
        if (text_is_ref(words[i].text, 32, "_-.") != words[i].ref)
            fail_msg("%s, ref", words[i].story);
    }
    assert_false(text_is_ref("a-b", 32, ""));
    assert_false(text_is_id("a", 0));
}

static const struct {
    const char *story, *text;
    bool good;
} currencies[] = {
    { "yuan", "CNY", true },
    { "the edges", "AZA", true },
    { "none", NULL, false },
    { "empty", "", false },
    { "two", "CN", false },
    { "four", "CNYY", false },
    { "small", "cny", false },
    { "mixed", "CNy", false },
    { "a number", "156", false },
    { "before A", "CN@", false },
    { "after Z", "CN[", false },
    { "a blank", "CN ", false },
    { "a sign",
      "\xc2\xa5"
      "1",
      false },
};

static void currencies_are_three_capitals(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(currencies); i++) {
        if (text_is_currency(currencies[i].text) != currencies[i].good)
            fail_msg("%s", currencies[i].story);
    }
}

/* Published test numbers; no card was ever issued with them. */
static const struct {
    const char *story, *text;
    bool card;
} numbers[] = {
    { "16 digits", "4111111111111111", true },
    { "in groups", "4111 1111 1111 1111", true },
    { "with dashes", "4111-1111-1111-1111", true },
    { "blanks and dashes anywhere", " -4-1 11111111111111- ", true },
    { "15 digits", "378282246310005", true },
    { "14 digits", "30569309025904", true },
    { "19 digits", "6304000000000000000", true },
    { "12 digits", "000000000000", true },
    { "12 digits that say something", "500000000009", true },
    { "11 digits", "00000000000", false },
    { "20 digits", "00000000000000000000", false },
    { "the check digit is one off", "4111111111111112", false },
    { "two digits swapped", "1411111111111111", false },
    { "a letter in it", "411111111111111a", false },
    { "a token", "tok_4111111111111111", false },
    { "a point", "4111.1111.1111.1111", false },
    { "nothing", "", false },
    { "blanks only", "            ", false },
};

static void card_numbers_are_recognised(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        if (text_is_card_number(numbers[i].text) != numbers[i].card)
            fail_msg("%s", numbers[i].story);
    }
}

/* Of the ten check digits exactly one is right, whatever comes before. */
static void one_check_digit_in_ten_is_right(void **state)
{
    char text[20] = "";

    (void)state;
    for (size_t n = 12; n <= 19; n++) {
        int right = 0;
        for (size_t i = 0; i < n; i++)
            text[i] = (char)('0' + (i * 7 + n) % 10);
        text[n] = '\0';
        for (char digit = '0'; digit <= '9'; digit++) {
            text[n - 1] = digit;
            right += text_is_card_number(text);
        }
        assert_int_equal(right, 1);
    }
}

static void empty_is_null_or_no_characters(void **state)
{
    (void)state;
    assert_true(text_empty(NULL));
    assert_true(text_empty(""));
    assert_false(text_empty(" "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_well_formed_or_refused), cmocka_unit_test(every_code_point_is_known),
        cmocka_unit_test(ids_and_refs_have_few_letters),  cmocka_unit_test(currencies_are_three_capitals),
        cmocka_unit_test(card_numbers_are_recognised),    cmocka_unit_test(one_check_digit_in_ten_is_right),
        cmocka_unit_test(empty_is_null_or_no_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

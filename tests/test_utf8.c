// SPDX-License-Identifier: MIT
#include "engine/utf8.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
// cmocka wants the three above before it
#include <cmocka.h>

static void every_code_point_decodes_to_itself(void **state)
{
    (void)state;
    for (uint32_t c = 1; c <= 0x10ffff; c += c < 0x3000 ? 1 : 97) {
        char text[5] = "";
        size_t bytes;
        uint32_t decoded = 0;
        if (c < 0x80) {
            text[0] = (char)c;
            bytes = 1;
        } else if (c < 0x800) {
            text[0] = (char)(0xc0 | c >> 6);
            text[1] = (char)(0x80 | (c & 63));
            bytes = 2;
        } else if (c < 0x10000) {
            text[0] = (char)(0xe0 | c >> 12);
            text[1] = (char)(0x80 | (c >> 6 & 63));
            text[2] = (char)(0x80 | (c & 63));
            bytes = 3;
        } else {
            text[0] = (char)(0xf0 | c >> 18);
            text[1] = (char)(0x80 | (c >> 12 & 63));
            text[2] = (char)(0x80 | (c >> 6 & 63));
            text[3] = (char)(0x80 | (c & 63));
            bytes = 4;
        }
        if (c >= 0xd800 && c <= 0xdfff) {
            assert_int_equal(utf8_decode(text, &decoded), 0);
            continue;
        }
        assert_int_equal(utf8_decode(text, &decoded), bytes);
        assert_int_equal(decoded, c);
    }
}

static void what_is_not_utf8_does_not_decode(void **state)
{
    (void)state;
    // From Unicode 15, table 3-7: the first byte that cannot be.
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xc2\x41",
                                      "\xe0\x9f\x80",
                                      "\xed\xbf\xbf",
                                      "\xe1\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      ""};
    uint32_t c;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i)
        assert_int_equal(utf8_decode(bad[i], &c), 0);
}

static void columns_are_those_of_a_terminal(void **state)
{
    (void)state;
    assert_int_equal(utf8_text_columns("abc"), 3);
    assert_int_equal(utf8_text_columns("e\xcc\x81"), 1);        // e and a combining acute
    assert_int_equal(utf8_text_columns("\xe6\x9b\xb2"), 2);     // a Han character
    assert_int_equal(utf8_text_columns("\xed\x95\x9c"), 2);     // a Hangul syllable
    assert_int_equal(utf8_text_columns("\xf0\x9f\x8e\xb5"), 2); // musical note
    assert_int_equal(utf8_text_columns("\xff\xff"), 2);         // one for each bad byte
}

static void text_is_cut_and_padded_to_exact_columns(void **state)
{
    (void)state;
    char out[64];
    (void)utf8_fit(out, sizeof out, "abc", 5, UTF8_CUT_END);
    assert_string_equal(out, "abc  ");
    (void)utf8_fit(out, sizeof out, "abcdef", 4, UTF8_CUT_END);
    assert_string_equal(out, "abc\xe2\x80\xa6");
    (void)utf8_fit(out, sizeof out, "abcdef", 4, UTF8_CUT_START);
    assert_string_equal(out, "\xe2\x80\xa6"
                             "def");
    (void)utf8_fit(out, sizeof out, "abcdef", 6, UTF8_CUT_END);
    assert_string_equal(out, "abcdef");
    (void)utf8_fit(out, sizeof out, "abcdef", 0, UTF8_CUT_END);
    assert_string_equal(out, "");
}

static void a_wide_character_is_never_halved(void **state)
{
    (void)state;
    char out[64];
    (void)utf8_fit(out, sizeof out, "\xe6\x9b\xb2\xe6\x9b\xb2\xe6\x9b\xb2", 4, UTF8_CUT_END);
    assert_string_equal(out, "\xe6\x9b\xb2\xe2\x80\xa6 ");
    (void)utf8_fit(out, sizeof out, "\xe6\x9b\xb2\xe6\x9b\xb2\xe6\x9b\xb2", 4, UTF8_CUT_START);
    assert_string_equal(out, "\xe2\x80\xa6\xe6\x9b\xb2 ");
}

static void a_short_buffer_is_never_overrun(void **state)
{
    (void)state;
    char out[16];
    for (size_t size = 1; size <= 12; ++size) {
        memset(out, 'G', sizeof out);
        const size_t used = utf8_fit(out, size, "\xe6\x9b\xb2\xc3\xa9z", 9, UTF8_CUT_END);
        assert_true(used < size);
        assert_int_equal(out[used], 0);
        assert_int_equal(out[size], 'G');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_decodes_to_itself),
        cmocka_unit_test(what_is_not_utf8_does_not_decode),
        cmocka_unit_test(columns_are_those_of_a_terminal),
        cmocka_unit_test(text_is_cut_and_padded_to_exact_columns),
        cmocka_unit_test(a_wide_character_is_never_halved),
        cmocka_unit_test(a_short_buffer_is_never_overrun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

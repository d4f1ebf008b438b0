// SPDX-License-Identifier: MIT
#include "engine/escape.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the four above before it
#include <cmocka.h>

static void assert_escaped(const char *text, const char *expected)
{
    char *escaped = escape_dup(text);
    assert_non_null(escaped);
    assert_string_equal(escaped, expected);
    assert_int_equal(escape_undo(escaped), strlen(text));
    assert_string_equal(escaped, text);
    free(escaped);
}

static void ordinary_paths_stay_as_they_are(void **state)
{
    (void)state;
    assert_escaped("", "");
    assert_escaped("/music/B\xc3\xa9la/01 \xe6\x9b\xb2.flac",
                   "/music/B\xc3\xa9la/01 \xe6\x9b\xb2.flac");
    assert_escaped("AC\\DC.mp3", "AC\\DC.mp3");
    assert_escaped("ends in \\", "ends in \\");
    assert_escaped("\xf0\x9f\x8e\xb5", "\xf0\x9f\x8e\xb5");
}

static void control_characters_are_escaped(void **state)
{
    (void)state;
    assert_escaped("a\nb\tc", "a\\nb\\tc");
    assert_escaped("\x01\x1b[2J\x7f\r", "\\x01\\x1b[2J\\x7f\\x0d");
    assert_escaped("\xc2\x85", "\\xc2\\x85"); // U+0085, a C1 control
    assert_escaped("\xc2\xa0", "\xc2\xa0");   // U+00A0 is not one
}

static void bytes_that_are_not_utf8_are_escaped_one_by_one(void **state)
{
    (void)state;
    assert_escaped("\xff.wav", "\\xff.wav");
    assert_escaped("\xe9t\xe9", "\\xe9t\\xe9");                 // Latin-1
    assert_escaped("\xc0\xaf", "\\xc0\\xaf");                   // overlong
    assert_escaped("\xed\xa0\x80", "\\xed\\xa0\\x80");          // a surrogate
    assert_escaped("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); // over U+10FFFF
    assert_escaped("\xe6\x9b", "\\xe6\\x9b");                   // cut off
}

static void a_backslash_is_doubled_only_where_it_would_read_as_an_escape(void **state)
{
    (void)state;
    assert_escaped("a\\n", "a\\\\n");
    assert_escaped("\\t", "\\\\t");
    assert_escaped("\\x41", "\\\\x41");
    assert_escaped("\\x4g", "\\x4g");
    assert_escaped("\\\n", "\\\\\\n");
    assert_escaped("\\\\", "\\\\\\");
    assert_escaped("\\\xff", "\\\\\\xff");
}

static void every_string_of_awkward_characters_comes_back(void **state)
{
    (void)state;
    static const char alphabet[] = {'\\', 'n', 'x', '4', '\n', '\xff', '\xc3', '\xa9'};
    enum { LETTERS = sizeof alphabet, LENGTH = 5 };
    char seen[64], text[LENGTH + 1] = "";
    for (unsigned code = 0; code < 8 * 8 * 8 * 8 * 8; ++code) {
        for (unsigned i = 0, rest = code; i < LENGTH; ++i, rest /= LETTERS)
            text[i] = alphabet[rest % LETTERS];
        assert_true(escape_text(seen, sizeof seen, text) < sizeof seen);
        for (const char *c = seen; *c; ++c)
            assert_true((unsigned char)*c >= 0x20);
        assert_int_equal(escape_undo(seen), LENGTH);
        assert_string_equal(seen, text);
    }
}

static void a_short_buffer_cuts_between_escapes_and_tells_the_whole_length(void **state)
{
    (void)state;
    char out[8];
    assert_int_equal(escape_text(out, sizeof out, "ab\xff\xff"), 10);
    assert_string_equal(out, "ab\\xff");
    assert_int_equal(escape_text(out, 5, "abc\n"), 5);
    assert_string_equal(out, "abc");
    assert_int_equal(escape_text(out, 6, "abc\n"), 5);
    assert_string_equal(out, "abc\\n");
    assert_int_equal(escape_text(NULL, 0, "abc\n"), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_paths_stay_as_they_are),
        cmocka_unit_test(control_characters_are_escaped),
        cmocka_unit_test(bytes_that_are_not_utf8_are_escaped_one_by_one),
        cmocka_unit_test(a_backslash_is_doubled_only_where_it_would_read_as_an_escape),
        cmocka_unit_test(every_string_of_awkward_characters_comes_back),
        cmocka_unit_test(a_short_buffer_cuts_between_escapes_and_tells_the_whole_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

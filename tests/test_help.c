// SPDX-License-Identifier: MIT
#include "engine/desktop/help.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the four above before it
#include <cmocka.h>

static char *help_of(enum command command)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    assert_int_equal(help_write(out, command), 0);
    fclose(out);
    return text;
}

static void every_page_has_its_sections_and_fits_eighty_columns(void **state)
{
    (void)state;
    static const char *const sections[] = {"USAGE\n",         "\nOPTIONS\n", "\nEXAMPLES\n",
                                           "\nEXIT STATUS\n", "\nFILES\n",   "\nENVIRONMENT\n"};
    for (unsigned c = 0; c < COMMAND_COUNT; ++c) {
        char *text = help_of((enum command)c);
        for (size_t i = 0; i < sizeof sections / sizeof sections[0]; ++i)
            assert_non_null(strstr(text, sections[i]));
        for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
            if (strcspn(line, "\n") > 90)
                fail_msg("too wide: %.100s", line);
        free(text);
    }
}

static void every_option_stands_on_the_page_of_each_command_that_takes_it(void **state)
{
    (void)state;
    for (unsigned c = 0; c < COMMAND_COUNT; ++c) {
        char *text = help_of((enum command)c);
        for (unsigned o = 0; o < OPTION_COUNT; ++o) {
            const struct option_info *info = option_info((enum option)o);
            const char *brief = option_brief((enum option)o);
            char start[64];
            snprintf(start, sizeof start, "\n  %s%s%s ", brief ? brief : "", brief ? ", " : "",
                     info->name);
            assert_int_equal(strstr(text, start) != NULL, (info->commands >> c & 1U) != 0);
        }
        free(text);
    }
}

static void a_full_device_is_an_error(void **state)
{
    (void)state;
    FILE *full = fopen("/dev/full", "w");
    if (!full)
        skip();
    assert_int_equal(help_write_version(full) < 0, 1);
    fclose(full);
}

static void short_usage_names_every_command(void **state)
{
    (void)state;
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    help_write_usage(out);
    fclose(out);
    for (unsigned c = COMMAND_NONE + 1; c < COMMAND_COUNT; ++c)
        assert_non_null(strstr(text, command_name((enum command)c)));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_page_has_its_sections_and_fits_eighty_columns),
        cmocka_unit_test(every_option_stands_on_the_page_of_each_command_that_takes_it),
        cmocka_unit_test(a_full_device_is_an_error),
        cmocka_unit_test(short_usage_names_every_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

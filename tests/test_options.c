// SPDX-License-Identifier: MIT
#include "engine/desktop/options.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
// cmocka wants the four above before it
#include <cmocka.h>

enum { ARGUMENTS_MOST = 32 };

struct parsed {
    struct options options;
    enum options_outcome outcome;
    char *argv[ARGUMENTS_MOST];
};

// Parse a list of arguments that ends with NULL; "segue" goes before it.
static struct parsed *parse(const char *const *arguments)
{
    static struct parsed parsed;
    int argc = 0;
    parsed.argv[argc++] = (char *)(size_t) "segue";
    for (; *arguments; ++arguments)
        parsed.argv[argc++] = (char *)(size_t)*arguments;
    parsed.argv[argc] = NULL;
    parsed.outcome = options_parse(&parsed.options, argc, parsed.argv);
    return &parsed;
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static void assert_wrong(const struct parsed *parsed, const char *fragment)
{
    assert_int_equal(parsed->outcome, OPTIONS_WRONG);
    if (!strstr(parsed->options.error, fragment))
        fail_msg("\"%s\" is not in \"%s\"", fragment, parsed->options.error);
    assert_null(strchr(parsed->options.error, '\n'));
}

static void no_argument_at_all_asks_for_the_usage(void **state)
{
    (void)state;
    const char *const none[] = {NULL};
    assert_int_equal(parse(none)->outcome, OPTIONS_NOTHING);
}

static void defaults_are_those_of_the_help(void **state)
{
    (void)state;
    const struct options *o = &PARSE("play", "a.wav")->options;
    assert_int_equal(o->command, COMMAND_PLAY);
    assert_null(o->device);
    assert_int_equal(o->buffer_frames, 0);
    assert_int_equal(o->rate_hz, 0);
    assert_int_equal(o->chunk, -1);
    assert_true(o->seek_s == 0 && o->speed == 1);
    assert_int_equal(o->mastering.preset, PRESET_ADAPTIVE);
    assert_int_equal(o->mastering.goal, LOUDNESS_OF_PRESET);
    assert_true(o->mastering.intensity == 1);
    assert_int_equal(o->path_count, 1);
    assert_string_equal(o->paths[0], "a.wav");
}

static void options_stand_before_or_after_the_paths_in_both_spellings(void **state)
{
    (void)state;
    const struct parsed *p = PARSE("play", "--device", "wav:o.wav", "a", "--preset=warm", "b",
                                   "--intensity", "0.25", "--target-lufs", "-16.5", "c");
    assert_int_equal(p->outcome, OPTIONS_RUN);
    assert_string_equal(p->options.device, "wav:o.wav");
    assert_int_equal(p->options.mastering.preset, PRESET_WARM);
    assert_true(p->options.mastering.intensity == 0.25);
    assert_int_equal(p->options.mastering.goal, LOUDNESS_FIXED);
    assert_true(p->options.mastering.target_lufs == -16.5);
    assert_int_equal(p->options.path_count, 3);
    assert_string_equal(p->options.paths[0], "a");
    assert_string_equal(p->options.paths[1], "b");
    assert_string_equal(p->options.paths[2], "c");
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    const struct parsed *p = PARSE("analyze", "--table", "--", "--json", "-x", "--");
    assert_int_equal(p->outcome, OPTIONS_RUN);
    assert_true(options_has(&p->options, OPTION_TABLE));
    assert_false(options_has(&p->options, OPTION_JSON));
    assert_int_equal(p->options.path_count, 3);
    assert_string_equal(p->options.paths[0], "--json");
    assert_string_equal(p->options.paths[1], "-x");
    assert_string_equal(p->options.paths[2], "--");
}

static void a_single_dash_is_a_path(void **state)
{
    (void)state;
    const struct parsed *p = PARSE("analyze", "--null", "-");
    assert_int_equal(p->outcome, OPTIONS_RUN);
    assert_string_equal(p->options.paths[0], "-");
}

static void the_last_of_a_repeated_option_counts(void **state)
{
    (void)state;
    assert_int_equal(PARSE("analyze", "--jobs", "3", "--jobs=7", "a")->options.jobs, 7);
    assert_int_equal(
        PARSE("analyze", "--target-lufs=-20", "--target-lufs=asis", "a")->options.mastering.goal,
        LOUDNESS_AS_IS);
}

static void numbers_at_the_ends_of_their_ranges_are_taken(void **state)
{
    (void)state;
    static const char *const good[][2] = {
        {"--intensity", "0"},       {"--intensity", "1"},     {"--target-lufs", "-36"},
        {"--target-lufs", "-6"},    {"--buffer-frames", "1"}, {"--buffer-frames", "65536"},
        {"--rate", "1000"},         {"--rate", "768000"},     {"--seek", "0"},
        {"--seek", "1e3"},          {"--log-level", "error"}, {"--log-level", "debug"},
        {"--target-lufs", "-14.0"}, {"--intensity", "+0.5"},  {"--device", "jack:system"},
        {"--preset", "live"},       {"--preset", "punchy"},   {"--seek", ".5"},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; ++i)
        assert_int_equal(PARSE("play", good[i][0], good[i][1], "a")->outcome, OPTIONS_RUN);
}

static void values_out_of_range_or_malformed_are_refused_by_name(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"--intensity", "1.0001"},
        {"--intensity", "-0.1"},
        {"--intensity", "nan"},
        {"--intensity", "0.5x"},
        {"--intensity", ""},
        {"--intensity", " 0.5"},
        {"--intensity", "0x1"},
        {"--target-lufs", "-36.1"},
        {"--target-lufs", "-5.9"},
        {"--target-lufs", "inf"},
        {"--target-lufs", "-1e999"},
        {"--buffer-frames", "0"},
        {"--buffer-frames", "1.5"},
        {"--buffer-frames", "65537"},
        {"--rate", "999"},
        {"--rate", "768001"},
        {"--rate", "18446744073709595716"},
        {"--rate", "-1"},
        {"--seek", "-1"},
        {"--seek", "1e999"},
        {"--seek", "1:00"},
        {"--speed", "0"},
        {"--speed", "nan"},
        {"--log-level", "loud"},
        {"--preset", "Warm"},
        {"--preset", ""},
        {"--device", ""},
        {"--device", "wav:"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i)
        assert_wrong(PARSE("play", bad[i][0], bad[i][1], "a"), bad[i][0]);
}

static void a_missing_value_is_refused_and_an_option_is_no_value(void **state)
{
    (void)state;
    assert_wrong(PARSE("play", "a", "--device"), "--device needs a value");
    assert_wrong(PARSE("play", "--device", "--preset", "warm", "a"), "--device needs a value");
    assert_wrong(PARSE("play", "--no-gpu=1", "a"), "--no-gpu takes no value");
}

static void unknown_options_and_commands_are_named_with_the_nearest_one(void **state)
{
    (void)state;
    assert_wrong(PARSE("play", "--presett", "warm", "a"), "--presett (did you mean --preset?)");
    assert_wrong(PARSE("play", "-x", "a"), "unknown option -x");
    assert_wrong(PARSE("analyse", "a"), "did you mean analyze?");
    assert_wrong(PARSE("frobnicate"), "unknown command \"frobnicate\"");
    assert_wrong(PARSE("play", "--\n\x1b", "a"), "unknown option --\\n\\x1b");
}

static void an_option_of_another_command_is_refused(void **state)
{
    (void)state;
    assert_wrong(PARSE("analyze", "--seek", "3", "a"),
                 "--seek is not an option of `segue analyze`");
    assert_wrong(PARSE("render", "--rate", "48000", "a", "b.wav"), "--rate");
    assert_wrong(PARSE("play", "--json", "a"), "--json");
    assert_wrong(PARSE("devices", "--no-cache"), "--no-cache");
}

static void a_missing_command_or_path_is_refused(void **state)
{
    (void)state;
    assert_wrong(PARSE("--no-gpu"), "no command");
    assert_wrong(PARSE("play"), "at least one PATH");
    assert_wrong(PARSE("analyze", "--json"), "at least one PATH");
    assert_wrong(PARSE("render", "a.wav"), "IN and OUT, got 1 path");
    assert_wrong(PARSE("render", "--measure"), "at least one PATH");
    assert_wrong(PARSE("cache"), "cache needs one of");
    assert_wrong(PARSE("devices", "x"), "no paths");
    assert_wrong(PARSE("play", ""), "empty PATH");
}

static void help_and_version_need_nothing_else(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--help")->outcome, OPTIONS_HELP);
    const struct parsed *p = PARSE("cache", "--help");
    assert_int_equal(p->outcome, OPTIONS_HELP);
    assert_int_equal(p->options.command, COMMAND_CACHE);
    assert_int_equal(PARSE("render", "--version")->outcome, OPTIONS_VERSION);
    assert_int_equal(PARSE("play", "--bogus", "--help")->outcome, OPTIONS_WRONG);
    assert_int_equal(PARSE("play", "--", "--help")->outcome, OPTIONS_RUN);
}

static void report_needs_a_page_to_write_and_something_to_show(void **state)
{
    (void)state;
    const struct parsed *p = PARSE("report", "-o", "out.html", "a.flac", "dir");
    assert_int_equal(p->outcome, OPTIONS_RUN);
    assert_string_equal(p->options.output, "out.html");
    assert_int_equal(p->options.path_count, 2);
    assert_string_equal(PARSE("report", "a", "--output=B.HTM")->options.output, "B.HTM");
    assert_wrong(PARSE("report", "a.flac"), "--output FILE");
    assert_wrong(PARSE("report", "-o", "out.html"), "at least one PATH");
    assert_wrong(PARSE("report", "a", "-o"), "--output");
    assert_wrong(PARSE("report", "a.flac", "-o", "a.flac"), "must end in .html");
    assert_wrong(PARSE("play", "a", "-o", "out.html"), "--output");
}

static void render_checks_its_output_and_format(void **state)
{
    (void)state;
    const struct parsed *p = PARSE("render", "a.mp3", "b.FLAC", "--format", "s24", "--chunk=2");
    assert_int_equal(p->outcome, OPTIONS_RUN);
    assert_int_equal(p->options.format, RENDER_S24);
    assert_int_equal(p->options.chunk, 2);
    assert_wrong(PARSE("render", "a", "b.flac", "--format", "f32"), "--format f32");
    assert_wrong(PARSE("render", "a", "b", "c/", "--format", "f32"), "--type wav");
    assert_wrong(PARSE("render", "a", "b/", "--type", "mp3"), "--type");
    assert_wrong(PARSE("render", "a", "b.wav", "--chunk", "1", "--album"), "--chunk");
    assert_wrong(PARSE("render", "a", "--chunk", "1", "--measure"), "--chunk");
    assert_wrong(PARSE("render", "a", "b.wav", "--format", "s32"), "--format");
    assert_wrong(PARSE("render", "a", "b.wav", "--chunk", "-1"), "--chunk");
}

static void speed_belongs_to_the_null_device(void **state)
{
    (void)state;
    const struct parsed *p = PARSE("play", "--device=null", "--speed", "max", "a");
    assert_int_equal(p->outcome, OPTIONS_RUN);
    assert_true(isinf(p->options.speed));
    assert_wrong(PARSE("play", "--speed", "2", "a"), "--speed is for --device null");
}

static void options_that_exclude_each_other_are_refused(void **state)
{
    (void)state;
    assert_wrong(PARSE("analyze", "--json", "--table", "a"), "exclude");
    assert_wrong(PARSE("analyze", "--no-cache", "--sidecar", "a"), "--sidecar");
    assert_wrong(PARSE("play", "--demo", "a"), "--demo");
    assert_int_equal(PARSE("play", "--demo")->outcome, OPTIONS_RUN);
}

static void cache_actions_have_their_own_arguments(void **state)
{
    (void)state;
    const struct parsed *p = PARSE("cache", "clear", "x", "y");
    assert_int_equal(p->outcome, OPTIONS_RUN);
    assert_int_equal(p->options.action, CACHE_CLEAR);
    assert_int_equal(p->options.path_count, 2);
    assert_string_equal(p->options.paths[0], "x");
    assert_int_equal(PARSE("cache", "stats", "--json")->outcome, OPTIONS_RUN);
    assert_int_equal(PARSE("cache", "verify", "--files")->outcome, OPTIONS_RUN);
    assert_int_equal(PARSE("cache", "export", "f")->options.action, CACHE_EXPORT);
    assert_wrong(PARSE("cache", "import"), "cache import needs one FILE");
    assert_wrong(PARSE("cache", "export", "a", "b"), "one FILE");
    assert_wrong(PARSE("cache", "vacuum", "x"), "no paths");
    assert_wrong(PARSE("cache", "clear", "--json"), "--json");
    assert_wrong(PARSE("cache", "stats", "--files"), "--files");
    assert_wrong(PARSE("cache", "melt"), "unknown action \"melt\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_argument_at_all_asks_for_the_usage),
        cmocka_unit_test(defaults_are_those_of_the_help),
        cmocka_unit_test(options_stand_before_or_after_the_paths_in_both_spellings),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(a_single_dash_is_a_path),
        cmocka_unit_test(the_last_of_a_repeated_option_counts),
        cmocka_unit_test(numbers_at_the_ends_of_their_ranges_are_taken),
        cmocka_unit_test(values_out_of_range_or_malformed_are_refused_by_name),
        cmocka_unit_test(a_missing_value_is_refused_and_an_option_is_no_value),
        cmocka_unit_test(unknown_options_and_commands_are_named_with_the_nearest_one),
        cmocka_unit_test(an_option_of_another_command_is_refused),
        cmocka_unit_test(a_missing_command_or_path_is_refused),
        cmocka_unit_test(help_and_version_need_nothing_else),
        cmocka_unit_test(render_checks_its_output_and_format),
        cmocka_unit_test(report_needs_a_page_to_write_and_something_to_show),
        cmocka_unit_test(speed_belongs_to_the_null_device),
        cmocka_unit_test(options_that_exclude_each_other_are_refused),
        cmocka_unit_test(cache_actions_have_their_own_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
// What a report draws of a track, by lists of known loudness and by dynamics of known gain.
#include "engine/desktop/report_pictures.h"
#include "support/near.h"
#include <string.h>

enum { FRAMES = 2000, LISTED_MOST = 4000 };

/// A track of two lists of loudness; its audio is silence.
struct fixture {
    char *text;
    float before[LISTED_MOST], after[LISTED_MOST];
    struct mastering_targets targets;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->targets = (struct mastering_targets){.target_lufs = -12, .width = 1};
    for (int i = 0; i < LISTED_MOST; ++i)
        f->before[i] = f->after[i] = -30; // for which a scale ends at -36 LUFS
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    free(f->text);
    free(f);
    return 0;
}

static struct track_picture *make_picture(uint32_t rate_hz)
{
    struct track_picture *p;
    assert_int_equal(track_picture_create(&p, FRAMES, rate_hz), 0);
    const float silence[2 * FRAMES] = {0};
    const struct chain_dynamics loud = {-1, -2}, quiet = {-0.5, 0};
    uint32_t taken = 0, want;
    while ((want = track_picture_wants(p, FRAMES)) > 0) {
        track_picture_feed(p, silence, silence, want, taken < FRAMES / 2 ? &quiet : &loud);
        taken += want;
    }
    track_picture_finish(p);
    return p;
}

static void draw(struct fixture *f, double duration_s, uint32_t listed, uint32_t rate_hz)
{
    size_t bytes;
    struct analysis *a = analysis_create(0, listed);
    assert_non_null(a);
    a->duration_s = duration_s;
    memcpy(analysis_short_term_mutable(a), f->before, listed * sizeof *f->before);
    struct track_picture *picture = make_picture(rate_hz);
    const struct report_track track = {.analysis = a,
                                       .picture = picture,
                                       .targets = &f->targets,
                                       .after_short_term = f->after,
                                       .after_short_term_count = listed};
    free(f->text);
    FILE *out = open_memstream(&f->text, &bytes);
    assert_non_null(out);
    assert_int_equal(report_pictures_write(out, &track), 0);
    assert_int_equal(fclose(out), 0);
    track_picture_destroy(&picture);
    free(a);
}

/// The path of a class in the section of that heading; the caller's to free().
static char *path_of(const struct fixture *f, const char *heading, const char *style)
{
    char start[64];
    snprintf(start, sizeof start, "<h2>%s", heading);
    const char *section = strstr(f->text, start);
    assert_non_null(section);
    snprintf(start, sizeof start, "<path class=\"%s\" d=\"", style);
    const char *path = strstr(section, start);
    assert_true(path && path < strstr(section, "</section>"));
    path += strlen(start);
    return strndup(path, strcspn(path, "\""));
}

static void assert_path_holds(const struct fixture *f, const char *heading, const char *style,
                              const char *words)
{
    char *path = path_of(f, heading, style);
    if (!strstr(path, words))
        fail_msg("%s, %s: no %s", heading, style, words);
    free(path);
}

static void assert_path_ends(const struct fixture *f, const char *heading, const char *style,
                             const char *begin, const char *end)
{
    char *path = path_of(f, heading, style);
    assert_true(strlen(path) > strlen(begin) + strlen(end));
    path[strlen(path) - strlen(end) - 1] = '\0'; // cuts the end off, which stays behind it
    assert_memory_equal(path, begin, strlen(begin));
    assert_string_equal(path + strlen(path) + 1, end);
    free(path);
}

// 2000 windows over 203 s: the one that ends after 103 s lies at 506.9 of 999 steps, the one before it at 506.4,
// the ones around them at 505.9 and 507.4. Of -6 LUFS, on a scale to -36, it is a sixth of 200 from the top.
static void loudest_window_of_a_column_is_drawn(void **state)
{
    struct fixture *f = *state;
    f->before[999] = f->after[1000] = -6;
    draw(f, 203, 2000, 48000);
    const char *peak = "L505.5 166.7L506.5 33.3L507.5 166.7";
    assert_path_holds(f, "Short-term loudness", "line before", peak);
    assert_path_holds(f, "Short-term loudness", "line after", peak);
}

// The first window ends after 3 s: at 14.8 of 999 steps in 203 s.
static void window_stands_at_its_end(void **state)
{
    struct fixture *f = *state;
    draw(f, 203, 2000, 48000);
    assert_path_ends(f, "Short-term loudness", "line before", "M14.0 166.7L15.0 166.7",
                     "L999.0 166.7");
    assert_path_holds(f, "Short-term loudness", "line target", "M0 66.7H1000");
}

// Every 400 ms of 403 s: the last one ends at 402.6 s, 998.0 steps.
static void sparse_list_is_drawn_over_the_whole_track(void **state)
{
    struct fixture *f = *state;
    f->before[500] = -6; // ends after 203 s, at 503.2 steps
    draw(f, 403, 1000, 48000);
    assert_path_ends(f, "Short-term loudness", "line before", "M7.0 166.7", "L999.0 166.7");
    assert_path_holds(f, "Short-term loudness", "line before", "L503.5 33.3");
}

// Ten windows of 4 s, 25 columns from one to the next: 749 and 774. The line rises by 1 LU in between.
static void line_passes_over_columns_without_a_window(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 10; ++i)
        f->before[i] = (float)(i - 30);
    draw(f, 4, 10, 48000);
    assert_path_holds(f, "Short-term loudness", "line before", "M749.7 166.7");
    assert_path_holds(f, "Short-term loudness", "line before", "L759.8 164.4"); // -29.6 LUFS
    assert_path_holds(f, "Short-term loudness", "line before", "L774.8 161.1");
}

static void silence_interrupts_the_line(void **state)
{
    struct fixture *f = *state;
    for (int i = 500; i < 1500; ++i)
        f->before[i] = -HUGE_VALF;
    draw(f, 203, 2000, 48000);
    // Those that end by 53.0 s and from 153.0 s on: 260.8 and 752.9 of 999 steps.
    assert_path_holds(f, "Short-term loudness", "line before", "L260.3 166.7M752.8 166.7L753.8");
}

// From 0 by 8 dB downwards over 200: 1 dB is 25.
static void limiter_is_drawn_below_the_compressor(void **state)
{
    struct fixture *f = *state;
    draw(f, 203, 2000, 48000);
    assert_path_ends(f, "Gain reduction", "area after", "M0.0 0.0L1.0 0.0", "L1.0 12.5L0.0 12.5Z");
    assert_path_holds(f, "Gain reduction", "area after", "L1000.0 0.0L1000.0 25.0L999.0 25.0");
    assert_path_ends(f, "Gain reduction", "area limit", "M0.0 12.5L1.0 12.5",
                     "L1.0 12.5L0.0 12.5Z");
    assert_path_holds(f, "Gain reduction", "area limit", "L1000.0 25.0L1000.0 75.0L999.0 75.0");
}

// From 25 Hz at the bottom to 20 kHz or half the rate on top: 1 kHz lies at ln(20) / ln(800) from the top of the
// former.
static void frequencies_are_marked_where_they_lie(void **state)
{
    struct fixture *f = *state;
    draw(f, 203, 2000, 48000);
    assert_non_null(strstr(f->text, "<div class=\"y\"><span style=\"top:79.3%\">100</span>"
                                    "<span style=\"top:44.8%\">1k</span>"
                                    "<span style=\"top:10.4%\">10k</span></div>"));
    draw(f, 203, 2000, 16000);
    assert_non_null(strstr(f->text, "<div class=\"y\"><span style=\"top:76.0%\">100</span>"
                                    "<span style=\"top:36.0%\">1k</span></div>"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(loudest_window_of_a_column_is_drawn),
        TEST(window_stands_at_its_end),
        TEST(sparse_list_is_drawn_over_the_whole_track),
        TEST(line_passes_over_columns_without_a_window),
        TEST(silence_interrupts_the_line),
        TEST(limiter_is_drawn_below_the_compressor),
        TEST(frequencies_are_marked_where_they_lie),
    };
    return cmocka_run_group_tests_name("report_pictures", tests, NULL, NULL);
}

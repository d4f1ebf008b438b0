// SPDX-License-Identifier: MIT
#include "engine/desktop/report_page.h"
#include "support/near.h"
#include <png.h>
#include <stdio.h>
#include <string.h>

enum { RATE = 48000, SECONDS = 4, FRAMES = RATE * SECONDS };

/// A page in memory.
struct page {
    char *text;
    size_t bytes;
    FILE *out;
};

static void open_page(struct page *page, enum report_fold fold)
{
    page->out = open_memstream(&page->text, &page->bytes);
    assert_non_null(page->out);
    report_page_begin(page->out, "a & b", fold);
}

static void close_page(struct page *page)
{
    report_page_end(page->out);
    assert_int_equal(fclose(page->out), 0);
}

// A tone of 1 kHz before, half as strong after.
static struct track_picture *make_picture(void)
{
    struct track_picture *p;
    assert_int_equal(track_picture_create(&p, FRAMES, RATE), 0);
    const struct chain_dynamics dynamics = {-1, -2};
    uint32_t taken = 0, want;
    float before[2048], after[2048];
    while ((want = track_picture_wants(p, 1024)) > 0) {
        for (uint32_t i = 0; i < want; ++i) {
            const float tone = (float)sin(6.283185307179586 * 1000 / RATE * (taken + i));
            before[2 * i] = before[2 * i + 1] = tone;
            after[2 * i] = after[2 * i + 1] = 0.5F * tone;
        }
        track_picture_feed(p, before, after, want, &dynamics);
        taken += want;
    }
    track_picture_finish(p);
    return p;
}

static struct analysis *make_analysis(void)
{
    struct analysis *a = analysis_create(0, 0);
    assert_non_null(a);
    a->duration_s = SECONDS;
    a->sample_rate_hz = RATE;
    a->channels = 2;
    a->loudness.integrated_lufs = -23.26;
    a->loudness.true_peak_dbtp = -HUGE_VAL;
    a->key.tonic = 9;
    a->key.mode = KEY_MINOR;
    return a;
}

static void write_track(struct page *page, const char *path, enum report_fold fold,
                        const struct mastering_targets *targets)
{
    struct analysis *a = make_analysis();
    struct track_picture *picture = make_picture();
    static const float short_term[] = {-14, -15};
    const struct report_track track = {.path = path,
                                       .codec = "flac",
                                       .analysis = a,
                                       .picture = picture,
                                       .targets = targets,
                                       .preset = "adaptive",
                                       .intensity = 1,
                                       .after_lufs = -14.04,
                                       .after_dbtp = -1.5,
                                       .after_short_term = short_term,
                                       .after_short_term_count = 2};
    assert_int_equal(report_page_track(page->out, &track, fold), 0);
    track_picture_destroy(&picture);
    free(a);
}

static int is_void(const char *name)
{
    return !strcmp(name, "!doctype") || !strcmp(name, "meta") || !strcmp(name, "img");
}

// Every tag that opens is closed in its turn; attributes hold no bare '<'.
static void assert_balanced(const char *html)
{
    char open[32][16];
    size_t depth = 0;
    for (const char *c = strchr(html, '<'); c; c = strchr(c, '<')) {
        char name[16] = "";
        const int closes = c[1] == '/';
        c += 1 + closes;
        assert_int_equal(sscanf(c, "%15[a-z0-9!]", name), 1);
        const char *end = c + strcspn(c, "<>");
        assert_int_equal(*end, '>');
        if (closes) {
            assert_true(depth > 0);
            assert_string_equal(open[--depth], name);
        } else if (!is_void(name) && end[-1] != '/') {
            assert_true(depth < 32);
            memcpy(open[depth++], name, sizeof name);
        }
        c = end;
    }
    assert_int_equal(depth, 0);
}

static void a_page_is_balanced_and_names_nothing_outside_itself(void **state)
{
    (void)state;
    const struct mastering_targets targets = {.target_lufs = -14, .shortfall = SHORTFALL_LIMITER};
    for (int fold = REPORT_OPEN; fold <= REPORT_FOLDED; ++fold)
        for (int mastered = 0; mastered < 2; ++mastered) {
            struct page page;
            open_page(&page, (enum report_fold)fold);
            write_track(&page, "x.flac", (enum report_fold)fold, mastered ? &targets : NULL);
            report_page_failure(page.out, "y.flac", "damaged");
            close_page(&page);
            assert_balanced(page.text);
            assert_null(strstr(page.text, "http"));
            assert_null(strstr(page.text, "<script"));
            assert_null(strstr(page.text, "nan"));
            assert_null(strstr(page.text, "inf"));
            free(page.text);
        }
}

static void figures_stand_before_and_after(void **state)
{
    (void)state;
    const struct mastering_targets targets = {.target_lufs = -14, .shortfall = SHORTFALL_LIMITER};
    struct page page;
    open_page(&page, REPORT_OPEN);
    write_track(&page, "x.flac", REPORT_OPEN, &targets);
    close_page(&page);
    static const char *const expected[] = {"-23.3 → -14.0", "– → -1.5", "A minor",     "0:04",
                                           "48 kHz",        "stereo",   "Below target"};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; ++i)
        assert_non_null(strstr(page.text, expected[i]));
    free(page.text);
}

static void loudness_fills_its_scale(void **state)
{
    (void)state;
    const struct mastering_targets targets = {.target_lufs = -14, .width = 1};
    struct page page;
    open_page(&page, REPORT_OPEN);
    write_track(&page, "a.flac", REPORT_OPEN, &targets); // of -14 and -15 LUFS afterwards
    close_page(&page);
    const char *chart = strstr(page.text, "<h2>Short-term loudness");
    assert_non_null(chart);
    chart = strstr(chart, "top:100.0%");
    assert_non_null(chart);
    assert_memory_equal(chart, "top:100.0%\">-24<", 16); // and not -42
    free(page.text);
}

static void without_mastering_there_is_one_side_only(void **state)
{
    (void)state;
    struct page page;
    open_page(&page, REPORT_OPEN);
    write_track(&page, "x.flac", REPORT_OPEN, NULL);
    close_page(&page);
    assert_null(strstr(page.text, "→"));
    assert_null(strstr(page.text, "after</span>"));
    assert_null(strstr(page.text, "Gain reduction"));
    assert_null(strstr(strstr(page.text, "<img") + 1, "<img"));
    free(page.text);
}

static void a_path_is_text_on_the_page(void **state)
{
    (void)state;
    struct page page;
    open_page(&page, REPORT_FOLDED);
    write_track(&page, "dir/<b>\"&\n\x1b[31m\xff.flac", REPORT_FOLDED, NULL);
    report_page_failure(page.out, "<i>.flac", "<u>");
    close_page(&page);
    assert_non_null(strstr(page.text, "<h1>a &amp; b</h1>"));
    assert_non_null(strstr(page.text, "dir/&lt;b&gt;&quot;&amp;"));
    assert_non_null(strstr(page.text, "&lt;i&gt;.flac: &lt;u&gt;"));
    assert_null(strchr(page.text, '\x1b'));
    assert_null(strchr(page.text, '\xff'));
    assert_balanced(page.text);
    free(page.text);
}

static unsigned value_of(char digit)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = strchr(digits, digit);
    assert_non_null(found);
    return (unsigned)(found - digits);
}

// @return grey pixels of the next picture from `html` on, the caller's to free().
static unsigned char *decode(const char *html, png_image *image)
{
    static const char prefix[] = "data:image/png;base64,";
    const char *text = strstr(html, prefix);
    assert_non_null(text);
    text += sizeof prefix - 1;
    const size_t digits = strcspn(text, "=\"");
    unsigned char *bytes = malloc(digits);
    uint32_t bits = 0;
    size_t count = 0;
    for (size_t i = 0; i < digits; ++i) {
        bits = bits << 6 | value_of(text[i]);
        if (i % 4)
            bytes[count++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
    }
    *image = (png_image){.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_memory(image, bytes, count));
    image->format = PNG_FORMAT_GRAY;
    unsigned char *pixels = malloc(PNG_IMAGE_SIZE(*image));
    assert_true(png_image_finish_read(image, NULL, pixels, 0, NULL));
    free(bytes);
    return pixels;
}

static void the_spectrogram_is_bright_where_the_tone_is(void **state)
{
    (void)state;
    const struct mastering_targets targets = {.target_lufs = -14};
    struct page page;
    open_page(&page, REPORT_OPEN);
    write_track(&page, "x.flac", REPORT_OPEN, &targets);
    close_page(&page);
    const char *first = strstr(page.text, "<img");
    unsigned char brightest[2] = {0};
    for (int side = 0; side < 2; ++side) {
        png_image image;
        unsigned char *pixels = decode(side ? strstr(first + 1, "<img") : first, &image);
        assert_int_equal(image.height, SPECTROGRAM_ROWS);
        // 25 Hz .. 20 kHz from bottom to top: 1 kHz lies at 55.2 % of the height.
        for (uint32_t row = 0; row < image.height; ++row) {
            const unsigned char grey = pixels[row * image.width + image.width / 2];
            const double height = 1 - (row + 0.5) / image.height;
            if (fabs(height - 0.552) > 0.02)
                assert_true(grey < 40);
            else if (grey > brightest[side])
                brightest[side] = grey;
        }
        free(pixels);
    }
    assert_true(brightest[0] > 200);
    assert_true(brightest[1] > 100 && brightest[1] < brightest[0]);
    free(page.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_balanced_and_names_nothing_outside_itself),
        cmocka_unit_test(figures_stand_before_and_after),
        cmocka_unit_test(loudness_fills_its_scale),
        cmocka_unit_test(without_mastering_there_is_one_side_only),
        cmocka_unit_test(a_path_is_text_on_the_page),
        cmocka_unit_test(the_spectrogram_is_bright_where_the_tone_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
// What becomes of a file that is rendered: channels, samples, tags; and what is said of it.
#include "engine/desktop/commands.h"
#include "engine/desktop/render_file.h"
#include "engine/desktop/render_list.h"
#include "engine/library/track_record.h"
#include "support/scratch.h"
#include <math.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { RATE = 8000, FRAMES = 2 * RATE };

struct fixture {
    char folder[SCRATCH_PATH_BYTES], in[SCRATCH_PATH_BYTES], out[SCRATCH_PATH_BYTES];
    char *paths[2];
    struct options options;
    FILE *lines;
    struct log log;
    struct scheduler *scheduler;
    float samples[2 * FRAMES];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    scratch_create(f->folder);
    scratch_path(f->in, f->folder, "in.wav");
    scratch_path(f->out, f->folder, "out.wav");
    f->paths[0] = f->in;
    f->paths[1] = f->out;
    f->options = (struct options){.command = COMMAND_RENDER,
                                  .paths = f->paths,
                                  .path_count = 2,
                                  .mastering = mastering_settings_default(),
                                  .chunk = -1};
    f->lines = tmpfile();
    assert_non_null(f->lines);
    log_init(&f->log, fileno(f->lines), LOG_LEVEL_WARN);
    const struct scheduler_config config = {.backend = {.workers = 1},
                                            .cache = analysis_cache_config_default(),
                                            .settings = f->options.mastering,
                                            .log = &f->log};
    assert_int_equal(scheduler_create(&f->scheduler, &config), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    scheduler_destroy(&f->scheduler);
    (void)fclose(f->lines);
    scratch_remove(f->folder);
    free(f);
    return 0;
}

static void fill_with_tone(struct fixture *f, uint32_t channels, double level)
{
    for (uint32_t i = 0; i < FRAMES * channels; ++i)
        f->samples[i] = (float)(level * sin(2 * M_PI * 440 / RATE * (i / channels) + i % channels));
    scratch_write_float(f->in, f->samples, FRAMES, RATE, channels);
}

static int render(struct fixture *f, const struct record *record, struct render_outcome *outcome)
{
    const struct render_file_config config = {.options = &f->options,
                                              .log = &f->log,
                                              .scheduler = f->scheduler,
                                              .in = f->in,
                                              .out = f->out,
                                              .record = record,
                                              .targets = record ? &track_record_of(record)->targets
                                                                : NULL};
    struct render_file *file;
    int status = render_file_open(&file, &config);
    if (!status)
        status = render_file_run(file, NULL, outcome);
    render_file_close(&file);
    return status;
}

static int render_plain(struct fixture *f)
{
    struct render_outcome outcome;
    return render(f, NULL, &outcome);
}

static int has_said(struct fixture *f, const char *words)
{
    char text[4096];
    const ssize_t bytes = pread(fileno(f->lines), text, sizeof text, 0);
    assert_true(bytes >= 0);
    return memmem(text, (size_t)bytes, words, strlen(words)) != NULL;
}

static void mono_and_stereo_stay_what_they_are_bit_for_bit(void **state)
{
    struct fixture *f = *state;
    f->options.format = RENDER_F32;
    for (uint32_t channels = 1; channels <= 2; ++channels) {
        fill_with_tone(f, channels, 0.5);
        assert_int_equal(render_plain(f), EXIT_DONE);
        size_t frames;
        uint32_t rate_hz, got_channels;
        float *out = scratch_read(f->out, &frames, &rate_hz, &got_channels);
        assert_true(frames == FRAMES && rate_hz == RATE && got_channels == channels);
        assert_memory_equal(out, f->samples, (size_t)FRAMES * channels * sizeof *out);
        free(out);
    }
}

static void samples_over_full_scale_are_counted_whatever_the_format(void **state)
{
    struct fixture *f = *state;
    static const enum render_format formats[] = {RENDER_S16, RENDER_S24};
    for (int i = 0; i < 2; ++i) {
        f->options.format = formats[i];
        fill_with_tone(f, 2, 0.9);
        assert_int_equal(render_plain(f), EXIT_DONE);
        assert_false(has_said(f, "clipped"));
        fill_with_tone(f, 2, 1.5);
        assert_int_equal(render_plain(f), EXIT_DONE);
        assert_true(has_said(f, "samples were over full scale and clipped"));
        assert_int_equal(ftruncate(fileno(f->lines), 0), 0);
    }
}

// A third of the last bit is nothing without dither. With it the tone is there, in noise.
static void what_is_smaller_than_the_last_bit_is_kept_by_dither(void **state)
{
    struct fixture *f = *state;
    f->options.format = RENDER_S16;
    fill_with_tone(f, 2, 0.33 / 32768);
    assert_int_equal(render_plain(f), EXIT_DONE);
    size_t frames;
    uint32_t rate_hz, channels;
    float *out = scratch_read(f->out, &frames, &rate_hz, &channels);
    double both = 0, own = 0, noise = 0;
    for (size_t i = 0; i < 2 * frames; ++i) {
        both += (double)out[i] * (double)f->samples[i];
        own += (double)f->samples[i] * (double)f->samples[i];
        noise += pow(((double)out[i] - (double)f->samples[i]) * 32768, 2);
    }
    const double gain = both / own, noise_bits = sqrt(noise / (2.0 * (double)frames));
    print_message("gain %.3f, noise of %.3f of the last bit\n", gain, noise_bits);
    assert_true(fabs(gain - 1) < 0.1);
    assert_true(noise_bits > 0.3 && noise_bits < 0.6); // half a bit by TPDF dither
    free(out);
}

static int holds(const char *path, const char *text)
{
    static char bytes[200000];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t count = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    return memmem(bytes, count, text, strlen(text)) != NULL;
}

static void what_is_not_mastered_is_not_marked(void **state)
{
    struct fixture *f = *state;
    SF_INFO info = {.samplerate = RATE, .channels = 2, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
    SNDFILE *file = sf_open(f->in, SFM_WRITE, &info);
    assert_non_null(file);
    assert_int_equal(sf_set_string(file, SF_STR_TITLE, "Nightswimming"), 0);
    assert_int_equal(sf_writef_float(file, f->samples, FRAMES), FRAMES);
    assert_int_equal(sf_close(file), 0);
    assert_int_equal(render_plain(f), EXIT_DONE);
    assert_true(holds(f->out, "Nightswimming"));
    assert_false(holds(f->out, "SEGUE_MASTERED"));
}

// 24 bits hold no 32: such a source is rendered as one without a depth.
static void depth_of_an_output_is_its_sources(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int in, out;
    } depths[] = {{SF_FORMAT_PCM_U8, SF_FORMAT_PCM_16},
                  {SF_FORMAT_PCM_16, SF_FORMAT_PCM_16},
                  {SF_FORMAT_PCM_24, SF_FORMAT_PCM_24},
                  {SF_FORMAT_PCM_32, SF_FORMAT_FLOAT},
                  {SF_FORMAT_FLOAT, SF_FORMAT_FLOAT}};
    for (size_t i = 0; i < sizeof depths / sizeof *depths; ++i) {
        SF_INFO info = {.samplerate = RATE, .channels = 2, .format = SF_FORMAT_WAV | depths[i].in};
        SNDFILE *file = sf_open(f->in, SFM_WRITE, &info);
        assert_non_null(file);
        assert_int_equal(sf_writef_float(file, f->samples, FRAMES), FRAMES);
        assert_int_equal(sf_close(file), 0);
        assert_int_equal(render_plain(f), EXIT_DONE);
        file = sf_open(f->out, SFM_READ, &info);
        assert_non_null(file);
        assert_int_equal(info.format & SF_FORMAT_SUBMASK, depths[i].out);
        assert_int_equal(sf_close(file), 0);
    }
}

static void folder_of_an_output_by_name_is_not_made(void **state)
{
    struct fixture *f = *state;
    char folder[SCRATCH_PATH_BYTES];
    fill_with_tone(f, 2, 0.5);
    scratch_path(folder, f->folder, "missing");
    scratch_path(f->out, folder, "out.wav");
    assert_int_equal(render_plain(f), EXIT_SOMETHING_FAILED);
    assert_int_not_equal(access(folder, F_OK), 0);
    assert_true(has_said(f, "No such file or directory"));
}

static void name_of_an_output_is_that_of_its_input_with_another_extension(void **state)
{
    (void)state;
    static const struct {
        const char *folder, *in;
        size_t skip;
        const char *expected;
    } cases[] = {{"out", "in/a.b.wav", 3, "out/a.b.flac"},
                 {"out/", "in/sub.d/a", 2, "out/sub.d/a.flac"},
                 {"out", "in/.hidden", 3, "out/.hidden.flac"},
                 {"out", "/in/sub/.x.ogg", 3, "out/sub/.x.flac"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        char *name = render_list_name(cases[i].folder, cases[i].in, cases[i].skip, "flac");
        assert_non_null(name);
        assert_string_equal(name, cases[i].expected);
        free(name);
    }
}

// --- What is said of a mastered one

/// A tone in both channels, whose level in dBFS is its loudness in LUFS: of `early_db`, and of `late_db` after half.
static void write_two_tones(const char *path, uint32_t seconds, double early_db, double late_db)
{
    const size_t frames = (size_t)seconds * RATE;
    float *stereo = malloc(2 * frames * sizeof *stereo);
    assert_non_null(stereo);
    for (size_t i = 0; i < frames; ++i) {
        const double gain = pow(10, (i < frames / 2 ? early_db : late_db) / 20);
        stereo[2 * i] = stereo[2 * i + 1] = (float)(gain * sin(2 * M_PI * 997 / RATE * (double)i));
    }
    scratch_write_float(path, stereo, frames, RATE, 2);
    free(stereo);
}

/// Of a track of that loudness, with targets that do nothing but raise it.
static struct record *record_of(double lufs, double makeup_db)
{
    const struct track_record head = {
        .has_targets = 1,
        .targets = {.target_lufs = -14,
                    .ceiling_dbtp = -1,
                    .width = 1,
                    .compressor = {.ratio = 1, .knee_db = 6, .attack_s = 0.02, .release_s = 0.2},
                    .makeup_db = makeup_db,
                    .limiter = {.lookahead_s = 0.0045, .release_s = 0.1}}};
    struct analysis *analysis = analysis_create(0, 0);
    assert_non_null(analysis);
    analysis->loudness.integrated_lufs = lufs;
    struct record *record = track_record_create(&head, analysis);
    assert_non_null(record);
    free(analysis);
    return record;
}

static void assert_loudness(const struct render_outcome *outcome, double before, double after)
{
    print_message("%.2f -> %.2f LUFS\n", outcome->before_lufs, outcome->after_lufs);
    assert_true(fabs(outcome->before_lufs - before) < 0.1);
    assert_true(fabs(outcome->after_lufs - after) < 0.1);
}

// Not its track's beside its own: 15 s and 25 s of a tone of -30 LUFS behind 15 s of one of -20.
static void loudness_of_a_chunk_is_its_own_on_both_sides(void **state)
{
    struct fixture *f = *state;
    const double track_lufs = 10 * log10((0.01 + 0.001) / 2);
    struct record *record = record_of(track_lufs, 4);
    struct render_outcome outcome;
    write_two_tones(f->in, 30, -20, -30);
    for (f->options.chunk = 0; f->options.chunk < 3; ++f->options.chunk) {
        const double chunk_lufs = f->options.chunk ? -30 : -20;
        assert_int_equal(render(f, record, &outcome), EXIT_DONE);
        assert_loudness(&outcome, chunk_lufs, chunk_lufs + 4);
        assert_true(outcome.is_part);
    }
    f->options.chunk = -1;
    assert_int_equal(render(f, record, &outcome), EXIT_DONE);
    assert_loudness(&outcome, track_lufs, track_lufs + 4);
    assert_false(outcome.is_part);
    record_unref(&record);
}

// 14 dB more of -12 dBFS are 3 dB over the ceiling; what follows is far below it.
static void limiting_is_told_by_the_most_of_it(void **state)
{
    struct fixture *f = *state;
    struct record *record = record_of(-15, 14);
    struct render_outcome outcome;
    for (int late = 0; late < 2; ++late) {
        write_two_tones(f->in, 4, late ? -40 : -12, late ? -12 : -40);
        assert_int_equal(render(f, record, &outcome), EXIT_DONE);
        print_message("limiting %.2f dB\n", outcome.limiter_db);
        assert_true(fabs(outcome.limiter_db - 3) < 0.3);
        assert_true(fabs(outcome.after_dbtp + 1) < 0.3);
    }
    record_unref(&record);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(mono_and_stereo_stay_what_they_are_bit_for_bit),
        TEST(samples_over_full_scale_are_counted_whatever_the_format),
        TEST(what_is_smaller_than_the_last_bit_is_kept_by_dither),
        TEST(what_is_not_mastered_is_not_marked),
        TEST(depth_of_an_output_is_its_sources),
        TEST(folder_of_an_output_by_name_is_not_made),
        TEST(loudness_of_a_chunk_is_its_own_on_both_sides),
        TEST(limiting_is_told_by_the_most_of_it),
        cmocka_unit_test(name_of_an_output_is_that_of_its_input_with_another_extension),
    };
    return cmocka_run_group_tests_name("render_output", tests, NULL, NULL);
}

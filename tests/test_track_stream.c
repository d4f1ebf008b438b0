// SPDX-License-Identifier: MIT
#include "engine/render/track_stream.h"
#include "support/loop_thread.h"
#include "support/scratch.h"
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RATE = 44100, SECONDS = 14, FRAMES = SECONDS * RATE };

struct fixture {
    char folder[SCRATCH_PATH_BYTES];
    struct loop_thread loop;
    struct source *source;
    struct decoder *decoder;
    struct decoder_info info;
};

// Targets that set every stage of the chain to work.
static struct mastering_targets busy_targets(void)
{
    struct mastering_targets t = {.target_lufs = -14,
                                  .ceiling_dbtp = -1,
                                  .eq_db = {2, -1, 1, -2, 3},
                                  .width = 1.1,
                                  .makeup_db = 12};
    t.compressor.threshold_db = -24;
    t.compressor.ratio = 2.5;
    t.compressor.knee_db = 6;
    t.compressor.attack_s = 0.02;
    t.compressor.release_s = 0.2;
    t.compressor.mix = 0.8;
    t.limiter.lookahead_s = 0.0045;
    t.limiter.release_s = 0.15;
    return t;
}

static void open_file(struct fixture *f, size_t frames, uint32_t rate_hz)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, f->folder, "a.wav");
    int16_t *music = scratch_music(3, frames, rate_hz);
    scratch_write_s16(path, music, frames, rate_hz, 2);
    free(music);
    const struct source_config config = {.path = path, .priority = LOADER_PLAYING};
    assert_int_equal(source_open(&f->source, f->loop.loader, &config), 0);
    assert_int_equal(decoder_open(&f->decoder, f->source, &f->info), 0);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    scratch_create(f->folder);
    loop_thread_open(&f->loop);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    decoder_close(&f->decoder);
    source_close(&f->source);
    assert_int_equal(loop_thread_close(&f->loop), 0);
    scratch_remove(f->folder);
    free(f);
    return 0;
}

// The whole stream from `start` on, read in blocks of `block` frames.
static float *read_all(struct fixture *f, uint32_t rate_hz, uint64_t start,
                       const struct mastering_targets *targets, uint32_t block, size_t *frames)
{
    const struct track_stream_config config = {.decoder = f->decoder,
                                               .info = f->info,
                                               .rate_hz = rate_hz,
                                               .start_frame = start,
                                               .mastering = targets ? TRACK_STREAM_MASTERED
                                                                    : TRACK_STREAM_PLAIN};
    assert_int_equal(decoder_seek(f->decoder, 0), 0);
    struct track_stream *stream;
    assert_int_equal(track_stream_open(&stream, &config), 0);
    if (targets)
        track_stream_set_targets(stream, targets);
    const size_t room = (size_t)SECONDS * rate_hz + 2 * block;
    float *out = calloc(room, 2 * sizeof(float));
    assert_non_null(out);
    *frames = 0;
    for (int64_t got = block; got == block;) {
        assert_true(*frames + block <= room);
        got = track_stream_read(stream, out + 2 * *frames, block);
        assert_true(got >= 0);
        *frames += (size_t)got;
    }
    track_stream_close(&stream);
    return out;
}

static void length_is_kept_whatever_the_stages_delay(void **state)
{
    struct fixture *f = *state;
    open_file(f, FRAMES / 7, RATE);
    const struct mastering_targets targets = busy_targets();
    const uint32_t rates[] = {44100, 48000, 96000, 22050, 8000};
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); ++i) {
        size_t frames;
        free(read_all(f, rates[i], 0, &targets, 1000, &frames));
        const uint64_t n = (uint64_t)FRAMES / 7 * rates[i];
        assert_int_equal(frames, (n + RATE / 2) / RATE);
    }
}

static void samples_do_not_depend_on_how_they_are_asked_for(void **state)
{
    struct fixture *f = *state;
    open_file(f, 3 * RATE, RATE);
    const struct mastering_targets targets = busy_targets();
    const uint32_t blocks[] = {1, 512, 4096, 100000}, rates[] = {RATE, 48000};
    for (int r = 0; r < 2; ++r) {
        size_t whole_frames;
        float *whole = read_all(f, rates[r], 0, &targets, 333, &whole_frames);
        for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); ++i) {
            size_t frames;
            float *out = read_all(f, rates[r], 0, &targets, blocks[i], &frames);
            assert_int_equal(frames, whole_frames);
            assert_memory_equal(out, whole, frames * 2 * sizeof(float));
            free(out);
        }
        free(whole);
    }
}

static double largest_difference(const float *a, const float *b, size_t samples)
{
    double most = 0;
    for (size_t i = 0; i < samples; ++i)
        most = fmax(most, fabs((double)a[i] - (double)b[i]));
    return most;
}

static void a_start_in_the_middle_equals_the_whole_from_there(void **state)
{
    struct fixture *f = *state;
    open_file(f, FRAMES, RATE);
    const struct mastering_targets targets = busy_targets();
    const uint32_t rates[] = {RATE, 48000};
    for (int r = 0; r < 2; ++r) {
        size_t whole_frames, frames;
        float *whole = read_all(f, rates[r], 0, &targets, 4096, &whole_frames);
        const uint64_t starts[] = {1, 7 * RATE + 13, 13 * RATE + 1};
        for (int i = 0; i < 3; ++i) {
            float *out = read_all(f, rates[r], starts[i], &targets, 4096, &frames);
            assert_int_equal(frames, whole_frames - starts[i]);
            // -120 dBFS
            assert_true(largest_difference(out, whole + 2 * starts[i], 2 * frames) < 1e-6);
            free(out);
        }
        free(whole);
    }
}

static void a_plain_stream_at_the_files_rate_is_the_decoders_output(void **state)
{
    struct fixture *f = *state;
    open_file(f, RATE, RATE);
    int16_t *music = scratch_music(3, RATE, RATE);
    size_t frames;
    float *out = read_all(f, RATE, 100, NULL, 512, &frames);
    assert_int_equal(frames, RATE - 100);
    for (size_t i = 0; i < 2 * frames; ++i)
        assert_true(out[i] == (float)music[200 + i] / 32768.0F);
    free(out);
    free(music);
}

static void a_peek_takes_nothing_away(void **state)
{
    struct fixture *f = *state;
    open_file(f, RATE, RATE);
    size_t whole_frames;
    const struct mastering_targets targets = busy_targets();
    float *whole = read_all(f, RATE, 0, &targets, 512, &whole_frames);
    assert_int_equal(decoder_seek(f->decoder, 0), 0);
    const struct track_stream_config config = {.decoder = f->decoder,
                                               .info = f->info,
                                               .rate_hz = RATE,
                                               .mastering = TRACK_STREAM_MASTERED};
    struct track_stream *stream;
    assert_int_equal(track_stream_open(&stream, &config), 0);
    const float *head;
    assert_int_equal(track_stream_peek(stream, 10007, &head), 10007);
    track_stream_set_targets(stream, &targets);
    float *out = calloc(RATE, 2 * sizeof(float));
    assert_non_null(out);
    assert_int_equal(track_stream_read(stream, out, RATE), RATE);
    assert_memory_equal(out, whole, RATE * 2 * sizeof(float));
    track_stream_close(&stream);
    free(out);
    free(whole);
}

static void both_sides_come_out_together_each_as_it_would_alone(void **state)
{
    struct fixture *f = *state;
    open_file(f, 8 * RATE, RATE);
    const struct mastering_targets targets = busy_targets();
    static const struct {
        uint32_t rate_hz, block;
        uint64_t start;
    } cases[] = {{RATE, 512, 0}, {RATE, 97, 7 * RATE + 13}, {48000, 512, 0}, {96000, 5000, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        const uint32_t block = cases[i].block;
        size_t frames, plain_frames, done = 0;
        float *mastered = read_all(f, cases[i].rate_hz, cases[i].start, &targets, block, &frames);
        float *plain = read_all(f, cases[i].rate_hz, cases[i].start, NULL, block, &plain_frames);
        assert_int_equal(frames, plain_frames);
        assert_int_equal(decoder_seek(f->decoder, 0), 0);
        const struct track_stream_config config = {.decoder = f->decoder,
                                                   .info = f->info,
                                                   .rate_hz = cases[i].rate_hz,
                                                   .start_frame = cases[i].start,
                                                   .mastering = TRACK_STREAM_MASTERED};
        struct track_stream *stream;
        assert_int_equal(track_stream_open(&stream, &config), 0);
        track_stream_set_targets(stream, &targets);
        float *both[2] = {calloc(block, 2 * sizeof(float)), calloc(block, 2 * sizeof(float))};
        assert_true(both[0] && both[1]);
        for (int64_t got = block; got == block; done += (size_t)got) {
            got = track_stream_read_both(stream, both[0], both[1], block);
            assert_true(got >= 0);
            const size_t bytes = (size_t)got * 2 * sizeof(float);
            assert_memory_equal(both[0], mastered + 2 * done, bytes);
            assert_memory_equal(both[1], plain + 2 * done, bytes);
        }
        assert_int_equal(done, frames);
        track_stream_close(&stream);
        free(both[0]);
        free(both[1]);
        free(mastered);
        free(plain);
    }
}

// A part of the music as a file of its own, opened.
struct part {
    struct source *source;
    struct decoder *decoder;
    struct track_stream *stream;
};

static void open_part(struct fixture *f, struct part *part, const char *name, const int16_t *music,
                      size_t frames)
{
    char path[SCRATCH_PATH_BYTES];
    struct decoder_info info;
    scratch_path(path, f->folder, name);
    scratch_write_s16(path, music, frames, RATE, 2);
    const struct source_config source = {.path = path, .priority = LOADER_PLAYING};
    assert_int_equal(source_open(&part->source, f->loop.loader, &source), 0);
    assert_int_equal(decoder_open(&part->decoder, part->source, &info), 0);
    const struct track_stream_config config = {.decoder = part->decoder,
                                               .info = info,
                                               .rate_hz = RATE,
                                               .mastering = TRACK_STREAM_MASTERED,
                                               .end = TRACK_STREAM_WAITS};
    assert_int_equal(track_stream_open(&part->stream, &config), 0);
}

static void close_part(struct part *part)
{
    track_stream_close(&part->stream);
    decoder_close(&part->decoder);
    source_close(&part->source);
}

// Read to the end, both sides; what follows is known when it is asked for.
static size_t read_part(struct part *part, struct part *next,
                        const struct mastering_targets *targets, float *out, float *plain,
                        uint32_t block)
{
    size_t done = 0;
    for (;;) {
        const int64_t got =
            track_stream_read_both(part->stream, out + 2 * done, plain + 2 * done, block);
        assert_true(got >= 0);
        done += (size_t)got;
        if (got == block)
            continue;
        if (!track_stream_is_waiting(part->stream))
            return done;
        if (next)
            track_stream_join(part->stream, next->stream, targets);
        else
            track_stream_finish(part->stream);
    }
}

static void a_recording_split_in_three_and_joined_is_mastered_as_one(void **state)
{
    struct fixture *f = *state;
    enum { A = 100001, B = 60013, C = 2 * RATE, ALL = A + B + C };
    const struct mastering_targets targets = busy_targets();
    int16_t *music = scratch_music(3, ALL, RATE);
    struct part whole, parts[3];
    float *wanted = calloc(ALL + 1000, 2 * sizeof(float));
    float *joined = calloc(ALL + 1000, 2 * sizeof(float));
    float *plain = calloc(ALL + 1000, 2 * sizeof(float));
    assert_true(wanted && joined && plain);
    open_part(f, &whole, "whole.wav", music, ALL);
    track_stream_set_targets(whole.stream, &targets);
    assert_int_equal(read_part(&whole, NULL, NULL, wanted, plain, 700), ALL);
    close_part(&whole);
    for (uint32_t block = 61; block < 6000; block = 61 * block + 3) {
        open_part(f, &parts[0], "a.wav", music, A);
        open_part(f, &parts[1], "b.wav", music + (size_t)2 * A, B);
        open_part(f, &parts[2], "c.wav", music + (size_t)2 * (A + B), C);
        track_stream_set_targets(parts[0].stream, &targets);
        const size_t b = (size_t)2 * A, c = (size_t)2 * (A + B);
        memset(plain, 0, (size_t)ALL * 2 * sizeof(float));
        assert_int_equal(read_part(&parts[0], &parts[1], &targets, joined, plain, block), A);
        assert_int_equal(read_part(&parts[1], &parts[2], &targets, joined + b, plain + b, block),
                         B);
        assert_int_equal(read_part(&parts[2], NULL, NULL, joined + c, plain + c, block), C);
        assert_memory_equal(joined, wanted, (size_t)ALL * 2 * sizeof(float));
        for (size_t i = 0; i < (size_t)2 * ALL; ++i)
            assert_true(plain[i] == (float)music[i] / 32768.0F);
        for (int i = 0; i < 3; ++i)
            close_part(&parts[i]);
    }
    free(wanted);
    free(joined);
    free(plain);
    free(music);
}

static void a_stream_that_nothing_joins_ends_like_any_other(void **state)
{
    struct fixture *f = *state;
    open_file(f, RATE, RATE);
    const struct mastering_targets targets = busy_targets();
    size_t frames;
    float *wanted = read_all(f, RATE, 0, &targets, 512, &frames);
    int16_t *music = scratch_music(3, RATE, RATE);
    struct part part;
    float *out = calloc(RATE + 1000, 2 * sizeof(float));
    float *plain = calloc(RATE + 1000, 2 * sizeof(float));
    assert_true(out && plain);
    open_part(f, &part, "b.wav", music, RATE);
    track_stream_set_targets(part.stream, &targets);
    assert_int_equal(read_part(&part, NULL, NULL, out, plain, 512), frames);
    assert_memory_equal(out, wanted, frames * 2 * sizeof(float));
    close_part(&part);
    free(out);
    free(plain);
    free(music);
    free(wanted);
}

static void a_start_past_the_end_is_refused(void **state)
{
    struct fixture *f = *state;
    open_file(f, 1000, RATE);
    const struct track_stream_config config = {
        .decoder = f->decoder, .info = f->info, .rate_hz = 48000, .start_frame = 1089};
    struct track_stream *stream;
    assert_int_equal(track_stream_open(&stream, &config), -EINVAL); // 1000 frames are 1088 there
    assert_null(stream);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(length_is_kept_whatever_the_stages_delay),
        TEST(samples_do_not_depend_on_how_they_are_asked_for),
        TEST(a_start_in_the_middle_equals_the_whole_from_there),
        TEST(a_plain_stream_at_the_files_rate_is_the_decoders_output),
        TEST(both_sides_come_out_together_each_as_it_would_alone),
        TEST(a_peek_takes_nothing_away),
        TEST(a_recording_split_in_three_and_joined_is_mastered_as_one),
        TEST(a_stream_that_nothing_joins_ends_like_any_other),
        TEST(a_start_past_the_end_is_refused),
    };
    return cmocka_run_group_tests_name("track_stream", tests, NULL, NULL);
}

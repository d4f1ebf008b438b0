// SPDX-License-Identifier: MIT
#include "dsp/analyzer.h"
#include "dsp/mastering/chain.h"
#include "engine/render/output_meter.h"
#include "engine/render/provisional.h"
#include "support/scratch.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    RATE = 11025,
    SECONDS = 35,
    FRAMES = SECONDS * RATE,
    HOP = RATE / 10,
    RAMP_AT_S = 8,
    RAMP_S = 4
};

// Music whose first seconds are `opening_db` louder than the rest.
static float *music(double opening_db, int opening_s)
{
    int16_t *s16 = scratch_music(7, FRAMES, RATE);
    float *out = malloc((size_t)FRAMES * 2 * sizeof(*out));
    assert_non_null(out);
    for (size_t i = 0; i < (size_t)2 * FRAMES; ++i)
        out[i] =
            (float)s16[i] / 32768.0F *
            (i < (size_t)2 * RATE * (size_t)opening_s ? (float)pow(10, opening_db / 20) : 1.0F);
    free(s16);
    return out;
}

static struct mastering_targets targets_of(const float *stereo, uint32_t frames)
{
    const struct mastering_settings settings = mastering_settings_default();
    const struct analyzer_config config = {.format = {RATE, 2}, .depth = ANALYZER_TONAL};
    struct analyzer *analyzer;
    struct analysis *analysis;
    struct mastering_targets targets;
    assert_int_equal(analyzer_create(&analyzer, &config), 0);
    assert_int_equal(analyzer_feed(analyzer, stereo, frames), 0);
    assert_int_equal(analyzer_finish(analyzer, &analysis), 0);
    mastering_targets_compute(&targets, analysis, &settings);
    free(analysis);
    analyzer_destroy(&analyzer);
    return targets;
}

static struct mastering_targets targets_of_all(const float *stereo)
{
    return targets_of(stereo, FRAMES);
}

static struct provisional *after_head(const float *stereo, enum provisional_kind kind)
{
    const struct mastering_settings settings = mastering_settings_default();
    struct provisional *p;
    assert_int_equal(provisional_create(&p, RATE, &settings, kind), 0);
    assert_int_equal(provisional_feed(p, stereo, PROVISIONAL_HEAD_S * RATE), 0);
    assert_int_equal(provisional_conclude(p), 0);
    return p;
}

static double makeup_of(const struct provisional *p)
{
    struct mastering_targets targets;
    provisional_targets(p, &targets);
    return targets.makeup_db;
}

static void the_more_is_heard_the_nearer_to_the_tracks_own(void **state)
{
    (void)state;
    float *stereo = music(-12, 6);
    const struct mastering_targets own = targets_of_all(stereo);
    struct provisional *p = after_head(stereo, PROVISIONAL_FIRST);
    const double first = fabs(makeup_of(p) - own.makeup_db);
    int news = 0;
    for (int at = PROVISIONAL_HEAD_S * RATE; at + 1000 <= FRAMES; at += 1000)
        news += provisional_feed(p, stereo + 2 * (size_t)at, 1000);
    const double last = fabs(makeup_of(p) - own.makeup_db);
    print_message("makeup off by %.2f dB at first, by %.2f dB after %d chunks\n", first, last,
                  news);
    assert_int_equal(news, (SECONDS - PROVISIONAL_HEAD_S) / PROVISIONAL_CHUNK_S);
    assert_true(last < 1.0 && last < first);
    struct mastering_targets targets;
    provisional_targets(p, &targets);
    for (int band = 0; band < EQ_BAND_COUNT; ++band)
        assert_true(fabs(targets.eq_db[band] - own.eq_db[band]) < 0.5);
    provisional_destroy(&p);
    free(stereo);
}

static void a_quiet_opening_is_not_taken_for_a_quiet_track(void **state)
{
    (void)state;
    float *stereo = music(-40, 4);
    struct provisional *p = after_head(stereo, PROVISIONAL_FIRST);
    assert_true(makeup_of(p) <= 6.0);
    provisional_destroy(&p);
    memset(stereo, 0, (size_t)FRAMES * 2 * sizeof(*stereo));
    p = after_head(stereo, PROVISIONAL_FIRST);
    assert_true(makeup_of(p) <= 6.0); // of silence too
    provisional_destroy(&p);
    free(stereo);
}

// Targets that are set by what the music is like, in one order.
enum { SETTINGS = EQ_BAND_COUNT + 7 };

static void list_settings(double list[SETTINGS], const struct mastering_targets *targets)
{
    memcpy(list, targets->eq_db, sizeof(targets->eq_db));
    const double others[] = {targets->compressor.threshold_db, targets->compressor.ratio,
                             targets->compressor.attack_s,     targets->compressor.release_s,
                             targets->compressor.mix,          targets->width,
                             targets->limiter.release_s};
    memcpy(list + EQ_BAND_COUNT, others, sizeof(others));
}

static void each_chunk_counts_by_its_length(void **state)
{
    (void)state;
    enum { HEAD = PROVISIONAL_HEAD_S * RATE, CHUNK = PROVISIONAL_CHUNK_S * RATE };
    float *stereo = music(-6, PROVISIONAL_HEAD_S);
    for (size_t i = 0; i < HEAD; ++i) // and darker
        for (size_t c = 0; c < 2; ++c)
            stereo[2 * i + c] = 0.5F * (stereo[2 * i + c] + stereo[2 * (i + 1) + c]);
    for (size_t i = 0; i < HEAD + CHUNK; ++i) { // the head narrow, the chunk wide
        const float middle = stereo[2 * i], side = (i < HEAD ? 0.05F : 0.7F) * stereo[2 * i + 400];
        stereo[2 * i] = middle + side;
        stereo[2 * i + 1] = middle - side;
    }
    const struct mastering_targets parts[] = {targets_of(stereo, HEAD),
                                              targets_of(stereo + (size_t)2 * HEAD, CHUNK)};
    struct provisional *p = after_head(stereo, PROVISIONAL_FIRST);
    struct mastering_targets both;
    assert_int_equal(provisional_feed(p, stereo + (size_t)2 * HEAD, CHUNK), 1);
    provisional_targets(p, &both);
    double head[SETTINGS], chunk[SETTINGS], got[SETTINGS];
    list_settings(head, &parts[0]);
    list_settings(chunk, &parts[1]);
    list_settings(got, &both);
    int differ = 0; // or the lengths would not show
    for (int i = 0; i < SETTINGS; ++i) {
        const double wanted = (PROVISIONAL_HEAD_S * head[i] + PROVISIONAL_CHUNK_S * chunk[i]) /
                              (PROVISIONAL_HEAD_S + PROVISIONAL_CHUNK_S);
        assert_true(fabs(got[i] - wanted) <= 1e-9 * (1 + fabs(wanted)));
        differ += fabs(head[i] - chunk[i]) > 0.01 * fabs(chunk[i]);
    }
    assert_true(differ >= 6 && fabs(parts[0].width - parts[1].width) > 0.01);
    provisional_destroy(&p);
    free(stereo);
}

static void what_was_mastered_before_keeps_its_tone_from_the_first_frame(void **state)
{
    (void)state;
    float *stereo = music(0, 0);
    struct provisional *p = after_head(stereo, PROVISIONAL_AGAIN);
    struct mastering_targets targets;
    provisional_targets(p, &targets);
    assert_int_equal(mastering_targets_are_neutral(&targets), 1);
    provisional_destroy(&p);
    free(stereo);
}

// Short-term loudness of `stereo` through a chain that goes over from `from` to `to` at `ramp_frame`.
static float *loudness_through(const float *stereo, const struct mastering_targets *from,
                               const struct mastering_targets *to, uint32_t ramp_frame,
                               uint32_t *count)
{
    struct chain *chain;
    struct output_meter *meter;
    float hop[2 * HOP];
    assert_int_equal(chain_create(&chain, RATE), 0);
    assert_int_equal(output_meter_create(&meter, RATE), 0);
    chain_reset(chain, from);
    for (uint32_t at = 0; at + HOP <= FRAMES; at += HOP) {
        if (at == ramp_frame)
            chain_ramp_to(chain, to, RAMP_S * RATE);
        memcpy(hop, stereo + 2 * (size_t)at, sizeof(hop));
        chain_process(chain, hop, HOP);
        assert_int_equal(output_meter_feed(meter, hop, HOP), 0);
    }
    *count = output_meter_short_term_count(meter);
    float *lufs = calloc(*count + 1, sizeof(*lufs));
    assert_non_null(lufs);
    output_meter_short_term_fill(meter, lufs);
    output_meter_destroy(&meter);
    chain_destroy(&chain);
    return lufs;
}

static void the_way_over_to_the_tracks_own_targets_is_no_step(void **state)
{
    (void)state;
    static const double openings_db[] = {-30, 10};
    for (size_t i = 0; i < sizeof(openings_db) / sizeof(openings_db[0]); ++i) {
        float *stereo = music(openings_db[i], 5);
        const struct mastering_targets own = targets_of_all(stereo);
        struct mastering_targets early;
        struct provisional *p = after_head(stereo, PROVISIONAL_FIRST);
        provisional_targets(p, &early);
        uint32_t count;
        float *fast = loudness_through(stereo, &early, &own, RAMP_AT_S * RATE, &count);
        float *whole = loudness_through(stereo, &own, &own, RAMP_AT_S * RATE, &count);
        double most = 0;
        for (uint32_t k = 10 * RAMP_AT_S - 30 + 1; k < count; ++k)
            most = fmax(most,
                        fabs((double)(fast[k] - whole[k]) - (double)(fast[k - 1] - whole[k - 1])));
        print_message(
            "opening %+.0f dB: makeup %+.1f to %+.1f dB, at most %.2f dB in 100 ms beyond "
            "the music's own change\n",
            openings_db[i], early.makeup_db, own.makeup_db, most);
        assert_true(most > 0 && most < 1.0);
        provisional_destroy(&p);
        free(fast);
        free(whole);
        free(stereo);
    }
}

// The chain's way from gain to gain: a curve without corners between linear gains.
static double gain_db(double from_db, double to_db, double t)
{
    const double s = t * t * t * (10 + t * (6 * t - 15));
    const double from = pow(10, from_db / 20), to = pow(10, to_db / 20);
    return 20 * log10(from + s * (to - from));
}

static void a_ramp_takes_its_time_where_there_is_far_to_go(void **state)
{
    (void)state;
    struct mastering_targets from = {.makeup_db = 6}, to = {.makeup_db = 5, .eq_db = {1, -1}};
    assert_true(provisional_ramp_s(&from, &to) == 4);
    for (double makeup_db = -10; makeup_db <= 14; makeup_db += 0.5) {
        to.makeup_db = makeup_db;
        to.eq_db[1] = makeup_db < from.makeup_db ? -4 : 4; // in a band all goes one way
        const double seconds = provisional_ramp_s(&from, &to);
        assert_true(seconds >= 4 && provisional_ramp_s(&to, &from) == seconds);
        for (double s = 0; s + 0.1 <= seconds; s += 0.01) {
            const double end_db = to.makeup_db + to.eq_db[1];
            const double move_db = gain_db(from.makeup_db, end_db, (s + 0.1) / seconds) -
                                   gain_db(from.makeup_db, end_db, s / seconds);
            assert_true(fabs(move_db) <= 0.5);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ramp_takes_its_time_where_there_is_far_to_go),
        cmocka_unit_test(the_more_is_heard_the_nearer_to_the_tracks_own),
        cmocka_unit_test(a_quiet_opening_is_not_taken_for_a_quiet_track),
        cmocka_unit_test(each_chunk_counts_by_its_length),
        cmocka_unit_test(what_was_mastered_before_keeps_its_tone_from_the_first_frame),
        cmocka_unit_test(the_way_over_to_the_tracks_own_targets_is_no_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

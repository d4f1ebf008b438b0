// SPDX-License-Identifier: MIT
#include "dsp/mastering/chain.h"
#include "support/measure.h"
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka needs the headers above
#include <cmocka.h>

static const uint32_t RATE_HZ = 44100;
enum { RATES = 3 };
static const uint32_t RATES_HZ[RATES] = {44100, 48000, 96000};

/// Every stage at work.
static const struct mastering_targets busy = {
    .target_lufs = -14,
    .ceiling_dbtp = -1,
    .eq_db = {2, -1, 1, 1.5, 2},
    .compressor = {.threshold_db = -24,
                   .ratio = 2,
                   .knee_db = 8,
                   .attack_s = 0.02,
                   .release_s = 0.2,
                   .mix = 0.8},
    .width = 1.1,
    .makeup_db = 9,
    .limiter = {.lookahead_s = 0.0045, .release_s = 0.15},
};

enum { MUSIC_MOST = 13 * 96000 / 2 };

static void compose(float *stereo)
{
    uint64_t seed = 5;
    double low = 0;
    for (uint32_t n = 0; n < MUSIC_MOST; ++n) {
        const double t = n / (double)RATE_HZ;
        const double kick = sin(2 * M_PI * 52 * t) * exp(-9 * fmod(t, 0.5));
        const double pad = sin(2 * M_PI * 330 * t) * (0.6 + 0.4 * sin(2 * M_PI * 0.7 * t));
        const double hiss = measure_noise(&seed) * exp(-30 * fmod(t, 0.25));
        low += 0.05 * (measure_noise(&seed) - low);
        stereo[2 * n] = (float)(0.4 * kick + 0.15 * pad + 0.1 * hiss + 0.3 * low);
        stereo[2 * n + 1] = (float)(0.4 * kick + 0.12 * pad - 0.05 * hiss + 0.2 * low);
    }
}

/// The first frames of what is composed once.
static void make_music(float *stereo, uint32_t frames)
{
    static float composed[2 * MUSIC_MOST];
    static int is_composed;
    assert_true(frames <= MUSIC_MOST);
    if (!is_composed)
        compose(composed);
    is_composed = 1;
    memcpy(stereo, composed, 2 * sizeof *stereo * frames);
}

static float *music(uint32_t frames)
{
    float *x = malloc(2 * sizeof *x * frames);
    assert_non_null(x);
    make_music(x, frames);
    return x;
}

static struct chain *fresh_at(uint32_t rate_hz, const struct mastering_targets *targets)
{
    struct chain *chain;
    assert_int_equal(chain_create(&chain, rate_hz), 0);
    chain_reset(chain, targets);
    return chain;
}

static struct chain *fresh(const struct mastering_targets *targets)
{
    return fresh_at(RATE_HZ, targets);
}

static void compare_block_splits(uint32_t rate_hz)
{
    enum { FRAMES = 20000 };
    static const uint32_t pieces[] = {1, 63, 64, 441, 1000, 4096};
    float *whole = music(FRAMES), *parts = music(FRAMES);
    struct mastering_targets other = busy;
    other.makeup_db = 3;
    other.eq_db[3] = -2;
    struct chain *chain = fresh_at(rate_hz, &busy);
    chain_process(chain, whole, FRAMES / 2);
    chain_ramp_to(chain, &other, 5000);
    chain_process(chain, whole + FRAMES, FRAMES / 2);
    assert_true(chain_reduction_db(chain) > 0.5); // the limiter took part
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; ++p) {
        make_music(parts, FRAMES);
        chain_reset(chain, &busy);
        for (uint32_t at = 0; at < FRAMES;) {
            if (at == FRAMES / 2)
                chain_ramp_to(chain, &other, 5000);
            const uint32_t end = at < FRAMES / 2 ? FRAMES / 2 : FRAMES;
            const uint32_t count = end - at < pieces[p] ? end - at : pieces[p];
            chain_process(chain, parts + (size_t)2 * at, count);
            at += count;
        }
        assert_memory_equal(whole, parts, 2 * FRAMES * sizeof *whole);
    }
    chain_destroy(&chain);
    free(whole);
    free(parts);
}

static void output_does_not_depend_on_the_block_split(void **state)
{
    (void)state;
    for (int r = 0; r < RATES; ++r)
        compare_block_splits(RATES_HZ[r]);
}

static void bypass_gives_the_input_bit_for_bit_after_the_delay(void **state)
{
    (void)state;
    enum { FRAMES = 20000 };
    float *x = music(FRAMES), *y = music(FRAMES);
    // Above the ceiling, a negative zero and a denormal pass as they are too.
    const float odd[4] = {1.5F, -0.0F, 1e-40F, -900.0F};
    memcpy(x + 100, odd, sizeof odd);
    memcpy(y + 100, odd, sizeof odd);
    const struct mastering_targets none = {.bypass = 1};
    struct chain *chain = fresh(&none);
    chain_process(chain, y, FRAMES);
    const uint32_t delay = chain_delay_frames(chain);
    assert_memory_equal(y + (size_t)2 * delay, x, 2 * (FRAMES - delay) * sizeof *x);
    for (uint32_t i = 0; i < 2 * delay; ++i)
        assert_true(y[i] == 0);
    chain_destroy(&chain);
    free(x);
    free(y);
}

static void impulse_arrives_after_the_reported_delay_at_every_rate(void **state)
{
    (void)state;
    static const uint32_t rates_hz[] = {1000, 8000, 44100, 96000, 384000, 768000};
    for (size_t r = 0; r < sizeof rates_hz / sizeof *rates_hz; ++r) {
        struct mastering_targets flat = busy;
        memset(flat.eq_db, 0, sizeof flat.eq_db);
        flat.compressor.mix = 0;
        flat.width = 1;
        flat.makeup_db = 0;
        struct chain *chain;
        assert_int_equal(chain_create(&chain, rates_hz[r]), 0);
        chain_reset(chain, &flat);
        const uint32_t delay = chain_delay_frames(chain), frames = delay + 10;
        float *x = calloc(frames, 2 * sizeof *x);
        assert_non_null(x);
        x[0] = x[1] = 0.25F;
        chain_process(chain, x, frames);
        for (uint32_t i = 0; i < frames; ++i)
            assert_true(i == delay ? x[2 * i] == 0.25F : fabsf(x[2 * i]) < 1e-12F);
        chain_destroy(&chain);
        free(x);
    }
}

static void rates_out_of_range_are_refused(void **state)
{
    (void)state;
    struct chain *chain = (struct chain *)state;
    assert_int_equal(chain_create(&chain, 999), -EINVAL);
    assert_null(chain);
    assert_int_equal(chain_create(&chain, 768001), -EINVAL);
    assert_null(chain);
}

/// What the analysis finds in a sine of 997 Hz, without the call to it.
static struct mastering_targets sine_targets(double level_db)
{
    struct analysis *a = analysis_create(0, 0);
    assert_non_null(a);
    a->fingerprint[FINGERPRINT_MID_PCT] = 1;
    a->fingerprint[FINGERPRINT_LUFS] = level_db;
    a->fingerprint[FINGERPRINT_CREST_DB] = 3.01;
    a->fingerprint[FINGERPRINT_SPECTRAL_CENTROID] = 997 / 8000.0;
    a->fingerprint[FINGERPRINT_PHASE_CORRELATION] = 1;
    const struct mastering_settings settings = mastering_settings_default();
    struct mastering_targets targets;
    mastering_targets_compute(&targets, a, &settings);
    free(a);
    return targets;
}

static void steady_sine_comes_out_with_less_than_minus_140_db_of_anything_else(void **state)
{
    (void)state;
    static const double levels_db[] = {-20, -1};
    for (int r = 0; r < RATES; ++r)
        for (int level = 0; level < 2; ++level) {
            const uint32_t frames = 2 * RATES_HZ[r], settled = RATES_HZ[r];
            const double amplitude = pow(10, levels_db[level] / 20);
            float *x = malloc(2 * sizeof *x * frames);
            assert_non_null(x);
            for (uint32_t n = 0; n < frames; ++n)
                x[2 * n] = x[2 * n + 1] =
                    (float)(amplitude * sin(2 * M_PI * 997 * n / (double)RATES_HZ[r]));
            const struct mastering_targets targets = sine_targets(levels_db[level]);
            struct chain *chain = fresh_at(RATES_HZ[r], &targets);
            chain_process(chain, x, frames);
            const double db = 10 * log10(measure_thd_n(x + (size_t)2 * settled, 2, frames - settled,
                                                       997, RATES_HZ[r]));
            print_message("THD+N of a sine at %.0f dBFS, %u Hz: %.1f dB\n", levels_db[level],
                          RATES_HZ[r], db);
            assert_true(db < -140);
            chain_destroy(&chain);
            free(x);
        }
}

static double zipper_db(const struct mastering_targets *from, const struct mastering_targets *to,
                        uint32_t ramp_frames)
{
    enum { FRAMES = 40000, STEP = 12000 };
    float *x = malloc(2 * FRAMES * sizeof *x);
    assert_non_null(x);
    for (uint32_t n = 0; n < FRAMES; ++n) {
        const double s = 0.3 * sin(2 * M_PI * 1000 * n / (double)RATE_HZ);
        x[2 * n] = (float)s;
        x[2 * n + 1] = (float)(0.5 * s);
    }
    struct chain *chain = fresh(from);
    chain_process(chain, x, STEP);
    chain_ramp_to(chain, to, ramp_frames);
    chain_process(chain, x + (size_t)2 * STEP, FRAMES - STEP);
    const double db = measure_outside_db(x + (size_t)2 * 4000, 2, FRAMES - 4000, 1000, RATE_HZ);
    print_message("outside 200 Hz: %.1f dBFS\n", db);
    chain_destroy(&chain);
    free(x);
    return db;
}

static void parameter_steps_during_a_tone_make_no_zipper_noise(void **state)
{
    (void)state;
    struct mastering_targets from = busy;
    from.makeup_db = 0;
    from.compressor.mix = 0;
    struct mastering_targets to = from;
    to.makeup_db = 4;
    to.eq_db[0] = -3;
    to.eq_db[2] = -1;
    to.eq_db[4] = -2;
    to.width = 0.9;
    assert_true(zipper_db(&from, &to, 0) < -100);
}

static void ramp_from_provisional_to_final_targets_makes_none_either(void **state)
{
    (void)state;
    // As in play: all of the parameters move, and the compressor is at work.
    struct mastering_targets from = busy;
    from.makeup_db = 1;
    struct mastering_targets to = from;
    to.makeup_db = 5;
    to.eq_db[0] = -1;
    to.eq_db[3] = 0.5;
    to.compressor.threshold_db = -19;
    to.compressor.ratio = 1.5;
    to.compressor.mix = 0.5;
    to.width = 0.95;
    assert_true(zipper_db(&from, &to, RATE_HZ / 2) < -100);
}

// At targets of their own from the start and at those of a ramp that ended 5 s ago, music comes out alike.
static double ramp_error(uint32_t ramp_at)
{
    const uint32_t frames = MUSIC_MOST, settled = ramp_at + RATE_HZ / 10 + 5 * RATE_HZ;
    float *always = music(frames), *ramped = music(frames);
    struct mastering_targets from = busy;
    from.makeup_db = 3;
    from.limiter.release_s = 0.1;
    struct chain *chain = fresh(&busy);
    chain_process(chain, always, frames);
    assert_true(chain_reduction_db(chain) > 0.5); // the limiter took part
    chain_reset(chain, &from);
    chain_process(chain, ramped, ramp_at);
    chain_ramp_to(chain, &busy, RATE_HZ / 10);
    chain_process(chain, ramped + (size_t)2 * ramp_at, frames - ramp_at);
    double worst = 0;
    for (size_t i = (size_t)2 * settled; i < (size_t)2 * frames; ++i)
        worst = fmax(worst, fabs((double)always[i] - (double)ramped[i]));
    chain_destroy(&chain);
    free(always);
    free(ramped);
    return worst;
}

static void a_ramp_leaves_no_trace_wherever_it_begins(void **state)
{
    (void)state;
    for (uint32_t at = 0; at < 8; at += 3)
        assert_true(ramp_error(RATE_HZ / 2 + at) < 1e-6);
}

static void bad_samples_come_out_finite_and_leave_no_trace(void **state)
{
    (void)state;
    enum { FRAMES = 300000, HEALTHY = 2000 };
    float *x = music(FRAMES), *y = music(FRAMES);
    const float bad[] = {NAN, INFINITY, -INFINITY, 1e30F, -1e38F, 1e-42F};
    for (uint32_t i = 0; i < 600; ++i) {
        x[i] = bad[i % 6];
        y[i] = i % 6 == 5 ? bad[5] : 0; // what they count as
    }
    struct chain *chain = fresh(&busy);
    chain_process(chain, x, FRAMES);
    chain_reset(chain, &busy);
    chain_process(chain, y, FRAMES);
    for (uint32_t i = 0; i < 2 * FRAMES; ++i)
        assert_true(isfinite(x[i]) && fabsf(x[i]) <= 1);
    assert_memory_equal(x, y, 2 * FRAMES * sizeof *x);
    chain_destroy(&chain);
    free(x);
    free(y);
}

static void silence_decays_to_nothing_and_never_to_denormals(void **state)
{
    (void)state;
    enum { FRAMES = 44100 * 3 };
    float *x = music(FRAMES);
    memset(x + 20000, 0, (2 * FRAMES - 20000) * sizeof *x);
    struct chain *chain = fresh(&busy);
    chain_process(chain, x, FRAMES);
    for (uint32_t i = 44100; i < 2 * FRAMES; ++i)
        assert_true(x[i] == 0 || fabsf(x[i]) >= 1.17549435e-38F);
    assert_true(fabsf(x[2 * FRAMES - 2]) < 1e-15F);
    chain_destroy(&chain);
    free(x);
}

static void full_scale_dc_comes_out_finite_and_under_the_ceiling(void **state)
{
    (void)state;
    enum { FRAMES = 44100 };
    float *x = malloc(2 * FRAMES * sizeof *x);
    assert_non_null(x);
    for (uint32_t i = 0; i < 2 * FRAMES; ++i)
        x[i] = 1.0F;
    struct chain *chain = fresh(&busy);
    chain_process(chain, x, FRAMES);
    for (uint32_t i = 0; i < 2 * FRAMES; ++i)
        assert_true(fabsf(x[i]) <= 0.8912510F);
    chain_destroy(&chain);
    free(x);
}

static double chunk_error(uint32_t rate_hz)
{
    const uint32_t frames = 13 * rate_hz / 2, context = 5 * rate_hz;
    const uint32_t start = rate_hz / CHAIN_GRID_FRAMES * CHAIN_GRID_FRAMES;
    float *whole = music(frames), *chunk = music(frames);
    struct chain *chain = fresh_at(rate_hz, &busy);
    chain_process(chain, whole, frames);
    chain_reset(chain, &busy);
    chain_process(chain, chunk + (size_t)2 * start, frames - start);
    double worst = 0;
    for (size_t i = (size_t)2 * (start + context); i < (size_t)2 * frames; ++i)
        worst = fmax(worst, fabs((double)whole[i] - (double)chunk[i]));
    chain_destroy(&chain);
    free(whole);
    free(chunk);
    return worst;
}

static void chunk_after_five_seconds_of_context_equals_the_whole(void **state)
{
    (void)state;
    for (int r = 0; r < RATES; r += 2) {
        const double worst = chunk_error(RATES_HZ[r]);
        print_message("chunk against whole, %u Hz: %.1f dBFS\n", RATES_HZ[r],
                      20 * log10(worst + 1e-30));
        assert_true(worst < 1e-6);
    }
}

static void mastered_music_stays_under_the_ceiling(void **state)
{
    (void)state;
    enum { FRAMES = 44100 };
    float *x = music(FRAMES);
    struct mastering_targets loud = busy;
    loud.makeup_db = 18;
    struct chain *chain = fresh(&loud);
    chain_process(chain, x, FRAMES);
    assert_true(chain_reduction_db(chain) > 6);
    assert_true(measure_db(measure_itu_peak(x, 2, FRAMES)) <= -1);
    assert_true(measure_db(measure_itu_peak(x + 1, 2, FRAMES)) <= -1);
    chain_destroy(&chain);
    free(x);
}

static void ceiling_of_a_ramps_targets_is_kept_behind_the_ramp(void **state)
{
    (void)state;
    enum { FRAMES = 44100, SETTLED = 8820 };
    float *x = music(FRAMES);
    struct mastering_targets loud = busy, lower = busy;
    loud.makeup_db = lower.makeup_db = 18;
    lower.ceiling_dbtp = -4;
    struct chain *chain = fresh(&loud);
    chain_process(chain, x, FRAMES / 2);
    chain_ramp_to(chain, &lower, 2000);
    chain_process(chain, x + FRAMES, FRAMES / 2);
    assert_true(measure_db(measure_itu_peak(x, 2, FRAMES / 2)) >
                -1.6); // louder than the ceiling to come
    assert_true(measure_db(measure_itu_peak(x + FRAMES + 2 * SETTLED, 2, FRAMES / 2 - SETTLED)) <=
                -4);
    chain_destroy(&chain);
    free(x);
}

/// Linked in place of calloc: fails once the allowance is used up.
static int allowance = -1; // -1: no limit
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    if (allowance == 0)
        return NULL;
    if (allowance > 0)
        --allowance;
    return __real_calloc(count, size);
}

static void creation_survives_every_failing_allocation(void **state)
{
    (void)state;
    const size_t before = mallinfo2().uordblks;
    int failures = 0;
    for (int allowed = 0; allowed < 100; ++allowed) {
        struct chain *chain = (struct chain *)state;
        allowance = allowed;
        const int error = chain_create(&chain, RATE_HZ);
        allowance = -1;
        if (error == 0) {
            chain_destroy(&chain);
            break;
        }
        assert_int_equal(error, -ENOMEM);
        assert_null(chain);
        ++failures;
    }
    assert_in_range(failures, 10, 99);
    assert_int_equal(mallinfo2().uordblks, before);
}

static void processing_allocates_nothing(void **state)
{
    (void)state;
    enum { FRAMES = 20000 };
    float *x = music(FRAMES);
    struct chain *chain = fresh(&busy);
    const size_t before = mallinfo2().uordblks;
    chain_process(chain, x, FRAMES / 2);
    chain_ramp_to(chain, &busy, 3000);
    chain_process(chain, x + FRAMES, FRAMES / 2);
    chain_reset(chain, &busy);
    assert_int_equal(mallinfo2().uordblks, before);
    assert_true(chain_delay_frames(chain) > 0);
    chain_destroy(&chain);
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_does_not_depend_on_the_block_split),
        cmocka_unit_test(bypass_gives_the_input_bit_for_bit_after_the_delay),
        cmocka_unit_test(impulse_arrives_after_the_reported_delay_at_every_rate),
        cmocka_unit_test(rates_out_of_range_are_refused),
        cmocka_unit_test(steady_sine_comes_out_with_less_than_minus_140_db_of_anything_else),
        cmocka_unit_test(parameter_steps_during_a_tone_make_no_zipper_noise),
        cmocka_unit_test(ramp_from_provisional_to_final_targets_makes_none_either),
        cmocka_unit_test(a_ramp_leaves_no_trace_wherever_it_begins),
        cmocka_unit_test(bad_samples_come_out_finite_and_leave_no_trace),
        cmocka_unit_test(silence_decays_to_nothing_and_never_to_denormals),
        cmocka_unit_test(full_scale_dc_comes_out_finite_and_under_the_ceiling),
        cmocka_unit_test(chunk_after_five_seconds_of_context_equals_the_whole),
        cmocka_unit_test(mastered_music_stays_under_the_ceiling),
        cmocka_unit_test(ceiling_of_a_ramps_targets_is_kept_behind_the_ramp),
        cmocka_unit_test(creation_survives_every_failing_allocation),
        cmocka_unit_test(processing_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

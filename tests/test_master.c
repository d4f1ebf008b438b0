// SPDX-License-Identifier: MIT
#include "engine/master.h"
#include "support/scratch.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RATE = 44100, FRAMES = 2 * RATE, TO_PLAIN = RATE / 2, TO_MASTERED = RATE + 77 };
enum { RAMP = RATE * MASTER_RAMP_MS / 1000 };

static struct mastering_targets some_targets(void)
{
    struct mastering_targets t = {
        .ceiling_dbtp = -1, .eq_db = {2, -1, 1, -2, 3}, .width = 1.1, .makeup_db = 6};
    t.compressor.ratio = 2;
    t.compressor.threshold_db = -24;
    t.compressor.knee_db = 6;
    t.compressor.attack_s = 0.02;
    t.compressor.release_s = 0.2;
    t.compressor.mix = 0.8;
    t.limiter.release_s = 0.15;
    return t;
}

static float *music(void)
{
    int16_t *s16 = scratch_music(5, FRAMES, RATE);
    float *out = malloc((size_t)FRAMES * 2 * sizeof(*out));
    assert_non_null(out);
    for (size_t i = 0; i < (size_t)2 * FRAMES; ++i)
        out[i] = (float)s16[i] / 32768.0F;
    free(s16);
    return out;
}

// In place, in blocks of `block` frames that are cut where the way changes.
static void run(struct master *m, float *stereo, uint32_t block)
{
    for (uint32_t at = 0, n; at < FRAMES; at += n) {
        const uint32_t edge = at < TO_PLAIN ? TO_PLAIN : at < TO_MASTERED ? TO_MASTERED : FRAMES;
        if (at == TO_PLAIN)
            master_change_way(m, MASTER_PAST_CHAIN);
        if (at == TO_MASTERED)
            master_change_way(m, MASTER_THROUGH_CHAIN);
        n = edge - at < block ? edge - at : block;
        master_process(m, stereo + 2 * (size_t)at, n);
    }
}

static struct master *new_master(const struct mastering_targets *targets)
{
    struct master *m;
    assert_int_equal(master_create(&m, RATE), 0);
    master_reset(m, targets);
    return m;
}

static bool equals(const float *a, const float *b, size_t from, size_t to)
{
    return memcmp(a + 2 * from, b + 2 * from, (to - from) * 2 * sizeof(float)) == 0;
}

static void past_the_chain_come_the_inputs_own_bits_late_by_its_delay(void **state)
{
    (void)state;
    const struct mastering_targets targets = some_targets();
    float *in = music(), *out = music(), *mastered = music();
    struct master *m = new_master(&targets);
    const uint32_t delay = chain_delay_frames(master_chain(m));
    run(m, out, 1000);
    master_destroy(&m);
    m = new_master(&targets);
    master_process(m, mastered, FRAMES);
    master_destroy(&m);

    assert_true(equals(out, mastered, 0, TO_PLAIN));
    assert_memory_equal(out + 2 * (size_t)(TO_PLAIN + RAMP),
                        in + 2 * (size_t)(TO_PLAIN + RAMP - delay),
                        (size_t)(TO_MASTERED - TO_PLAIN - RAMP) * 2 * sizeof(float));
    // The chain went on working: what comes after is what would have come anyway.
    assert_true(equals(out, mastered, TO_MASTERED + RAMP, FRAMES));
    assert_false(equals(out, mastered, TO_PLAIN, TO_PLAIN + RAMP));
    free(in);
    free(out);
    free(mastered);
}

static void blocks_of_any_size_give_the_same_bits(void **state)
{
    (void)state;
    const struct mastering_targets targets = some_targets();
    static const uint32_t blocks[] = {1, 64, 511, 4096};
    float *whole = music();
    struct master *m = new_master(&targets);
    run(m, whole, FRAMES);
    master_destroy(&m);
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); ++i) {
        float *out = music();
        m = new_master(&targets);
        run(m, out, blocks[i]);
        master_destroy(&m);
        assert_true(equals(out, whole, 0, FRAMES));
        free(out);
    }
    free(whole);
}

static void a_change_of_mind_within_the_ramp_makes_no_step(void **state)
{
    (void)state;
    const struct mastering_targets targets = some_targets();
    struct master *m = new_master(&targets);
    float frame[2];
    double last = 0, largest = 0;
    for (int i = 0; i < 2 * RATE; ++i) {
        if (i >= RATE && (i - RATE) % 700 == 0)
            master_change_way(m, (i - RATE) / 700 % 2 ? MASTER_THROUGH_CHAIN : MASTER_PAST_CHAIN);
        frame[0] = frame[1] = 0.25F; // what is constant can show nothing but the ramp itself
        master_process(m, frame, 1);
        if (i > RATE)
            largest = fmax(largest, fabs((double)frame[0] - last));
        last = (double)frame[0];
    }
    master_destroy(&m);
    // Full scale of the difference times the curve's steepest slope, 1.875 per ramp.
    assert_true(largest > 0 && largest < 1.0 * 1.875 / RAMP);
}

// The strongest of many frequencies at least 200 Hz beside `hz`, in dBFS, by a window whose own leakage is under -163 dB.
static double tone_leak_db(const float *stereo, double hz)
{
    enum { POINTS = 16384 };
    static const double terms[] = {0.27105140069342, 0.43329793923448, 0.21812299954311,
                                   0.06592544638803, 0.01081174209837, 0.00077658482522,
                                   0.00001388721735};
    double *x = malloc(POINTS * sizeof(*x)), gain = 0, most = 0;
    assert_non_null(x);
    for (int i = 0; i < POINTS; ++i) {
        double w = 0;
        for (int k = 0; k < 7; ++k)
            w += (k % 2 ? -1 : 1) * terms[k] * cos(2 * M_PI * k * i / POINTS);
        x[i] = (double)stereo[2 * i] * w;
        gain += w / 2;
    }
    for (double f = 20; f < 12000; f *= 1.03) {
        if (fabs(f - hz) < 200)
            continue;
        const double turn = 2 * cos(2 * M_PI * f / RATE); // Goertzel's recurrence
        double now = 0, last = 0;
        for (int i = 0; i < POINTS; ++i) {
            const double next = x[i] + turn * now - last;
            last = now;
            now = next;
        }
        most = fmax(most, sqrt(now * now + last * last - turn * now * last) / gain);
    }
    free(x);
    return 20 * log10(most);
}

static void the_ramp_is_not_heard_beside_a_tone(void **state)
{
    (void)state;
    struct mastering_targets targets = {.ceiling_dbtp = -1, .width = 1, .makeup_db = 6};
    targets.compressor.ratio = 1;
    targets.compressor.knee_db = 6;
    targets.compressor.attack_s = targets.compressor.release_s = 0.1;
    targets.limiter.release_s = 0.15;
    float *tone = malloc((size_t)FRAMES * 2 * sizeof(*tone));
    assert_non_null(tone);
    for (int i = 0; i < FRAMES; ++i)
        tone[2 * i] = tone[2 * i + 1] = (float)(0.1 * sin(2 * M_PI * 1000.0 * i / RATE));
    struct master *m = new_master(&targets);
    run(m, tone, 512);
    master_destroy(&m);
    const double leak_db = tone_leak_db(tone + 2 * (TO_PLAIN - 7000), 1000);
    print_message("outside 200 Hz around the tone: %.1f dBFS\n", leak_db);
    assert_true(leak_db < -100);
    free(tone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(past_the_chain_come_the_inputs_own_bits_late_by_its_delay),
        cmocka_unit_test(blocks_of_any_size_give_the_same_bits),
        cmocka_unit_test(a_change_of_mind_within_the_ramp_makes_no_step),
        cmocka_unit_test(the_ramp_is_not_heard_beside_a_tone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

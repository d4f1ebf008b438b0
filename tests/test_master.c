// SPDX-License-Identifier: MIT
#include "engine/render/master.h"
#include "support/scratch.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { RATE = 44100, FRAMES = 2 * RATE };

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

// In place, in blocks of `block` frames; `plain` may be NULL.
static void run(struct master *m, float *stereo, float *plain, uint32_t block)
{
    for (uint32_t at = 0, n; at < FRAMES; at += n) {
        const size_t i = 2 * (size_t)at;
        n = FRAMES - at < block ? FRAMES - at : block;
        master_process(m, stereo + i, plain ? plain + i : NULL, n);
    }
}

static struct master *new_master(const struct mastering_targets *targets)
{
    struct master *m;
    assert_int_equal(master_create(&m, RATE), 0);
    master_reset(m, targets);
    return m;
}

static float *room(void)
{
    float *out = malloc((size_t)FRAMES * 2 * sizeof(*out));
    assert_non_null(out);
    return out;
}

static void the_plain_side_is_the_inputs_own_bits_late_by_the_chains_delay(void **state)
{
    (void)state;
    const struct mastering_targets targets = some_targets();
    float *in = music(), *out = music(), *plain = room();
    struct master *m = new_master(&targets);
    const size_t delay = chain_delay_frames(master_chain(m));
    run(m, out, plain, 1000);
    master_destroy(&m);

    assert_true(delay > 0);
    for (size_t i = 0; i < 2 * delay; ++i)
        assert_true(plain[i] == 0.0F);
    assert_memory_equal(plain + 2 * delay, in, (FRAMES - delay) * 2 * sizeof(float));
    free(in);
    free(out);
    free(plain);
}

static void a_reset_forgets_both_sides(void **state)
{
    (void)state;
    const struct mastering_targets targets = some_targets();
    float *in = music(), *first = music(), *second = music(), *plain = room();
    struct master *m = new_master(&targets);
    const size_t delay = chain_delay_frames(master_chain(m));
    run(m, first, plain, 1000);
    master_reset(m, &targets);
    run(m, second, plain, 1000);
    master_destroy(&m);

    for (size_t i = 0; i < 2 * delay; ++i)
        assert_true(plain[i] == 0.0F);
    assert_memory_equal(plain + 2 * delay, in, (FRAMES - delay) * 2 * sizeof(float));
    assert_memory_equal(second, first, (size_t)FRAMES * 2 * sizeof(float));
    free(in);
    free(first);
    free(second);
    free(plain);
}

// An impulse comes out of a chain that does nothing to it as late as past the chain.
static void both_sides_are_equally_late(void **state)
{
    (void)state;
    enum { AT = 5000 };
    struct mastering_targets targets = {.ceiling_dbtp = -1, .width = 1};
    targets.compressor.ratio = 1;
    targets.compressor.attack_s = targets.compressor.release_s = 0.1;
    targets.limiter.release_s = 0.15;
    float *mastered = calloc(FRAMES, 2 * sizeof(float)), *plain = room();
    assert_non_null(mastered);
    mastered[2 * AT] = 0.5F;
    struct master *m = new_master(&targets);
    run(m, mastered, plain, 333);
    master_destroy(&m);
    size_t mastered_at = 0, plain_at = 0;
    for (size_t i = 0; i < FRAMES; ++i) {
        if (fabsf(mastered[2 * i]) > fabsf(mastered[2 * mastered_at]))
            mastered_at = i;
        if (fabsf(plain[2 * i]) > fabsf(plain[2 * plain_at]))
            plain_at = i;
    }
    assert_int_equal(mastered_at, plain_at);
    assert_true(plain_at > AT);
    free(mastered);
    free(plain);
}

static void asking_for_the_plain_side_changes_nothing_of_the_mastered_one(void **state)
{
    (void)state;
    const struct mastering_targets targets = some_targets();
    float *alone = music(), *beside = music(), *plain = room(), *now_and_then = room();
    struct master *m = new_master(&targets);
    run(m, alone, NULL, 512);
    master_reset(m, &targets);
    run(m, beside, plain, 512);
    master_reset(m, &targets);
    float *again = music();
    for (uint32_t at = 0; at + 512 <= FRAMES; at += 512) {
        const size_t i = 2 * (size_t)at;
        master_process(m, again + i, at % 1024 ? now_and_then + i : NULL, 512);
        if (at % 1024)
            assert_memory_equal(now_and_then + i, plain + i, (size_t)1024 * sizeof(float));
    }
    master_destroy(&m);
    assert_memory_equal(alone, beside, (size_t)FRAMES * 2 * sizeof(float));
    free(alone);
    free(beside);
    free(plain);
    free(now_and_then);
    free(again);
}

static void blocks_of_any_size_give_the_same_bits(void **state)
{
    (void)state;
    const struct mastering_targets targets = some_targets();
    static const uint32_t blocks[] = {1, 64, 511, 4096};
    float *whole = music(), *whole_plain = room(), *plain = room();
    struct master *m = new_master(&targets);
    run(m, whole, whole_plain, FRAMES);
    master_destroy(&m);
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); ++i) {
        float *out = music();
        m = new_master(&targets);
        run(m, out, plain, blocks[i]);
        master_destroy(&m);
        assert_memory_equal(out, whole, (size_t)FRAMES * 2 * sizeof(float));
        assert_memory_equal(plain, whole_plain, (size_t)FRAMES * 2 * sizeof(float));
        free(out);
    }
    free(whole);
    free(whole_plain);
    free(plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plain_side_is_the_inputs_own_bits_late_by_the_chains_delay),
        cmocka_unit_test(a_reset_forgets_both_sides),
        cmocka_unit_test(both_sides_are_equally_late),
        cmocka_unit_test(asking_for_the_plain_side_changes_nothing_of_the_mastered_one),
        cmocka_unit_test(blocks_of_any_size_give_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

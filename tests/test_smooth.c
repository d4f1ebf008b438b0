// SPDX-License-Identifier: MIT
#include "dsp/cpu.h"
#include "dsp/mastering/smooth.h"
#include "support/measure.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka needs the headers above
#include <cmocka.h>

enum {
    FRAMES = 900,
    BOX = 5,
    BEFORE = SMOOTH_GROUP + SMOOTH_BOXES * BOX,
    GUARDS = 32,
    LINE = BEFORE + FRAMES + SMOOTH_GROUP + GUARDS,
    TICKS_MOST = 21,
};

static const float GUARD = 7.0F;

/// Everything that one variant makes of the same gains.
struct results {
    float held[LINE];
    int32_t released[LINE];
    double means[FRAMES + GUARDS];
};

static void reset(struct smooth_window *window, float *suffixes, float *lowest, uint32_t ticks)
{
    *window =
        (struct smooth_window){.suffixes = suffixes, .lowest = lowest, .front = 1, .ticks = ticks};
    for (uint32_t i = 0; i < ticks * SMOOTH_TICK; ++i)
        suffixes[i] = 1;
    for (uint32_t i = 0; i <= ticks; ++i)
        lowest[i] = 1;
    for (int i = 0; i < SMOOTH_TICK; ++i)
        window->running[i] = 1;
}

/// Sparse dips to as low as a tenth.
static void make_wanted(float wanted[FRAMES], uint64_t seed)
{
    for (int n = 0; n < FRAMES; ++n) {
        const double v = fabs(measure_noise(&seed));
        wanted[n] = v > 0.96 ? (float)(0.1 + 20 * (v - 0.96)) : 1.0F;
    }
}

/// Begin with lines at unity, guards where nothing may be written.
static void prepare(struct results *out)
{
    for (int i = 0; i < LINE; ++i) {
        out->held[i] = i < BEFORE ? 1 : GUARD;
        out->released[i] = i < BEFORE ? 1 << SMOOTH_GAIN_BITS : (int32_t)GUARD;
    }
    for (int i = 0; i < FRAMES + GUARDS; ++i)
        out->means[i] = (double)GUARD;
}

static void run(struct results *out, const struct smooth_impl *impl, const float wanted[FRAMES],
                uint32_t piece, uint32_t ticks)
{
    float suffixes[TICKS_MOST * SMOOTH_TICK], lowest[TICKS_MOST + 1];
    struct smooth_window window;
    struct smooth_release state = {.value = 1 << SMOOTH_GAIN_BITS};
    int64_t sums[SMOOTH_BOXES] = {0, 0, (int64_t)(BOX * BOX * BOX) << SMOOTH_GAIN_BITS};
    reset(&window, suffixes, lowest, ticks);
    prepare(out);
    for (uint32_t at = 0, count; at < FRAMES; at += count) {
        count = FRAMES - at < piece ? FRAMES - at : piece;
        impl->hold(&window, out->held + BEFORE + at, wanted + at, count);
        impl->release(&state, out->released + BEFORE + at, out->held + BEFORE + at, 0.02, count);
        impl->boxes(sums, out->means + at, out->released + BEFORE + at, BOX, count);
    }
}

static void assert_guarded(const struct results *r)
{
    for (int i = 0; i < GUARDS; ++i) {
        assert_true(r->held[LINE - GUARDS + i] == GUARD);
        assert_int_equal(r->released[LINE - GUARDS + i], (int32_t)GUARD);
        assert_true(r->means[FRAMES + i] == (double)GUARD);
    }
}

static void every_variant_follows_the_reference_however_gains_are_cut(void **state)
{
    (void)state;
    static struct results wanted_results, whole, cut;
    float wanted[FRAMES];
    for (size_t v = 0; v < smooth_impl_count; ++v)
        for (uint32_t piece = 1; piece <= 67 && !(smooth_impls[v]->cpu_flags & ~cpu_flags());
             ++piece) {
            const uint32_t ticks = 1 + piece % TICKS_MOST;
            make_wanted(wanted, piece);
            run(&wanted_results, smooth_select(0), wanted, SMOOTH_PIECE, ticks);
            run(&whole, smooth_impls[v], wanted, SMOOTH_PIECE, ticks);
            run(&cut, smooth_impls[v], wanted, piece, ticks);
            assert_memory_equal(whole.means, cut.means, sizeof whole.means);
            assert_guarded(&whole);
            assert_guarded(&cut);
            for (int n = 0; n < FRAMES; ++n) {
                assert_true(whole.held[BEFORE + n] == wanted_results.held[BEFORE + n]);
                assert_true(abs(whole.released[BEFORE + n] - wanted_results.released[BEFORE + n]) <=
                            2);
                assert_true(fabs(whole.means[n] - wanted_results.means[n]) < 3e-9);
            }
        }
}

static void the_least_of_a_window_is_that_of_its_gains(void **state)
{
    (void)state;
    static struct results r;
    float wanted[FRAMES];
    for (uint32_t ticks = 1; ticks <= TICKS_MOST; ++ticks) {
        make_wanted(wanted, ticks);
        run(&r, smooth_select(cpu_flags()), wanted, 256, ticks);
        for (int n = 0; n < FRAMES; ++n) {
            float least = 1;
            for (int k = 0; k <= (int)ticks * SMOOTH_TICK && k <= n; ++k)
                least = wanted[n - k] < least ? wanted[n - k] : least;
            assert_true(r.held[BEFORE + n] == least);
        }
    }
}

static void release_goes_its_share_and_is_never_above_what_is_held(void **state)
{
    (void)state;
    static struct results r;
    float wanted[FRAMES];
    make_wanted(wanted, 5);
    run(&r, smooth_select(cpu_flags()), wanted, 100, 3);
    double value = 1;
    for (int n = 0; n < FRAMES; ++n) {
        const double held = (double)r.held[BEFORE + n];
        value = fmin(held, value + 0.02 * (held - value));
        assert_true(ldexp(r.released[BEFORE + n], -SMOOTH_GAIN_BITS) <= held);
        assert_true(fabs(ldexp(r.released[BEFORE + n], -SMOOTH_GAIN_BITS) - value) < 5e-6);
    }
}

// Twice the share from `change` on. @return what is released by then, and at the end.
static void release_at_two_shares(struct results *out, int32_t before[FRAMES],
                                  const struct smooth_impl *impl, const float wanted[FRAMES],
                                  uint32_t change)
{
    float suffixes[SMOOTH_TICK], lowest[2];
    struct smooth_window window;
    struct smooth_release state = {.value = 1 << SMOOTH_GAIN_BITS};
    reset(&window, suffixes, lowest, 1);
    prepare(out);
    impl->hold(&window, out->held + BEFORE, wanted, FRAMES);
    impl->release(&state, out->released + BEFORE, out->held + BEFORE, 0.02, change);
    memcpy(before, out->released + BEFORE, change * sizeof *before);
    for (uint32_t at = change, count; at < FRAMES; at += count) { // a frame, then others
        count = at == change ? 1 : FRAMES - at;
        impl->release(&state, out->released + BEFORE + at, out->held + BEFORE + at, 0.04, count);
    }
}

static void a_new_share_leaves_what_was_released_as_it_is(void **state)
{
    (void)state;
    static struct results wanted_results, r;
    float wanted[FRAMES];
    int32_t before[FRAMES];
    make_wanted(wanted, 7);
    for (size_t v = 0; v < smooth_impl_count; ++v)
        for (uint32_t change = 100; change < 120 && !(smooth_impls[v]->cpu_flags & ~cpu_flags());
             ++change) {
            release_at_two_shares(&wanted_results, before, smooth_select(0), wanted, change);
            release_at_two_shares(&r, before, smooth_impls[v], wanted, change);
            assert_memory_equal(r.released + BEFORE, before, change * sizeof *before);
            for (int n = 0; n < FRAMES; ++n) // a new share may come a group late
                assert_true(abs(r.released[BEFORE + n] - wanted_results.released[BEFORE + n]) <
                            ldexp(SMOOTH_GROUP * 0.02, SMOOTH_GAIN_BITS));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_variant_follows_the_reference_however_gains_are_cut),
        cmocka_unit_test(the_least_of_a_window_is_that_of_its_gains),
        cmocka_unit_test(release_goes_its_share_and_is_never_above_what_is_held),
        cmocka_unit_test(a_new_share_leaves_what_was_released_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
#include "dsp/cpu.h"
#include "dsp/mastering/peak.h"
#include "support/measure.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
// cmocka needs the headers above
#include <cmocka.h>

enum { BEFORE = PEAK_REACH + 8, LENGTH = 67, BEHIND = 2 * PEAK_LANES };

static const float SILENCE[512];

static void fill(float *x, uint32_t count, uint64_t seed)
{
    for (uint32_t i = 0; i < count; ++i)
        x[i] = (float)measure_noise(&seed);
}

/// The other side is silent.
static void raise_one(const struct peak_impl *impl, const struct peak_reader *reader, float *out,
                      const float *x, uint32_t frames, float floor)
{
    const float *const sides[PEAK_SIDES] = {SILENCE + BEFORE, x};
    impl->raise(reader, out, sides, frames, floor);
}

/// The largest of the ITU's four outputs over x[0..11].
static double itu_peak(const float *x)
{
    static const double h[2][12] = {
        {0.0017089843750, 0.0109863281250, -0.0196533203125, 0.0332031250000, -0.0594482421875,
         0.1373291015625, 0.9721679687500, -0.1022949218750, 0.0476074218750, -0.0266113281250,
         0.0148925781250, -0.0083007812500},
        {-0.0291748046875, 0.0292968750000, -0.0517578125000, 0.0891113281250, -0.1665039062500,
         0.4650878906250, 0.7797851562500, -0.2003173828125, 0.1015625000000, -0.0582275390625,
         0.0330810546875, -0.0189208984375},
    };
    double peak = 0;
    for (int p = 0; p < 2; ++p) {
        double forward = 0, backward = 0;
        for (int k = 0; k < 12; ++k) {
            forward += h[p][k] * (double)x[11 - k];
            backward += h[p][11 - k] * (double)x[11 - k];
        }
        peak = fmax(peak, fmax(fabs(forward), fabs(backward)));
    }
    return peak;
}

/// The sinc's output over x[0..63], so many eighths behind x[31].
static double sinc_output(const double *x, int eighths)
{
    static double h[MEASURE_PHASES][MEASURE_TAPS];
    if (h[0][MEASURE_SIDE - 1] == 0)
        measure_sinc_taps(h);
    double y = 0;
    for (int k = 0; k < PEAK_MAX_TAPS; ++k)
        y += x[k] * h[eighths * MEASURE_PHASES / 8][k];
    return y;
}

static double sinc_peak(const float *x)
{
    double wide[PEAK_MAX_TAPS], peak = 0;
    for (int k = 0; k < PEAK_MAX_TAPS; ++k)
        wide[k] = (double)x[k];
    for (int eighths = 1; eighths < 8; ++eighths)
        peak = fmax(peak, fabs(sinc_output(wide, eighths)));
    return peak;
}

static void itu_outputs_equal_the_standards_filter(void **state)
{
    (void)state;
    struct peak_reader reader;
    peak_reader_init_itu(&reader);
    for (uint64_t seed = 1; seed < 200; ++seed) {
        float x[BEFORE + BEHIND] = {0}, out[BEHIND] = {0};
        fill(x + BEFORE - 11, 12, seed);
        raise_one(peak_select(0), &reader, out, x + BEFORE, 1, 0);
        assert_true(fabs((double)out[0] - itu_peak(x + BEFORE - 11)) < 1e-6);
    }
}

static void sharp_outputs_are_the_larger_of_the_sincs_and_of_the_standards(void **state)
{
    (void)state;
    struct peak_reader reader;
    peak_reader_init_sharp(&reader, 1.02);
    for (uint64_t seed = 1; seed < 100; ++seed) {
        float x[BEFORE + BEHIND] = {0}, out[BEHIND] = {0};
        fill(x + BEFORE - 63, 64, seed);
        raise_one(peak_select(0), &reader, out, x + BEFORE, 1, 0);
        const double sinc = 1.02 * sinc_peak(x + BEFORE - 63), itu = itu_peak(x + BEFORE - 37);
        assert_true(fabs((double)out[0] - fmax(sinc, itu)) < 1e-5);
    }
}

static void sharp_outputs_find_a_tones_crest_between_its_samples(void **state)
{
    (void)state;
    enum { FRAMES = 200 };
    struct peak_reader reader;
    peak_reader_init_sharp(&reader, 1);
    for (int i = 1; i < 40; ++i) {
        const double cycles = 0.011 * i; // per sample, up to 0.43
        float x[BEFORE + FRAMES + BEHIND] = {0}, out[FRAMES + BEHIND] = {0};
        for (int n = 0; n < BEFORE + FRAMES + BEHIND; ++n)
            x[n] = (float)sin(2 * M_PI * cycles * n + 0.3 * i);
        raise_one(peak_select(0), &reader, out, x + BEFORE, FRAMES, 0);
        float peak = 0;
        for (int n = 0; n < FRAMES; ++n)
            peak = fmaxf(peak, out[n]);
        // An 8x grid misses at most 1 - cos(pi f / 8) of a crest, if it meets none of them. The ITU's filters read
        // up to 10 % too much.
        assert_true((double)peak <= 1.1);
        assert_true((double)peak >= cos(M_PI * cycles / 8) - 0.003);
    }
}

/// What harmless outputs are left at is a variant's own affair, and nobody's who looks at those over the floor.
static void assert_alike(const float *a, const float *b, float floor)
{
    for (uint32_t i = 0; i < LENGTH + BEHIND; ++i)
        assert_true(fabsf(a[i] - b[i]) <= 1e-6F || (a[i] <= floor && b[i] <= floor));
}

static void compare_with_reference(const struct peak_impl *impl, const struct peak_reader *reader,
                                   uint32_t length, uint32_t offset, float floor)
{
    float x[2][BEFORE + LENGTH + BEHIND];
    float a[LENGTH + BEHIND] = {0}, b[LENGTH + BEHIND] = {0};
    fill(x[0], BEFORE + LENGTH + BEHIND, length * 8 + offset + 1);
    fill(x[1], BEFORE + LENGTH + BEHIND, length * 8 + offset + 999);
    const float *const sides[PEAK_SIDES] = {x[0] + PEAK_REACH + offset, x[1] + BEFORE - offset};
    peak_select(0)->raise(reader, a, sides, length, floor);
    impl->raise(reader, b, sides, length, floor);
    // Up to PEAK_LANES elements behind are scratch.
    for (uint32_t i = length; i < LENGTH + BEHIND; ++i) {
        assert_true(i < length + PEAK_LANES || b[i] == 0);
        a[i] = b[i] = 0;
    }
    assert_alike(a, b, floor);
    assert_true(length == 0 || floor > 0 || a[0] > 0);
}

static void every_variant_equals_the_reference(void **state)
{
    (void)state;
    struct peak_reader readers[2];
    peak_reader_init_itu(&readers[0]);
    peak_reader_init_sharp(&readers[1], 1.01);
    static const float floors[] = {0, 0.5F, 0.9F};
    for (size_t v = 0; v < peak_impl_count; ++v) {
        if (peak_impls[v]->cpu_flags & ~cpu_flags())
            continue;
        print_message("variant: %s\n", peak_impls[v]->name);
        for (uint32_t length = 0; length <= LENGTH; ++length)
            for (uint32_t offset = 0; offset < 8; ++offset)
                for (int k = 0; k < 6; ++k)
                    compare_with_reference(peak_impls[v], &readers[k % 2], length, offset,
                                           floors[k / 2]);
    }
}

/// Noise whose neighbours are alike: the more so, the higher `order`, and the likelier its peaks are passed over.
static void fill_smooth(float *x, uint32_t count, uint64_t seed, int order)
{
    fill(x, count, seed);
    for (int k = 0; k < order; ++k)
        for (uint32_t i = count - 1; i > 0; --i)
            x[i] = 0.5F * (x[i] + x[i - 1]);
}

/// How many outputs lay over their floors, and how many were passed over.
struct tally {
    uint32_t over, passed;
};

/// Read some noise whole and down to a floor just under its highest peak.
static void compare_with_whole(struct tally *tally, const struct peak_impl *impl,
                               const struct peak_reader *reader, uint64_t seed)
{
    float x[PEAK_SIDES][BEFORE + LENGTH + BEHIND];
    float all[LENGTH + BEHIND] = {0}, some[LENGTH + BEHIND] = {0};
    for (int c = 0; c < PEAK_SIDES; ++c)
        fill_smooth(x[c], BEFORE + LENGTH + BEHIND, 2 * seed + (uint64_t)c, (int)(seed % 20));
    const float *const sides[PEAK_SIDES] = {x[0] + BEFORE, x[1] + BEFORE};
    impl->raise(reader, all, sides, LENGTH, 0);
    float highest = 0;
    for (int i = 0; i < LENGTH; ++i)
        highest = fmaxf(highest, all[i]);
    const float floor = 0.95F * highest;
    impl->raise(reader, some, sides, LENGTH, floor);
    for (int i = 0; i < LENGTH; ++i) {
        assert_true(all[i] <= floor || all[i] == some[i]);
        tally->over += all[i] > floor;
        tally->passed += some[i] == 0;
    }
}

static void nothing_over_the_floor_is_passed_over(void **state)
{
    (void)state;
    struct peak_reader reader;
    peak_reader_init_sharp(&reader, 1.01);
    for (size_t v = 0; v < peak_impl_count; ++v) {
        struct tally tally = {0};
        if (peak_impls[v]->cpu_flags & ~cpu_flags())
            continue;
        for (uint64_t seed = 1; seed < 2000; ++seed)
            compare_with_whole(&tally, peak_impls[v], &reader, seed);
        assert_in_range(tally.over, 4000, 20000);
        assert_in_range(tally.passed, 5000, 100000);
    }
}

static void a_scaled_reader_sees_what_only_its_scale_lifts_over_the_floor(void **state)
{
    (void)state;
    struct peak_reader reader;
    peak_reader_init_sharp(&reader, 1.1);
    float x[BEFORE + 10 * PEAK_LANES], out[9 * PEAK_LANES] = {0};
    for (int n = 0; n < BEFORE + 10 * PEAK_LANES; ++n)
        x[n] = (float)sin(0.02 * n); // its samples and its crest are one
    raise_one(peak_select(cpu_flags()), &reader, out, x + BEFORE, 8 * PEAK_LANES, 1.05F);
    float highest = 0;
    for (int n = 0; n < 8 * PEAK_LANES; ++n)
        highest = fmaxf(highest, out[n]);
    assert_true(fabs((double)highest - 1.1) < 0.001);
}

static void a_single_frame_over_the_floor_is_seen_wherever_it_lies(void **state)
{
    (void)state;
    struct peak_reader reader;
    peak_reader_init_sharp(&reader, 1);
    for (size_t v = 0; v < peak_impl_count; ++v)
        for (int lane = 0; lane < 2 * PEAK_LANES * PEAK_SIDES; ++lane) {
            if (peak_impls[v]->cpu_flags & ~cpu_flags())
                continue;
            float x[PEAK_SIDES][BEFORE + 2 * PEAK_LANES + BEHIND] = {{0}};
            float out[2 * PEAK_LANES + BEHIND] = {0};
            const int frame = lane / PEAK_SIDES;
            // Two samples of 1 with -1 beside them: half-way between, the sinc reads more than any of them.
            float *oldest = x[lane % PEAK_SIDES] + BEFORE + frame - (PEAK_MAX_TAPS - 1);
            oldest[31] = oldest[32] = 1;
            oldest[30] = oldest[33] = -1;
            double wide[PEAK_MAX_TAPS];
            for (int k = 0; k < PEAK_MAX_TAPS; ++k)
                wide[k] = (double)oldest[k];
            const double y = sinc_output(wide, 4);
            const float *const sides[PEAK_SIDES] = {x[0] + BEFORE, x[1] + BEFORE};
            peak_impls[v]->raise(&reader, out, sides, 2 * PEAK_LANES, (float)(0.999 * y));
            assert_true(y > 1.5 && fabs((double)out[frame] - y) < 1e-5);
        }
}

/// Samples whose second difference is 1 at one place and 0 at all others, and which are 0 at x[31] and x[32].
static double bend_at(int place, int k)
{
    return place > 32 ? fmax(0, k - place + 1) : fmax(0, place - 1 - k);
}

/// How much a filter's output grows per second difference, at each place.
struct growth {
    double at[PEAK_MAX_TAPS];
    double length; // the most that differences of which the squares add up to 1 can do
};

typedef double output_fn(const double x[PEAK_MAX_TAPS], int phase,
                         const struct peak_reader *reader);

/// @return the sum of the growths' magnitudes: the most that differences of 1 can do.
static double find_growth(struct growth *growth, output_fn *output, int phase,
                          const struct peak_reader *reader)
{
    double most = 0;
    growth->length = 0;
    for (int place = 2; place < PEAK_MAX_TAPS; ++place) {
        double unit[PEAK_MAX_TAPS];
        for (int k = 0; k < PEAK_MAX_TAPS; ++k)
            unit[k] = bend_at(place, k);
        growth->at[place] = output(unit, phase, reader);
        most += fabs(growth->at[place]);
        growth->length = hypot(growth->length, growth->at[place]);
    }
    return most;
}

static double sharp_output(const double x[PEAK_MAX_TAPS], int eighths,
                           const struct peak_reader *reader)
{
    (void)reader;
    return sinc_output(x, eighths);
}

static double itu_output(const double x[PEAK_MAX_TAPS], int phase, const struct peak_reader *reader)
{
    double sum = 0;
    for (int k = 0; k < PEAK_ITU_TAPS / 2; ++k) {
        const double early = x[26 + k], late = x[37 - k];
        sum += (double)reader->itu.even[k][phase / 2] * (early + late);
        sum += (phase % 2 ? -1 : 1) * (double)reader->itu.odd[k][phase / 2] * (early - late);
    }
    return sum;
}

/// The quick bank's output so many quarters behind x[31]; the samples themselves are its first and last.
static double quick_output(const double x[PEAK_MAX_TAPS], int quarters,
                           const struct peak_reader *reader)
{
    const double *oldest = x + (PEAK_MAX_TAPS - PEAK_QUICK_TAPS) / 2;
    double even = 0, odd = 0, middle = 0;
    for (int k = 0; k < PEAK_QUICK_TAPS / 2; ++k) {
        const double late = oldest[PEAK_QUICK_TAPS - 1 - k];
        even += (double)reader->quick.even[k][0] * (oldest[k] + late);
        odd += (double)reader->quick.odd[k][0] * (oldest[k] - late);
        middle += (double)reader->quick.middle[k] * (oldest[k] + late);
    }
    return quarters == 0   ? x[31]
           : quarters == 1 ? even + odd
           : quarters == 2 ? middle
           : quarters == 3 ? even - odd
                           : x[32];
}

/// What the sinc reads beyond the mean of the quick bank's outputs beside it.
static double beyond_quick(const double x[PEAK_MAX_TAPS], int eighths,
                           const struct peak_reader *reader)
{
    return sinc_output(x, eighths) - 0.5 * quick_output(x, eighths / 2, reader) -
           0.5 * quick_output(x, (eighths + 1) / 2, reader);
}

static void bounds_are_what_the_loudest_samples_reach(void **state)
{
    (void)state;
    struct peak_reader itu, sharp;
    struct growth growth;
    peak_reader_init_itu(&itu);
    peak_reader_init_sharp(&sharp, 1);
    double by_itu = 0, by_sinc = 0, by_rest = 0, by_squares = 0;
    for (int phase = 0; phase < 2 * PEAK_ITU_PAIRS; ++phase)
        by_itu = fmax(by_itu, find_growth(&growth, itu_output, phase, &itu));
    for (int eighths = 1; eighths < 8; ++eighths) {
        by_sinc = fmax(by_sinc, find_growth(&growth, sharp_output, eighths, &sharp));
        by_rest = fmax(by_rest, find_growth(&growth, beyond_quick, eighths, &sharp));
        by_squares = fmax(by_squares, growth.length);
    }
    assert_true(fabs((double)itu.known.bent / by_itu - 1) < 1e-3);
    assert_true(fabs((double)sharp.known.bent / fmax(by_itu, by_sinc) - 1) < 1e-3);
    assert_true(fabs((double)sharp.near.bent / by_rest - 1) < 0.01 && by_rest < 0.25 * by_sinc);
    assert_true((double)sharp.near.bent >= by_rest);
    assert_true(fabs((double)sharp.near.rough / by_squares - 1) < 0.01);
    assert_true((double)sharp.near.rough >= by_squares && by_squares < 0.2 * by_rest);
    assert_true((double)itu.known.straight >= 1.0015 && (double)itu.known.straight < 1.002);
    assert_true((double)sharp.near.straight > 1 && (double)sharp.near.straight < 1.01);
}

/// Samples of 1, but bent between `first` and `last` so that the sinc's output rises most, and straight from there on
/// outwards. @return that output.
static double bend_some(float *oldest, const struct growth *growth, int first, int last, float by)
{
    double y = 1; // the weights' sum, but for 1e-4
    for (int place = first; place <= last; ++place) {
        const float sign = growth->at[place] < 0 ? -by : by;
        y += (double)sign * growth->at[place];
        for (int k = PEAK_MAX_TAPS - 1 - PEAK_REACH; k < PEAK_MAX_TAPS + 2 * PEAK_LANES; ++k)
            oldest[k] += sign * (float)bend_at(place, k);
    }
    return y;
}

static void a_peak_that_some_samples_make_alone_is_seen(void **state)
{
    (void)state;
    struct peak_reader reader;
    peak_reader_init_sharp(&reader, 1);
    for (int eighths = 1; eighths < 8; ++eighths) {
        struct growth growth;
        find_growth(&growth, sharp_output, eighths, &reader);
        for (int lane = 0; lane < PEAK_LANES; ++lane)
            for (int first = 2; first < PEAK_MAX_TAPS; first += 4) {
                const int last = first + 12 < PEAK_MAX_TAPS ? first + 12 : PEAK_MAX_TAPS - 1;
                float x[BEFORE + 2 * PEAK_MAX_TAPS], out[3 * PEAK_LANES] = {0};
                for (size_t i = 0; i < sizeof x / sizeof *x; ++i)
                    x[i] = 1;
                const double y = bend_some(x + BEFORE + lane - 63, &growth, first, last, 4.0F);
                if (y < 1.004)
                    continue;
                raise_one(peak_select(cpu_flags()), &reader, out, x + BEFORE, PEAK_LANES,
                          (float)(y * 0.998));
                assert_true((double)out[lane] > y * 0.999);
            }
    }
}

static void a_straight_slope_is_seen_in_every_lane(void **state)
{
    (void)state;
    struct peak_reader readers[2];
    peak_reader_init_itu(&readers[0]);
    peak_reader_init_sharp(&readers[1], 1);
    for (int r = 0; r < 2; ++r)
        for (int falls = 0; falls < 2; ++falls) {
            float x[BEFORE + 4 * PEAK_LANES], all[3 * PEAK_LANES] = {0}, some[3 * PEAK_LANES] = {0};
            for (int i = 0; i < BEFORE + 4 * PEAK_LANES; ++i)
                x[i] = 1 + 0.1F * (float)(falls ? BEFORE + 4 * PEAK_LANES - i : i);
            raise_one(peak_select(0), &readers[r], all, x + BEFORE, PEAK_LANES, 0);
            const float most = fmaxf(all[0], all[PEAK_LANES - 1]);
            raise_one(peak_select(cpu_flags()), &readers[r], some, x + BEFORE, PEAK_LANES,
                      0.9999F * most);
            assert_true(fabsf(fmaxf(some[0], some[PEAK_LANES - 1]) - most) < 1e-5F * most);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(itu_outputs_equal_the_standards_filter),
        cmocka_unit_test(sharp_outputs_are_the_larger_of_the_sincs_and_of_the_standards),
        cmocka_unit_test(sharp_outputs_find_a_tones_crest_between_its_samples),
        cmocka_unit_test(every_variant_equals_the_reference),
        cmocka_unit_test(nothing_over_the_floor_is_passed_over),
        cmocka_unit_test(a_single_frame_over_the_floor_is_seen_wherever_it_lies),
        cmocka_unit_test(a_scaled_reader_sees_what_only_its_scale_lifts_over_the_floor),
        cmocka_unit_test(bounds_are_what_the_loudest_samples_reach),
        cmocka_unit_test(a_peak_that_some_samples_make_alone_is_seen),
        cmocka_unit_test(a_straight_slope_is_seen_in_every_lane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

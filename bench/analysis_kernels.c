// SPDX-License-Identifier: MIT
#include "analysis_kernels.h"
#include "bench.h"
#include "dsp/aligned.h"
#include "dsp/cpu.h"
#include "dsp/level/half_band.h"
#include "dsp/level/intake.h"
#include "dsp/level/interpolate.h"
#include "dsp/level/k_slice.h"
#include "dsp/level/level_kernel.h"
#include "dsp/rhythm/onset_kernel.h"
#include "dsp/spectrum/fft_kernel.h"
#include "dsp/spectrum/median31.h"
#include "dsp/spectrum/spectrum_kernel.h"
#include "dsp/spectrum/yin_kernel.h"
#include "dsp/tonality/peaks.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ROUNDS_MAX = 64,
    POINTS = 4096,
    BINS = POINTS / 2 + 1,
    LOW_BINS = 1025,
    LANES = 136,
    ROWS = 2 * MEDIAN31_RUN,
    LAGS = 352,
    SLICE = 441,
    CHANGE_BINS = 192,
    FFT_VARIANTS = 2,
    K_SLICE_VARIANTS = 3,
};

// One set of inputs for all kernels; what they write goes where nothing else reads.
struct bench_data {
    alignas(ALIGNED_BYTES) float points[2 * POINTS];
    alignas(ALIGNED_BYTES) float spectrum[2 * POINTS];
    alignas(ALIGNED_BYTES) float work[2 * POINTS];
    struct fft_tables tables[FFT_VARIANTS];
    float x[2 * POINTS + 2], y[2 * POINTS + 2], out[2 * POINTS + 2], even[POINTS];
    float changes[ONSET_INTERVALS][ONSET_INTERVALS];
    float weights[SPECTRUM_CLASSES * LOW_BINS];
    float rows[ROWS][LANES], medians[MEDIAN31_RUN][LANES];
    struct spectrum_half halves[3];
    double energy[BINS], blocks[BINS / SPECTRUM_BLOCK + 1], differences[LAGS], sums[2 * LAGS];
    struct k_slice_plan plans[K_SLICE_VARIANTS];
    struct k_slice_state states[2];
    struct level_block level;
    struct onset_rows rows_of_bands;
    struct peaks peaks;
    struct peaks_circle circle;
    double kept; // results that would otherwise be computed for nobody
};

// A call of a kernel's variant number `variant`.
typedef void (*call_fn)(struct bench_data *d, size_t variant);

static void call_median(struct bench_data *d, size_t variant)
{
    struct median31_rows rows;
    float *out[MEDIAN31_RUN];
    for (int i = 0; i < MEDIAN31_EDGE; ++i) {
        rows.before[i] = d->rows[i];
        rows.after[i] = d->rows[i + MEDIAN31_RUN];
    }
    for (int i = 0; i < MEDIAN31_RUNS * MEDIAN31_RUN; ++i)
        rows.runs[i / MEDIAN31_RUN][i % MEDIAN31_RUN] = d->rows[i % ROWS];
    for (int i = 0; i < MEDIAN31_RUN; ++i)
        out[i] = d->medians[i];
    median31_impls[variant].octet(&rows, out, LANES);
}

static void call_sort(struct bench_data *d, size_t variant)
{
    const float *rows[MEDIAN31_RUN];
    float *out[MEDIAN31_RUN];
    for (int i = 0; i < MEDIAN31_RUN; ++i) {
        rows[i] = d->rows[i];
        out[i] = d->medians[i];
    }
    median31_impls[variant].sort(rows, out, LANES);
}

static void call_deal(struct bench_data *d, size_t variant)
{
    median31_impls[variant].deal(d->out, d->x, LANES);
}

static void call_yin(struct bench_data *d, size_t variant)
{
    yin_impls[variant]->differences(d->differences, d->x, LAGS);
}

static void call_yin_expand(struct bench_data *d, size_t variant)
{
    const struct yin_energies energies = {1.0, d->sums, d->sums + LAGS};
    const struct yin_energies both[2] = {energies, energies};
    double *const out[2] = {d->differences, d->energy};
    yin_impls[variant]->expand(out, both, d->x, 0.5, LAGS);
}

static void call_yin_squares(struct bench_data *d, size_t variant)
{
    yin_impls[variant]->sum_squares(d->energy, d->x, LAGS);
}

static void call_yin_sums(struct bench_data *d, size_t variant)
{
    yin_impls[variant]->accumulate(d->energy, d->sums, LAGS);
}

static void call_yin_under(struct bench_data *d, size_t variant)
{
    d->kept += yin_impls[variant]->first_under(d->sums, d->sums, 10, LAGS, 0.1);
}

static void call_clean(struct bench_data *d, size_t variant)
{
    d->kept += (double)intake_impls[variant].clean(d->out, d->x, 2 * POINTS).peak;
}

static void call_split(struct bench_data *d, size_t variant)
{
    intake_impls[variant].split(d->out, d->out + POINTS, d->even, d->x, POINTS);
}

static void call_k_slice(struct bench_data *d, size_t variant)
{
    double energies[2];
    k_slice_impls[variant].energies(&d->plans[variant], d->states, d->x, SLICE, d->out, energies);
    d->kept += energies[0];
}

static void call_level(struct bench_data *d, size_t variant)
{
    level_impls[variant].add(&d->level, d->x, d->y, POINTS);
}

static void call_interpolate(struct bench_data *d, size_t variant)
{
    static const struct interpolate_bank bank = {.with_quarters = 1};
    d->kept += (double)interpolate_impls[variant].peak(&bank, d->x);
}

static void call_quiet(struct bench_data *d, size_t variant)
{
    d->kept += interpolate_impls[variant].quiet(d->x, POINTS / INTERPOLATE_FRAMES, 1e9F);
}

static void call_half_band(struct bench_data *d, size_t variant)
{
    half_band_impls[variant].filter(d->out, d->x, d->weights, d->even, POINTS / 2);
}

static void call_fft(struct bench_data *d, size_t variant)
{
    fft_impls[variant].forward(&d->tables[variant], d->spectrum, d->work, d->points);
}

static void call_fft_pair(struct bench_data *d, size_t variant)
{
    const struct fft_pair pair = {{d->x, d->x + POINTS / 2}, {d->x + 1, d->x + POINTS / 2}, d->y};
    fft_impls[variant].forward_pair(&d->tables[variant], d->spectrum, d->work, &pair);
}

static void call_fft_squares(struct bench_data *d, size_t variant)
{
    const struct fft_pair pair = {{d->x, d->x + POINTS / 2}, {d->x + 1, d->x + POINTS / 2}, d->y};
    fft_impls[variant].pair_squares(&d->tables[variant], d->spectrum, d->work, &pair);
}

static void call_weigh_pair(struct bench_data *d, size_t variant)
{
    spectrum_impls[variant]->weigh_pair(d->out, d->x, d->x + POINTS, d->y, POINTS);
}

static void call_stereo_power(struct bench_data *d, size_t variant)
{
    d->kept += spectrum_impls[variant]->stereo_power(d->out, d->x, POINTS);
}

static void call_fold_squares(struct bench_data *d, size_t variant)
{
    d->kept += spectrum_impls[variant]->fold_squares(d->out, d->x, POINTS);
}

static void call_settle(struct bench_data *d, size_t variant)
{
    spectrum_impls[variant]->settle(d->out, d->even, 1e-3F, BINS);
}

static void call_split_pair(struct bench_data *d, size_t variant)
{
    spectrum_impls[variant]->split_pair(&d->halves[0], &d->halves[1], d->x);
}

static void call_follow(struct bench_data *d, size_t variant)
{
    spectrum_impls[variant]->follow(&d->halves[2], &d->halves[0], &d->halves[1]);
}

static void call_join_pairs(struct bench_data *d, size_t variant)
{
    const struct spectrum_half *const parts[3] = {&d->halves[0], &d->halves[1], &d->halves[2]};
    spectrum_impls[variant]->join_pairs(d->out, parts);
}

static void call_pair_power(struct bench_data *d, size_t variant)
{
    spectrum_impls[variant]->pair_power(d->out, d->out + POINTS, d->x, POINTS / 2);
}

static void call_weigh_blocks(struct bench_data *d, size_t variant)
{
    d->kept += spectrum_impls[variant]->weigh_blocks(d->blocks, d->x, d->x, d->y, BINS);
}

static void call_floored(struct bench_data *d, size_t variant)
{
    d->kept += spectrum_impls[variant]->floored(d->y, BINS, 2.0F, 1e-4F).log_sum;
}

static void call_classes(struct bench_data *d, size_t variant)
{
    const float *const rows[] = {d->x, d->x + LOW_BINS, d->y, d->y + LOW_BINS};
    double classes[SPECTRUM_TOGETHER][SPECTRUM_CLASSES];
    spectrum_impls[variant]->classes(classes, d->weights, LOW_BINS, rows, LOW_BINS);
    d->kept += classes[0][0];
}

static void call_masked(struct bench_data *d, size_t variant)
{
    d->kept += spectrum_impls[variant]->masked(d->y, d->y + 1, d->y + 2, LOW_BINS).harmonic;
}

static void call_bands(struct bench_data *d, size_t variant)
{
    onset_impls[variant]->sum_bands(d->out, &d->rows_of_bands, d->y);
}

static void call_logs(struct bench_data *d, size_t variant)
{
    onset_impls[variant]->take_logs(d->out, d->y);
}

static void call_compare(struct bench_data *d, size_t variant)
{
    d->kept += (double)onset_impls[variant]->compare(d->x, d->y, CHANGE_BINS).across;
}

static void call_best_step(struct bench_data *d, size_t variant)
{
    enum { INTERVALS = 40 }; // from half a beat at 100 BPM to two
    uint32_t place;
    d->kept += onset_impls[variant]->best_step(d->sums, d->differences, INTERVALS, &place);
}

static void call_best_changes(struct bench_data *d, size_t variant)
{
    enum { INTERVALS = 21 }; // as many as lie around 120 BPM
    uint8_t places[ONSET_INTERVALS];
    onset_impls[variant]->best_changes(d->out, places, d->x, d->changes, INTERVALS);
    d->kept += places[0];
}

static void call_find_peaks(struct bench_data *d, size_t variant)
{
    peaks_impls[variant]->find(&d->peaks, d->y, &d->circle, 4, CHANGE_BINS, 1e-4F);
}

static void call_refine_peaks(struct bench_data *d, size_t variant)
{
    peaks_impls[variant]->refine(&d->peaks, &d->circle);
}

static const char *median_name(size_t i, uint32_t *flags)
{
    *flags = median31_impls[i].cpu_flags;
    return median31_impls[i].name;
}

static const char *yin_name(size_t i, uint32_t *flags)
{
    *flags = yin_impls[i]->cpu_flags;
    return yin_impls[i]->name;
}

static const char *k_slice_name(size_t i, uint32_t *flags)
{
    *flags = k_slice_impls[i].cpu_flags;
    return k_slice_impls[i].name;
}

static const char *intake_name(size_t i, uint32_t *flags)
{
    *flags = intake_impls[i].cpu_flags;
    return intake_impls[i].name;
}

static const char *level_name(size_t i, uint32_t *flags)
{
    *flags = level_impls[i].cpu_flags;
    return level_impls[i].name;
}

static const char *interpolate_name(size_t i, uint32_t *flags)
{
    *flags = interpolate_impls[i].cpu_flags;
    return interpolate_impls[i].name;
}

static const char *half_band_name(size_t i, uint32_t *flags)
{
    *flags = half_band_impls[i].cpu_flags;
    return half_band_impls[i].name;
}

static const char *fft_name(size_t i, uint32_t *flags)
{
    *flags = fft_impls[i].cpu_flags;
    return fft_impls[i].name;
}

static const char *spectrum_name(size_t i, uint32_t *flags)
{
    *flags = spectrum_impls[i]->cpu_flags;
    return spectrum_impls[i]->name;
}

static const char *onset_name(size_t i, uint32_t *flags)
{
    *flags = onset_impls[i]->cpu_flags;
    return onset_impls[i]->name;
}

static const char *peaks_name(size_t i, uint32_t *flags)
{
    *flags = peaks_impls[i]->cpu_flags;
    return peaks_impls[i]->name;
}

static const struct {
    const char *name;
    call_fn call;
    const char *(*variant)(size_t index, uint32_t *cpu_flags);
    const size_t *count;
} KERNELS[] = {
    {"median31-octet", call_median, median_name, &median31_impl_count},
    {"median31-sort", call_sort, median_name, &median31_impl_count},
    {"median31-deal", call_deal, median_name, &median31_impl_count},
    {"yin-differences", call_yin, yin_name, &yin_impl_count},
    {"yin-expand", call_yin_expand, yin_name, &yin_impl_count},
    {"yin-squares", call_yin_squares, yin_name, &yin_impl_count},
    {"yin-sums", call_yin_sums, yin_name, &yin_impl_count},
    {"yin-under", call_yin_under, yin_name, &yin_impl_count},
    {"intake-clean", call_clean, intake_name, &intake_impl_count},
    {"intake-split", call_split, intake_name, &intake_impl_count},
    {"k-slice", call_k_slice, k_slice_name, &k_slice_impl_count},
    {"level-add", call_level, level_name, &level_impl_count},
    {"interpolate", call_interpolate, interpolate_name, &interpolate_impl_count},
    {"interpolate-quiet", call_quiet, interpolate_name, &interpolate_impl_count},
    {"half-band", call_half_band, half_band_name, &half_band_impl_count},
    {"fft-4096", call_fft, fft_name, &fft_impl_count},
    {"fft-pair-4096", call_fft_pair, fft_name, &fft_impl_count},
    {"fft-squares-4096", call_fft_squares, fft_name, &fft_impl_count},
    {"weigh-pair", call_weigh_pair, spectrum_name, &spectrum_impl_count},
    {"stereo-power", call_stereo_power, spectrum_name, &spectrum_impl_count},
    {"fold-squares", call_fold_squares, spectrum_name, &spectrum_impl_count},
    {"settle", call_settle, spectrum_name, &spectrum_impl_count},
    {"split-pair", call_split_pair, spectrum_name, &spectrum_impl_count},
    {"follow", call_follow, spectrum_name, &spectrum_impl_count},
    {"join-pairs", call_join_pairs, spectrum_name, &spectrum_impl_count},
    {"pair-power", call_pair_power, spectrum_name, &spectrum_impl_count},
    {"weigh-blocks", call_weigh_blocks, spectrum_name, &spectrum_impl_count},
    {"floored", call_floored, spectrum_name, &spectrum_impl_count},
    {"classes", call_classes, spectrum_name, &spectrum_impl_count},
    {"masked", call_masked, spectrum_name, &spectrum_impl_count},
    {"onset-bands", call_bands, onset_name, &onset_impl_count},
    {"onset-logs", call_logs, onset_name, &onset_impl_count},
    {"onset-compare", call_compare, onset_name, &onset_impl_count},
    {"beats-step", call_best_step, onset_name, &onset_impl_count},
    {"loose-changes", call_best_changes, onset_name, &onset_impl_count},
    {"peaks-find", call_find_peaks, peaks_name, &peaks_impl_count},
    {"peaks-refine", call_refine_peaks, peaks_name, &peaks_impl_count},
};

static void fill(struct bench_data *d)
{
    uint64_t seed = 77;
    for (int i = 0; i < 2 * LAGS; ++i)
        d->sums[i] = 1.0 + i;
    for (int i = 0; i < 2 * POINTS; ++i)
        d->points[i] = (float)(bench_random(&seed) >> 40) * 0x1p-24F;
    for (int i = 0; i < 2 * POINTS + 2; ++i) {
        d->x[i] = (float)(int32_t)(bench_random(&seed) >> 32) * 0x1p-31F;
        d->y[i] = (float)(bench_random(&seed) >> 40) * 0x1p-24F;
    }
    for (int i = 0; i < SPECTRUM_CLASSES * LOW_BINS; ++i)
        d->weights[i] = d->y[i % POINTS];
    for (uint32_t b = 0; b < ONSET_BANDS; ++b) { // as many rows as at 22,050 Hz
        d->rows_of_bands.begin[b + 1] = (uint16_t)((b + 1) * 164 / ONSET_BANDS);
        d->rows_of_bands.first[b] = (uint16_t)(b * 13);
    }
    d->circle.turn = 120;
    for (int r = 0; r < ROWS; ++r)
        for (int i = 0; i < LANES; ++i)
            d->rows[r][i] = (float)(bench_random(&seed) >> 40) * 0x1p-24F;
}

static double time_of(struct bench_data *d, call_fn call, size_t variant, unsigned rounds)
{
    enum { CALLS = 200 };
    double ns[ROUNDS_MAX];
    for (unsigned r = 0; r < rounds; ++r) {
        const int64_t start_ns = bench_cpu_ns();
        for (int i = 0; i < CALLS; ++i)
            call(d, variant);
        ns[r] = (double)(bench_cpu_ns() - start_ns) / CALLS;
    }
    return bench_median(ns, rounds);
}

static void run_kernel(struct bench_data *d, size_t kernel, unsigned rounds)
{
    const size_t reference = *KERNELS[kernel].count - 1;
    const double reference_ns = time_of(d, KERNELS[kernel].call, reference, rounds);
    for (size_t v = 0; v <= reference; ++v) {
        uint32_t flags;
        const char *variant = KERNELS[kernel].variant(v, &flags);
        if (flags & ~cpu_flags())
            continue;
        const double ns =
            v == reference ? reference_ns : time_of(d, KERNELS[kernel].call, v, rounds);
        printf("kernel name=%s variant=%s ns=%.0f times_reference=%.2f\n", KERNELS[kernel].name,
               variant, ns, reference_ns / ns);
    }
}

static int plan(struct bench_data *d)
{
    assert(fft_impl_count <= FFT_VARIANTS);
    assert(k_slice_impl_count <= K_SLICE_VARIANTS);
    int error = 0;
    for (size_t v = 0; v < k_slice_impl_count && !error; ++v)
        error = k_slice_plan_init(&d->plans[v], &k_slice_impls[v], 44100, SLICE);
    for (size_t v = 0; v < fft_impl_count && !error; ++v)
        error = fft_tables_init(&d->tables[v], &fft_impls[v], POINTS);
    return error;
}

void analysis_kernels_run(unsigned rounds)
{
    assert(rounds > 0 && rounds <= ROUNDS_MAX);
    struct bench_data *d = aligned_zeroed(sizeof *d);
    if (d && !plan(d)) {
        fill(d);
        for (size_t k = 0; k < sizeof KERNELS / sizeof KERNELS[0]; ++k)
            run_kernel(d, k, rounds);
    }
    for (size_t v = 0; d && v < FFT_VARIANTS; ++v)
        fft_tables_deinit(&d->tables[v]);
    for (size_t v = 0; d && v < K_SLICE_VARIANTS; ++v)
        k_slice_plan_deinit(&d->plans[v]);
    free(d);
}

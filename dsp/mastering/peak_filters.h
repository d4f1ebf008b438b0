// SPDX-License-Identifier: MIT
// What a peak reader's filters give: of a vector of frames at once, or of one frame by itself.
#pragma once
#include "dsp/mastering/peak_lanes.h"

// Both sides share the weights where there are registers for it.
#ifdef __AVX512F__
enum { SIDES = PEAK_SIDES };
#else
enum { SIDES = 1 };
#endif

/// Half the sums and half the differences of mirrored phases, so far, for each side.
struct peak_sums {
    peak_lanes even[SIDES][PEAK_MAX_PAIRS], odd[SIDES][PEAK_MAX_PAIRS], middle[SIDES];
};

/// What two mirrored taps meet.
struct peak_taps {
    peak_lanes sum[SIDES], difference[SIDES];
};

__attribute__((always_inline)) static inline void
peak_meet(struct peak_taps *met, const float *const oldest[SIDES], uint32_t taps, uint32_t k)
{
    for (int c = 0; c < SIDES; ++c) {
        peak_lanes early, late;
        peak_load(&early, oldest[c] + k);
        peak_load(&late, oldest[c] + taps - 1 - k);
        met->sum[c] = early + late;
        met->difference[c] = early - late;
    }
}

__attribute__((always_inline)) static inline void peak_add(struct peak_sums *sums,
                                                           const struct peak_bank *bank,
                                                           const struct peak_taps *met, uint32_t k,
                                                           uint32_t pairs, int with_middle)
{
    for (int c = 0; c < SIDES; ++c) {
        for (uint32_t p = 0; p < pairs; ++p) {
            sums->even[c][p] += bank->even[k][p] * met->sum[c];
            sums->odd[c][p] += bank->odd[k][p] * met->difference[c];
        }
        if (with_middle)
            sums->middle[c] += bank->middle[k] * met->sum[c];
    }
}

/// Raise lanes to the outputs: of either side the same ones for a `stride` of 0, others for 1.
__attribute__((always_inline)) static inline void
peak_take(peak_lanes *largest, int stride, struct peak_sums *sums, uint32_t pairs, int with_middle)
{
    for (int c = 0; c < SIDES; ++c, largest += stride) {
        if (with_middle) {
            peak_magnitude(&sums->middle[c]);
            peak_larger(largest, &sums->middle[c]);
        }
        for (uint32_t p = 0; p < pairs; ++p) {
            peak_magnitude(&sums->even[c][p]);
            peak_magnitude(&sums->odd[c][p]);
            sums->even[c][p] += sums->odd[c][p];
            peak_larger(largest, &sums->even[c][p]);
        }
    }
}

/// Raise lanes to a bank's outputs, `oldest` being the first tap of the first lane of so many sides.
__attribute__((always_inline)) static inline void
peak_outputs(peak_lanes *largest, const struct peak_bank *bank, const float *const oldest[SIDES],
             uint32_t taps, uint32_t pairs, int with_middle)
{
    struct peak_sums sums;
    memset(&sums, 0, sizeof sums);
    for (uint32_t k = 0; k < taps / 2; ++k) {
        struct peak_taps met;
        peak_meet(&met, oldest, taps, k);
        peak_add(&sums, bank, &met, k, pairs, with_middle);
    }
    peak_take(largest, 0, &sums, pairs, with_middle);
}

/// Raise lanes to the ITU's outputs, and each side's others to the quick ones around them.
__attribute__((always_inline)) static inline void
peak_quick_outputs(peak_lanes *itu, peak_lanes *quick, const struct peak_reader *reader,
                   const float *const oldest[SIDES])
{
    enum { ALONE = (PEAK_QUICK_TAPS - PEAK_ITU_TAPS) / 2 };
    struct peak_sums sums, inner;
    struct peak_taps met;
    memset(&sums, 0, sizeof sums);
    memset(&inner, 0, sizeof inner);
    for (uint32_t k = 0; k < ALONE; ++k) {
        peak_meet(&met, oldest, PEAK_QUICK_TAPS, k);
        peak_add(&sums, &reader->quick, &met, k, 1, 1);
    }
    for (uint32_t k = ALONE; k < PEAK_QUICK_TAPS / 2; ++k) {
        peak_meet(&met, oldest, PEAK_QUICK_TAPS, k);
        peak_add(&sums, &reader->quick, &met, k, 1, 1);
        peak_add(&inner, &reader->itu, &met, k - ALONE, PEAK_ITU_PAIRS, 0);
    }
    peak_take(quick, 1, &sums, 1, 1);
    peak_take(itu, 0, &inner, PEAK_ITU_PAIRS, 0);
}

/// The same for both sides and each bank, whose sizes the compiler is to know. newest[] are of a bank of `taps`.
static inline void peak_read(peak_lanes *largest, const struct peak_bank *bank, uint32_t taps,
                             const float *const newest[PEAK_SIDES])
{
    const uint32_t back = bank->taps - 1 + (taps - bank->taps) / 2;
    for (int c = 0; c < PEAK_SIDES; c += SIDES) {
        const float *oldest[SIDES];
        for (int k = 0; k < SIDES; ++k)
            oldest[k] = newest[c + k] - back;
        if (bank->taps == PEAK_ITU_TAPS)
            peak_outputs(largest, bank, oldest, PEAK_ITU_TAPS, PEAK_ITU_PAIRS, 0);
        else
            peak_outputs(largest, bank, oldest, PEAK_MAX_TAPS, PEAK_MAX_PAIRS, 1);
    }
}

/// The largest sharp output of one frame of one side: as peak_read() gives it, but for the order of the sums.
static inline float peak_read_single(const struct peak_reader *reader, const float *oldest)
{
    peak_lanes sums[PEAK_SHARP_PHASES] = {{0}};
#pragma GCC unroll 8
    for (int k = 0; k < PEAK_MAX_TAPS; k += LANES) {
        peak_lanes x;
        peak_load(&x, oldest + k);
#pragma GCC unroll 7
        for (int p = 0; p < PEAK_SHARP_PHASES; ++p) {
            peak_lanes weights;
            memcpy(&weights, reader->single[p] + k, sizeof weights);
            sums[p] += weights * x;
        }
    }
    return peak_largest_sum(sums);
}

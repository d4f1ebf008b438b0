// SPDX-License-Identifier: MIT
// The one body of every peak variant: each .c that includes it compiles it for its instruction set.
// Lanes are frames, so no sum changes its order and no result its bits.
#pragma once
#include "dsp/mastering/peak.h"
#include <assert.h>
#include <math.h>
#include <string.h>
#ifdef __AVX2__
#    include <immintrin.h>
#endif

#ifdef __AVX512F__
enum { LANES = 16 };
#else
enum { LANES = 8 };
#endif
static_assert((int)LANES <= (int)PEAK_LANES, "callers leave room for so many");

typedef float peak_lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t peak_mask __attribute__((vector_size(LANES * sizeof(float))));

static inline void peak_magnitude(peak_lanes *x)
{
    *x = (peak_lanes)((peak_mask)*x & INT32_MAX);
}

static inline void peak_larger(peak_lanes *x, const peak_lanes *y)
{
#if defined(__AVX512F__)
    *x = (peak_lanes)_mm512_max_ps((__m512)*y, (__m512)*x);
#elif defined(__AVX2__)
    *x = (peak_lanes)_mm256_max_ps((__m256)*y, (__m256)*x);
#else
    const peak_mask take = *y > *x;
    *x = (peak_lanes)(((peak_mask)*y & take) | ((peak_mask)*x & ~take));
#endif
}

/// Load lanes once, as they are used twice: gcc 12 would load them for either, and loads across two cache lines are what
/// the loop over taps waits for.
static inline void peak_load(peak_lanes *x, const float *from)
{
    memcpy(x, from, sizeof *x);
#ifdef __AVX2__
    __asm__("" : "+v"(*x));
#endif
}

/// The largest lane of each.
static inline void peak_largest(float *of_x, float *of_y, const peak_lanes *x, const peak_lanes *y)
{
#if defined(__AVX512F__)
    const __m512 a = (__m512)*x, b = (__m512)*y; // halves of either in one register from here on
    __m512 t = _mm512_max_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xEE));
    t = _mm512_max_ps(t, _mm512_shuffle_f32x4(t, t, 0xB1));
    t = _mm512_max_ps(t, _mm512_permute_ps(t, 0x4E));
    t = _mm512_max_ps(t, _mm512_permute_ps(t, 0xB1));
    *of_x = _mm512_cvtss_f32(t);
    *of_y = _mm_cvtss_f32(_mm512_extractf32x4_ps(t, 2));
#elif defined(__AVX2__)
    const __m256 a = (__m256)*x, b = (__m256)*y;
    __m256 t =
        _mm256_max_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
    t = _mm256_max_ps(t, _mm256_permute_ps(t, 0x4E));
    t = _mm256_max_ps(t, _mm256_permute_ps(t, 0xB1));
    *of_x = _mm256_cvtss_f32(t);
    *of_y = _mm_cvtss_f32(_mm256_extractf128_ps(t, 1));
#else
    *of_x = *of_y = 0;
    for (int i = 0; i < LANES; ++i) {
        *of_x = fmaxf(*of_x, (*x)[i]);
        *of_y = fmaxf(*of_y, (*y)[i]);
    }
#endif
}

// Frames in groups of PEAK_LANES, beginning so many groups before the newest frames as the taps reach back:
//
//      |  before   | first newest ..           |
//      | 0 | 1 | 2 | 3 |  ..                   | groups of the survey
//              `---' the middle samples of the outputs of group 3
//      `---------------' all samples of these
// Whole groups hold the taps of the first frame.
#define PEAK_BEFORE(taps) (((taps) + PEAK_LANES - 1) / PEAK_LANES * PEAK_LANES)
enum { PEAK_GROUPS = (PEAK_BEFORE(PEAK_MAX_TAPS) + PEAK_PIECE) / PEAK_LANES };
static_assert(PEAK_PIECE / PEAK_LANES < 32, "groups are bits");

/// What proves that outputs are small: by group, of both sides.
struct peak_survey {
    float samples[PEAK_GROUPS]; // the largest magnitude
    float bends[PEAK_GROUPS];   // the largest second difference with the two samples before
};

static void peak_look(struct peak_survey *survey, const float *const sides[PEAK_SIDES],
                      uint32_t before, uint32_t frames)
{
    for (uint32_t at = 0; at < before + frames; at += PEAK_LANES) {
        peak_lanes samples = {0}, bends = {0};
        for (int part = 0; part < PEAK_LANES; part += LANES)
            for (int c = 0; c < PEAK_SIDES; ++c) {
                const float *x = sides[c] + at - before + part;
                peak_lanes now, last, second;
                peak_load(&now, x);
                peak_load(&last, x - 1);
                peak_load(&second, x - 2);
                second = (now - last) - (last - second);
                peak_magnitude(&now);
                peak_magnitude(&second);
                peak_larger(&samples, &now);
                peak_larger(&bends, &second);
            }
        const uint32_t group = at / PEAK_LANES;
        peak_largest(&survey->samples[group], &survey->bends[group], &samples, &bends);
    }
}

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

/// Raise lanes to the outputs.
__attribute__((always_inline)) static inline void
peak_take(peak_lanes *largest, struct peak_sums *sums, uint32_t pairs, int with_middle)
{
    for (int c = 0; c < SIDES; ++c) {
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
    peak_take(largest, &sums, pairs, with_middle);
}

/// Raise lanes to the ITU's outputs, and others to the quick ones around them.
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
    peak_take(quick, &sums, 1, 1);
    peak_take(itu, &inner, PEAK_ITU_PAIRS, 0);
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

/// What is known of each group's outputs.
struct peak_known {
    float largest[PEAK_PIECE / PEAK_LANES]; // of the samples beside them, or of what was read
    float bends[PEAK_PIECE / PEAK_LANES];   // the largest second difference
};

static inline void peak_higher(float *restrict x, const float *restrict y)
{
    for (uint32_t i = 0; i < PEAK_PIECE / PEAK_LANES; ++i)
        x[i] = y[i] > x[i] ? y[i] : x[i];
}

static inline void peak_gather(struct peak_known *known, const struct peak_survey *survey,
                               uint32_t taps)
{
    const uint32_t before = PEAK_BEFORE(taps);
    const float *middle = survey->samples + (before - taps / 2) / PEAK_LANES;
    memcpy(known->largest, middle, sizeof known->largest);
    peak_higher(known->largest, middle + 1);
    memcpy(known->bends, survey->bends, sizeof known->bends);
    for (uint32_t k = 1; k <= before / PEAK_LANES; ++k)
        peak_higher(known->bends, survey->bends + k);
}

/// @return a bit for each group whose outputs are not proven to be at most `floor`.
static inline uint32_t peak_doubts(const struct peak_bound *bound, const struct peak_known *known,
                                   float floor)
{
    uint32_t doubts = 0;
    for (uint32_t i = 0; i < PEAK_PIECE / PEAK_LANES; ++i) {
        const float most = bound->straight * known->largest[i] + bound->bent * known->bends[i];
        doubts |= (uint32_t) !(most <= floor) << i;
    }
    return doubts;
}

/// Raise out[] by a bank's outputs, in those groups that have a bit.
static inline void peak_raise_groups(uint32_t groups, const struct peak_bank *bank, uint32_t taps,
                                     float *out, const float *const sides[PEAK_SIDES])
{
    for (; groups; groups &= groups - 1) {
        const uint32_t first = (uint32_t)__builtin_ctz(groups) * PEAK_LANES;
        for (uint32_t i = first; i < first + PEAK_LANES; i += LANES) {
            const float *newest[PEAK_SIDES] = {sides[0] + i, sides[1] + i};
            peak_lanes largest;
            memcpy(&largest, out + i, sizeof largest);
            peak_read(&largest, bank, taps, newest);
            memcpy(out + i, &largest, sizeof largest);
        }
    }
}

/// Raise out[] by the ITU's outputs. @return those of `groups` whose sharp outputs the quick ones do not prove to be at
/// most `floor`.
static inline uint32_t peak_keep_doubts(uint32_t groups, const struct peak_reader *reader,
                                        struct peak_known *known, float *out,
                                        const float *const sides[PEAK_SIDES], float floor)
{
    const uint32_t back = PEAK_QUICK_TAPS - 1 + (reader->taps - PEAK_QUICK_TAPS) / 2;
    for (uint32_t left = groups; left; left &= left - 1) {
        const uint32_t group = (uint32_t)__builtin_ctz(left), first = group * PEAK_LANES;
        for (uint32_t i = first; i < first + PEAK_LANES; i += LANES) {
            peak_lanes itu, quick = {0};
            memcpy(&itu, out + i, sizeof itu);
            for (int c = 0; c < PEAK_SIDES; c += SIDES) {
                const float *oldest[SIDES];
                for (int k = 0; k < SIDES; ++k)
                    oldest[k] = sides[c + k] + i - back;
                peak_quick_outputs(&itu, &quick, reader, oldest);
            }
            memcpy(out + i, &itu, sizeof itu);
            float read, same;
            peak_largest(&read, &same, &quick, &quick);
            known->largest[group] = read > known->largest[group] ? read : known->largest[group];
        }
    }
    return groups & peak_doubts(&reader->near, known, floor);
}

static void peak_raise(const struct peak_reader *reader, float *out,
                       const float *const sides[PEAK_SIDES], uint32_t frames, float floor)
{
    struct peak_survey survey;
    struct peak_known known;
    assert(frames <= PEAK_PIECE);
    memset(&survey, 0, sizeof survey);
    peak_look(&survey, sides, PEAK_BEFORE(reader->taps), frames);
    peak_gather(&known, &survey, reader->taps);
    // Behind the last frame there is nothing.
    const uint32_t count = (frames + PEAK_LANES - 1) / PEAK_LANES;
    const uint32_t groups = peak_doubts(&reader->known, &known, floor) & ((1U << count) - 1);
    if (reader->sharp.taps == 0)
        peak_raise_groups(groups, &reader->itu, reader->taps, out, sides);
    else if (groups)
        peak_raise_groups(peak_keep_doubts(groups, reader, &known, out, sides, floor),
                          &reader->sharp, reader->taps, out, sides);
}

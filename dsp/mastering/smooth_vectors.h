// SPDX-License-Identifier: MIT
// Sliding minimum and release of several frames at once, for the variants that have vectors.
#pragma once
#include "dsp/mastering/smooth_body.h"
#include "dsp/vectors.h"
#include <assert.h>

static_assert((int)SMOOTH_TICK % (int)WIDE_LANES == 0, "a tick is whole vectors");
enum { SMOOTH_LANES = VECTOR_PART, SMOOTH_WIDES = SMOOTH_TICK / WIDE_LANES };
static_assert((int)SMOOTH_GROUP % (int)SMOOTH_LANES == 0, "groups end together");

static inline void smooth_least(wide *x, const wide *y)
{
#ifdef __AVX512F__
    *x = (wide)_mm512_min_ps((__m512)*x, (__m512)*y);
#else
    *x = (wide)_mm256_min_ps((__m256)*x, (__m256)*y);
#endif
}

/// Each lane becomes the least of those up to it, and of `before`.
__attribute__((always_inline)) static inline void smooth_prefix(wide *x, float before)
{
#ifdef __AVX512F__
    const __m512i places = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512 in = _mm512_set1_ps(before);
#else
    const __m256i places = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256 in = _mm256_set1_ps(before);
#endif
#pragma GCC unroll 4
    for (int s = 1; s < WIDE_LANES; s *= 2) {
#ifdef __AVX512F__
        const __m512i from = _mm512_sub_epi32(places, _mm512_set1_epi32(s));
        const __mmask16 inside = (__mmask16)(0xFFFF << s);
        const wide moved = (wide)_mm512_mask_permutexvar_ps(in, inside, from, (__m512)*x);
#else
        const __m256i from = _mm256_sub_epi32(places, _mm256_set1_epi32(s));
        const __m256 turned = _mm256_permutevar8x32_ps((__m256)*x, from);
        const wide moved = (wide)_mm256_blendv_ps(turned, in, (__m256)from); // by the sign
#endif
        smooth_least(x, &moved);
    }
    const wide all = (wide){0} + before; // as the last lane has looked at every other
    smooth_least(x, &all);
}

/// Turn the order of the lanes round.
static inline void smooth_reverse(wide *x)
{
#ifdef __AVX512F__
    const __m512i places = _mm512_setr_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    *x = (wide)_mm512_permutexvar_ps(places, (__m512)*x);
#else
    const __m256i places = _mm256_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0);
    *x = (wide)_mm256_permutevar8x32_ps((__m256)*x, places);
#endif
}

/// Whether nothing is wanted for a whole tick, as for most between peaks.
static inline int smooth_is_unity(const float *gains)
{
    wide least;
    memcpy(&least, gains, sizeof least);
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask((__m512)least, _mm512_set1_ps(1.0F), _CMP_NEQ_UQ) == 0;
#else
    wide other;
    memcpy(&other, gains + WIDE_LANES, sizeof other);
    smooth_least(&least, &other);
    return _mm256_movemask_ps(_mm256_cmp_ps((__m256)least, _mm256_set1_ps(1.0F), _CMP_NEQ_UQ)) == 0;
#endif
}

/// Give the minima for a tick whose gains are known so far.
static inline void smooth_hold_tick(const struct smooth_window *w, float *held, const float *gains)
{
    const float *suffix = w->suffixes + (size_t)w->slot * SMOOTH_TICK;
    float before = smooth_middle(w);
    for (int i = 0; i < SMOOTH_TICK; i += WIDE_LANES) {
        wide x, old;
        memcpy(&x, gains + i, sizeof x);
        memcpy(&old, suffix + i, sizeof old);
        smooth_prefix(&x, before);
        before = x[WIDE_LANES - 1];
        smooth_least(&x, &old);
        memcpy(held + i, &x, sizeof x);
    }
}

/// Keep a complete tick in place of the oldest.
static inline void smooth_end_tick(struct smooth_window *w, const float *gains)
{
    float *suffix = w->suffixes + (size_t)w->slot * SMOOTH_TICK, behind = 1.0F;
    for (int i = SMOOTH_TICK - WIDE_LANES; i >= 0; i -= WIDE_LANES) {
        wide x;
        memcpy(&x, gains + i, sizeof x);
        smooth_reverse(&x);
        smooth_prefix(&x, behind);
        behind = x[WIDE_LANES - 1];
        smooth_reverse(&x);
        memcpy(suffix + i, &x, sizeof x);
    }
    smooth_next_slot(w, behind);
}

/// Both for a tick of unity: the same minima with nothing to look for.
static inline void smooth_hold_unity(struct smooth_window *w, float *held)
{
    float *suffix = w->suffixes + (size_t)w->slot * SMOOTH_TICK;
    const wide unity = (wide){0} + 1.0F, before = (wide){0} + smooth_middle(w);
    for (int i = 0; i < SMOOTH_TICK; i += WIDE_LANES) {
        wide old;
        memcpy(&old, suffix + i, sizeof old);
        smooth_least(&old, &before);
        memcpy(held + i, &old, sizeof old);
        memcpy(suffix + i, &unity, sizeof unity);
    }
    smooth_next_slot(w, 1.0F);
}

/// Take gains that leave a tick unfinished, or begin within one.
static void smooth_hold_some(struct smooth_window *w, float *held, const float *wanted,
                             uint32_t frames)
{
    float minima[SMOOTH_TICK];
    memcpy(w->running + w->phase, wanted, frames * sizeof *wanted);
    smooth_hold_tick(w, minima, w->running);
    memcpy(held, minima + w->phase, frames * sizeof *held);
    w->phase += frames;
    if (w->phase < SMOOTH_TICK)
        return;
    smooth_end_tick(w, w->running);
    for (int i = 0; i < SMOOTH_TICK; ++i)
        w->running[i] = 1.0F;
}

static void smooth_hold(struct smooth_window *w, float *held, const float *wanted, uint32_t frames)
{
    for (uint32_t at = 0, count; at < frames; at += count) {
        const uint32_t left = SMOOTH_TICK - w->phase;
        count = frames - at < left ? frames - at : left;
        if (count < SMOOTH_TICK) {
            smooth_hold_some(w, held + at, wanted + at, count);
        } else if (smooth_is_unity(wanted + at)) {
            smooth_hold_unity(w, held + at);
        } else {
            smooth_hold_tick(w, held + at, wanted + at);
            smooth_end_tick(w, wanted + at);
        }
    }
}

static inline void smooth_lower_part(vector_part *x, const vector_part *y)
{
#ifdef __AVX512F__
    *x = (vector_part)_mm512_min_pd((__m512d)*x, (__m512d)*y);
#else
    *x = (vector_part)_mm256_min_pd((__m256d)*x, (__m256d)*y);
#endif
}

/// Move lanes up by `places`; lanes of `fill` come in.
__attribute__((always_inline)) static inline void smooth_shift(vector_part *x,
                                                               const vector_part *fill, int places)
{
#ifdef __AVX512F__
    const __m512i from = (__m512i)*x, in = (__m512i)*fill;
    *x = (vector_part)(places == 1   ? _mm512_alignr_epi64(from, in, 7)
                       : places == 2 ? _mm512_alignr_epi64(from, in, 6)
                                     : _mm512_alignr_epi64(from, in, 4));
#else
    const __m256d from = (__m256d)*x, in = (__m256d)*fill;
    *x = (vector_part)(places == 1 ? _mm256_blend_pd(_mm256_permute4x64_pd(from, 0x90), in, 1)
                                   : _mm256_permute2f128_pd(in, from, 0x20));
#endif
}

static inline void smooth_load(vector_part *x, const float *held)
{
#ifdef __AVX512F__
    *x = (vector_part)_mm512_cvtps_pd(_mm256_loadu_ps(held));
#else
    *x = (vector_part)_mm256_cvtps_pd(_mm_loadu_ps(held));
#endif
}

/// The whole part of each lane.
static inline void smooth_store(int32_t *out, const vector_part *x)
{
#ifdef __AVX512F__
    _mm256_storeu_si256((__m256i *)out, _mm512_cvttpd_epi32((__m512d)*x));
#else
    _mm_storeu_si128((__m128i *)out, _mm256_cvttpd_epi32((__m256d)*x));
#endif
}

/// Copy the last lane into every one.
static inline void smooth_spread_last(vector_part *out, const vector_part *x)
{
#ifdef __AVX512F__
    *out = (vector_part)_mm512_permutexvar_pd(_mm512_set1_epi64(7), (__m512d)*x);
#else
    *out = (vector_part)_mm256_permute4x64_pd((__m256d)*x, 0xFF);
#endif
}

/// Powers of what a frame keeps: of doublings, and to each lane.
struct smooth_powers {
    double doubled[SMOOTH_LANES]; // [s] = keep^s, for s a power of two
    vector_part lanes;            // keep^(lane + 1)
};

static inline void smooth_set_powers(struct smooth_powers *powers, double keep)
{
    double power = keep;
    for (int i = 0; i < SMOOTH_LANES; ++i, power *= keep)
        powers->lanes[i] = power;
    for (int s = 1; s < SMOOTH_LANES; s *= 2, keep *= keep)
        powers->doubled[s] = keep;
}

/// A group's maps from the value before it to that of each of its frames, e to min(limit, power e + rise).
struct smooth_maps {
    vector_part held; // what they are made of
    vector_part limit, rise;
    vector_part last_limit, last_rise; // those of the last frame in every lane
};

static inline int smooth_differ(const vector_part *x, const vector_part *y)
{
#ifdef __AVX512F__
    return _mm512_cmp_pd_mask((__m512d)*x, (__m512d)*y, _CMP_NEQ_UQ) != 0;
#else
    return _mm256_movemask_pd(_mm256_cmp_pd((__m256d)*x, (__m256d)*y, _CMP_NEQ_UQ)) != 0;
#endif
}

// A frame maps the last value e to min(H, A e + B) with H = h, A = 1 - share, B = share h. Two such maps in a row are
// one again,
//    min(H2, A2 min(H1, A1 e + B1) + B2) = min(min(H2, A2 H1 + B2), A2 A1 e + (A2 B1 + B2)),
// so the maps from a group's begin to each of its frames come of doubling steps, and only the last value of a group
// has to wait for the one before.
static inline void smooth_make_maps(struct smooth_maps *maps, const struct smooth_powers *powers,
                                    double share)
{
    static const vector_part nothing = {0};
    const vector_part no_limit = nothing + 1e300;
    vector_part limit = maps->held * SMOOTH_UNITY;
    vector_part rise = share * (limit + SMOOTH_OVERSHOOT);
#pragma GCC unroll 3
    for (int s = 1; s < SMOOTH_LANES; s *= 2) {
        vector_part limit_before = limit, rise_before = rise;
        smooth_shift(&limit_before, &no_limit, s);
        smooth_shift(&rise_before, &nothing, s);
        limit_before = powers->doubled[s] * limit_before + rise;
        smooth_lower_part(&limit, &limit_before);
        rise += powers->doubled[s] * rise_before;
    }
    maps->limit = limit;
    maps->rise = rise;
    smooth_spread_last(&maps->last_limit, &limit);
    smooth_spread_last(&maps->last_rise, &rise);
}

// Held gains stay the same for as long as a window, so a group's maps are most often those of the one before.
static void smooth_release_run(struct smooth_release *state, int32_t *out, const float *held,
                               double share, uint32_t frames)
{
    static const vector_part nothing = {0};
    struct smooth_powers powers;
    struct smooth_maps maps = {.held = nothing - 1};
    smooth_set_powers(&powers, 1.0 - share);
    const vector_part last_power = nothing + powers.lanes[SMOOTH_LANES - 1];
    const uint32_t phase = state->phase % SMOOTH_LANES, end = phase + frames;
    out -= phase;
    held -= phase;
    vector_part value = nothing + state->value; // in every lane
    for (uint32_t i = 0; i < end; i += SMOOTH_LANES) {
        vector_part now;
        smooth_load(&now, held + i);
        if (smooth_differ(&now, &maps.held)) {
            maps.held = now;
            smooth_make_maps(&maps, &powers, share);
        }
        vector_part risen = powers.lanes * value + maps.rise;
        smooth_lower_part(&risen, &maps.limit);
        smooth_store(out + i, &risen);
        if (i + SMOOTH_LANES <= end) {
            value = last_power * value + maps.last_rise;
            smooth_lower_part(&value, &maps.last_limit);
        }
    }
    state->value = value[0];
    state->phase = end % SMOOTH_LANES;
}

// What was given of a running group is in the boxes' sums by now: written over, it would leave them as another value
// than it entered them, and they would drift for good.
static void smooth_release_groups(struct smooth_release *state, int32_t *out, const float *held,
                                  double share, uint32_t frames)
{
    const uint32_t phase = state->phase % SMOOTH_LANES, left = phase ? SMOOTH_LANES - phase : 0;
    const uint32_t before = left < frames ? left : frames;
    if (before > 0 && state->share != share) {
        smooth_release_run(state, out, held, state->share, before);
        out += before;
        held += before;
        frames -= before;
    }
    if (frames == 0)
        return;
    smooth_release_run(state, out, held, share, frames);
    state->share = share;
}

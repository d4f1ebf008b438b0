// SPDX-License-Identifier: MIT
// Compiled with -mavx2 -mfma; called only where the processor has it.
#include "dsp/mastering/eq_body.h"
#include "dsp/mastering/eq_variants.h"
#include <immintrin.h>
#include <string.h>

// Bands follow each other, so a frame alone leaves no two of them to do at once. Staggered they do: while band
// 0 is at frame t, band b is at frame t - b. Two bands share a vector of four:
//
//    lanes   0 1      2 3
//    a     band 0 , band 1        at step t each band takes what its
//    b     band 2 , band 3        neighbour gave at step t - 1
//    c     band 4
//
// Each band does for each frame what the reference does, but for rounding once where that rounds twice. The
// first and the last few steps, in which not every band has a frame, are taken band by band.
enum { STAGGER = EQ_BAND_COUNT - 1 };

/// A row of the picture.
struct row {
    __m256d s1, s2, n0, n1, n2, n3;
};

static void load_row(struct row *row, const struct eq_pairs *pairs, int band)
{
    const eq_pair *low = pairs->numbers[band], *high = pairs->numbers[band + 1];
    row->s1 = _mm256_set_m128d((__m128d)pairs->s1[band + 1], (__m128d)pairs->s1[band]);
    row->s2 = _mm256_set_m128d((__m128d)pairs->s2[band + 1], (__m128d)pairs->s2[band]);
    row->n0 = _mm256_set_m128d((__m128d)high[0], (__m128d)low[0]);
    row->n1 = _mm256_set_m128d((__m128d)high[1], (__m128d)low[1]);
    row->n2 = _mm256_set_m128d((__m128d)high[2], (__m128d)low[2]);
    row->n3 = _mm256_set_m128d((__m128d)high[3], (__m128d)low[3]);
}

static void store_row(struct eq_pairs *pairs, const struct row *row, int band)
{
    pairs->s1[band] = (eq_pair)_mm256_castpd256_pd128(row->s1);
    pairs->s1[band + 1] = (eq_pair)_mm256_extractf128_pd(row->s1, 1);
    pairs->s2[band] = (eq_pair)_mm256_castpd256_pd128(row->s2);
    pairs->s2[band + 1] = (eq_pair)_mm256_extractf128_pd(row->s2, 1);
}

__attribute__((always_inline)) static inline __m256d step_row(struct row *row, __m256d x)
{
    const __m256d guard = _mm256_set1_pd(EQ_DENORMAL_GUARD);
    const __m256d s1 = row->s1;
    row->s1 = (row->n0 * x + row->s2) - row->n2 * s1;
    row->s2 = (row->n1 * x + guard) - row->n3 * s1;
    return x + s1;
}

/// What the bands hand over between two steps: between[b] comes from band b - 1.
struct handed {
    eq_pair between[EQ_BAND_COUNT];
};

/// Step `t` for those bands alone that have a frame in it.
static void step_some(struct eq_pairs *pairs, struct handed *handed, double *stereo,
                      uint32_t frames, uint32_t t)
{
    for (int band = EQ_BAND_COUNT - 1; band >= 0; --band) {
        if (t < (uint32_t)band || t - (uint32_t)band >= frames)
            continue;
        eq_pair x = handed->between[band];
        if (band == 0) {
            memcpy(&x, stereo + (size_t)2 * t, sizeof x);
            x *= pairs->scale;
        }
        eq_step(pairs, band, &x);
        if (band == STAGGER)
            memcpy(stereo + (size_t)2 * (t - STAGGER), &x, sizeof x);
        else
            handed->between[band + 1] = x;
    }
}

/// Steps `STAGGER` .. `frames` - 1, in which every band has a frame.
static void step_all(struct eq_pairs *pairs, struct handed *handed, double *stereo, uint32_t frames)
{
    struct row a, b;
    load_row(&a, pairs, 0);
    load_row(&b, pairs, 2);
    const __m128d scale = (__m128d)pairs->scale;
    __m256d from_a = _mm256_set_m128d((__m128d)handed->between[2], (__m128d)handed->between[1]);
    __m256d from_b = _mm256_set_m128d((__m128d)handed->between[4], (__m128d)handed->between[3]);
    for (uint32_t t = STAGGER; t < frames; ++t) {
        const __m128d in = _mm_loadu_pd(stereo + (size_t)2 * t) * scale;
        const __m256d to_a =
            _mm256_insertf128_pd(_mm256_castpd128_pd256(in), _mm256_castpd256_pd128(from_a), 1);
        const __m256d to_b = _mm256_permute2f128_pd(from_a, from_b, 0x21);
        eq_pair to_c = (eq_pair)_mm256_extractf128_pd(from_b, 1);
        from_a = step_row(&a, to_a);
        from_b = step_row(&b, to_b);
        eq_step(pairs, STAGGER, &to_c);
        memcpy(stereo + (size_t)2 * (t - STAGGER), &to_c, sizeof to_c);
    }
    handed->between[1] = (eq_pair)_mm256_castpd256_pd128(from_a);
    handed->between[2] = (eq_pair)_mm256_extractf128_pd(from_a, 1);
    handed->between[3] = (eq_pair)_mm256_castpd256_pd128(from_b);
    handed->between[4] = (eq_pair)_mm256_extractf128_pd(from_b, 1);
    store_row(pairs, &a, 0);
    store_row(pairs, &b, 2);
    _mm256_zeroupper(); // gcc 12 forgets it here, and code without AVX behind it would crawl
}

void eq_process_avx2(struct eq *eq, const double numbers[EQ_NUMBERS], double *stereo,
                     uint32_t frames)
{
    struct eq_pairs pairs;
    eq_load(&pairs, eq, numbers);
    struct handed handed = {0};
    const uint32_t filled = frames < STAGGER ? frames : STAGGER;
    for (uint32_t t = 0; t < filled; ++t)
        step_some(&pairs, &handed, stereo, frames, t);
    step_all(&pairs, &handed, stereo, frames);
    for (uint32_t t = frames > STAGGER ? frames : filled; t < frames + STAGGER; ++t)
        step_some(&pairs, &handed, stereo, frames, t);
    eq_store(eq, &pairs);
}

/// Numbers on their way: where they begin, and how far they go.
struct way_pairs {
    struct eq_pairs from, more;
};

/// Let a band's numbers lie `share` of the way.
static void mix_band(struct eq_pairs *now, const struct way_pairs *way, int band, double share)
{
    const eq_pair shares = {share, share};
    for (int k = 0; k < EQ_BAND_NUMBERS; ++k)
        now->numbers[band][k] = way->from.numbers[band][k] + shares * way->more.numbers[band][k];
    if (band == 0)
        now->scale = way->from.scale + shares * way->more.scale;
}

/// Likewise those of a row, whose bands are a frame apart.
__attribute__((always_inline)) static inline void
mix_row(struct row *row, const struct row *from, const struct row *more, const double *share)
{
    const __m256d shares = _mm256_set_m128d(_mm_set1_pd(share[-1]), _mm_set1_pd(share[0]));
    row->n0 = from->n0 + shares * more->n0;
    row->n1 = from->n1 + shares * more->n1;
    row->n2 = from->n2 + shares * more->n2;
    row->n3 = from->n3 + shares * more->n3;
}

/// Step `t` for those bands alone that have a frame in it, each with that frame's numbers.
static void glide_some(struct eq_pairs *pairs, const struct way_pairs *way, const double *shares,
                       struct handed *handed, double *stereo, uint32_t frames, uint32_t t)
{
    for (uint32_t band = 0; band < EQ_BAND_COUNT && band <= t; ++band)
        if (t - band < frames)
            mix_band(pairs, way, (int)band, shares[t - band]);
    step_some(pairs, handed, stereo, frames, t);
}

/// Steps `STAGGER` .. `frames` - 1, in which every band has a frame.
static void glide_all(struct eq_pairs *pairs, const struct way_pairs *way, const double *shares,
                      struct handed *handed, double *stereo, uint32_t frames)
{
    struct row a, b, from_a, from_b, more_a, more_b;
    load_row(&a, pairs, 0);
    load_row(&b, pairs, 2);
    load_row(&from_a, &way->from, 0);
    load_row(&from_b, &way->from, 2);
    load_row(&more_a, &way->more, 0);
    load_row(&more_b, &way->more, 2);
    __m256d out_a = _mm256_set_m128d((__m128d)handed->between[2], (__m128d)handed->between[1]);
    __m256d out_b = _mm256_set_m128d((__m128d)handed->between[4], (__m128d)handed->between[3]);
    for (uint32_t t = STAGGER; t < frames; ++t) {
        const double *share = shares + t;
        mix_row(&a, &from_a, &more_a, share);
        mix_row(&b, &from_b, &more_b, share - 2);
        mix_band(pairs, way, STAGGER, share[-STAGGER]);
        const eq_pair scale = way->from.scale + share[0] * way->more.scale;
        const __m128d in = _mm_loadu_pd(stereo + (size_t)2 * t) * (__m128d)scale;
        const __m256d to_a =
            _mm256_insertf128_pd(_mm256_castpd128_pd256(in), _mm256_castpd256_pd128(out_a), 1);
        const __m256d to_b = _mm256_permute2f128_pd(out_a, out_b, 0x21);
        eq_pair to_c = (eq_pair)_mm256_extractf128_pd(out_b, 1);
        out_a = step_row(&a, to_a);
        out_b = step_row(&b, to_b);
        eq_step(pairs, STAGGER, &to_c);
        memcpy(stereo + (size_t)2 * (t - STAGGER), &to_c, sizeof to_c);
    }
    handed->between[1] = (eq_pair)_mm256_castpd256_pd128(out_a);
    handed->between[2] = (eq_pair)_mm256_extractf128_pd(out_a, 1);
    handed->between[3] = (eq_pair)_mm256_castpd256_pd128(out_b);
    handed->between[4] = (eq_pair)_mm256_extractf128_pd(out_b, 1);
    store_row(pairs, &a, 0);
    store_row(pairs, &b, 2);
    _mm256_zeroupper(); // as above
}

void eq_glide_avx2(struct eq *eq, const struct eq_way *way, const double *shares, double *stereo,
                   uint32_t frames)
{
    struct way_pairs pairs;
    eq_load(&pairs.from, eq, way->from);
    eq_load(&pairs.more, eq, way->to);
    eq_take_off(&pairs.more, &pairs.from);
    struct eq_pairs now = pairs.from;
    struct handed handed = {0};
    const uint32_t filled = frames < STAGGER ? frames : STAGGER;
    for (uint32_t t = 0; t < filled; ++t)
        glide_some(&now, &pairs, shares, &handed, stereo, frames, t);
    glide_all(&now, &pairs, shares, &handed, stereo, frames);
    for (uint32_t t = frames > STAGGER ? frames : filled; t < frames + STAGGER; ++t)
        glide_some(&now, &pairs, shares, &handed, stereo, frames, t);
    eq_store(eq, &now);
}

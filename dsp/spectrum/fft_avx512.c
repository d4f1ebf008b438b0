// SPDX-License-Identifier: MIT
// Compiled with AVX-512; called only where the processor has it.
#include "dsp/spectrum/fft_body.h"
#include "dsp/spectrum/fft_variants.h"

// Within each quarter of the registers, squares of four.
ALWAYS void transpose_quarters(__m512 out[LANES], const wide x[LANES])
{
#pragma GCC unroll 8
    for (int i = 0; i < LANES; i += 4) {
        const __m512 a = (__m512)x[i], b = (__m512)x[i + 1], c = (__m512)x[i + 2],
                     d = (__m512)x[i + 3];
        const __m512d ab = _mm512_castps_pd(_mm512_unpacklo_ps(a, b));
        const __m512d AB = _mm512_castps_pd(_mm512_unpackhi_ps(a, b));
        const __m512d cd = _mm512_castps_pd(_mm512_unpacklo_ps(c, d));
        const __m512d CD = _mm512_castps_pd(_mm512_unpackhi_ps(c, d));
        out[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(ab, cd));
        out[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(ab, cd));
        out[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(AB, CD));
        out[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(AB, CD));
    }
}

ALWAYS void transpose(wide x[LANES])
{
    __m512 fours[LANES];
    transpose_quarters(fours, x);
#pragma GCC unroll 8
    for (int i = 0; i < 4; ++i) {
        const __m512 even = _mm512_shuffle_f32x4(fours[i], fours[i + 4], 0x88);
        const __m512 odd = _mm512_shuffle_f32x4(fours[i], fours[i + 4], 0xdd);
        const __m512 even8 = _mm512_shuffle_f32x4(fours[i + 8], fours[i + 12], 0x88);
        const __m512 odd8 = _mm512_shuffle_f32x4(fours[i + 8], fours[i + 12], 0xdd);
        x[i] = (wide)_mm512_shuffle_f32x4(even, even8, 0x88);
        x[i + 4] = (wide)_mm512_shuffle_f32x4(odd, odd8, 0x88);
        x[i + 8] = (wide)_mm512_shuffle_f32x4(even, even8, 0xdd);
        x[i + 12] = (wide)_mm512_shuffle_f32x4(odd, odd8, 0xdd);
    }
}

ALWAYS void store_points(float *out, const struct points *x)
{
    const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const __m512i high = _mm512_add_epi32(low, _mm512_set1_epi32(LANES / 2));
    _mm512_storeu_ps(out, _mm512_permutex2var_ps((__m512)x->re, low, (__m512)x->im));
    _mm512_storeu_ps(out + LANES, _mm512_permutex2var_ps((__m512)x->re, high, (__m512)x->im));
}

void fft_forward_avx512(const struct fft_tables *tables, float *out, float *work, const float *in)
{
    transform(tables, out, work, in, NULL);
}

void fft_forward_pair_avx512(const struct fft_tables *tables, float *out, float *work,
                             const struct fft_pair *pair)
{
    transform(tables, out, work, NULL, pair);
}

void fft_pair_squares_avx512(const struct fft_tables *tables, float *squares, float *work,
                             const struct fft_pair *pair)
{
    transform_to_squares(tables, squares, work, pair);
}

// SPDX-License-Identifier: MIT
// Independent measurements of audio for the mastering suites: peaks between samples, residue of a tone.
#pragma once
#include <math.h>
#include <stddef.h>
#include <stdint.h>

/// Largest magnitude at the four phases of ITU-R BS.1770 Annex 2 (its 48 coefficients), and of the samples.
static inline double measure_itu_peak(const float *x, size_t stride, size_t frames)
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
    for (size_t n = 0; n < frames; ++n) {
        double y[4] = {0};
        for (size_t k = 0; k < 12 && k <= n; ++k) {
            const double s = (double)x[(n - k) * stride];
            y[0] += h[0][k] * s;
            y[1] += h[1][k] * s;
            y[2] += h[1][11 - k] * s;
            y[3] += h[0][11 - k] * s;
        }
        for (int p = 0; p < 4; ++p)
            peak = fmax(peak, fabs(y[p]));
        peak = fmax(peak, fabs((double)x[n * stride]));
    }
    return peak;
}

static inline double measure_bessel_i0(double x)
{
    double sum = 1.0, term = 1.0;
    for (int k = 1; k < 60; ++k) {
        term *= 0.25 * x * x / ((double)k * k);
        sum += term;
    }
    return sum;
}

enum { MEASURE_SIDE = 32, MEASURE_PHASES = 16, MEASURE_TAPS = 2 * MEASURE_SIDE };

/// @return the largest gain of any phase.
static inline double measure_sinc_taps(double h[MEASURE_PHASES][MEASURE_TAPS])
{
    double most = 0;
    for (int p = 0; p < MEASURE_PHASES; ++p) {
        double gain = 0;
        for (int k = 0; k < MEASURE_TAPS; ++k) {
            const double t = k - (MEASURE_SIDE - 1) - p / (double)MEASURE_PHASES;
            const double u = t / MEASURE_SIDE;
            const double sinc = fabs(t) < 1e-12 ? 1.0 : sin(M_PI * t) / (M_PI * t);
            h[p][k] = fabs(u) >= 1
                          ? 0
                          : sinc * measure_bessel_i0(9 * sqrt(1 - u * u)) / measure_bessel_i0(9);
            gain += fabs(h[p][k]);
        }
        most = fmax(most, gain);
    }
    return most;
}

/// The larger of `known` and all phases behind frame `n`, whose neighbourhood is passed over where it cannot
/// reach `known` by their largest gain.
static inline double measure_sinc_at(double h[MEASURE_PHASES][MEASURE_TAPS], double gain,
                                     const float *x, size_t stride, size_t frames, size_t n,
                                     double known)
{
    double line[MEASURE_TAPS], most = 0;
    for (size_t k = 0; k < MEASURE_TAPS; ++k) {
        const size_t at = n + k + 1;
        line[k] = at >= MEASURE_SIDE && at - MEASURE_SIDE < frames
                      ? (double)x[(at - MEASURE_SIDE) * stride]
                      : 0;
        most = fmax(most, fabs(line[k]));
    }
    for (int p = 0; p < MEASURE_PHASES && most * gain > known; ++p) {
        double y = 0;
        for (size_t k = 0; k < MEASURE_TAPS; ++k)
            y += h[p][k] * line[k];
        known = fmax(known, fabs(y));
    }
    return known;
}

/// Largest magnitude of a 16x sinc interpolation, 32 zero crossings a side, Kaiser beta 9; or `known`, where
/// that is larger.
static inline double measure_sinc_peak_above(const float *x, size_t stride, size_t frames,
                                             double known)
{
    double h[MEASURE_PHASES][MEASURE_TAPS];
    const double gain = measure_sinc_taps(h);
    for (size_t n = 0; n < frames; ++n)
        known = measure_sinc_at(h, gain, x, stride, frames, n, known);
    return known;
}

static inline double measure_sinc_peak(const float *x, size_t stride, size_t frames)
{
    return measure_sinc_peak_above(x, stride, frames, 0);
}

/// Power of what is left of x after its best sine at `hz` is taken out, over that sine's power.
static inline double measure_thd_n(const float *x, size_t stride, size_t frames, double hz,
                                   double rate_hz)
{
    // Least squares on sine, cosine and a constant: exact for any length.
    double a[3][4] = {{0}};
    for (size_t n = 0; n < frames; ++n) {
        const double w = 2 * M_PI * hz / rate_hz * (double)n;
        const double b[3] = {sin(w), cos(w), 1.0};
        for (int i = 0; i < 3; ++i) {
            for (int j = 0; j < 3; ++j)
                a[i][j] += b[i] * b[j];
            a[i][3] += b[i] * (double)x[n * stride];
        }
    }
    for (int i = 0; i < 3; ++i)
        for (int k = 0; k < 3; ++k) {
            if (k == i)
                continue;
            const double f = a[k][i] / a[i][i];
            for (int j = i; j < 4; ++j)
                a[k][j] -= f * a[i][j];
        }
    const double s = a[0][3] / a[0][0], c = a[1][3] / a[1][1], dc = a[2][3] / a[2][2];
    double rest = 0;
    for (size_t n = 0; n < frames; ++n) {
        const double w = 2 * M_PI * hz / rate_hz * (double)n;
        const double e = (double)x[n * stride] - s * sin(w) - c * cos(w) - dc;
        rest += e * e;
    }
    return rest / (double)frames / (0.5 * (s * s + c * c));
}

enum { MEASURE_OUTSIDE_HALF = 2400 };

/// Mean power of x outside of 200 Hz around a tone, in dB of a full-scale sine's. Up to 96 kHz.
static inline double measure_outside_db(const float *x, size_t stride, size_t frames, double hz,
                                        double rate_hz)
{
    // What a low-pass at 110 Hz keeps of the tone moved to 0 Hz is taken out. Its window, by Blackman and Harris,
    // has it 92 dB down well before 200 Hz.
    static double weights[2 * MEASURE_OUTSIDE_HALF + 1];
    const int half = (int)(rate_hz / 40);
    double sum = 0;
    for (int k = -half; k <= half; ++k) {
        const double w = 2 * M_PI * (k + half + 1) / (2 * half + 2);
        const double bh = 0.35875 - 0.48829 * cos(w) + 0.14128 * cos(2 * w) - 0.01168 * cos(3 * w);
        const double t = 2 * 110.0 / rate_hz * k;
        const double low = bh * (k == 0 ? 1 : sin(M_PI * t) / (M_PI * t));
        weights[k + half] = low * cos(2 * M_PI * hz * k / rate_hz);
        sum += low;
    }
    double power = 0;
    size_t count = 0;
    for (size_t n = (size_t)half; n + (size_t)half < frames; n += 7, ++count) {
        double kept = 0;
        for (size_t k = 0; k <= 2 * (size_t)half; ++k)
            kept += (double)x[(n + k - (size_t)half) * stride] * weights[k];
        const double rest = (double)x[n * stride] - 2 * kept / sum;
        power += rest * rest;
    }
    return 10 * log10(power / (double)count / 0.5);
}

/// Uniform in -1..1 from a seed that is replayable.
static inline double measure_noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (double)(*seed >> 33) / 1073741824.0 - 1.0;
}

static inline double measure_db(double gain)
{
    return 20.0 * log10(gain);
}

// SPDX-License-Identifier: MIT
#include "gpu/stft_bands.h"
#include "dsp/downmix.h"
#include <assert.h>
#include <math.h>

enum { BASE_SIZE = 4096, BASE_RATE_HZ = 48000 };

static const double PI = 3.14159265358979323846;
static const double RATIO_LIMIT_DB = 60;
static const double edges_hz[BAND_COUNT + 1] = {20, 60, 250, 500, 2000, 4000, 8000, 20000};

// Bin k is a cell of one bin's width around its centre.
static float share_of_cell(double low_bins, double high_bins, uint32_t bin)
{
    const double low = fmax(low_bins, bin - 0.5);
    const double high = fmin(high_bins, bin + 0.5);
    return high > low ? (float)(high - low) : 0.0F;
}

static struct band_cells cells_between(double low_bins, double high_bins, uint32_t bins)
{
    const uint32_t first = (uint32_t)floor(low_bins + 0.5);
    if (first >= bins)
        return (struct band_cells){.first = 1}; // over half the rate: last < first
    const double end = floor(high_bins + 0.5);
    const uint32_t last = end < bins ? (uint32_t)end : bins - 1;
    return (struct band_cells){
        .first = first,
        .last = last,
        .first_share = share_of_cell(low_bins, high_bins, first),
        .last_share = share_of_cell(low_bins, high_bins, last),
    };
}

struct stft_shape stft_shape_for(uint32_t rate_hz)
{
    assert(rate_hz >= PCM_MIN_RATE_HZ && rate_hz <= PCM_MAX_RATE_HZ);
    uint32_t q = 1;
    while (rate_hz > BASE_RATE_HZ * q)
        q *= 2;
    struct stft_shape shape = {
        .size = BASE_SIZE * q, .hop = BASE_SIZE * q / 2, .bins = BASE_SIZE * q / 2 + 1};
    const double bins_per_hz = (double)shape.size / rate_hz;
    for (int b = 0; b < BAND_COUNT; ++b)
        shape.bands[b] =
            cells_between(edges_hz[b] * bins_per_hz, edges_hz[b + 1] * bins_per_hz, shape.bins);
    return shape;
}

void stft_window(float *window, uint32_t size)
{
    for (uint32_t n = 0; n < size; ++n)
        window[n] = (float)(0.5 - 0.5 * cos(2 * PI * n / size));
}

void stft_downmix_gains(struct window_frames_args *args, uint32_t channels)
{
    assert(channels >= 1 && channels <= PCM_MAX_CHANNELS);
    for (uint32_t c = 0; c < channels; ++c) {
        float unit[PCM_MAX_CHANNELS] = {0}, stereo[2];
        unit[c] = 1.0F;
        downmix_to_stereo(stereo, unit, 1, channels);
        args->left[c] = stereo[0];
        args->right[c] = stereo[1];
    }
}

static double ratio_db(double over, double under)
{
    if (over <= 0 || under <= 0)
        return over > 0 ? RATIO_LIMIT_DB : under > 0 ? -RATIO_LIMIT_DB : 0;
    return fmin(RATIO_LIMIT_DB, fmax(-RATIO_LIMIT_DB, 10 * log10(over / under)));
}

void stft_bands_to_fingerprint(double fingerprint[FINGERPRINT_DIMENSIONS],
                               const double energies[BAND_COUNT])
{
    double total = 0;
    for (int b = 0; b < BAND_COUNT; ++b)
        total += energies[b];
    for (int b = 0; b < BAND_COUNT; ++b)
        fingerprint[FINGERPRINT_SUB_BASS_PCT + b] = total > 0 ? energies[b] / total : 0;
    fingerprint[FINGERPRINT_BASS_MID_RATIO] = ratio_db(energies[1], energies[2] + energies[3]);
}

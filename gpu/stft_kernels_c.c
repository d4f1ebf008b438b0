// SPDX-License-Identifier: MIT
#include "gpu/stft_kernels.h"
#include <assert.h>

static void window_sample(const struct window_frames_args *args, uint32_t frame, uint32_t n)
{
    float left = 0, right = 0;
    if (frame < args->frames) {
        const float *pcm = args->pcm + ((uint64_t)frame * args->hop + n) * args->channels;
        for (uint32_t c = 0; c < args->channels; ++c) {
            left += args->left[c] * sample_or_zero(pcm[c]);
            right += args->right[c] * sample_or_zero(pcm[c]);
        }
    }
    float *row = args->planes + (uint64_t)2 * frame * args->size + n;
    row[0] = args->window[n] * left;
    row[args->size] = args->window[n] * right;
}

void window_frames_c(const struct window_frames_args *args)
{
    assert(args->frames <= args->batch && args->channels <= PCM_MAX_CHANNELS);
    for (uint32_t frame = 0; frame < args->batch; ++frame)
        for (uint32_t n = 0; n < args->size; ++n)
            window_sample(args, frame, n);
}

static double band_energy(const struct band_energies_args *args, uint32_t frame,
                          const struct band_cells *band)
{
    const float *left = args->spectra + (uint64_t)frame * 4 * args->bins;
    const float *right = left + (uint64_t)2 * args->bins;
    double sum = 0;
    for (uint32_t k = 2 * band->first; k <= 2 * band->last; k += 2) {
        const double power = (double)left[k] * left[k] + (double)left[k + 1] * left[k + 1] +
                             (double)right[k] * right[k] + (double)right[k + 1] * right[k + 1];
        sum += share_of_bin(band, k / 2) * power;
    }
    return sum;
}

void band_energies_c(const struct band_energies_args *args)
{
    for (uint32_t frame = 0; frame < args->frames; ++frame)
        for (int b = 0; b < BAND_COUNT; ++b) {
            assert(args->bands[b].last < args->bins);
            args->energies[frame * BAND_COUNT + (uint32_t)b] =
                (float)band_energy(args, frame, &args->bands[b]);
        }
}

// SPDX-License-Identifier: MIT
// The native STFT of a sample rate: its size, window and the bins of the seven bands.
#pragma once
#include "gpu/stft_kernels.h"
#include <stdint.h>

struct stft_shape {
    uint32_t size, hop, bins;
    struct band_cells bands[BAND_COUNT];
};

/// The shape for PCM_MIN_RATE_HZ..PCM_MAX_RATE_HZ. Pure.
struct stft_shape stft_shape_for(uint32_t rate_hz);
/// Fill `size` values of a periodic Hann window.
void stft_window(float *window, uint32_t size);
/// Gains of each channel into left and right: those of downmix_to_stereo().
void stft_downmix_gains(struct window_frames_args *args, uint32_t channels);
/// Set the seven band shares and the bass to mid ratio that is made of them.
void stft_bands_to_fingerprint(double fingerprint[FINGERPRINT_DIMENSIONS],
                               const double energies[BAND_COUNT]);

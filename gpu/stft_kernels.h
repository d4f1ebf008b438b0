// SPDX-License-Identifier: MIT
// The native STFT's band energies as two steps around a batched FFT: on the device and, for
// reference, in plain C. Spectra are interleaved pairs of real and imaginary part.
#pragma once
#include "dsp/analysis.h"
#include "dsp/pcm.h"
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __CUDACC__
#    define HOST_DEVICE __host__ __device__
#else
#    define HOST_DEVICE
#endif

/// From PCM to windowed, real planes: rows 2f and 2f+1 are left and right of frame f. Frames from
/// `frames` to `batch` are all zeros. Samples that are no audio (NaN, infinite, huge) count as 0.
struct window_frames_args {
    const float *pcm; // interleaved; frame f begins at PCM frame f * hop
    const float *window;
    float *planes; // 2 * batch rows of `size`
    uint32_t frames, batch;
    uint32_t size, hop;
    uint32_t channels;
    float left[PCM_MAX_CHANNELS], right[PCM_MAX_CHANNELS]; // downmix gains
};

/// The bins of a band: all of first + 1 .. last - 1, and a share of first and last. Empty: last < first.
struct band_cells {
    uint32_t first, last;
    float first_share, last_share;
};

/// Energy |L|^2 + |R|^2 of each frame in each band. Within 1e-6 of the exact sum, relative.
struct band_energies_args {
    const float *spectra; // 2 * frames rows of `bins` pairs
    float *energies;      // frames rows of BAND_COUNT
    uint32_t frames, bins;
    struct band_cells bands[BAND_COUNT];
};

/// The reference.
void window_frames_c(const struct window_frames_args *args);
/// The reference.
void band_energies_c(const struct band_energies_args *args);

HOST_DEVICE static inline float sample_or_zero(float sample)
{
    return sample >= -1024.0F && sample <= 1024.0F ? sample : 0.0F;
}

/// Share of bin `bin` in a band, 0..1, for first <= bin <= last.
HOST_DEVICE static inline float share_of_bin(const struct band_cells *band, uint32_t bin)
{
    return bin == band->first ? band->first_share : bin == band->last ? band->last_share : 1.0F;
}

#ifdef __cplusplus
}
#endif

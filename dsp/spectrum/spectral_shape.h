// SPDX-License-Identifier: MIT
// Centroid, rolloff, flatness of one power spectrum, and energies of the seven bands.
#pragma once
#include "dsp/analysis.h"
#include "dsp/annotate.h"
#include <stdint.h>

struct spectrum_impl;

struct spectral_shape {
    double centroid_hz;
    double rolloff_hz; // 85 % of the magnitude
    double flatness;   // 0..1
};

/// The cells of a spectrum of `bins` bins, `bin_hz` apart: bin k covers half a bin either side.
/// Immutable after init, so any thread may read it.
struct spectral_grid {
    const struct spectrum_impl *kernels;
    uint32_t bins;
    double bin_hz;
    uint32_t flat_first, flat_end; // bins with their centre in 20 Hz..20 kHz
    float *share;                  // of each cell inside 20 Hz..20 kHz
    float *share_hz;               // share times the bin's frequency
};

/// @return 0; -ENOMEM (nothing to free then).
MUST_CHECK int spectral_grid_init(struct spectral_grid *grid, uint32_t bins, double bin_hz);
void spectral_grid_deinit(struct spectral_grid *grid);
/// Shape of a power spectrum. Empty spectra give zeros.
void spectral_grid_measure(const struct spectral_grid *grid, const float *power,
                           struct spectral_shape *out);
/// Share a summed spectrum out to the seven bands, cells in part where an edge cuts them.
void spectral_grid_bands(const struct spectral_grid *grid, const double *energy,
                         double bands[BAND_COUNT]);

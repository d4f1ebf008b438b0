// SPDX-License-Identifier: MIT
#include "dsp/spectrum/spectral_shape.h"
#include "dsp/aligned.h"
#include "dsp/cpu.h"
#include "dsp/spectrum/spectrum_kernel.h"
#include <assert.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

enum {
    BLOCKS_MAX = 129, // of SPECTRUM_BLOCK bins: 65,536 points
    PIECE = 32,       // bins of a block that are looked at together
};
static const double LOWEST_HZ = 20.0, HIGHEST_HZ = 20000.0;
static const double BAND_EDGES_HZ[BAND_COUNT + 1] = {20, 60, 250, 500, 2000, 4000, 8000, 20000};
static const float FLATNESS_FLOOR = 1e-4F;

// How much of bin k's cell, as a fraction, lies in [low, high).
static double cell_share(uint32_t k, double bin_hz, double low_hz, double high_hz)
{
    const double from = fmax((k - 0.5) * bin_hz, low_hz);
    const double to = fmin((k + 0.5) * bin_hz, high_hz);
    return to > from ? (to - from) / bin_hz : 0.0;
}

int spectral_grid_init(struct spectral_grid *grid, uint32_t bins, double bin_hz)
{
    assert(bins > 1 && bin_hz > 0);
    *grid = (struct spectral_grid){.bins = bins, .bin_hz = bin_hz};
    grid->kernels = spectrum_select(cpu_flags());
    grid->share = aligned_zeroed(bins * sizeof *grid->share);
    grid->share_hz = aligned_zeroed(bins * sizeof *grid->share_hz);
    if (!grid->share || !grid->share_hz) {
        spectral_grid_deinit(grid);
        return -ENOMEM;
    }
    for (uint32_t k = 0; k < bins; ++k) {
        const double share = cell_share(k, bin_hz, LOWEST_HZ, HIGHEST_HZ);
        grid->share[k] = (float)share;
        grid->share_hz[k] = (float)(share * k * bin_hz);
        if (k * bin_hz < LOWEST_HZ)
            grid->flat_first = k + 1;
        if (k * bin_hz <= HIGHEST_HZ)
            grid->flat_end = k + 1;
    }
    return 0;
}

void spectral_grid_deinit(struct spectral_grid *grid)
{
    free(grid->share);
    free(grid->share_hz);
    grid->share = grid->share_hz = NULL;
}

// From bin k on, bins in whole pieces that the wanted magnitude lies beyond; their sum joins *below.
static uint32_t whole_pieces(const struct spectral_grid *grid, uint32_t k, const float *power,
                             double wanted, double *below)
{
    const uint32_t first = k;
    for (double piece; k + PIECE < grid->bins; k += PIECE, *below += piece) {
        (void)grid->kernels->weigh_blocks(&piece, grid->share + k, grid->share_hz + k, power + k,
                                          PIECE); // their moment is of no use here
        if (*below + piece >= wanted)
            break;
    }
    return k - first;
}

// The frequency under which 85 % of the weighted magnitude lies, linear inside the cell: the block that
// holds it first, then the piece of it, then the cell in that.
static double rolloff_of(const struct spectral_grid *grid, const float *power, const double *blocks,
                         double total)
{
    const double wanted = 0.85 * total;
    double below = 0;
    uint32_t k = 0;
    for (; k + SPECTRUM_BLOCK < grid->bins && below + blocks[k / SPECTRUM_BLOCK] < wanted;
         k += SPECTRUM_BLOCK)
        below += blocks[k / SPECTRUM_BLOCK];
    k += whole_pieces(grid, k, power, wanted, &below);
    for (; k < grid->bins; ++k) {
        const double cell = (double)(grid->share[k] * sqrtf(power[k]));
        if (cell > 0 && below + cell >= wanted) {
            const double from = fmax((k - 0.5) * grid->bin_hz, LOWEST_HZ);
            const double to = fmin((k + 0.5) * grid->bin_hz, HIGHEST_HZ);
            return from + (to - from) * fmax(0.0, wanted - below) / cell;
        }
        below += cell;
    }
    return HIGHEST_HZ;
}

// Geometric over arithmetic mean of the powers, each relative to the mean and floored.
static double flatness_of(const struct spectrum_impl *kernels, const float *power, uint32_t count)
{
    const double sum = kernels->sum(power, count);
    if (sum <= 0)
        return 0.0;
    const struct spectrum_floored floored =
        kernels->floored(power, count, (float)fmin(count / sum, FLT_MAX), FLATNESS_FLOOR);
    return exp(floored.log_sum / count) / (floored.sum / count);
}

void spectral_grid_measure(const struct spectral_grid *grid, const float *power,
                           struct spectral_shape *out)
{
    const struct spectrum_impl *kernels = grid->kernels;
    *out = (struct spectral_shape){0};
    double blocks[BLOCKS_MAX], total = 0;
    assert(grid->bins <= BLOCKS_MAX * SPECTRUM_BLOCK);
    const double moment =
        kernels->weigh_blocks(blocks, grid->share, grid->share_hz, power, grid->bins);
    for (uint32_t b = 0; b < (grid->bins + SPECTRUM_BLOCK - 1) / SPECTRUM_BLOCK; ++b)
        total += blocks[b];
    if (total > 0) {
        out->centroid_hz = moment / total;
        out->rolloff_hz = rolloff_of(grid, power, blocks, total);
    }
    if (grid->flat_end > grid->flat_first)
        out->flatness =
            flatness_of(kernels, power + grid->flat_first, grid->flat_end - grid->flat_first);
}

void spectral_grid_bands(const struct spectral_grid *grid, const double *energy,
                         double bands[BAND_COUNT])
{
    for (uint32_t b = 0; b < BAND_COUNT; ++b) {
        bands[b] = 0;
        for (uint32_t k = 0; k < grid->bins; ++k)
            bands[b] +=
                energy[k] * cell_share(k, grid->bin_hz, BAND_EDGES_HZ[b], BAND_EDGES_HZ[b + 1]);
    }
}

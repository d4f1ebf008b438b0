// SPDX-License-Identifier: MIT
#include "dsp/spectral_shape.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { LANES = 8 };
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
    grid->share = malloc(bins * sizeof *grid->share);
    grid->share_hz = malloc(bins * sizeof *grid->share_hz);
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

static double sum_lanes(const float lanes[LANES])
{
    double sum = 0;
    for (uint32_t i = 0; i < LANES; ++i)
        sum += (double)lanes[i];
    return sum;
}

static double weighted_sum(const float *weights, const float *values, uint32_t count)
{
    float lanes[LANES] = {0};
    uint32_t k = 0;
    for (; k + LANES <= count; k += LANES)
        for (uint32_t i = 0; i < LANES; ++i)
            lanes[i] += weights[k + i] * values[k + i];
    double sum = sum_lanes(lanes);
    for (; k < count; ++k)
        sum += (double)(weights[k] * values[k]);
    return sum;
}

// The frequency under which 85 % of the weighted magnitude lies, linear inside the cell.
static double rolloff_of(const struct spectral_grid *grid, const float *magnitude, double total)
{
    const double wanted = 0.85 * total;
    double below = 0;
    for (uint32_t k = 0; k < grid->bins; ++k) {
        const double cell = (double)(grid->share[k] * magnitude[k]);
        if (cell > 0 && below + cell >= wanted) {
            const double from = fmax((k - 0.5) * grid->bin_hz, LOWEST_HZ);
            const double to = fmin((k + 0.5) * grid->bin_hz, HIGHEST_HZ);
            return from + (to - from) * (wanted - below) / cell;
        }
        below += cell;
    }
    return HIGHEST_HZ;
}

// Geometric over arithmetic mean. Eight floored powers, each relative to the mean, are multiplied
// before one logarithm: their product stays within 1e-32 and the number of bins to the eighth / 8^8.
static double flatness_of(const float *power, uint32_t count)
{
    double sum = 0;
    for (uint32_t k = 0; k < count; ++k)
        sum += (double)power[k];
    if (sum <= 0)
        return 0.0;
    const double per_mean = (double)count / sum;
    double logs = 0, floored_sum = 0, product = 1;
    for (uint32_t k = 0; k < count; ++k) {
        const double ratio = (double)power[k] * per_mean;
        const double floored = ratio > (double)FLATNESS_FLOOR ? ratio : (double)FLATNESS_FLOOR;
        floored_sum += floored;
        product *= floored;
        if (k % LANES == LANES - 1) {
            logs += log(product);
            product = 1;
        }
    }
    logs += log(product);
    return exp(logs / count) / (floored_sum / count);
}

void spectral_grid_measure(const struct spectral_grid *grid, const float *power, float *magnitude,
                           struct spectral_shape *out)
{
    for (uint32_t k = 0; k < grid->bins; ++k)
        magnitude[k] = sqrtf(power[k]);
    *out = (struct spectral_shape){0};
    const double total = weighted_sum(grid->share, magnitude, grid->bins);
    if (total > 0) {
        out->centroid_hz = weighted_sum(grid->share_hz, magnitude, grid->bins) / total;
        out->rolloff_hz = rolloff_of(grid, magnitude, total);
    }
    if (grid->flat_end > grid->flat_first)
        out->flatness = flatness_of(power + grid->flat_first, grid->flat_end - grid->flat_first);
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

// SPDX-License-Identifier: MIT
#include "dsp/hpss.h"
#include "dsp/low_spectrum.h"
#include "dsp/median31.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

enum {
    BINS = LOW_SPECTRUM_BINS,
    STRIDE = 1040,     // BINS rounded up to whole lanes
    RING = 40,         // of rows, at least MEDIAN31_ROWS
    REACH = 15,        // rows either side of a median's centre
    QUAD = 4,          // frames or bins that share a sorted core
    PHASE_LANES = 272, // a quarter of the bins, in whole lanes
    PHASE = PHASE_LANES + 16,
};

struct hpss {
    struct median31 network;
    int64_t frames, done; // taken; masked, always in fours
    double harmonic, percussive;
    float rows[RING][STRIDE]; // magnitudes, frame t at t % RING
    float along_time[QUAD][STRIDE];
    float phases[QUAD][PHASE]; // a mirrored row, every fourth bin of it
    float along_frequency[QUAD][PHASE_LANES];
};

int hpss_create(struct hpss **out)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return -ENOMEM;
    median31_init(&(*out)->network);
    return 0;
}

void hpss_destroy(struct hpss **hpss)
{
    free(*hpss);
    *hpss = NULL;
}

// Mirror an index into 0..n-1, the edge value repeated: -1 is 0, n is n - 1.
static int64_t mirrored(int64_t index, int64_t n)
{
    const int64_t period = 2 * n, place = ((index % period) + period) % period;
    return place < n ? place : period - 1 - place;
}

static void medians_along_time(struct hpss *h, int64_t first, int64_t known_frames)
{
    const float *rows[MEDIAN31_ROWS];
    for (int r = 0; r < MEDIAN31_ROWS; ++r)
        rows[r] = h->rows[mirrored(first - REACH + r, known_frames) % RING];
    float *const out[QUAD] = {h->along_time[0], h->along_time[1], h->along_time[2],
                              h->along_time[3]};
    median31_quad(&h->network, rows, out, STRIDE);
}

// Bins 4l..4l+3 share a core. With every fourth bin in a row of its own, the windows of all l lie
// side by side.
static void medians_along_frequency(struct hpss *h, const float *magnitude)
{
    for (int64_t i = 0; i < BINS + 2 * REACH; ++i)
        h->phases[i % QUAD][i / QUAD] = magnitude[mirrored(i - REACH, BINS)];
    const float *rows[MEDIAN31_ROWS];
    for (int r = 0; r < MEDIAN31_ROWS; ++r)
        rows[r] = h->phases[r % QUAD] + r / QUAD;
    float *const out[QUAD] = {h->along_frequency[0], h->along_frequency[1], h->along_frequency[2],
                              h->along_frequency[3]};
    median31_quad(&h->network, rows, out, PHASE_LANES);
}

static void add_masked(struct hpss *h, const float *magnitude, const float *along_time)
{
    double harmonic[QUAD] = {0}, percussive[QUAD] = {0};
    for (uint32_t k = 0; k < BINS; ++k) {
        const float a = along_time[k] * along_time[k];
        const float f = h->along_frequency[k % QUAD][k / QUAD];
        const float b = f * f, sum = a + b;
        const float mask = sum > 0 ? a / sum : 0.5F, power = magnitude[k] * magnitude[k];
        harmonic[k % QUAD] += (double)(mask * mask * power);
        percussive[k % QUAD] += (double)((1 - mask) * (1 - mask) * power);
    }
    for (uint32_t q = 0; q < QUAD; ++q) {
        h->harmonic += harmonic[q];
        h->percussive += percussive[q];
    }
}

// Mask up to four frames from `done` on. Rows past the last frame are mirrored; while more may come,
// enough of them are in the ring for no mirroring at that end.
static void mask_quad(struct hpss *h)
{
    medians_along_time(h, h->done, h->frames);
    for (int q = 0; q < QUAD && h->done + q < h->frames; ++q) {
        const float *magnitude = h->rows[(h->done + q) % RING];
        medians_along_frequency(h, magnitude);
        add_masked(h, magnitude, h->along_time[q]);
    }
    h->done += QUAD;
}

void hpss_push(struct hpss *h, const float *power)
{
    float *row = h->rows[h->frames++ % RING];
    for (uint32_t k = 0; k < BINS; ++k)
        row[k] = sqrtf(power[k]);
    if (h->frames >= h->done + QUAD + REACH)
        mask_quad(h);
}

double hpss_finish(struct hpss *h)
{
    while (h->done < h->frames)
        mask_quad(h);
    const double sum = h->harmonic + h->percussive;
    return sum > 0 ? h->harmonic / sum : 0.0;
}

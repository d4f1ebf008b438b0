// SPDX-License-Identifier: MIT
#include "dsp/hpss.h"
#include "dsp/cpu.h"
#include "dsp/low_spectrum.h"
#include "dsp/median31.h"
#include "dsp/spectrum_kernel.h"
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

enum {
    BINS = LOW_SPECTRUM_BINS,
    RING = 40,   // of rows, at least MEDIAN31_ROWS
    REACH = 15,  // rows either side of a median's centre
    QUAD = 4,    // frames or bins that share a sorted core
    MARGIN = 16, // mirrored bins before the first, a multiple of QUAD
    FIRST = MARGIN / QUAD,
    LANES = 272, // a quarter of the bins, in whole lanes
    PHASE = FIRST + LANES + 8,
};

// Every fourth bin of a mirrored row lies in a phase of its own: bin k at phase k % 4, place
// FIRST + k / 4. Windows of neighbouring bins that share a core then lie side by side, bins 4l to 4l+3
// in lane l. What lies beyond the mirrored bins stays 0.
struct row {
    float phases[QUAD][PHASE];
};

struct hpss {
    struct median31 network;
    const struct spectrum_impl *kernels;
    int64_t frames, done; // taken; masked, always in fours
    double harmonic, percussive;
    struct row rows[RING];       // magnitudes, frame t at t % RING
    struct row along_time[QUAD]; // medians; nothing before FIRST
    float along_frequency[QUAD][LANES];
    float magnitudes[MARGIN + BINS + MARGIN]; // of the newest row, in order
};

int hpss_create(struct hpss **out)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return -ENOMEM;
    median31_init(&(*out)->network);
    (*out)->kernels = spectrum_select(cpu_flags());
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
    for (uint32_t phase = 0; phase < QUAD; ++phase) {
        for (int r = 0; r < MEDIAN31_ROWS; ++r)
            rows[r] =
                h->rows[mirrored(first - REACH + r, known_frames) % RING].phases[phase] + FIRST;
        float *const out[QUAD] = {
            h->along_time[0].phases[phase] + FIRST, h->along_time[1].phases[phase] + FIRST,
            h->along_time[2].phases[phase] + FIRST, h->along_time[3].phases[phase] + FIRST};
        median31_quad(&h->network, rows, out, LANES);
    }
}

static void medians_along_frequency(struct hpss *h, const struct row *row)
{
    const float *rows[MEDIAN31_ROWS];
    for (int r = 0; r < MEDIAN31_ROWS; ++r) {
        const int bin = r - REACH + MARGIN;
        rows[r] = row->phases[bin % QUAD] + bin / QUAD;
    }
    float *const out[QUAD] = {h->along_frequency[0], h->along_frequency[1], h->along_frequency[2],
                              h->along_frequency[3]};
    median31_quad(&h->network, rows, out, LANES);
}

static void add_masked(struct hpss *h, const struct row *magnitude, const struct row *along_time)
{
    for (uint32_t q = 0; q < QUAD; ++q) {
        const struct spectrum_masked sums =
            h->kernels->masked(magnitude->phases[q] + FIRST, along_time->phases[q] + FIRST,
                               h->along_frequency[q], (BINS + QUAD - 1 - q) / QUAD);
        h->harmonic += sums.harmonic;
        h->percussive += sums.percussive;
    }
}

// Mask up to four frames from `done` on. Rows past the last frame are mirrored; while more may come,
// enough of them are in the ring for no mirroring at that end.
static void mask_quad(struct hpss *h)
{
    medians_along_time(h, h->done, h->frames);
    for (int q = 0; q < QUAD && h->done + q < h->frames; ++q) {
        const struct row *magnitude = &h->rows[(h->done + q) % RING];
        medians_along_frequency(h, magnitude);
        add_masked(h, magnitude, &h->along_time[q]);
    }
    h->done += QUAD;
}

// Share a mirrored row out to its phases.
static void lay_out(struct row *restrict row, const float *restrict mirrored_row)
{
    for (uint32_t l = 0; l < (MARGIN + BINS + MARGIN) / QUAD; ++l)
        for (uint32_t q = 0; q < QUAD; ++q)
            row->phases[q][l] = mirrored_row[QUAD * l + q];
}

void hpss_push(struct hpss *h, const float *power)
{
    float *first = h->magnitudes + MARGIN;
    h->kernels->root(first, power, BINS);
    for (int i = 0; i < MARGIN; ++i) {
        first[-1 - i] = first[i];
        first[BINS + i] = first[BINS - 1 - i];
    }
    lay_out(&h->rows[h->frames++ % RING], h->magnitudes);
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

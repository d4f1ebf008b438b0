// SPDX-License-Identifier: MIT
#include "dsp/spectrum/hpss.h"
#include "dsp/aligned.h"
#include "dsp/cpu.h"
#include "dsp/spectrum/low_spectrum.h"
#include "dsp/spectrum/median31.h"
#include "dsp/spectrum/spectrum_kernel.h"
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    BINS = LOW_SPECTRUM_BINS,
    RUN = MEDIAN31_RUN, // frames or bins whose windows share their middle
    EDGE = MEDIAN31_EDGE,
    REACH = 15, // rows either side of a median's centre
    AHEAD =
        RUN + REACH, // rows from the first of a run's frames to the end of the last one's window
    RING = 6 * RUN,  // of rows: what the windows cover, and as much as is mirrored at the end
    MARGIN = 2,      // places of a phase before the first bin's
    LANES = (BINS / RUN / MEDIAN31_LANES + 1) *
            MEDIAN31_LANES, // places that have a bin, in whole lanes
    PHASE = MARGIN + LANES + MARGIN,
    ROW = RUN * PHASE,
    MIRRORED = MARGIN * RUN + BINS + REACH, // of a row in order, with what is mirrored at both ends
};
static_assert(MIRRORED <= ROW && ROW % MEDIAN31_LANES == 0, "a row holds what is laid out in it");

// Medians are of powers: they order as their roots, the magnitudes, do, and the masks want squares of those.
// Every eighth bin of a mirrored row lies in a phase of its own: bin k at phase k % 8, place
// MARGIN + k / 8. Windows of neighbouring bins that share their middle then lie side by side, bins 8l to
// 8l + 7 in lane l. What lies beyond the mirrored bins stays 0.
struct row {
    alignas(ALIGNED_BYTES) float at[ROW];
};

struct hpss {
    const struct median31_impl *medians;
    const struct spectrum_impl *kernels;
    int64_t frames, done; // taken; masked, always a whole run
    double harmonic, percussive;
    struct row rows[RING];      // powers, frame t at t % RING
    struct row sorted[RING];    // run by run: the least of frames 8r to 8r + 7 at 8r % RING
    struct row along_time[RUN]; // medians
    struct row sorted_bins;     // the same of every eight bins of a row, the least in phase 0
    struct row along_frequency; // medians
    alignas(ALIGNED_BYTES) float powers[ROW]; // of the newest row, in order
};

int hpss_create(struct hpss **out)
{
    *out = aligned_zeroed(sizeof **out);
    if (!*out)
        return -ENOMEM;
    (*out)->medians = median31_select(cpu_flags());
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

// Before the first frame the track runs backwards.
static uint32_t place_of(int64_t frame)
{
    return (uint32_t)((frame < 0 ? -1 - frame : frame) % RING);
}

// The run that starts at `first`; backwards it is as sorted as it was.
static const struct row *sorted_run(const struct hpss *h, int64_t first)
{
    return &h->sorted[first < 0 ? place_of(first) / RUN * RUN : place_of(first)];
}

static void medians_along_time(struct hpss *h)
{
    struct median31_rows rows;
    float *out[RUN];
    for (int i = 0; i < EDGE; ++i) {
        rows.before[i] = h->rows[place_of(h->done - REACH + i)].at;
        rows.after[i] = h->rows[place_of(h->done + 2 * RUN + i)].at;
    }
    for (int i = 0; i < RUN; ++i) {
        for (int r = 0; r < MEDIAN31_RUNS; ++r)
            rows.runs[r][i] = sorted_run(h, h->done + (r - 1) * RUN)[i].at;
        out[i] = h->along_time[i].at;
    }
    h->medians->octet(&rows, out, ROW);
}

static void medians_along_frequency(struct hpss *h, const struct row *row)
{
    struct median31_rows rows;
    const float *bins[RUN];
    float *sorted[RUN], *out[RUN];
    for (int i = 0; i < RUN; ++i) {
        bins[i] = row->at + (size_t)i * PHASE;
        sorted[i] = h->sorted_bins.at + (size_t)i * PHASE;
        out[i] = h->along_frequency.at + (size_t)i * PHASE + MARGIN;
        for (int r = 0; r < MEDIAN31_RUNS; ++r)
            rows.runs[r][i] = sorted[i] + MARGIN - 1 + r;
    }
    for (int i = 0; i < EDGE; ++i) {
        rows.before[i] = bins[i + 1];
        rows.after[i] = bins[i] + 2 * MARGIN;
    }
    h->medians->sort(bins, sorted, LANES);
    h->medians->octet(&rows, out, LANES);
}

// What is mirrored at the ends of a row has no energy.
static void clear_mirrored(struct row *row)
{
#pragma GCC unroll 8 // what is cleared is then known, and needs no call
    for (uint32_t q = 0; q < RUN; ++q) {
        float *phase = row->at + (size_t)q * PHASE;
        const uint32_t end = MARGIN + (BINS + RUN - 1 - q) / RUN;
        memset(phase, 0, MARGIN * sizeof *phase);
        memset(phase + end, 0, (PHASE - end) * sizeof *phase);
    }
}

static void add_masked(struct hpss *h, struct row *power, const struct row *along_time)
{
    clear_mirrored(power); // nothing but medians along time is still to be had from it
    const struct spectrum_masked sums =
        h->kernels->masked(power->at, along_time->at, h->along_frequency.at, ROW);
    h->harmonic += sums.harmonic;
    h->percussive += sums.percussive;
}

// Mask `count` frames, up to eight, from `done` on.
static void mask_run(struct hpss *h, int count)
{
    medians_along_time(h);
    for (int q = 0; q < count; ++q) {
        struct row *power = &h->rows[place_of(h->done + q)];
        medians_along_frequency(h, power);
        add_masked(h, power, &h->along_time[q]);
    }
    h->done += RUN;
}

// Count a row that is in its place.
static void end_row(struct hpss *h)
{
    if (++h->frames % RUN)
        return;
    const float *rows[RUN];
    float *sorted[RUN];
    for (int i = 0; i < RUN; ++i) {
        rows[i] = h->rows[place_of(h->frames - RUN + i)].at;
        sorted[i] = h->sorted[place_of(h->frames - RUN + i)].at;
    }
    h->medians->sort(rows, sorted, ROW);
}

void hpss_push(struct hpss *h, const float *power)
{
    float *first = h->powers + (size_t)MARGIN * RUN;
    memcpy(first, power, BINS * sizeof *power);
    for (int i = 0; i < REACH; ++i) {
        first[-1 - i] = first[i];
        first[BINS + i] = first[BINS - 1 - i];
    }
    h->medians->deal(h->rows[place_of(h->frames)].at, h->powers, PHASE);
    end_row(h);
    if (h->frames == h->done + AHEAD)
        mask_run(h, RUN);
}

double hpss_finish(struct hpss *h)
{
    const int64_t frames = h->frames;
    while (h->done < frames) {
        for (; h->frames < h->done + AHEAD; end_row(h))
            h->rows[place_of(h->frames)] = h->rows[place_of(mirrored(h->frames, frames))];
        mask_run(h, frames - h->done < RUN ? (int)(frames - h->done) : RUN);
    }
    const double sum = h->harmonic + h->percussive;
    return sum > 0 ? h->harmonic / sum : 0.0;
}

// SPDX-License-Identifier: MIT
#include "engine/desktop/track_picture.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { PIECE_FRAMES = 512 };

struct track_picture {
    uint64_t frames; // of the track
    uint64_t taken;
    uint32_t columns;
    struct spectrogram *spectrogram;
    struct track_extent waveform[TRACK_SIDES][TRACK_PICTURE_COLUMNS_MOST];
    struct chain_dynamics dynamics[TRACK_PICTURE_COLUMNS_MOST];
};

int track_picture_create(struct track_picture **out, uint64_t frames, uint32_t rate_hz)
{
    assert(frames > 0);
    *out = NULL;
    struct track_picture *p = calloc(1, sizeof *p);
    if (!p)
        return -ENOMEM;
    p->frames = frames;
    p->columns =
        frames < TRACK_PICTURE_COLUMNS_MOST ? (uint32_t)frames : TRACK_PICTURE_COLUMNS_MOST;
    if (spectrogram_create(&p->spectrogram, frames, rate_hz)) {
        free(p);
        return -ENOMEM;
    }
    *out = p;
    return 0;
}

void track_picture_destroy(struct track_picture **picture)
{
    if (*picture)
        spectrogram_destroy(&(*picture)->spectrogram);
    free(*picture);
    *picture = NULL;
}

static uint32_t column_of(const struct track_picture *p, uint64_t frame)
{
    return (uint32_t)(frame * p->columns / p->frames);
}

// The first frame of a column: the least f with f * columns / frames >= column.
static uint64_t column_start(const struct track_picture *p, uint32_t column)
{
    return (column * p->frames + p->columns - 1) / p->columns;
}

uint32_t track_picture_wants(const struct track_picture *p, uint32_t most)
{
    if (p->taken >= p->frames)
        return 0;
    const uint64_t left = column_start(p, column_of(p, p->taken) + 1) - p->taken;
    return left < most ? (uint32_t)left : most;
}

static void widen(struct track_extent *extent, const float *stereo, uint32_t frames)
{
    for (uint32_t i = 0; i < 2 * frames; ++i) {
        extent->low = stereo[i] < extent->low ? stereo[i] : extent->low;
        extent->high = stereo[i] > extent->high ? stereo[i] : extent->high;
    }
}

static void feed_spectrogram(struct track_picture *p, const float *before, const float *after,
                             uint32_t frames)
{
    float first[PIECE_FRAMES], second[PIECE_FRAMES];
    while (frames > 0) {
        const uint32_t piece = frames < PIECE_FRAMES ? frames : PIECE_FRAMES;
        for (uint32_t i = 0; i < piece; ++i) {
            first[i] = 0.5F * (before[2 * i] + before[2 * i + 1]);
            second[i] = 0.5F * (after[2 * i] + after[2 * i + 1]);
        }
        spectrogram_feed(p->spectrogram, first, second, piece);
        before += 2 * piece;
        after += 2 * piece;
        frames -= piece;
    }
}

void track_picture_feed(struct track_picture *p, const float *before, const float *after,
                        uint32_t frames, const struct chain_dynamics *dynamics)
{
    assert(frames > 0 && frames <= track_picture_wants(p, frames));
    const uint32_t column = column_of(p, p->taken);
    widen(&p->waveform[TRACK_BEFORE][column], before, frames);
    widen(&p->waveform[TRACK_AFTER][column], after, frames);
    struct chain_dynamics *strongest = &p->dynamics[column];
    strongest->compressor_db = fmin(strongest->compressor_db, dynamics->compressor_db);
    strongest->limiter_db = fmin(strongest->limiter_db, dynamics->limiter_db);
    feed_spectrogram(p, before, after, frames);
    p->taken += frames;
}

void track_picture_finish(struct track_picture *p)
{
    p->taken = p->frames;
    spectrogram_finish(p->spectrogram);
}

uint32_t track_picture_columns(const struct track_picture *p)
{
    return p->columns;
}

const struct track_extent *track_picture_waveform(const struct track_picture *p,
                                                  enum track_side side)
{
    assert(side < TRACK_SIDES);
    return p->waveform[side];
}

const struct chain_dynamics *track_picture_dynamics(const struct track_picture *p)
{
    return p->dynamics;
}

const struct spectrogram *track_picture_spectrogram(const struct track_picture *p)
{
    return p->spectrogram;
}

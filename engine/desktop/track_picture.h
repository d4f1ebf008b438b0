// SPDX-License-Identifier: MIT
// What a track looks like before and after mastering: waveform, spectrogram, gain of the dynamics.
#pragma once
#include "dsp/annotate.h"
#include "dsp/mastering/chain.h"
#include "engine/desktop/spectrogram.h"
#include <stdint.h>

enum { TRACK_PICTURE_COLUMNS_MOST = 1000 };

enum track_side { TRACK_BEFORE, TRACK_AFTER, TRACK_SIDES };

/// Lowest and highest sample of both channels in one column.
struct track_extent {
    float low, high;
};

/// Columns of equal length over a whole track. Thread-safety: one thread at a time.
struct track_picture;

/// @param frames of the track, more than 0. @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int track_picture_create(struct track_picture **out, uint64_t frames, uint32_t rate_hz);
/// Destroy and set *picture to NULL. NULL is fine.
void track_picture_destroy(struct track_picture **picture);
/// How many of at most `most` frames to feed next, so that no feed spans two columns. 0: complete.
uint32_t track_picture_wants(const struct track_picture *picture, uint32_t most);
/// As many frames as it wants, or fewer, of both sides in stereo, and what the chain did to them.
void track_picture_feed(struct track_picture *picture, const float *before, const float *after,
                        uint32_t frames, const struct chain_dynamics *dynamics);
/// No feed after it; a track that ended early is drawn as silence from there on.
void track_picture_finish(struct track_picture *picture);

/// 1 .. TRACK_PICTURE_COLUMNS_MOST.
uint32_t track_picture_columns(const struct track_picture *picture);
const struct track_extent *track_picture_waveform(const struct track_picture *picture,
                                                  enum track_side side);
/// The strongest reductions in each column.
const struct chain_dynamics *track_picture_dynamics(const struct track_picture *picture);
/// Of the middle of both channels; its first signal is the track before, its second after.
const struct spectrogram *track_picture_spectrogram(const struct track_picture *picture);

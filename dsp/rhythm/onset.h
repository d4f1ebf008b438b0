// SPDX-License-Identifier: MIT
// Onset strength: how much a spectrum rises, frame by frame, kept for a track's first hour.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>
#include <stdint.h>

/// Parts of the spectrum whose accents are told apart. Below 200 Hz a kick or a bass, above 2.5 kHz
/// a snare or a hat; ONSET_CHANGE is a change of pitch rather than of loudness, and ONSET_HARMONY one
/// that outlasts a note. These are nepers; ONSET_WEIGHT is the growth of the amplitude under 150 Hz as a share of
/// the largest so far: unlike nepers, it tells a heavy stroke from a light one after silence.
enum onset_part {
    ONSET_LOW,
    ONSET_MIDDLE,
    ONSET_HIGH,
    ONSET_CHANGE,
    ONSET_HARMONY,
    ONSET_WEIGHT,
    ONSET_PARTS
};
enum {
    ONSET_BINS = 1025,            // of a power spectrum
    ONSET_PART_FRAMES = 1u << 15, // the parts are kept for the first 12 minutes only
    ONSET_KEPT_S = 3600,          // the whole is kept for so long
    ONSET_LATE_FRAMES = 1u << 12, // of what comes later, so much at a time
    ONSET_SCALE = 4096,           // stored strengths are multiples of 1 / ONSET_SCALE nepers
};

/// Thread-safety: one thread at a time.
struct onset;

/// @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int onset_create(struct onset **out, double rate_hz);
/// Take the power spectrum of the next frame, ONSET_BINS long.
void onset_push(struct onset *onset, const float *power);
/// Destroy and set *onset to NULL. NULL is fine.
void onset_destroy(struct onset **onset);

/// Frames pushed so far, those of the first ONSET_KEPT_S at most.
size_t onset_frames(const struct onset *onset);
/// Strength per frame in 1 / ONSET_SCALE nepers, the mean rise over all bands; valid until the next
/// push. A strength does not depend on the gain of the track.
const uint16_t *onset_strength(const struct onset *onset);
/// A stretch of frames after those, the latest: it grows to ONSET_LATE_FRAMES, then another begins.
struct onset_stretch {
    const uint16_t *strength;
    size_t frames;
};

/// Valid until the next push; no frames before the hour is over.
struct onset_stretch onset_late_stretch(const struct onset *onset);
/// What onset_strength() gives, for one part of the spectrum; the smaller of onset_frames() and ONSET_PART_FRAMES
/// values.
const uint16_t *onset_part_strength(const struct onset *onset, enum onset_part part);

// SPDX-License-Identifier: MIT
// Tracks of strokes whose places are known, and what dsp/rhythm makes of them.
#pragma once
#include "dsp/rhythm/rhythm.h"
#include <stddef.h>
#include <stdint.h>

#define RHYTHM_TRACK_RATE_HZ 22050.0

struct rhythm_track {
    float *samples; // the test's to free
    size_t count;
    uint32_t noise; // seed
};

/// Silence to write into.
struct rhythm_track rhythm_track_make(double seconds);
/// Clicks from 0.5 s on.
struct rhythm_track rhythm_track_make_clicks(double bpm, double seconds);
/// A click: 15 ms of decaying noise.
void rhythm_track_add_click(struct rhythm_track *track, double time_s, double level);
/// A 60 Hz thump, as of a kick drum.
void rhythm_track_add_thump(struct rhythm_track *track, double time_s, double level);
/// Uniform in -1 to 1; the same track gives the same.
double rhythm_track_next_noise(struct rhythm_track *track);
/// Push all frames.
void rhythm_track_feed(struct rhythm *rhythm, const struct rhythm_track *track);
/// The whole way. The caller ends the result.
struct rhythm_result rhythm_track_measure(const struct rhythm_track *track);
/// Is a tempo within a thousandth of the truth?
int rhythm_track_is_at(double bpm, double truth);
/// How far a tempo is off the nearest simple ratio to the truth, as a share.
double rhythm_track_ratio_error(double bpm, double truth);
void assert_no_pulse(const struct rhythm_result *result);

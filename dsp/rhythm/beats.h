// SPDX-License-Identifier: MIT
// Where the beats of a known period lie in an onset strength curve.
#pragma once
#include "dsp/annotate.h"
#include "dsp/rhythm/drift.h"
#include <stddef.h>
#include <stdint.h>

/// A straight line through beats: beat number n lies near first_frame + n * period_frames.
struct beat_line {
    double first_frame, period_frames;
    double spread; // robust standard deviation of the beats around it, in periods
};

/// Follow a pulse of about `period_frames` through `strength` by dynamic programming (Ellis 2007) and
/// place every beat to a fraction of a frame. `drift` says how the pulse moves; NULL: it is steady. *out:
/// ascending frame positions, the caller free()s it.
/// @return 0; -ENOMEM. On error, and where there are no beats, *out is NULL and *count 0.
MUST_CHECK int beats_find(const uint16_t *strength, size_t frames, double period_frames,
                          const struct drift *drift, double **out, uint32_t *count);
/// Move two or more ascending beats by a share (0..1) of an interval, each to the nearest top of the
/// strength; the last is dropped, and one before the first added where there is room for it.
void beats_shift(const uint16_t *strength, size_t frames, double share, double *beats,
                 uint32_t *count);
/// Move each beat to the top of the strength next to it, to a fraction of a frame.
void beats_refine(const uint16_t *strength, size_t frames, double *beats, uint32_t count);
/// How long the strength takes to rise at the beats: from half of the top to the top, the median in frames.
/// A soft attack rises over several frames and is heard to begin before its top.
double beats_rise(const uint16_t *strength, size_t frames, const double *beats, uint32_t count);
/// Least-squares line through two or more ascending beats; a missed beat leaves a gap in the numbering.
/// @return 0; -ENOMEM.
MUST_CHECK int beats_fit(const double *beats, uint32_t count, double period_frames,
                         struct beat_line *out);
/// Median interval of the beats, and 1/(1+CV) with CV = 1.4826 median|I - median I| / median I; fewer
/// than 3 beats: stability 0. @return 0; -ENOMEM.
MUST_CHECK int beats_stability(const double *beats, uint32_t count, double *stability);
/// The median interval; where two fifths of them are much more alike than the rest and lie in one stretch, as before
/// or after a step of the tempo, the median of those. Two beats or more. @return 0; -ENOMEM.
MUST_CHECK int beats_usual_interval(const double *beats, uint32_t count, double *interval);

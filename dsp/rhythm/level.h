// SPDX-License-Identifier: MIT
// How likely a listener is to call a pulse the beat, rather than its half, its double or its third.
#pragma once
#include "dsp/annotate.h"
#include "dsp/rhythm/lags.h"
#include "dsp/rhythm/onset.h"

/// What speaks for a pulse or against it. Recurrences are those of dsp/rhythm/lags.h, accents logarithms of
/// ratios.
enum level_evidence {
    LEVEL_USUAL,      // logarithm of how usual its tempo is
    LEVEL_SOFT,       // the same, times how softly notes begin
    LEVEL_FAST,       // octaves above 120 BPM
    LEVEL_ONCE,       // recurrence after one beat
    LEVEL_BARS,       // after 2, 3 or 4 beats, whichever recurs most
    LEVEL_EXPLAINS,   // logarithm of that, or of 6 or 8 beats, against the best bar of any length
    LEVEL_THREE,      // recurrence after 3 beats
    LEVEL_THREE_TWO,  // after 3/2: of a pulse that is itself 2/3 of one
    LEVEL_TWO_THIRDS, // after 2/3: of a pulse that is itself 3/2 of one
    LEVEL_HARMONY,    // changes of harmony on the beats against anywhere
    LEVEL_CHORDS,     // changes of harmony at that beat of 1 to 4 which has most, against anywhere
    LEVEL_BETWEEN,    // accents halfway between beats against those on them
    LEVEL_WITHIN, // accents at the strongest of halves, thirds and quarters against those on the beats
    LEVEL_WITHIN_LOW, // the same of what is low
    LEVEL_ALTERNATES, // accents on every other beat against the rest, where the rest has some
    LEVEL_WEAKEST,    // what is high at the weakest beat of four against anywhere
    LEVEL_ANSWERS,    // low accents take turns with higher ones, as a kick does with a snare
    LEVEL_SWING,      // accents 2/3 into the beats against 1/3 and 1/2, where 2/3 are no pulse
    LEVEL_COMPOUND, // accents at both thirds of the beats against halfway, where no simpler pulse recurs
    LEVEL_UNEVEN, // how far the beats stray from a straight line, in seconds
    LEVEL_EVIDENCE
};

/// Gather the evidence for a pulse of `period_frames`. @param softness 0 where notes begin with a stroke.
/// @return 0; -ENOMEM.
MUST_CHECK int level_measure(const struct onset *onset, const struct lags *lags,
                             double period_frames, double frame_rate_hz, double softness,
                             double evidence[LEVEL_EVIDENCE]);
/// How fast the strength rises at the beats of a pulse, as beats_rise() has it; 0 without any. @return 0; -ENOMEM.
MUST_CHECK int level_measure_rise(const struct onset *onset, double period_frames, double *rise);
/// By how many frames beats rise more slowly than strokes do; 0 where they do not.
double level_softness(double rise_frames);
/// The evidence weighed up: the more, the likelier, as the logarithm of odds.
double level_weigh(const double evidence[LEVEL_EVIDENCE]);
/// How usual a tempo is, 0..1: a bell over octaves.
double level_prior(double bpm);

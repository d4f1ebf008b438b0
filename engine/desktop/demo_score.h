// SPDX-License-Identifier: MIT
// The demo's pieces as music: chords, bass, melody and drums on a grid of steps.
#pragma once
#include "dsp/annotate.h"
#include <stdint.h>

enum { SCORE_STEPS = 16, SCORE_BARS_MOST = 8, SCORE_CHORD_NOTES = 4 };

/// Notes are MIDI numbers (69 is 440 Hz); 0 is a rest.
struct demo_bar {
    uint8_t chord[SCORE_CHORD_NOTES]; // held through the bar
    uint8_t bass;
    uint8_t melody[SCORE_STEPS];
};

/// One piece: `bar_count` bars of 16 steps, drums the same in each. Strings have one character a step:
/// 'x' struck, 'o' softly, '.' not.
struct demo_score {
    const char *name; // file name with its extension, which says the container
    const char *title;
    uint32_t rate_hz;
    uint32_t depth_bits;
    double bpm;
    unsigned bar_count;
    const struct demo_bar *bars;
    const char *kick, *snare, *hat, *bass_rhythm;
    float melody_decay_s, pad_level, melody_level, bass_level, drum_level;
};

extern const struct demo_score demo_scores[];

// SPDX-License-Identifier: MIT
// What speaks for each of the 24 keys: the notes of a track, its triads and its bass.
#pragma once
#include "dsp/analysis.h"

enum { KEY_MODES = 2 }; // KEY_MAJOR and KEY_MINOR

/// Sums over stretches of a track, each of which counts the same however loud it is. Starts zeroed.
struct key_evidence {
    double notes[PITCH_CLASS_COUNT]; // as played: without their overtones
    double bass[PITCH_CLASS_COUNT];
    double triads[KEY_MODES][PITCH_CLASS_COUNT]; // by mode and root, how likely each sounded
    double recent_bass[PITCH_CLASS_COUNT];
    // --- the triad that is likeliest in the last stretch, and for how many stretches it has been
    int likeliest; // mode * PITCH_CLASS_COUNT + root
    uint32_t stay;
    uint32_t longest[KEY_MODES][PITCH_CLASS_COUNT]; // the longest that each was the likeliest
};

/// Add a stretch, by how strongly it sounds in each pitch class (0 = C); silence adds nothing.
void key_evidence_add(struct key_evidence *evidence, const double notes[PITCH_CLASS_COUNT],
                      const double bass[PITCH_CLASS_COUNT]);
/// Choose the likeliest key. *strength is the likeness (0..1) of its scale to the notes. Without any
/// notes: tonic -1, KEY_MODE_UNKNOWN, strength 0; chroma is left alone.
void key_evidence_choose(const struct key_evidence *evidence, struct key *out);

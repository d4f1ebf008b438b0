// SPDX-License-Identifier: MIT
// The callback's state: filled by callback_setup.c, then touched by callback.c alone.
#pragma once
#include "engine/audio/blend.h"
#include "engine/audio/callback.h"
#include "engine/audio/ring.h"
#include "engine/snapshot.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    CALLBACK_FADES_PER_S = 200, // 5 ms
    CALLBACK_RAMPS_PER_S = 100, // 10 ms
    CALLBACK_LINE_BYTES = 64,
};

/// What the listener hears. A paced callback goes round: silent, sounding, leaving, silent.
enum voice {
    VOICE_SILENT,
    VOICE_SOUNDING, // perhaps still fading in
    VOICE_LEAVING,  // fading out
};

struct callback {
    // --- immutable after create
    struct ring *ring; // borrowed
    bool is_patient;
    bool has_sides; // the ring has two
    bool is_locked;
    uint32_t fade_frames, ramp_frames;
    uint32_t cross_frames, level_frames; // CALLBACK_CROSS_MS, CALLBACK_LEVEL_MS
    float peak_fall;                     // of the peak reading, per frame
    // --- audio thread only
    _Alignas(CALLBACK_LINE_BYTES) enum voice voice;
    uint32_t epoch;  // the one played, or waited for
    uint32_t offset; // frames already taken from the ring's oldest block
    uint32_t level;  // of the fade: 0 silence .. fade_frames unity
    bool is_dry;     // nothing in the ring continues what was heard: fade the last frame instead
    bool has_played; // ever
    float last[2];   // the last frame taken, before fade and gain
    enum callback_sound sound; // of the blend, or that it is on its way to
    uint32_t sound_track;      // whose gains it has
    struct blend blend;
    float gain, gain_goal;
    uint32_t gain_frames; // that the ramp to the goal still takes
    struct callback_position position;
    uint32_t ended_epoch;
    struct callback_counters counters;
    // --- atomic: written by control (relaxed: they publish nothing but themselves), read by the audio thread
    _Alignas(CALLBACK_LINE_BYTES) _Atomic uint64_t
        wish; // epoch << 32 | mode: one word, never half a command
    _Atomic float wanted_gain;
    _Atomic int wanted_sound; // enum callback_sound
    // --- atomic: written by the audio thread after each run, read by any
    _Alignas(CALLBACK_LINE_BYTES) struct snapshot readings;
};

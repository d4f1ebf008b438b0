// SPDX-License-Identifier: MIT
// What runs on the audio thread: blocks from the ring to the device, volume, fades, counters. Nothing else.
#pragma once
#include "dsp/annotate.h"
#include <stdint.h>

/// Thread-safety: callback_run() on the audio thread; commands from one control thread; readings from any.
struct callback;

enum callback_mode {
    CALLBACK_PAUSED,  // fades out, then silence; the ring is left alone
    CALLBACK_PLAYING, // fades in after a pause or a gap
};

/// What is heard of a ring of two sides. Both are equally late, so that going over is no gap and no repetition.
enum callback_sound {
    CALLBACK_MASTERED, // bit-exact
    CALLBACK_MATCHED,  // mastered, at the gain that makes it as loud as the plain side
    CALLBACK_PLAIN,    // past the chain, at the gain that makes it as loud as the mastered side
};

enum {
    CALLBACK_CROSS_MS = 50,   // from side to side, or from track to track
    CALLBACK_LEVEL_MS = 4000, // where only a side's level changes: too slow to be heard as a step
};

/// Fill `stereo`. Takes blocks of the wanted epoch, drops stale ones at once; a change of epoch, a pause and
/// an underrun fade out over 5 ms and in again, a join between tracks does not. No fade at the first
/// frame of all and at the end of the queue; a patient sink gets the ring's frames as they are, without
/// any fade. @return frames that hold audio or wanted silence: all of
/// them on a paced sink; on a patient one only what was ready. RT safe.
RT_SAFE uint32_t callback_run(void *callback, float *stereo, uint32_t frames);

// --- commands: wait-free, heard within the next period
void callback_set_mode(struct callback *callback, enum callback_mode mode);
/// From now on only blocks of `epoch` are played. Epochs grow, modulo 2^32; 0 is none.
void callback_set_epoch(struct callback *callback, uint32_t epoch);
/// Go over to another sound: at once where nothing is heard, else from the next callback's first frame on, without a
/// corner, within CALLBACK_CROSS_MS or, from matched to mastered, CALLBACK_LEVEL_MS. Nothing on a ring of one side.
void callback_set_sound(struct callback *callback, enum callback_sound sound);
/// Linear gain >= 0, 1 is unity (bit-exact once reached). Ramped over 10 ms where something is heard.
void callback_set_gain(struct callback *callback, float gain);

// --- readings: consistent, never torn
struct callback_position {
    uint32_t epoch, track;
    uint64_t frame; // the next to be played
};

struct callback_counters {
    uint64_t callbacks;
    uint64_t frames_played; // taken from the ring
    // not: pauses, gaps and the fades into them; both together make up all frames
    uint64_t silent_frames;
    uint64_t underruns;    // gaps that a late block made, on a paced sink
    uint64_t stale_blocks; // dropped for an epoch that is over, whole or in part
    float peak;            // linear, after volume; falls back within a second
    float sound_gain;      // of the side that is heard or gone over to, before volume
};

void callback_position(const struct callback *callback, struct callback_position *position);
void callback_counters(const struct callback *callback, struct callback_counters *counters);
/// Epoch whose RING_QUEUE_END block was played out last; 0: none.
uint32_t callback_ended_epoch(const struct callback *callback);

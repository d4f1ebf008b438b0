// SPDX-License-Identifier: MIT
// The render thread with its ring and its callback between a test and its tracks: it renders ahead until the ring is
// full, and goes on when a block was heard, so that what happens at which frame is the test's choice. Everything
// asserts; all but the render thread's events is for one thread.
#pragma once
#include "dsp/mutex.h"
#include "engine/audio/callback_setup.h"
#include "engine/render/render.h"
#include "support/loop_thread.h"
#include "support/scratch.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RIG_RATE = 16000,
    RIG_BLOCK = RING_BLOCK_FRAMES,
    RIG_RING_BLOCKS = 64,
    RIG_TRACKS = 2,
    RIG_HEARD_MOST = 40 * RIG_RATE,
    RIG_TONE_HZ = 997,
};

/// What a ramp moves while the chain holds the audio back is within it.
#define RIG_SAME_DB 0.1

struct render_rig {
    char folder[SCRATCH_PATH_BYTES];
    struct loop_thread loop;
    struct mastering_settings settings;
    struct track *tracks[RIG_TRACKS];
    struct ring *ring;
    struct callback *callback;
    struct render *render;
    float *heard; // stereo
    uint32_t heard_frames;
    double off_db; // the most by which a block's sides are not as far apart as it says
    const struct track_album *albums_told; // of both tracks, when the second begins
    // --- protected by lock
    struct mutex lock;
    struct cond committed; // predicate: the ring is full
    uint32_t first_fill;   // of the ring, when something was to be had of it
    bool has_failed;
};

enum render_rig_content {
    RIG_MUSIC,
    RIG_MASTERED_MUSIC, // by its tag: makeup is all that is done to it
};

/// cmocka's set-up and tear-down: *state is the rig, without tracks.
int render_rig_set_up(void **state);
int render_rig_tear_down(void **state);

/// Write and admit the track at `index`, the first or the second.
void render_rig_add(struct render_rig *rig, int index, const float *stereo, size_t frames,
                    enum render_rig_content content);
/// The same of `seconds` of a mastered tone.
void render_rig_add_tone(struct render_rig *rig, int index, double seconds, double level_db);
/// A tone of `early_db` to `until_s` and of `level_db` from there on; the caller's to free().
float *render_rig_tone(double seconds, double early_db, double until_s, double level_db);
/// Targets that do no more to a tone of `level_db` than to raise it.
struct mastering_targets render_rig_raised(double makeup_db, double level_db);

/// Begin to render the first track at its first frame, with nothing heard yet.
void render_rig_start(struct render_rig *rig, int has_albums);
/// The same at `frame`.
void render_rig_start_at(struct render_rig *rig, int has_albums, uint64_t frame);
/// Give up the render thread and the tracks; what was heard stays.
void render_rig_stop(struct render_rig *rig);

/// Wait until the ring is full.
void render_rig_wait(struct render_rig *rig);
/// Wait until the ring is full. @return its oldest block, which the rig's next call may release
const struct ring_block *render_rig_look(struct render_rig *rig);
/// Hear the oldest block.
void render_rig_hear_block(struct render_rig *rig);
/// Hear all up to `seconds` after the first frame.
void render_rig_hear_to(struct render_rig *rig, double seconds);

/// Of both channels.
double render_rig_rms(const float *stereo, uint32_t frames);
/// By how much the mastered side of a block is louder than the plain one.
double render_rig_lift_db(const struct ring_block *block);

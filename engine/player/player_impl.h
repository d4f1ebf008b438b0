// SPDX-License-Identifier: MIT
// The player's state, for the files that make it up: player.c (commands, status), player_plan.c (what is
// heard and what comes next), player_device.c (the device and what lies before it).
#pragma once
#include "dsp/mutex.h"
#include "engine/audio/callback.h"
#include "engine/audio/callback_setup.h"
#include "engine/audio/ring.h"
#include "engine/player/lineup.h"
#include "engine/player/player.h"
#include "engine/prepare/album_planner.h"
#include "engine/render/render.h"
#include <stdbool.h>
#include <stdint.h>

// Lock order: command_lock, lock, then render's, then a track's. The device is opened and closed, and headers are
// waited for, under command_lock alone, so that status and the render thread never wait for a slow host.
struct player {
    // --- immutable after create
    struct player_config config;
    struct mastering_settings settings;
    struct album_planner *planner; // NULL: no mastering
    struct mutex command_lock;     // one command at a time; outermost
    // --- protected by command_lock; set once when the device is first opened, then read by all threads
    struct ring *ring;
    struct callback *callback;
    struct render *render;
    struct sink_info device;
    // --- protected by command_lock
    struct sink *sink; // the render thread wakes patient ones, which are never reopened
    unsigned retry;
    int64_t retry_at_ns;
    struct mutex lock;
    struct cond changed; // predicate: the state is PLAYER_STOPPED
    // --- protected by lock
    struct queue *queue;
    struct lineup lineup;
    enum player_state state;
    uint64_t current_id; // of the track that is heard, or will be next
    uint64_t entries;    // ever added, less the removed ones
    uint32_t epoch, last_serial;
    double start_s; // of the command under way, until its first block is heard
    unsigned volume;
    enum player_sound sound;
    bool compares; // plain sound was asked for, and mastered sound is matched to it
    // When the sound was last set: the track that was heard, and how much of all.
    uint64_t compared_id, compared_frames;
    struct player_totals totals;
    uint64_t closed_xruns; // of devices that were lost
    char device_error[256];
};

// --- player_plan.c

/// The events of the render thread.
struct render_events player_events(struct player *p);
/// The planner of albums, for a player that masters. @return 0; -ENOMEM; -EAGAIN.
MUST_CHECK int player_plan_albums(struct player *p);
/// Bring the player's view up to what the audio thread has played.
void player_follow_locked(struct player *p) REQUIRES(p->lock);
/// The queue has ended or was ended: count what was heard whole, tell who waits.
void player_stop_locked(struct player *p) REQUIRES(p->lock);
/// The track that is heard is left before its end: it counts as played, what was rendered after it does not.
void player_leave_locked(struct player *p) REQUIRES(p->lock);
/// The planned or a new track of entry `id`, a reference; NULL without memory or entry.
struct track *player_plan_track_locked(struct player *p, uint64_t id) REQUIRES(p->lock);
/// Tell the scheduler what is heard and rendered, and what follows.
void player_replan_locked(struct player *p) REQUIRES(p->lock);
/// Name a failed entry, once.
void player_report_locked(struct player *p, struct track *track, const char *text)
    REQUIRES(p->lock);

// --- player.c

/// Start the track that is heard anew at `position_s`; what was rendered after it is given up.
void player_restart_at_locked(struct player *p, double position_s) REQUIRES(p->lock);
/// Play entry `id` from its start; 0: end.
void player_go_to_locked(struct player *p, uint64_t id) REQUIRES(p->lock);
/// All frames heard since the player was made.
uint64_t player_heard_frames_locked(const struct player *p) REQUIRES(p->lock);
/// Tell the audio thread which side it is to play, and how.
void player_choose_side_locked(struct player *p) REQUIRES(p->lock);
/// Seconds into the track that is heard.
double player_heard_s_locked(struct player *p) REQUIRES(p->lock);

// --- player_device.c (under command_lock, without lock)

/// Open the device and all that lies before it, for the rate of the first track. @return 0 or -errno.
MUST_CHECK int player_open_device(struct player *p, uint32_t rate_hz);
/// Notice a lost device, try to get it back.
void player_look_after_device(struct player *p);

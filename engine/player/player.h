// SPDX-License-Identifier: MIT
// The player: a queue, what is heard of it, and the commands a user gives.
#pragma once
#include "cache/analysis_cache.h"
#include "dsp/annotate.h"
#include "dsp/mastering/mastering.h"
#include "engine/log.h"
#include "engine/player/queue.h"
#include "engine/prepare/scheduler.h"
#include "engine/prepare/track.h"
#include "io/sink/sink.h"
#include <stdbool.h>
#include <stdint.h>

/// Thread-safety: Safe, except on the audio thread. Commands return at once but player_play(), which waits for
/// the first track's header when the device is not open yet.
struct player;

struct player_config {
    struct scheduler *scheduler;               // borrowed
    const char *device;                        // as in struct sink_config; borrowed
    uint32_t rate_hz;                          // 0: the first playable track's
    uint32_t buffer_frames;                    // 0: the device's choice
    double speed;                              // of the null device
    const struct mastering_settings *settings; // copied; NULL: no mastering
    struct log *log;                           // borrowed
    /// How the device is opened; NULL: sink_open(). For a harness that looks on.
    int (*open_sink)(void *open_context, struct sink **out, const struct sink_config *config);
    void *open_context;
};

/// What is heard of a player that masters.
enum player_sound {
    PLAYER_MASTERED,
    PLAYER_PLAIN, // past the chain: the tracks as they are, no louder than mastered
};

enum { PLAYER_COMPARISON_S = 20 }; // nobody remembers for longer how plain sounded

enum player_state { PLAYER_STOPPED, PLAYER_PLAYING, PLAYER_PAUSED, PLAYER_DEVICE_LOST };

enum { PLAYER_PATH_BYTES = 4096 };

struct player_status {
    enum player_state state;
    uint64_t queue_id;       // of the track that is heard; 0: none
    size_t position, length; // in the queue, from 0
    char path[PLAYER_PATH_BYTES];
    double elapsed_s, duration_s;
    struct track_progress current;
    bool masters; // the player was made to
    enum player_sound sound;
    bool compares; // until another track is heard mastered, mastered is no louder than plain either
    double match_db; // by which what is heard is lowered (< 0) or raised for that
    bool has_next;
    char next_path[PLAYER_PATH_BYTES];
    struct track_progress next;
    struct sink_info device; // zero before one is open
    // rendered, not yet played, at most: of the ring's full and part-full blocks
    uint64_t ring_frames;
    unsigned volume; // 0..100
    float peak;
};

/// Counts since the player was made.
struct player_totals {
    uint64_t played; // entries heard, to their end or until they were left
    uint64_t failed; // entries that could not be played, or not whole
    uint64_t tracks; // entries there were to play
    uint64_t underruns, xruns;
    uint64_t frames;  // given to the device
    int device_error; // -errno of a device that could not be opened or written; 0: none
};

/// @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int player_create(struct player **out, const struct player_config *config);
/// Stop, close the device, set *player to NULL. NULL is fine. @return 0, or -errno when a file's last bytes could
/// not be written.
int player_destroy(struct player **player);

// --- the queue; edits re-plan what is prefetched, and are heard if they change what comes next
/// @return 0 and *id; -ENOMEM.
MUST_CHECK int player_add(struct player *player, const char *path, uint64_t *id);
MUST_CHECK int player_insert(struct player *player, size_t position, const char *path,
                             uint64_t *id);
/// Removing the track that is heard goes on to the next one. @return 0; -ENOENT.
int player_remove(struct player *player, uint64_t id);
/// @return 0; -ENOENT.
int player_move(struct player *player, uint64_t id, size_t position);
void player_clear(struct player *player);
void player_set_repeat(struct player *player, enum queue_repeat repeat);
void player_set_shuffle(struct player *player, enum queue_shuffle shuffle, uint64_t seed);

// --- transport
/// Play entry `id` (0: the first in play order) from `start_s`; opens the device if it is not open.
/// Entries that cannot be played are reported and passed over. @return 0; -ENOENT: nothing to play;
/// -EINVAL: start past the end of that track; the device's errors, see player_device_error().
MUST_CHECK int player_play(struct player *player, uint64_t id, double start_s);
void player_pause(struct player *player);
void player_resume(struct player *player);
/// Fade out and end; the queue stays.
void player_stop(struct player *player);
/// Go to a position of the track that is heard, clamped to its ends. Nothing when stopped.
void player_seek(struct player *player, double position_s);
/// The next entry; the end of the queue stops.
void player_next(struct player *player);
/// The start of the track, or the entry before it within the first 3 s.
void player_previous(struct player *player);
/// 0..100: gain is (volume/100)^3, so that 50 is -18 dB and equal steps sound about equal; 100 is unity.
void player_set_volume(struct player *player, unsigned volume);
/// Go over to mastered or plain sound, heard within a period, in CALLBACK_CROSS_MS, without a gap. The louder one
/// is lowered, or plain sound raised up to the ceiling, so that both are equally loud: plain always, mastered from
/// the first plain sound until PLAYER_COMPARISON_S of it, or another track, were heard. Nothing on a player that
/// does not master.
void player_set_sound(struct player *player, enum player_sound sound);

// --- what happens
/// Look after the player: follow what is heard, bring a lost device back. To be called a few times a second.
/// Waits until CLOCK_MONOTONIC reads `deadline_ns` or the queue has ended. @return the state.
enum player_state player_update(struct player *player, int64_t deadline_ns);
void player_status(struct player *player, struct player_status *status);
void player_totals(struct player *player, struct player_totals *totals);
/// Words for a device that could not be opened; "" if none failed. A copy into `text`.
void player_device_error(struct player *player, char *text, size_t bytes);

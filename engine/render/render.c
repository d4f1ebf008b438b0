// SPDX-License-Identifier: MIT
#include "engine/render/render.h"
#include "dsp/mutex.h"
#include "engine/monotonic.h"
#include "engine/render/playing.h"
#include "engine/render/track_stream.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    FIRST_LOOK_FRAMES =
        64, // after a command: what fills the ring is stale, and dropped by the next callback
    // An epoch begins with this many blocks at once, a third of a second: its first block alone would be played
    // out before a busy machine lets this thread render the next.
    LEAD_BLOCKS = 32,
    FAILURES_MAX =
        1000, // in a row, before the queue counts as unplayable: with repeat it has no end
};

struct command {
    uint32_t epoch, serial;
    struct track *track; // a reference
    uint64_t start_frame;
    bool pending;
};

struct render {
    // --- immutable after create
    struct render_config config;
    struct mastering_settings settings;
    pthread_t thread;
    struct mutex lock; // leaf, but for a track's
    struct cond wake;  // predicate: command.pending || stopping || room in the ring
    // --- protected by lock
    struct command command;
    struct track *busy; // what the thread may be waiting for; a reference of the thread's
    bool stopping;
    // --- render thread only
    struct playing now, next; // next: prepared when all input of `now` is read
    bool next_is_known;       // and is nothing, if it has no track
    uint32_t epoch;
    uint32_t pending_flags; // of the next block
    // still to be held back before the epoch's first ones are published together
    uint32_t lead_blocks;
    uint32_t look_frames; // of playing, until a full ring is looked at again
    bool end_due;         // the epoch holds nothing more, and its last block is not committed yet
};

static void drop(struct render *r, struct playing *p)
{
    playing_close(p);
    mutex_lock(&r->lock);
    r->busy = NULL;
    mutex_unlock(&r->lock);
    track_unref(&p->track);
}

static void drop_tracks(struct render *r)
{
    drop(r, &r->now);
    drop(r, &r->next);
    r->next_is_known = false;
}

// Makes the track known to whoever wants to interrupt a wait for it. @return false: a command waits already.
static bool take_track(struct render *r, struct playing *p, struct track *track, uint32_t serial)
{
    mutex_lock(&r->lock);
    r->busy = track;
    const bool superseded = r->command.pending || r->stopping;
    mutex_unlock(&r->lock);
    *p = (struct playing){.config = &r->config, .track = track, .serial = serial};
    return !superseded;
}

static void fail(struct render *r, struct track *track, int error)
{
    if (track_is_cancelled(track))
        return;
    char text[192];
    track_error_text(track, text, sizeof(text));
    r->config.events.failed(r->config.events.context, track,
                            text[0] ? text : decoder_error_text(error));
}

static int open_stream(struct render *r, struct playing *p, uint64_t start_frame)
{
    struct decoder_info info;
    const bool fresh = track_decoder(p->track) == NULL;
    int error = track_open_decoder(p->track, &info);
    if (!error && !fresh && start_frame == 0)
        error = decoder_seek(track_decoder(p->track), 0);
    if (error)
        return error;
    const uint64_t length = track_stream_scale(info.frames, info.format.rate_hz, r->config.rate_hz);
    if (start_frame > length) // a seek that was given before the length was known
        start_frame = length;
    const struct track_stream_config config = {
        .decoder = track_decoder(p->track),
        .info = info,
        .rate_hz = r->config.rate_hz,
        .start_frame = start_frame,
        .mastering = r->config.settings ? TRACK_STREAM_MASTERED : TRACK_STREAM_PLAIN,
        .end = TRACK_STREAM_WAITS};
    error = track_stream_open(&p->stream, &config);
    if (error)
        return error;
    p->frame = start_frame;
    r->config.events.begun(r->config.events.context, p->track, p->serial, length);
    return playing_choose_targets(p);
}

static struct track *successor(struct render *r, const struct playing *p)
{
    return r->config.events.next(r->config.events.context, p->track, r->epoch, p->serial + 1);
}

// Begin `track`, or the first one after it that can be played.
static void begin(struct render *r, struct playing *p, struct track *track, uint32_t serial,
                  uint64_t start_frame)
{
    for (int failures = 0; track; ++failures) {
        if (!take_track(r, p, track, serial))
            return;
        const int error = open_stream(r, p, start_frame);
        if (!error)
            return;
        fail(r, p->track, error);
        track_stream_close(&p->stream);
        if (track_is_cancelled(p->track))
            return;
        track = failures < FAILURES_MAX ? successor(r, p) : NULL;
        ++serial;
        start_frame = 0;
        drop(r, p);
    }
}

static void report_damage(struct render *r)
{
    const char *damage = decoder_damage_text(track_decoder(r->now.track));
    if (damage && !track_is_cancelled(r->now.track))
        r->config.events.failed(r->config.events.context, r->now.track, damage);
}

// All input of this track is read: what follows it?
static void prepare_next(struct render *r)
{
    report_damage(r);
    r->next_is_known = true;
    begin(r, &r->next, successor(r, &r->now), r->now.serial + 1, 0);
}

// The chain runs on where both tracks' album says so; else what it holds is fetched, and the next one starts fresh.
static void join_or_finish(struct render *r)
{
    struct track_album now, next;
    const bool joins = r->next.stream && r->config.has_albums &&
                       track_album(r->now.track, &now) == 0 &&
                       track_album(r->next.track, &next) == 0 && !r->now.may_join_an_album &&
                       !r->next.may_join_an_album && now.next_id == track_queue_id(r->next.track);
    if (joins)
        track_stream_join(r->now.stream, r->next.stream, &next.targets);
    else
        track_stream_finish(r->now.stream);
}

static void go_over_to_next(struct render *r)
{
    playing_close(&r->now);
    track_unref(&r->now.track);
    r->now = r->next;
    r->next = (struct playing){0};
    r->next_is_known = false;
    if (r->now.track)
        return;
    mutex_lock(&r->lock);
    r->busy = NULL;
    mutex_unlock(&r->lock);
}

// A short read tells that only what the chain holds is left, if that waits, else that the track has ended.
static int64_t read_block(struct render *r, float *stereo, float *plain)
{
    const int64_t got = track_stream_read_both(r->now.stream, stereo, plain, RING_BLOCK_FRAMES);
    if (got < 0 || got == RING_BLOCK_FRAMES || !track_stream_is_waiting(r->now.stream) ||
        track_is_cancelled(r->now.track))
        return got;
    prepare_next(r);
    join_or_finish(r);
    const int64_t more =
        track_stream_read_both(r->now.stream, stereo + 2 * got, plain ? plain + 2 * got : NULL,
                               RING_BLOCK_FRAMES - (uint32_t)got);
    return more < 0 ? more : got + more;
}

static void label(struct render *r, struct ring_block *block, uint32_t flags)
{
    block->epoch = r->epoch;
    block->track = r->now.serial;
    block->first_frame = r->now.frame;
    block->frames = 0;
    block->flags = r->pending_flags | flags;
    playing_label_levels(&r->now, block);
    r->pending_flags = 0;
}

static void fill(struct render *r, struct ring_block *block)
{
    playing_use_better_targets(&r->now);
    label(r, block, 0);
    float *plain = ring_sides(r->config.ring) == RING_TWO_SIDES ? ring_plain(block) : NULL;
    const int64_t got = read_block(r, block->samples, plain);
    block->frames = got > 0 ? (uint32_t)got : 0;
    if (plain)
        playing_keep_up(&r->now, block);
    r->now.frame += block->frames;
    if (block->frames == RING_BLOCK_FRAMES)
        return;
    if (track_is_cancelled(r->now.track)) { // a command follows, which makes this block stale
        drop_tracks(r);
        return;
    }
    if (got < 0)
        fail(r, r->now.track, (int)got);
    block->flags |= RING_TRACK_END;
    if (!r->next_is_known)
        prepare_next(r);
    go_over_to_next(r);
    if (!r->now.stream)
        block->flags |= RING_QUEUE_END;
}

// Nothing in the queue could be played: the reader still has to learn that the epoch is over.
static void fill_end(struct render *r, struct ring_block *block)
{
    label(r, block, RING_QUEUE_END);
    block->first_frame = 0;
    r->end_due = false;
}

static void begin_command(struct render *r, struct command *command)
{
    drop_tracks(r);
    ring_commit_held(r->config.ring); // of the epoch that is over: dropped by the reader
    r->epoch = command->epoch;
    r->lead_blocks = r->config.pace == SINK_PATIENT ? 0 : LEAD_BLOCKS;
    r->pending_flags = RING_AFTER_GAP;
    r->look_frames = FIRST_LOOK_FRAMES;
    r->now.serial = command->serial;
    begin(r, &r->now, command->track, command->serial, command->start_frame);
    r->end_due = !r->now.stream;
}

// The audio thread never signals, so a full ring is looked at again: soon after a command, then ever later, until
// half of it must have been played.
static int64_t next_look_ns(struct render *r)
{
    if (r->config.pace == SINK_PATIENT)
        return INT64_MAX;
    const double look_s = (double)r->look_frames / r->config.rate_hz;
    const uint32_t half_frames = ring_capacity(r->config.ring) / 2 * RING_BLOCK_FRAMES;
    r->look_frames = 2 * r->look_frames < half_frames ? 2 * r->look_frames : half_frames;
    return monotonic_ns() + (int64_t)(look_s / r->config.speed * 1e9);
}

// Wait for something to do. @return the block to fill, or NULL: take the command, or end.
static struct ring_block *wait_for_work(struct render *r)
{
    struct ring_block *block = NULL;
    const bool has_work = r->now.stream || r->end_due;
    mutex_lock(&r->lock);
    while (!r->command.pending && !r->stopping) {
        block = has_work ? ring_reserve(r->config.ring) : NULL;
        if (block)
            break;
        ring_commit_held(r->config.ring);
        r->lead_blocks = 0;
        (void)cond_wait_until(&r->wake, &r->lock, has_work ? next_look_ns(r) : INT64_MAX);
    }
    mutex_unlock(&r->lock);
    return block;
}

// @return false when the thread is to end.
static bool take_command(struct render *r, struct command *command)
{
    mutex_lock(&r->lock);
    *command = r->command;
    r->command = (struct command){0};
    const bool go_on = !r->stopping;
    mutex_unlock(&r->lock);
    return go_on;
}

static void commit(struct render *r, const struct ring_block *block)
{
    if (r->lead_blocks && !(block->flags & RING_QUEUE_END)) {
        --r->lead_blocks;
        ring_hold(r->config.ring);
        return;
    }
    ring_commit(r->config.ring);
    if (r->config.events.committed)
        r->config.events.committed(r->config.events.context);
}

static void *render_run(void *context)
{
    struct render *r = context;
    pthread_setname_np(pthread_self(), "segue-render");
    for (;;) {
        struct ring_block *block = wait_for_work(r);
        if (block) {
            if (r->now.stream)
                fill(r, block);
            else
                fill_end(r, block);
            commit(r, block);
            continue;
        }
        struct command command;
        if (!take_command(r, &command)) {
            track_unref(&command.track);
            break;
        }
        if (command.pending)
            begin_command(r, &command);
    }
    drop_tracks(r);
    return NULL;
}

int render_create(struct render **out, const struct render_config *config)
{
    *out = NULL;
    struct render *r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    r->config = *config;
    if (config->settings) {
        r->settings = *config->settings;
        r->config.settings = &r->settings;
    }
    int error = mutex_init(&r->lock);
    if (error) {
        free(r);
        return error;
    }
    error = cond_init(&r->wake);
    if (!error) {
        error = -pthread_create(&r->thread, NULL, render_run, r);
        if (error)
            cond_deinit(&r->wake);
    }
    if (error) {
        mutex_deinit(&r->lock);
        free(r);
        return error;
    }
    *out = r;
    return 0;
}

void render_destroy(struct render **render)
{
    struct render *r = *render;
    if (!r)
        return;
    mutex_lock(&r->lock);
    r->stopping = true;
    if (r->busy)
        track_cancel(r->busy);
    cond_broadcast(&r->wake);
    mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    cond_deinit(&r->wake);
    mutex_deinit(&r->lock);
    free(r);
    *render = NULL;
}

void render_play(struct render *r, uint32_t epoch, uint32_t serial, struct track *track,
                 uint64_t start_frame)
{
    mutex_lock(&r->lock);
    struct track *superseded = r->command.track;
    r->command = (struct command){.epoch = epoch,
                                  .serial = serial,
                                  .track = track ? track_ref(track) : NULL,
                                  .start_frame = start_frame,
                                  .pending = true};
    if (r->busy && r->busy != track)
        track_cancel(r->busy);
    cond_broadcast(&r->wake);
    mutex_unlock(&r->lock);
    track_unref(&superseded);
}

void render_wake(struct render *r)
{
    mutex_lock(&r->lock);
    cond_broadcast(&r->wake);
    mutex_unlock(&r->lock);
}

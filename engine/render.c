// SPDX-License-Identifier: MIT
#include "engine/render.h"
#include "dsp/mutex.h"
#include "engine/monotonic.h"
#include "engine/provisional.h"
#include "engine/track_record.h"
#include "engine/track_stream.h"
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    PROVISIONAL_S = 4, // of audio that provisional targets are made of
    RAMP_S = 4,        // from provisional to final targets: too slow to be heard as a step
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
    struct track *track; // a reference
    struct track_stream *stream;
    uint64_t frame; // of the track, next to be rendered
    uint32_t epoch, serial;
    uint32_t pending_flags; // of the next block
    uint32_t
        lead_blocks; // still to be held back before the epoch's first ones are published together
    bool provisional;
    uint32_t look_frames; // of playing, until a full ring is looked at again
    bool end_due;         // the epoch holds nothing more, and its last block is not committed yet
};

static void drop_track(struct render *r)
{
    track_stream_close(&r->stream);
    mutex_lock(&r->lock);
    r->busy = NULL;
    mutex_unlock(&r->lock);
    track_unref(&r->track);
}

// Makes the track known to whoever wants to interrupt a wait for it. @return false: a command waits already.
static bool take_track(struct render *r, struct track *track, uint32_t serial)
{
    mutex_lock(&r->lock);
    r->busy = track;
    const bool superseded = r->command.pending || r->stopping;
    mutex_unlock(&r->lock);
    r->track = track;
    r->serial = serial;
    r->frame = 0;
    return !superseded;
}

static void fail(struct render *r, int error)
{
    if (track_is_cancelled(r->track))
        return;
    char text[192];
    track_error_text(r->track, text, sizeof(text));
    r->config.events.failed(r->config.events.context, r->track,
                            text[0] ? text : decoder_error_text(error));
}

static int use_provisional_targets(struct render *r)
{
    const float *head;
    const int64_t got = track_stream_peek(r->stream, PROVISIONAL_S * r->config.rate_hz, &head);
    if (got < 0)
        return (int)got;
    struct mastering_targets targets;
    const int error =
        provisional_targets(&targets, head, (uint32_t)got, r->config.rate_hz, &r->settings);
    if (error)
        return error;
    track_stream_set_targets(r->stream, &targets);
    r->provisional = true;
    return 0;
}

// The ladder: the track's own targets if they are there (a patient sink waits for them), else provisional ones.
static int choose_targets(struct render *r)
{
    r->provisional = false;
    if (!r->config.settings)
        return 0;
    struct record *record = track_record(r->track);
    if (!record && r->config.pace == SINK_PATIENT) {
        const int error = track_wait_record(r->track, &record);
        if (error == -ECANCELED)
            return error;
    }
    if (!record)
        return use_provisional_targets(r);
    track_stream_set_targets(r->stream, &track_record_of(record)->targets);
    record_unref(&record);
    return 0;
}

static int open_stream(struct render *r, uint64_t start_frame)
{
    struct decoder_info info;
    const bool fresh = track_decoder(r->track) == NULL;
    int error = track_open_decoder(r->track, &info);
    if (!error && !fresh && start_frame == 0)
        error = decoder_seek(track_decoder(r->track), 0);
    if (error)
        return error;
    const uint64_t length = track_stream_scale(info.frames, info.format.rate_hz, r->config.rate_hz);
    if (start_frame > length) // a seek that was given before the length was known
        start_frame = length;
    const struct track_stream_config config = {
        .decoder = track_decoder(r->track),
        .info = info,
        .rate_hz = r->config.rate_hz,
        .start_frame = start_frame,
        .mastering = r->config.settings ? TRACK_STREAM_MASTERED : TRACK_STREAM_PLAIN};
    error = track_stream_open(&r->stream, &config);
    if (error)
        return error;
    r->frame = start_frame;
    r->config.events.begun(r->config.events.context, r->track, r->serial, length);
    return choose_targets(r);
}

static struct track *successor(struct render *r)
{
    return r->config.events.next(r->config.events.context, r->track, r->epoch, r->serial + 1);
}

// Begin `track`, or the first one after it that can be played.
static void begin(struct render *r, struct track *track, uint32_t serial, uint64_t start_frame)
{
    for (int failures = 0; track; ++failures) {
        if (!take_track(r, track, serial))
            return;
        const int error = open_stream(r, start_frame);
        if (!error)
            return;
        fail(r, error);
        track_stream_close(&r->stream);
        if (track_is_cancelled(r->track))
            return;
        track = failures < FAILURES_MAX ? successor(r) : NULL;
        ++serial;
        start_frame = 0;
        drop_track(r);
    }
}

static void report_damage(struct render *r)
{
    const char *damage = decoder_damage_text(track_decoder(r->track));
    if (damage && !track_is_cancelled(r->track))
        r->config.events.failed(r->config.events.context, r->track, damage);
}

static void join_next(struct render *r)
{
    report_damage(r);
    track_stream_close(&r->stream);
    struct track *next = successor(r);
    const uint32_t serial = r->serial + 1;
    drop_track(r);
    begin(r, next, serial, 0);
}

static void use_final_targets(struct render *r)
{
    if (!r->provisional || !track_has_record(r->track))
        return;
    struct record *record = track_record(r->track);
    track_stream_ramp_to(r->stream, &track_record_of(record)->targets, RAMP_S * r->config.rate_hz);
    record_unref(&record);
    r->provisional = false;
}

static void fill(struct render *r, struct ring_block *block)
{
    *block = (struct ring_block){
        .epoch = r->epoch, .track = r->serial, .first_frame = r->frame, .flags = r->pending_flags};
    use_final_targets(r);
    const int64_t got = track_stream_read(r->stream, block->samples, RING_BLOCK_FRAMES);
    block->frames = got > 0 ? (uint32_t)got : 0;
    r->frame += block->frames;
    r->pending_flags = 0;
    if (block->frames == RING_BLOCK_FRAMES)
        return;
    if (track_is_cancelled(r->track)) { // a command follows, which makes this block stale
        drop_track(r);
        return;
    }
    if (got < 0)
        fail(r, (int)got);
    block->flags |= RING_TRACK_END;
    join_next(r);
    if (!r->stream)
        block->flags |= RING_QUEUE_END;
}

// Nothing in the queue could be played: the reader still has to learn that the epoch is over.
static void fill_end(struct render *r, struct ring_block *block)
{
    *block = (struct ring_block){
        .epoch = r->epoch, .track = r->serial, .flags = r->pending_flags | RING_QUEUE_END};
    r->end_due = false;
}

static void begin_command(struct render *r, struct command *command)
{
    drop_track(r);
    ring_commit_held(r->config.ring); // of the epoch that is over: dropped by the reader
    r->epoch = command->epoch;
    r->lead_blocks = r->config.pace == SINK_PATIENT ? 0 : LEAD_BLOCKS;
    r->pending_flags = RING_AFTER_GAP;
    r->look_frames = FIRST_LOOK_FRAMES;
    r->serial = command->serial;
    begin(r, command->track, command->serial, command->start_frame);
    r->end_due = !r->stream;
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
    const bool has_work = r->stream || r->end_due;
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
            if (r->stream)
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
    drop_track(r);
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

// SPDX-License-Identifier: MIT
#include "engine/player/player_impl.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PREVIOUS_RESTARTS_S = 3 }; // `previous` within the first seconds leaves the track

static int init_locks(struct player *p)
{
    int error = mutex_init(&p->command_lock);
    if (error)
        return error;
    error = mutex_init(&p->lock);
    if (!error) {
        error = cond_init(&p->changed);
        if (error)
            mutex_deinit(&p->lock);
    }
    if (error)
        mutex_deinit(&p->command_lock);
    return error;
}

int player_create(struct player **out, const struct player_config *config)
{
    *out = NULL;
    struct player *p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    int error = queue_create(&p->queue);
    if (!error)
        error = init_locks(p);
    if (error) {
        queue_destroy(&p->queue);
        free(p);
        return error;
    }
    p->config = *config;
    if (config->settings) {
        p->settings = *config->settings;
        p->config.settings = p->settings.intensity > 0 ? &p->settings : NULL;
    }
    p->volume = 100;
    error = p->config.settings ? player_plan_albums(p) : 0;
    if (error)
        (void)player_destroy(&p); // nothing was opened
    *out = p;
    return error;
}

int player_destroy(struct player **player)
{
    struct player *p = *player;
    if (!p)
        return 0;
    // Each wakes the other: a patient sink's thread the render thread, the render thread the sink. So the sink
    // ends pulling first, then the render thread ends, then there is nobody left to wake.
    int error = 0;
    const bool is_patient = p->device.pace == SINK_PATIENT;
    if (p->sink && sink_state(p->sink) == SINK_RUNNING &&
        (is_patient || p->state == PLAYER_STOPPED)) // what a paced device still holds is played out
        error = sink_stop(p->sink);
    render_destroy(&p->render);
    const int close_error = sink_close(&p->sink);
    if (close_error)
        error = close_error;
    callback_destroy(&p->callback);
    ring_destroy(&p->ring);
    album_planner_destroy(&p->planner);
    if (scheduler_set_plan(p->config.scheduler, NULL, 0))
        log_write(p->config.log, LOG_LEVEL_DEBUG, NULL,
                  "the last plan stays until the scheduler ends");
    lineup_clear(&p->lineup);
    queue_destroy(&p->queue);
    cond_deinit(&p->changed);
    mutex_deinit(&p->lock);
    mutex_deinit(&p->command_lock);
    free(p);
    *player = NULL;
    return error;
}

// --- transport

// Everything that changes what is heard goes through here: a new epoch, in which `track` plays from `start_s`.
static void command_locked(struct player *p, struct track *track, double start_s) REQUIRES(p->lock)
{
    const uint64_t start_frame = (uint64_t)llround(start_s * p->device.rate_hz);
    struct track *kept = track_ref(track);
    player_leave_locked(p);
    const uint32_t serial = ++p->last_serial;
    if (++p->epoch == 0)
        p->epoch = 1;
    p->current_id = track_queue_id(track);
    p->start_s = start_s;
    if (lineup_push(&p->lineup, track, serial)) {
        player_stop_locked(p);
    } else {
        callback_set_epoch(p->callback, p->epoch);
        sink_wake(p->sink);
        render_play(p->render, p->epoch, serial, track, start_frame);
        player_replan_locked(p);
    }
    track_unref(&kept);
}

static void set_mode_locked(struct player *p, enum player_state state) REQUIRES(p->lock)
{
    p->state = state;
    callback_set_mode(p->callback, state == PLAYER_PAUSED ? CALLBACK_PAUSED : CALLBACK_PLAYING);
    sink_wake(p->sink);
}

static void end_locked(struct player *p) REQUIRES(p->lock)
{
    if (!p->callback)
        return;
    if (++p->epoch == 0)
        p->epoch = 1;
    callback_set_epoch(p->callback, p->epoch);
    sink_wake(p->sink);
    render_play(p->render, p->epoch, ++p->last_serial, NULL, 0);
    player_leave_locked(p);
    player_stop_locked(p);
    player_replan_locked(p);
}

void player_go_to_locked(struct player *p, uint64_t id) REQUIRES(p->lock)
{
    struct track *track = id ? player_plan_track_locked(p, id) : NULL;
    if (!track) {
        end_locked(p);
        return;
    }
    command_locked(p, track, 0.0);
    track_unref(&track);
}

// Makes `track` the only planned one, so that its bytes are loaded.
static int admit_first(struct player *p, struct track *track)
{
    return scheduler_set_plan(p->config.scheduler, &track, 1);
}

// The first entry from `id` on whose header can be read, with its decoder open. Waits for its bytes.
static int open_first(struct player *p, uint64_t id, struct track **out, struct decoder_info *info)
{
    mutex_lock(&p->lock);
    size_t left = queue_length(p->queue);
    mutex_unlock(&p->lock);
    for (; left > 0; --left) {
        mutex_lock(&p->lock);
        const char *path = id ? queue_path(p->queue, id) : NULL;
        struct track *track = path ? track_create(id, path) : NULL;
        mutex_unlock(&p->lock);
        if (!track)
            return path ? -ENOMEM : -ENOENT;
        int error = admit_first(p, track);
        if (!error)
            error = track_open_decoder(track, info);
        if (!error) {
            *out = track;
            return 0;
        }
        char text[192];
        track_error_text(track, text, sizeof(text));
        mutex_lock(&p->lock);
        player_report_locked(p, track, text[0] ? text : decoder_error_text(error));
        id = queue_skip(p->queue, id);
        mutex_unlock(&p->lock);
        track_unref(&track);
    }
    return -ENOENT;
}

static int play_first(struct player *p, uint64_t id, double start_s)
{
    struct track *track;
    struct decoder_info info;
    int error = open_first(p, id, &track, &info);
    if (error)
        return error;
    if (start_s > (double)info.frames / info.format.rate_hz)
        error = -EINVAL;
    if (!error)
        error = player_open_device(p, info.format.rate_hz);
    if (!error) {
        mutex_lock(&p->lock);
        set_mode_locked(p, PLAYER_PLAYING);
        const double volume = p->volume / 100.0;
        callback_set_gain(p->callback, (float)(volume * volume * volume));
        command_locked(p, track, start_s);
        mutex_unlock(&p->lock);
    }
    track_unref(&track);
    return error;
}

int player_play(struct player *p, uint64_t id, double start_s)
{
    mutex_lock(&p->command_lock);
    mutex_lock(&p->lock);
    if (!id)
        id = queue_first(p->queue);
    const bool known = queue_path(p->queue, id) != NULL;
    mutex_unlock(&p->lock);
    int error = known ? 0 : -ENOENT;
    if (known && !p->callback) {
        error = play_first(p, id, start_s);
    } else if (known) {
        mutex_lock(&p->lock);
        struct track *track = player_plan_track_locked(p, id);
        if (track) {
            set_mode_locked(p, PLAYER_PLAYING);
            command_locked(p, track, start_s);
        }
        error = track ? 0 : -ENOMEM;
        mutex_unlock(&p->lock);
        track_unref(&track);
    }
    mutex_unlock(&p->command_lock);
    return error;
}

static void set_paused(struct player *p, enum player_state from, enum player_state to)
{
    mutex_lock(&p->command_lock);
    mutex_lock(&p->lock);
    player_follow_locked(p);
    if (p->state == from)
        set_mode_locked(p, to);
    mutex_unlock(&p->lock);
    mutex_unlock(&p->command_lock);
}

void player_pause(struct player *p)
{
    set_paused(p, PLAYER_PLAYING, PLAYER_PAUSED);
}

void player_resume(struct player *p)
{
    set_paused(p, PLAYER_PAUSED, PLAYER_PLAYING);
}

void player_stop(struct player *p)
{
    mutex_lock(&p->command_lock);
    mutex_lock(&p->lock);
    player_follow_locked(p);
    if (p->state != PLAYER_STOPPED)
        end_locked(p);
    mutex_unlock(&p->lock);
    mutex_unlock(&p->command_lock);
}

double player_heard_s_locked(struct player *p) REQUIRES(p->lock)
{
    struct callback_position heard;
    if (!p->callback)
        return 0.0;
    callback_position(p->callback, &heard);
    if (heard.epoch != p->epoch)
        return p->start_s;
    return (double)heard.frame / p->device.rate_hz;
}

// Starts the track that is heard anew at `position_s`; what was rendered after it is given up.
void player_restart_at_locked(struct player *p, double position_s) REQUIRES(p->lock)
{
    if (p->state == PLAYER_STOPPED || p->lineup.rendered_count == 0)
        return;
    const struct lineup_track *heard = &p->lineup.rendered[0];
    const double length_s = (double)heard->length_frames / p->device.rate_hz;
    double start_s = position_s > 0 ? position_s : 0;
    if (heard->begun && start_s > length_s)
        start_s = length_s;
    struct track *track = track_ref(heard->track);
    p->totals.played -= heard->begun; // the same playing goes on
    command_locked(p, track, start_s);
    track_unref(&track);
}

void player_seek(struct player *p, double position_s)
{
    mutex_lock(&p->command_lock);
    mutex_lock(&p->lock);
    player_follow_locked(p);
    player_restart_at_locked(p, position_s);
    mutex_unlock(&p->lock);
    mutex_unlock(&p->command_lock);
}

void player_next(struct player *p)
{
    mutex_lock(&p->command_lock);
    mutex_lock(&p->lock);
    player_follow_locked(p);
    if (p->state != PLAYER_STOPPED)
        player_go_to_locked(p, queue_skip(p->queue, p->current_id));
    mutex_unlock(&p->lock);
    mutex_unlock(&p->command_lock);
}

void player_previous(struct player *p)
{
    mutex_lock(&p->command_lock);
    mutex_lock(&p->lock);
    player_follow_locked(p);
    if (p->state != PLAYER_STOPPED && player_heard_s_locked(p) > PREVIOUS_RESTARTS_S)
        player_restart_at_locked(p, 0.0);
    else if (p->state != PLAYER_STOPPED)
        player_go_to_locked(p, queue_predecessor(p->queue, p->current_id));
    mutex_unlock(&p->lock);
    mutex_unlock(&p->command_lock);
}

void player_set_volume(struct player *p, unsigned volume)
{
    mutex_lock(&p->command_lock);
    mutex_lock(&p->lock);
    p->volume = volume > 100 ? 100 : volume;
    const double v = p->volume / 100.0;
    if (p->callback)
        callback_set_gain(p->callback, (float)(v * v * v));
    mutex_unlock(&p->lock);
    mutex_unlock(&p->command_lock);
}

uint64_t player_heard_frames_locked(const struct player *p) REQUIRES(p->lock)
{
    struct callback_counters counters = {0};
    if (p->callback)
        callback_counters(p->callback, &counters);
    return counters.frames_played;
}

void player_choose_side_locked(struct player *p) REQUIRES(p->lock)
{
    const enum callback_sound mastered = p->compares ? CALLBACK_MATCHED : CALLBACK_MASTERED;
    if (p->callback)
        callback_set_sound(p->callback, p->sound == PLAYER_PLAIN ? CALLBACK_PLAIN : mastered);
}

void player_set_sound(struct player *p, enum player_sound sound)
{
    mutex_lock(&p->command_lock);
    mutex_lock(&p->lock);
    player_follow_locked(p);
    p->sound = sound;
    p->compares = p->compares || sound == PLAYER_PLAIN;
    p->compared_id = p->current_id;
    p->compared_frames = player_heard_frames_locked(p);
    player_choose_side_locked(p);
    mutex_unlock(&p->lock);
    mutex_unlock(&p->command_lock);
}

// --- what happens

enum player_state player_update(struct player *p, int64_t deadline_ns)
{
    mutex_lock(&p->command_lock);
    player_look_after_device(p);
    mutex_unlock(&p->command_lock);
    mutex_lock(&p->lock);
    for (;;) {
        player_follow_locked(p);
        if (p->state == PLAYER_STOPPED ||
            cond_wait_until(&p->changed, &p->lock, deadline_ns) == -ETIMEDOUT)
            break;
    }
    const enum player_state state = p->state;
    mutex_unlock(&p->lock);
    return state;
}

static void fill_next_locked(struct player *p, struct player_status *status) REQUIRES(p->lock)
{
    const struct lineup *f = &p->lineup;
    struct track *next = f->rendered_count > 1  ? f->rendered[1].track
                         : f->planned_count > 0 ? f->planned[0]
                                                : NULL;
    status->has_next = next != NULL;
    if (!next)
        return;
    snprintf(status->next_path, sizeof(status->next_path), "%s", track_path(next));
    track_progress(next, &status->next);
}

void player_status(struct player *p, struct player_status *status)
{
    memset(status, 0, sizeof(*status));
    mutex_lock(&p->lock);
    player_follow_locked(p);
    status->state = p->state;
    status->length = queue_length(p->queue);
    status->volume = p->volume;
    status->masters = p->config.settings != NULL;
    status->sound = p->sound;
    status->compares = p->compares;
    if (p->state != PLAYER_STOPPED && p->lineup.rendered_count) {
        const struct lineup_track *heard = &p->lineup.rendered[0];
        status->queue_id = p->current_id;
        status->position = queue_position(p->queue, p->current_id);
        snprintf(status->path, sizeof(status->path), "%s", track_path(heard->track));
        status->elapsed_s = player_heard_s_locked(p);
        status->duration_s = (double)heard->length_frames / p->device.rate_hz;
        status->device = p->device;
        status->ring_frames = (uint64_t)ring_fill(p->ring) * RING_BLOCK_FRAMES;
        track_progress(heard->track, &status->current);
        fill_next_locked(p, status);
        struct callback_counters counters;
        callback_counters(p->callback, &counters);
        status->peak = counters.peak;
        status->match_db = counters.sound_gain > 0 ? 20.0 * log10((double)counters.sound_gain) : 0;
    }
    mutex_unlock(&p->lock);
}

void player_totals(struct player *p, struct player_totals *totals)
{
    mutex_lock(&p->command_lock);
    mutex_lock(&p->lock);
    player_follow_locked(p);
    *totals = p->totals;
    const uint64_t seen = p->totals.played + p->totals.failed;
    totals->tracks =
        p->entries > seen || queue_repeat(p->queue) == QUEUE_REPEAT_OFF ? p->entries : seen;
    totals->xruns = p->closed_xruns + (p->sink ? sink_xruns(p->sink) : 0);
    if (p->callback) {
        struct callback_counters counters;
        callback_counters(p->callback, &counters);
        totals->underruns = counters.underruns;
        totals->frames = counters.frames_played;
    }
    mutex_unlock(&p->lock);
    mutex_unlock(&p->command_lock);
}

void player_device_error(struct player *p, char *text, size_t bytes)
{
    mutex_lock(&p->lock);
    snprintf(text, bytes, "%s", p->device_error);
    mutex_unlock(&p->lock);
}

// SPDX-License-Identifier: MIT
#include "engine/player/player_impl.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

// --- what is heard

void player_stop_locked(struct player *p) REQUIRES(p->lock)
{
    p->totals.played += lineup_clear_rendered(&p->lineup);
    p->state = PLAYER_STOPPED;
    cond_broadcast(&p->changed);
}

// The track that is heard is left before its end: it counts as played, what was rendered after it does not.
void player_leave_locked(struct player *p) REQUIRES(p->lock)
{
    if (p->lineup.rendered_count)
        p->totals.played += p->lineup.rendered[0].begun;
    (void)lineup_clear_rendered(&p->lineup); // counted above
}

// Whoever has compared hears mastered sound as ever.
static void end_comparison_locked(struct player *p) REQUIRES(p->lock)
{
    if (!p->compares || p->sound == PLAYER_PLAIN)
        return;
    const uint64_t frames = player_heard_frames_locked(p) - p->compared_frames;
    if (p->current_id == p->compared_id &&
        frames < (uint64_t)PLAYER_COMPARISON_S * p->device.rate_hz)
        return;
    p->compares = false;
    player_choose_side_locked(p);
}

// Brings the player's view up to what the audio thread has played.
void player_follow_locked(struct player *p) REQUIRES(p->lock)
{
    if (!p->callback || p->state == PLAYER_STOPPED)
        return;
    struct callback_position heard;
    callback_position(p->callback, &heard);
    if (heard.epoch == p->epoch) {
        p->totals.played += lineup_pop_before(&p->lineup, heard.track);
        if (p->lineup.rendered_count)
            p->current_id = track_queue_id(p->lineup.rendered[0].track);
        end_comparison_locked(p);
    }
    if (callback_ended_epoch(p->callback) == p->epoch)
        player_stop_locked(p);
}

// --- what comes next

struct track *player_plan_track_locked(struct player *p, uint64_t id) REQUIRES(p->lock)
{
    struct track *track = lineup_take_planned(&p->lineup, id);
    return track ? track : track_create(id, queue_path(p->queue, id));
}

static void plan_successors_locked(struct player *p) REQUIRES(p->lock)
{
    struct track *planned[LINEUP_PLANNED_MAX];
    uint32_t count = 0;
    const uint32_t rendered = p->lineup.rendered_count;
    uint64_t id = rendered ? track_queue_id(p->lineup.rendered[rendered - 1].track) : 0;
    while (count < LINEUP_PLANNED_MAX && (id = queue_successor(p->queue, id)) != 0) {
        planned[count] = player_plan_track_locked(p, id);
        if (!planned[count])
            break;
        ++count;
    }
    for (uint32_t i = 0; i < p->lineup.planned_count; ++i)
        track_unref(&p->lineup.planned[i]);
    memcpy(p->lineup.planned, planned, count * sizeof(planned[0]));
    p->lineup.planned_count = count;
}

// Tells the scheduler: first what is heard and rendered, then what follows.
void player_replan_locked(struct player *p) REQUIRES(p->lock)
{
    plan_successors_locked(p);
    const struct lineup *f = &p->lineup;
    const uint32_t count = f->rendered_count + f->planned_count;
    struct track **tracks = calloc(count + 1, sizeof(struct track *));
    int error = tracks ? 0 : -ENOMEM;
    if (tracks) {
        for (uint32_t i = 0; i < f->rendered_count; ++i)
            tracks[i] = f->rendered[i].track;
        memcpy(tracks + f->rendered_count, f->planned, f->planned_count * sizeof(f->planned[0]));
        error = scheduler_set_plan(p->config.scheduler, tracks, count);
        if (p->planner)
            album_planner_plan(p->planner, tracks, count);
    }
    if (error)
        log_write(p->config.log, LOG_LEVEL_WARN, NULL, "nothing is prefetched: %s",
                  strerror(-error));
    free(tracks);
}

static uint64_t on_neighbour(void *context, uint64_t id, enum album_side side, char **path)
{
    struct player *p = context;
    mutex_lock(&p->lock);
    uint64_t beside =
        side == ALBUM_AFTER ? queue_successor(p->queue, id) : queue_predecessor(p->queue, id);
    const char *name = beside != id ? queue_path(p->queue, beside) : NULL;
    *path = name ? strdup(name) : NULL;
    mutex_unlock(&p->lock);
    return *path ? beside : 0;
}

int player_plan_albums(struct player *p)
{
    const struct album_planner_config config = {.scheduler = p->config.scheduler,
                                                .settings = p->settings,
                                                .log = p->config.log,
                                                .neighbour = on_neighbour,
                                                .context = p};
    return album_planner_create(&p->planner, &config);
}

void player_report_locked(struct player *p, struct track *track, const char *text) REQUIRES(p->lock)
{
    if (!track_claim_report(track))
        return;
    ++p->totals.failed;
    log_write(p->config.log, LOG_LEVEL_ERROR, track_path(track), "%s", text);
}

static struct track *on_next(void *context, struct track *track, uint32_t epoch, uint32_t serial)
{
    struct player *p = context;
    struct track *next = NULL;
    mutex_lock(&p->lock);
    player_follow_locked(p);
    const uint64_t id = queue_successor(p->queue, track_queue_id(track));
    if (epoch == p->epoch && p->state != PLAYER_STOPPED && id)
        next = player_plan_track_locked(p, id);
    if (next && lineup_push(&p->lineup, next, serial))
        track_unref(&next);
    if (next) {
        p->last_serial = serial;
        player_replan_locked(p);
    }
    mutex_unlock(&p->lock);
    return next;
}

static void on_failed(void *context, struct track *track, const char *text)
{
    struct player *p = context;
    mutex_lock(&p->lock);
    player_report_locked(p, track, text);
    mutex_unlock(&p->lock);
}

static void on_begun(void *context, struct track *track, uint32_t serial, uint64_t length_frames)
{
    struct player *p = context;
    mutex_lock(&p->lock);
    struct lineup_track *entry = lineup_find(&p->lineup, serial);
    if (entry && entry->track == track) {
        entry->length_frames = length_frames;
        entry->begun = true;
    }
    mutex_unlock(&p->lock);
}

static void on_committed(void *context)
{
    struct player *p = context;
    sink_wake(p->sink);
}

struct render_events player_events(struct player *p)
{
    return (struct render_events){.next = on_next,
                                  .failed = on_failed,
                                  .begun = on_begun,
                                  .committed = p->device.pace == SINK_PATIENT ? on_committed : NULL,
                                  .context = p};
}

// --- queue edits

// What is rendered ahead must still be what comes next; else it is given up and rendered anew from what is heard.
static void after_edit_locked(struct player *p) REQUIRES(p->lock)
{
    player_follow_locked(p);
    const struct lineup *f = &p->lineup;
    for (uint32_t i = 1; i < f->rendered_count; ++i) {
        const uint64_t before = track_queue_id(f->rendered[i - 1].track);
        if (queue_successor(p->queue, before) != track_queue_id(f->rendered[i].track)) {
            player_restart_at_locked(p, player_heard_s_locked(p));
            return;
        }
    }
    if (p->state != PLAYER_STOPPED)
        player_replan_locked(p);
}

int player_insert(struct player *p, size_t position, const char *path, uint64_t *id)
{
    mutex_lock(&p->lock);
    const size_t length = queue_length(p->queue);
    const int error = queue_insert(p->queue, position < length ? position : length, path, id);
    if (!error) {
        ++p->entries;
        after_edit_locked(p);
    }
    mutex_unlock(&p->lock);
    return error;
}

int player_add(struct player *p, const char *path, uint64_t *id)
{
    return player_insert(p, SIZE_MAX, path, id);
}

int player_remove(struct player *p, uint64_t id)
{
    mutex_lock(&p->command_lock);
    mutex_lock(&p->lock);
    player_follow_locked(p);
    const bool is_heard = p->state != PLAYER_STOPPED && p->current_id == id;
    const uint64_t next = queue_skip(p->queue, id);
    const int error = queue_remove(p->queue, id);
    if (!error) {
        --p->entries;
        if (is_heard)
            player_go_to_locked(p, next == id ? 0 : next);
        else
            after_edit_locked(p);
    }
    mutex_unlock(&p->lock);
    mutex_unlock(&p->command_lock);
    return error;
}

int player_move(struct player *p, uint64_t id, size_t position)
{
    mutex_lock(&p->lock);
    const int error = queue_move(p->queue, id, position);
    if (!error)
        after_edit_locked(p);
    mutex_unlock(&p->lock);
    return error;
}

void player_clear(struct player *p)
{
    player_stop(p);
    mutex_lock(&p->lock);
    p->entries -= queue_length(p->queue);
    queue_clear(p->queue);
    mutex_unlock(&p->lock);
}

void player_set_repeat(struct player *p, enum queue_repeat repeat)
{
    mutex_lock(&p->lock);
    queue_set_repeat(p->queue, repeat);
    after_edit_locked(p);
    mutex_unlock(&p->lock);
}

void player_set_shuffle(struct player *p, enum queue_shuffle shuffle, uint64_t seed)
{
    mutex_lock(&p->lock);
    player_follow_locked(p);
    queue_set_shuffle(p->queue, shuffle, seed, p->state == PLAYER_STOPPED ? 0 : p->current_id);
    after_edit_locked(p);
    mutex_unlock(&p->lock);
}

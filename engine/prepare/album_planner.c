// SPDX-License-Identifier: MIT
// A row is walked outwards from the track that is asked about, for as long as the next one follows on the
// album and the sound runs on into it, as tags and a tenth of a second at each end tell: only a row of several
// tracks costs more. Its answer is kept for its other tracks.
#include "engine/prepare/album_planner.h"
#include "dsp/mutex.h"
#include "engine/prepare/album.h"
#include "engine/prepare/extractor.h"
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { NICE = 10, PRIORITY = 8, ROW_MAX = 100 }; // behind all that is planned

/// A track of the row, which is kept in playing order.
struct row_track {
    uint64_t id;
    char *path;
    struct tags tags;
    struct album_edges edges;
    struct record *record; // once the row is known
};

struct row {
    struct row_track tracks[ROW_MAX];
    struct album_track album[ROW_MAX];
    uint32_t count;               // 0: none is kept
    uint64_t before_id, after_id; // what stood around it in the queue
};

/// A record being fetched: the loop asks for it, and takes the handle back.
struct fetch {
    struct scheduler_task start, close;
    struct album_planner *planner;
    const char *path;
    struct file_identity identity;
    struct extraction *extraction; // loop only
    // --- protected by the planner's lock
    struct record *record;
    bool done, closed;
};

struct album_planner {
    // --- immutable after create
    struct album_planner_config config;
    pthread_t thread;
    struct mutex lock; // leaf
    struct cond changed;
    // --- protected by lock
    struct track *wanted[ALBUM_PLANNER_TRACKS]; // references
    uint32_t wanted_count;
    struct track *busy; // with this one; the thread's reference
    bool stopping;
    // --- atomic: set under lock, read by whoever works (relaxed: it only has to be seen soon)
    _Atomic int cancel;
    // --- planner thread only
    struct row row;
};

// --- Records -------------------------------------------------------------------------------------

static void on_fetched(void *context, const struct extraction_result *result)
{
    struct fetch *f = context;
    mutex_lock(&f->planner->lock);
    f->record = result->record && !result->error ? record_ref(result->record) : NULL;
    f->done = true;
    cond_broadcast(&f->planner->changed);
    mutex_unlock(&f->planner->lock);
}

static void run_start(struct scheduler_task *task)
{
    struct fetch *f = (struct fetch *)task;
    const struct extraction_request request = {.path = f->path,
                                               .identity = f->identity,
                                               .priority = PRIORITY,
                                               .load_priority = LOADER_SCAN,
                                               .done = on_fetched,
                                               .context = f};
    if (extractor_request(scheduler_extractor(f->planner->config.scheduler), &request,
                          &f->extraction))
        on_fetched(f, &(struct extraction_result){.error = -ENOMEM});
}

static void run_close(struct scheduler_task *task)
{
    struct fetch *f = (struct fetch *)((char *)task - offsetof(struct fetch, close));
    struct album_planner *p = f->planner;
    extraction_cancel(&f->extraction);
    mutex_lock(&p->lock);
    f->closed = true; // and with that it is gone
    cond_broadcast(&p->changed);
    mutex_unlock(&p->lock);
}

static bool is_cancelled(struct album_planner *p)
{
    return atomic_load_explicit(&p->cancel, memory_order_relaxed);
}

// @return the record of a sound file, or NULL.
static struct record *fetch_record(struct album_planner *p, const char *path)
{
    struct fetch f = {
        .start = {.run = run_start}, .close = {.run = run_close}, .planner = p, .path = path};
    if (file_identity_read(&f.identity, path))
        return NULL;
    scheduler_post(p->config.scheduler, &f.start);
    mutex_lock(&p->lock);
    while (!f.done && !is_cancelled(p))
        cond_wait(&p->changed, &p->lock);
    mutex_unlock(&p->lock);
    scheduler_post(p->config.scheduler, &f.close); // runs behind the first, whatever that came to
    mutex_lock(&p->lock);
    while (!f.closed)
        cond_wait(&p->changed, &p->lock);
    mutex_unlock(&p->lock);
    return f.record;
}

// --- The row -------------------------------------------------------------------------------------

static void row_track_deinit(struct row_track *t)
{
    free(t->path);
    tags_deinit(&t->tags);
    record_unref(&t->record);
}

static void forget_row(struct album_planner *p)
{
    for (uint32_t i = 0; i < p->row.count; ++i)
        row_track_deinit(&p->row.tracks[i]);
    p->row.count = 0;
}

static struct album_track as_album_track(const struct row_track *t)
{
    return (struct album_track){
        .path = t->path, .tags = &t->tags, .edges = t->edges, .record = t->record};
}

static bool runs_on(const struct row_track *a, const struct row_track *b)
{
    const struct album_track before = as_album_track(a), after = as_album_track(b);
    return album_runs_on(&before, &after);
}

static int look(struct album_planner *p, struct row_track *t)
{
    return album_look(t->path, ALBUM_LOOK_TAGGED, scheduler_loader(p->config.scheduler), &t->tags,
                      &t->edges);
}

static uint64_t neighbour(struct album_planner *p, uint64_t id, enum album_side side, char **path)
{
    *path = NULL;
    return p->config.neighbour(p->config.context, id, side, path);
}

// Add what stands beside the row, if the sound runs on. @return whether it does.
static bool grow(struct album_planner *p, enum album_side side)
{
    struct row *row = &p->row;
    struct row_track *end = side == ALBUM_AFTER ? &row->tracks[row->count - 1] : &row->tracks[0];
    struct row_track beside = {0};
    beside.id = neighbour(p, end->id, side, &beside.path);
    *(side == ALBUM_AFTER ? &row->after_id : &row->before_id) = beside.id;
    const bool belongs = beside.id && beside.path && row->count < ROW_MAX &&
                         look(p, &beside) == 0 &&
                         (side == ALBUM_AFTER ? runs_on(end, &beside) : runs_on(&beside, end));
    if (!belongs) {
        row_track_deinit(&beside);
        return false;
    }
    if (side == ALBUM_BEFORE)
        memmove(row->tracks + 1, row->tracks, row->count * sizeof(row->tracks[0]));
    row->tracks[side == ALBUM_AFTER ? row->count : 0] = beside;
    ++row->count;
    return true;
}

static uint32_t find_in_row(const struct row *row, uint64_t id)
{
    uint32_t i = 0;
    while (i < row->count && row->tracks[i].id != id)
        ++i;
    return i;
}

// Whether the queue around the row is what it was.
static bool stands_as_before(struct album_planner *p, uint32_t at)
{
    const struct row *row = &p->row;
    const uint64_t before = at ? row->tracks[at - 1].id : row->before_id;
    const uint64_t after = at + 1 < row->count ? row->tracks[at + 1].id : row->after_id;
    char *path;
    bool same = neighbour(p, row->tracks[at].id, ALBUM_BEFORE, &path) == before;
    free(path);
    same = neighbour(p, row->tracks[at].id, ALBUM_AFTER, &path) == after && same;
    free(path);
    return same;
}

// @return 0; -ENODATA: one of them cannot be analysed; -ECANCELED.
static int fetch_records(struct album_planner *p)
{
    struct row *row = &p->row;
    for (uint32_t i = 0; i < row->count; ++i) {
        row->tracks[i].record = fetch_record(p, row->tracks[i].path);
        if (!row->tracks[i].record)
            return is_cancelled(p) ? -ECANCELED : -ENODATA;
    }
    return 0;
}

static int calibrate_row(struct album_planner *p)
{
    struct row *row = &p->row;
    log_write(p->config.log, LOG_LEVEL_INFO, row->tracks[0].path,
              "the sound runs on from here through %u tracks of the album: one makeup for all",
              row->count);
    const int error = fetch_records(p);
    for (uint32_t i = 0; i < row->count; ++i)
        row->album[i] = as_album_track(&row->tracks[i]);
    return error ? error
                 : album_calibrate(row->album, row->count, &p->config.settings,
                                   scheduler_loader(p->config.scheduler),
                                   &(struct album_watch){.cancel = &p->cancel});
}

static int make_row(struct album_planner *p, const struct track *track)
{
    struct row *row = &p->row;
    forget_row(p);
    row->tracks[0] =
        (struct row_track){.id = track_queue_id(track), .path = strdup(track_path(track))};
    row->count = 1;
    const int error = row->tracks[0].path ? look(p, &row->tracks[0]) : -ENOMEM;
    if (error || !tags_get(&row->tracks[0].tags, "ALBUM"))
        return error;
    while (!is_cancelled(p) && grow(p, ALBUM_AFTER))
        ;
    while (!is_cancelled(p) && grow(p, ALBUM_BEFORE))
        ;
    if (is_cancelled(p))
        return -ECANCELED;
    return row->count > 1 ? calibrate_row(p) : 0;
}

static void answer(struct album_planner *p, struct track *track)
{
    uint32_t at = find_in_row(&p->row, track_queue_id(track));
    int error = 0;
    if (at == p->row.count || !stands_as_before(p, at)) {
        error = make_row(p, track);
        at = error ? 0 : find_in_row(&p->row, track_queue_id(track));
    }
    if (error)
        forget_row(p);
    if (error == -ECANCELED)
        return;
    if (p->row.count < 2) {
        forget_row(p);
        track_set_album(track, NULL);
        return;
    }
    const bool is_last = at + 1 == p->row.count;
    track_set_album(track,
                    &(struct track_album){.targets = p->row.album[at].targets,
                                          .next_id = is_last ? 0 : p->row.tracks[at + 1].id});
}

// --- The thread ----------------------------------------------------------------------------------

static struct track *next_wanted_locked(struct album_planner *p) REQUIRES(p->lock)
{
    for (uint32_t i = 0; i < p->wanted_count; ++i)
        if (!track_is_album_known(p->wanted[i]))
            return track_ref(p->wanted[i]);
    return NULL;
}

static void *album_planner_run(void *context)
{
    struct album_planner *p = context;
    pthread_setname_np(pthread_self(), "segue-album");
    if (setpriority(PRIO_PROCESS, (id_t)gettid(), NICE))
        log_write(p->config.log, LOG_LEVEL_DEBUG, NULL, "albums are planned at normal priority");
    mutex_lock(&p->lock);
    while (!p->stopping) {
        p->busy = next_wanted_locked(p);
        if (!p->busy) {
            cond_wait(&p->changed, &p->lock);
            continue;
        }
        atomic_store_explicit(&p->cancel, 0, memory_order_relaxed);
        struct track *busy = p->busy;
        mutex_unlock(&p->lock);
        answer(p, busy);
        mutex_lock(&p->lock);
        p->busy = NULL;
        mutex_unlock(&p->lock);
        track_unref(&busy);
        mutex_lock(&p->lock);
    }
    mutex_unlock(&p->lock);
    return NULL;
}

int album_planner_create(struct album_planner **out, const struct album_planner_config *config)
{
    *out = NULL;
    struct album_planner *p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->config = *config;
    int error = mutex_init(&p->lock);
    if (error) {
        free(p);
        return error;
    }
    error = cond_init(&p->changed);
    if (!error) {
        error = -pthread_create(&p->thread, NULL, album_planner_run, p);
        if (error)
            cond_deinit(&p->changed);
    }
    if (error) {
        mutex_deinit(&p->lock);
        free(p);
        return error;
    }
    *out = p;
    return 0;
}

void album_planner_plan(struct album_planner *p, struct track *const *tracks, uint32_t count)
{
    struct track *dropped[ALBUM_PLANNER_TRACKS];
    mutex_lock(&p->lock);
    const uint32_t dropped_count = p->wanted_count;
    memcpy(dropped, p->wanted, sizeof(dropped));
    bool busy_is_wanted = false;
    p->wanted_count = 0;
    for (uint32_t i = 0; i < count && p->wanted_count < ALBUM_PLANNER_TRACKS; ++i) {
        if (track_is_album_known(tracks[i]))
            continue; // a ring full of short tracks must not hide the one that is waited for
        p->wanted[p->wanted_count++] = track_ref(tracks[i]);
        busy_is_wanted |= tracks[i] == p->busy;
    }
    if (p->busy && !busy_is_wanted)
        atomic_store_explicit(&p->cancel, 1, memory_order_relaxed);
    cond_broadcast(&p->changed);
    mutex_unlock(&p->lock);
    for (uint32_t i = 0; i < dropped_count; ++i)
        track_unref(&dropped[i]);
}

void album_planner_destroy(struct album_planner **planner)
{
    struct album_planner *p = *planner;
    if (!p)
        return;
    album_planner_plan(p, NULL, 0);
    mutex_lock(&p->lock);
    p->stopping = true;
    cond_broadcast(&p->changed);
    mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    forget_row(p);
    cond_deinit(&p->changed);
    mutex_deinit(&p->lock);
    free(p);
    *planner = NULL;
}

// SPDX-License-Identifier: MIT
#include "engine/library/library_writer.h"
#include "engine/library/library_columns.h"
#include "engine/library/library_fields.h"
#include "engine/library/library_sidecar.h"
#include "engine/library/track_record.h"
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    BATCH_ITEMS = 64,
    QUEUE_ITEMS =
        4096, // more wait only while another process holds the database: the rest is not saved
    CHECKED_ROWS =
        256, // for each that is saved: some 2 us each, beside an analysis of 100 ms and more
};
static const int64_t batch_wait_ns = 200000000;  // for more to come
static const int64_t retry_wait_ns = 50000000;   // for another process to be done
static const int64_t last_wait_ns = 10000000000; // the same, once the run has ended

struct library_writer {
    // --- immutable after create
    const char *database; // not owned
    struct mastering_settings settings;
    struct library_notes *notes; // not owned
    pthread_t thread;
    struct mutex lock; // leaf
    struct cond work;  // predicate: items || stopping || flushed != flush_wanted
    struct cond done;  // predicate: flushed == flush_wanted
    // --- protected by lock
    struct library_item *first, **last;
    unsigned count;
    int64_t first_ns; // when the first of them came
    struct store_totals totals;
    uint64_t flush_wanted, flushed;
    uint64_t dropped,
        without_memory;  // not saved: the queue was full, or there was no memory for them
    int64_t deadline_ns; // of retries, once it is stopping or flushing
    bool stopping;
    // --- thread only
    struct store *store;
    struct library_item *batch; // taken from the queue, not saved yet
    struct store_totals batch_totals;
    struct library_sidecar sidecar;
    int error; // not 0: nothing is written in this run any more
    uint64_t saved;
    bool is_checked, was_suspect; // the database, in this run
    uint64_t lost, unprepared,
        gone; // not saved: the database's fault, that of memory, or their files'
    // --- atomic: written by the thread (release), read by look-ups (acquire): they find the new file
    _Atomic unsigned generation;
    // --- atomic: set by look-ups, cleared by the thread. Relaxed: what it is about stands in a file.
    _Atomic bool is_suspect;
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// What needs no lock of the database: the file's checksum, the sidecar. @return false: not to be saved.
static bool prepare(struct library_writer *w, struct library_item *item)
{
    const struct track_record *record = track_record_of(item->record);
    if (library_fields_check(record, track_record_analysis(record))) {
        library_notes_unsaved(w->notes, item->path);
        return false;
    }
    if (!item->has_checksum) {
        const int error = track_checksum_of_file(&item->checksum, item->path, &item->identity);
        w->unprepared += error == -ENOMEM;
        w->gone += error && error != -ENOMEM && error != -ESTALE;
        if (error)
            return false; // mostly since it has changed
        item->has_checksum = true;
    }
    if (item->what & LIBRARY_WRITE_SIDECAR)
        library_sidecar_save(&w->sidecar, item);
    item->what &= ~(unsigned)LIBRARY_WRITE_SIDECAR;
    return item->what != 0;
}

// --- the database; all of this under its lock

static int save_item(struct library_writer *w, const struct library_item *item)
{
    struct store_track track = {.path = item->absolute_path,
                                .identity = item->identity,
                                .is_fresh = item->is_fresh,
                                .checksum = item->checksum,
                                .created_s = time(NULL)};
    const struct track_record *record = track_record_of(item->record);
    struct store_targets targets;
    char target[LIBRARY_TARGET_BYTES];
    library_columns_from_record(&track, record);
    library_columns_settings(&targets.settings, target, &w->settings);
    library_columns_from_targets(&targets, &record->targets);
    return store_save(w->store, &track, record->has_targets ? &targets : NULL, item->moved_from,
                      item->what & LIBRARY_WRITE_ALL ? STORE_SAVED_ALL : STORE_SAVED_TARGETS);
}

static int open_store(struct library_writer *w)
{
    if (w->store && !store_is_in_place(w->store))
        store_close(&w->store); // someone put it aside
    return w->store ? 0 : store_open_writer(&w->store, w->database);
}

static bool is_due(struct library_writer *w)
{
    uint64_t count = w->saved;
    int64_t rows = 0;
    if (w->is_checked)
        return false;
    for (const struct library_item *item = w->batch; item; item = item->next)
        ++count;
    return store_highest_id(w->store, &rows) == 0 && (uint64_t)rows <= CHECKED_ROWS * count;
}

// A damaged index hides rows, and says nothing of it: they are missed and saved anew, to be hidden again. So it is
// looked through once a run, as soon as what was saved makes that little; and where a look-up met a bad page, at once.
static int check(struct library_writer *w)
{
    const bool is_suspect =
        atomic_exchange_explicit(&w->is_suspect, false, memory_order_relaxed) && !w->was_suspect;
    if (open_store(w) || !(is_suspect || is_due(w)))
        return 0; // what it is that cannot be opened is found out again by who writes
    w->is_checked = true;
    w->was_suspect |= is_suspect;
    return store_check(w->store) == -EBADMSG ? -EBADMSG : 0;
}

static int write_batch(struct library_writer *w, enum store_durability durability)
{
    int error = check(w);
    if (!error)
        error = open_store(w);
    if (!error)
        error = store_begin(w->store, durability);
    if (error)
        return error;
    for (const struct library_item *item = w->batch; item && !error; item = item->next) {
        error = save_item(w, item);
        if (error != -EINVAL)
            continue;
        library_notes_unsaved(w->notes, item->path); // this one's fault: the others are saved
        error = 0;
    }
    if (!error)
        error = store_add_totals(w->store, &w->batch_totals);
    if (error)
        return error; // the connection's end rolls it back: see write_locked()
    error = store_commit(w->store);
    if (!error)
        store_checkpoint(w->store, durability == STORE_DURABLE ? STORE_CHECKPOINT_NOW
                                                               : STORE_CHECKPOINT_IF_LONG);
    return error;
}

static int write_locked(struct library_writer *w, enum store_durability durability)
{
    const int error = write_batch(w, durability);
    if (error || durability == STORE_DURABLE)
        store_close(&w->store); // under the lock, too
    return error;
}

// All that still reads goes into a new one, and the batch with it.
static int mend_and_write(struct library_writer *w, int *lock, enum store_durability durability)
{
    uint64_t kept;
    library_notes_database(w->notes, -EBADMSG, 0);
    int error = store_mend(w->database, lock, &kept);
    if (!error)
        error = write_locked(w, durability);
    // Release: who sees the new number finds the new file.
    atomic_fetch_add_explicit(&w->generation, 1, memory_order_release);
    return error;
}

static int try_write(struct library_writer *w, enum store_durability durability)
{
    int fd = store_lock_try(w->database);
    if (fd < 0)
        return fd;
    int error = write_locked(w, durability);
    if (error == -EBADMSG)
        error = mend_and_write(w, &fd, durability);
    if (fd >= 0)
        store_lock_release(fd);
    return error;
}

// --- the thread

static bool has_totals(const struct store_totals *t)
{
    return t->memory_hits || t->sqlite_hits || t->sidecar_hits || t->misses;
}

// @return how many items were in it.
static uint64_t free_batch(struct library_writer *w)
{
    uint64_t count = 0;
    for (struct library_item *item = w->batch, *next; item; item = next) {
        next = item->next;
        ++count;
        library_item_destroy(&item);
    }
    w->batch = NULL;
    w->batch_totals = (struct store_totals){0};
    return count;
}

static void lose_batch(struct library_writer *w, int error)
{
    w->error = error;
    w->lost += free_batch(w);
}

static bool is_busy(int error)
{
    return error == -EAGAIN || error == -EBUSY;
}

// Take up to `most` more items into the batch, and the totals.
static void take_items(struct library_writer *w, unsigned most) REQUIRES(w->lock)
{
    struct library_item **at = &w->batch;
    while (*at)
        at = &(*at)->next;
    for (unsigned i = 0; i < most && w->first; ++i) {
        *at = w->first;
        w->first = (*at)->next;
        at = &(*at)->next;
        *at = NULL;
        --w->count;
    }
    if (!w->first)
        w->last = &w->first;
    w->first_ns = now_ns();
    store_totals_add(&w->batch_totals, &w->totals);
    w->totals = (struct store_totals){0};
}

static void prepare_batch(struct library_writer *w)
{
    struct library_item **at = &w->batch;
    while (*at) {
        struct library_item *item = *at;
        if (prepare(w, item)) {
            at = &item->next;
            continue;
        }
        *at = item->next;
        library_item_destroy(&item);
    }
}

// @return -EAGAIN: to be tried again.
static int process(struct library_writer *w, enum store_durability durability)
{
    prepare_batch(w);
    // An open connection is closed under the lock, by a last batch that may be empty.
    const bool closes = w->store && durability == STORE_DURABLE;
    const bool has_work = w->batch || has_totals(&w->batch_totals) || closes ||
                          atomic_load_explicit(&w->is_suspect, memory_order_relaxed);
    int error = w->error;
    if (w->database && has_work && !error)
        error = try_write(w, durability);
    if (is_busy(error) && error != w->error)
        return -EAGAIN;
    if (error)
        lose_batch(w, error);
    else
        w->saved += free_batch(w);
    return 0;
}

static bool wants_all(const struct library_writer *w)
{
    return w->stopping || w->flushed != w->flush_wanted;
}

static void wait_for_batch(struct library_writer *w) REQUIRES(w->lock)
{
    while (!w->count && !wants_all(w))
        cond_wait(&w->work, &w->lock);
    const int64_t deadline_ns = w->first_ns + batch_wait_ns;
    while (w->count < BATCH_ITEMS && !wants_all(w))
        if (cond_wait_until(&w->work, &w->lock, deadline_ns))
            break;
}

// Another process holds the database: wait a little, less if the run ends. @return false: give up.
static bool wait_for_retry(struct library_writer *w) REQUIRES(w->lock)
{
    const bool ends = wants_all(w);
    const int64_t now = now_ns();
    if (ends && now >= w->deadline_ns)
        return false;
    while (wants_all(w) == ends)
        if (cond_wait_until(&w->work, &w->lock, now + retry_wait_ns))
            break;
    return true;
}

static void save_once(struct library_writer *w) REQUIRES(w->lock)
{
    const uint64_t flush = w->flush_wanted;
    const bool all = wants_all(w);
    take_items(w, all ? UINT32_MAX : w->batch ? 0 : BATCH_ITEMS); // one batch at a time
    mutex_unlock(&w->lock);
    const int error = process(w, all ? STORE_DURABLE : STORE_CONSISTENT);
    mutex_lock(&w->lock);
    if (error && wait_for_retry(w))
        return;
    if (error)
        lose_batch(w, -EBUSY);
    if (all && !w->first) {
        w->flushed = flush;
        cond_broadcast(&w->done);
    }
}

static void *writer_run(void *context)
{
    struct library_writer *w = context;
    pthread_setname_np(pthread_self(), "segue-store");
    mutex_lock(&w->lock);
    for (;;) {
        if (!w->batch)
            wait_for_batch(w);
        const bool last = w->stopping;
        save_once(w);
        if (last && !w->batch && !w->first && w->flushed == w->flush_wanted)
            break;
    }
    const uint64_t lost = w->lost + w->dropped, without_memory = w->unprepared + w->without_memory;
    mutex_unlock(&w->lock);
    store_close(&w->store); // where the lock could not be had
    if (w->error || lost)
        library_notes_database(w->notes, w->error ? w->error : -EBUSY, lost);
    if (without_memory)
        library_notes_database(w->notes, -ENOMEM, without_memory);
    library_notes_gone(w->notes, w->gone);
    return NULL;
}

// --- from other threads

int library_writer_create(struct library_writer **out, const char *database,
                          const struct mastering_settings *settings, struct library_notes *notes)
{
    *out = NULL;
    struct library_writer *w = calloc(1, sizeof(*w));
    if (!w)
        return -ENOMEM;
    w->database = database;
    w->settings = *settings;
    w->sidecar.settings = *settings;
    w->sidecar.notes = notes;
    w->notes = notes;
    w->last = &w->first;
    int error = mutex_init(&w->lock);
    if (error) {
        free(w);
        return error;
    }
    error = cond_init(&w->work);
    if (!error) {
        error = cond_init(&w->done);
        if (!error) {
            error = -pthread_create(&w->thread, NULL, writer_run, w);
            if (error)
                cond_deinit(&w->done);
        }
        if (error)
            cond_deinit(&w->work);
    }
    if (error) {
        mutex_deinit(&w->lock);
        free(w);
        return error;
    }
    *out = w;
    return 0;
}

void library_writer_destroy(struct library_writer **writer)
{
    struct library_writer *w = *writer;
    if (!w)
        return;
    mutex_lock(&w->lock);
    w->stopping = true;
    w->deadline_ns = now_ns() + last_wait_ns;
    cond_broadcast(&w->work);
    mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    assert(!w->first && !w->batch && !w->store);
    library_sidecar_deinit(&w->sidecar);
    cond_deinit(&w->done);
    cond_deinit(&w->work);
    mutex_deinit(&w->lock);
    free(w);
    *writer = NULL;
}

void library_writer_add(struct library_writer *w, struct library_item **item)
{
    mutex_lock(&w->lock);
    if (!*item) {
        ++w->without_memory;
    } else if (w->count < QUEUE_ITEMS) {
        if (!w->first)
            w->first_ns = now_ns();
        *w->last = *item;
        w->last = &(*item)->next;
        ++w->count;
        *item = NULL;
        cond_signal(&w->work);
    } else {
        ++w->dropped;
    }
    mutex_unlock(&w->lock);
    library_item_destroy(item);
}

void library_writer_count(struct library_writer *w, const struct store_totals *totals)
{
    mutex_lock(&w->lock);
    store_totals_add(&w->totals, totals);
    mutex_unlock(&w->lock);
}

void library_writer_flush(struct library_writer *w)
{
    mutex_lock(&w->lock);
    const uint64_t wanted = ++w->flush_wanted;
    w->deadline_ns = now_ns() + last_wait_ns;
    cond_broadcast(&w->work);
    while (w->flushed < wanted)
        cond_wait(&w->done, &w->lock);
    mutex_unlock(&w->lock);
}

void library_writer_suspect(struct library_writer *w)
{
    atomic_store_explicit(&w->is_suspect, true, memory_order_relaxed);
}

unsigned library_writer_generation(struct library_writer *w)
{
    return atomic_load_explicit(&w->generation, memory_order_acquire);
}

// SPDX-License-Identifier: MIT
// The look-up thread. The thread that saves is library_writer.c.
#include "engine/library/library.h"
#include "dsp/mutex.h"
#include "engine/library/library_ladder.h"
#include "engine/library/library_writer.h"
#include "engine/library/track_record.h"
#include "io/store/store.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct library {
    // --- immutable after create
    char *database; // NULL: none
    enum library_sidecars sidecars;
    struct library_writer *writer;
    struct library_notes notes;
    int event_fd;
    pthread_t thread;
    struct mutex lock; // leaf
    struct cond asked; // predicate: questions || outdated || stopping
    // --- protected by lock
    struct library_lookup *questions; // by priority, then in order
    struct library_lookup *answers, **last_answer;
    struct library_outdated *outdated; // asked for once there is no question; or NULL
    bool stopping;
    // --- look-up thread only
    struct library_ladder ladder;
    unsigned generation; // of the database that the ladder found corrupt
};

// --- the look-up thread

static void save(struct library *l, const struct library_lookup *lookup, struct record *record,
                 unsigned what, char **moved_from)
{
    if (l->sidecars == LIBRARY_SIDECARS_WRITE && track_record_of(record)->has_targets)
        what |= LIBRARY_WRITE_SIDECAR;
    if (!what)
        return;
    struct library_item *item = library_item_create(lookup, record, what);
    if (item) {
        item->moved_from = *moved_from;
        *moved_from = NULL;
    }
    library_writer_add(l->writer, &item);
}

static void count(struct library *l, const struct library_lookup *lookup)
{
    struct store_totals totals = {0};
    if (lookup->outcome == LIBRARY_MISS) {
        totals.misses = 1;
    } else {
        totals.saved_ns = track_record_of(lookup->record)->cost_ns;
        totals.sqlite_hits = lookup->tier == LIBRARY_SQLITE;
        totals.sidecar_hits = lookup->tier == LIBRARY_SIDECAR;
    }
    library_writer_count(l->writer, &totals);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// What a found record cost this time; no one else has seen it yet.
static void set_timing(struct record *record, int64_t begun_ns)
{
    struct track_record *head = record_data_mutable(record);
    const int64_t passed_ns = now_ns() - begun_ns;
    head->timing = (struct extraction_timing){.load_ns = passed_ns, .total_ns = passed_ns};
}

static void answer(struct library *l, struct library_lookup *lookup)
{
    const int64_t begun_ns = now_ns();
    const unsigned generation = library_writer_generation(l->writer);
    if (generation != l->generation)
        l->ladder.is_corrupt = false; // there is a new one
    l->generation = generation;
    char *moved_from;
    const enum library_repair repair = library_ladder_climb(&l->ladder, lookup, &moved_from);
    count(l, lookup);
    if (lookup->record)
        set_timing(lookup->record, begun_ns);
    if (lookup->record)
        save(l, lookup, lookup->record, repair == LIBRARY_KEEP ? 0 : LIBRARY_WRITE_ALL,
             &moved_from);
    free(moved_from);
}

// A look-up, or NULL and *outdated; both NULL: the end.
static struct library_lookup *take_question(struct library *l, struct library_outdated **outdated)
{
    mutex_lock(&l->lock);
    while (!l->questions && !l->outdated && !l->stopping)
        cond_wait(&l->asked, &l->lock);
    struct library_lookup *lookup = l->questions;
    if (lookup)
        l->questions = lookup->next;
    *outdated = lookup || l->stopping ? NULL : l->outdated;
    if (*outdated)
        l->outdated = NULL;
    mutex_unlock(&l->lock);
    return lookup;
}

static void give_answer(struct library *l, struct library_lookup *lookup)
{
    lookup->next = NULL;
    mutex_lock(&l->lock);
    *l->last_answer = lookup;
    l->last_answer = &lookup->next;
    mutex_unlock(&l->lock);
    (void)eventfd_write(l->event_fd,
                        1); // fails only where the counter is full: readable all the same
}

static void *look_up_run(void *context)
{
    struct library *l = context;
    pthread_setname_np(pthread_self(), "segue-lookup");
    struct library_lookup *lookup;
    struct library_outdated *outdated;
    while ((lookup = take_question(l, &outdated)) || outdated) {
        if (lookup) {
            answer(l, lookup);
            give_answer(l, lookup);
        } else {
            library_ladder_find_outdated(&l->ladder, outdated);
            outdated->answered(outdated->context);
        }
        if (l->ladder.is_damaged)
            library_writer_suspect(l->writer);
        l->ladder.is_damaged = false;
    }
    library_ladder_deinit(&l->ladder);
    return NULL;
}

// --- from other threads

// What the file is, before SQLite may touch it. @return its path if it is to be used, else NULL.
static const char *inspect(struct library *l)
{
    const int error = l->database ? store_schema_inspect(l->database) : -ENOENT;
    if (l->database && (!error || error == -ENOENT))
        return l->database;
    library_notes_database(&l->notes, error, 0);
    l->ladder.is_corrupt = error == -EBADMSG; // until the writer has put it aside
    return l->ladder.is_corrupt ? l->database : NULL;
}

static int start(struct library *l, const struct library_config *config)
{
    const char *database = inspect(l);
    l->ladder.database = database;
    l->ladder.settings = config->settings;
    l->ladder.notes = &l->notes;
    l->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int error = l->event_fd < 0 ? -errno : 0;
    if (!error)
        error = library_writer_create(&l->writer, database, &config->settings, &l->notes);
    if (!error) {
        error = -pthread_create(&l->thread, NULL, look_up_run, l);
        if (error)
            library_writer_destroy(&l->writer);
    }
    if (error && l->event_fd >= 0)
        close(l->event_fd);
    return error;
}

static int init_locks(struct library *l, struct log *log)
{
    int error = mutex_init(&l->lock);
    if (error)
        return error;
    error = cond_init(&l->asked);
    if (!error) {
        error = library_notes_init(&l->notes, log, l->database);
        if (error)
            cond_deinit(&l->asked);
    }
    if (error)
        mutex_deinit(&l->lock);
    return error;
}

static void free_library(struct library *l)
{
    library_notes_deinit(&l->notes);
    cond_deinit(&l->asked);
    mutex_deinit(&l->lock);
    free(l->database);
    free(l);
}

int library_create(struct library **out, const struct library_config *config)
{
    *out = NULL;
    struct library *l = calloc(1, sizeof(*l));
    if (!l)
        return -ENOMEM;
    l->sidecars = config->sidecars;
    l->last_answer = &l->answers;
    l->database = config->database ? strdup(config->database) : NULL;
    int error = config->database && !l->database ? -ENOMEM : init_locks(l, config->log);
    if (error) {
        free(l->database);
        free(l);
        return error;
    }
    error = start(l, config);
    if (error)
        free_library(l);
    else
        *out = l;
    return error;
}

void library_destroy(struct library **library)
{
    struct library *l = *library;
    if (!l)
        return;
    assert(!l->answers);
    mutex_lock(&l->lock);
    l->stopping = true;
    cond_signal(&l->asked);
    mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    library_writer_destroy(&l->writer);
    library_notes_end(&l->notes);
    close(l->event_fd);
    free_library(l);
    *library = NULL;
}

void library_flush(struct library *library)
{
    library_writer_flush(library->writer);
}

void library_look_up(struct library *l, struct library_lookup *lookup)
{
    assert(lookup->path && !lookup->record && !lookup->absolute_path);
    mutex_lock(&l->lock);
    struct library_lookup **at = &l->questions;
    while (*at && (*at)->priority <= lookup->priority)
        at = &(*at)->next;
    lookup->next = *at;
    *at = lookup;
    cond_signal(&l->asked);
    mutex_unlock(&l->lock);
}

void library_find_outdated(struct library *l, struct library_outdated *query)
{
    query->path = NULL;
    mutex_lock(&l->lock);
    assert(!l->outdated);
    l->outdated = query;
    cond_signal(&l->asked);
    mutex_unlock(&l->lock);
}

int library_event_fd(const struct library *library)
{
    return library->event_fd;
}

struct library_lookup *library_reap(struct library *l)
{
    mutex_lock(&l->lock);
    struct library_lookup *lookup = l->answers;
    if (lookup)
        l->answers = lookup->next;
    if (!l->answers)
        l->last_answer = &l->answers;
    if (!lookup) {
        // Under the lock, so that an answer that comes now makes it readable again.
        eventfd_t count_of_answers;
        (void)eventfd_read(l->event_fd, &count_of_answers); // fails where it is clear already
    }
    mutex_unlock(&l->lock);
    return lookup;
}

void library_lookup_deinit(struct library_lookup *lookup)
{
    free(lookup->absolute_path);
    lookup->absolute_path = NULL;
    record_unref(&lookup->record);
}

void library_save(struct library *l, const struct library_lookup *lookup, struct record *record)
{
    char *moved_from = NULL;
    if (lookup->has_changed)
        return;
    const bool has_analysis = lookup->outcome == LIBRARY_ANALYSIS && lookup->tier == LIBRARY_SQLITE;
    save(l, lookup, record, has_analysis ? LIBRARY_WRITE_TARGETS : LIBRARY_WRITE_ALL, &moved_from);
}

void library_note_memory_hit(struct library *l, const char *path,
                             const struct file_identity *identity, struct record *record)
{
    const struct store_totals totals = {.memory_hits = 1,
                                        .saved_ns = track_record_of(record)->cost_ns};
    library_writer_count(l->writer, &totals);
    if (l->sidecars != LIBRARY_SIDECARS_WRITE || track_record_of(record)->damage)
        return;
    // Marked to be compared by checksum: when it was opened is not known here.
    const struct library_lookup lookup = {.path = path, .identity = *identity, .is_fresh = true};
    char *moved_from = NULL;
    save(l, &lookup, record, 0, &moved_from);
}

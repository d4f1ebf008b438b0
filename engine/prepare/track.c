// SPDX-License-Identifier: MIT
#include "engine/prepare/track.h"
#include "dsp/mutex.h"
#include "io/tags/tags.h"
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct track {
    // --- immutable after create
    uint64_t queue_id;
    char *path;
    // --- set on admission, before the source exists
    void (*opened)(void *context, struct track *track);
    void *opened_context;
    // --- one thread at a time: the player, then the render thread
    struct decoder *decoder;
    struct decoder_info info;
    bool was_mastered;
    struct mutex lock;   // leaf, but for source_cancel() and source_set_priority() below it
    struct cond changed; // predicate: source || record_known || album_known || cancelled
    // --- protected by lock
    struct source *source; // set once, on admission
    struct record *record;
    int record_error;
    bool record_known, cancelled, reported;
    enum extraction_tier tier;
    char error_text[192];
    struct track_album album;
    bool in_album;
    // --- atomic: written under lock (release), read by anyone (acquire)
    _Atomic int album_known;
    // --- atomic: written under lock (release), read by the render thread (acquire) once a block
    _Atomic int has_record;
    // --- atomic: references; the last decrement (acquire and release) frees
    _Atomic uint32_t references;
};

struct track *track_create(uint64_t queue_id, const char *path)
{
    struct track *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    if (mutex_init(&t->lock)) {
        free(t);
        return NULL;
    }
    if (cond_init(&t->changed)) {
        mutex_deinit(&t->lock);
        free(t);
        return NULL;
    }
    atomic_init(&t->references, 1);
    t->queue_id = queue_id;
    t->path = strdup(path);
    if (!t->path)
        track_unref(&t);
    return t;
}

struct track *track_ref(struct track *track)
{
    atomic_fetch_add_explicit(&track->references, 1, memory_order_relaxed);
    return track;
}

void track_unref(struct track **track)
{
    struct track *t = *track;
    *track = NULL;
    if (!t || atomic_fetch_sub_explicit(&t->references, 1, memory_order_acq_rel) > 1)
        return;
    decoder_close(&t->decoder);
    source_close(&t->source);
    record_unref(&t->record);
    cond_deinit(&t->changed);
    mutex_deinit(&t->lock);
    free(t->path);
    free(t);
}

uint64_t track_queue_id(const struct track *track)
{
    return track->queue_id;
}

const char *track_path(const struct track *track)
{
    return track->path;
}

static void on_source_opened(void *context)
{
    struct track *t = context;
    t->opened(t->opened_context, t);
}

int track_admit(struct track *t, struct loader *loader, enum loader_priority priority,
                void (*opened)(void *context, struct track *track), void *context)
{
    t->opened = opened;
    t->opened_context = context;
    const struct source_config config = {.path = t->path,
                                         .window_bytes = 0,
                                         .priority = priority,
                                         .opened = on_source_opened,
                                         .context = t};
    struct source *source;
    const int error = source_open(&source, loader, &config);
    mutex_lock(&t->lock);
    assert(!t->source);
    t->source = source;
    if (error)
        t->cancelled = true;
    else if (t->cancelled)
        source_cancel(source);
    cond_broadcast(&t->changed);
    mutex_unlock(&t->lock);
    return error;
}

int track_poll_open(struct track *t, struct file_identity *identity)
{
    mutex_lock(&t->lock);
    struct source *source = t->source;
    mutex_unlock(&t->lock);
    return source ? source_poll_open(source, identity) : -EAGAIN;
}

void track_set_priority(struct track *t, enum loader_priority priority)
{
    mutex_lock(&t->lock);
    if (t->source)
        source_set_priority(t->source, priority);
    mutex_unlock(&t->lock);
}

void track_set_record(struct track *t, struct record *record, int error)
{
    mutex_lock(&t->lock);
    if (!t->record_known) {
        t->record = record ? record_ref(record) : NULL;
        t->record_error = error;
        t->record_known = true;
        atomic_store_explicit(&t->has_record, record != NULL, memory_order_release);
        cond_broadcast(&t->changed);
    }
    mutex_unlock(&t->lock);
}

void track_set_album(struct track *t, const struct track_album *album)
{
    mutex_lock(&t->lock);
    t->in_album = album != NULL;
    if (album)
        t->album = *album;
    atomic_store_explicit(&t->album_known, 1, memory_order_release);
    cond_broadcast(&t->changed);
    mutex_unlock(&t->lock);
}

bool track_is_album_known(const struct track *t)
{
    return atomic_load_explicit(&t->album_known, memory_order_acquire);
}

void track_cancel(struct track *t)
{
    mutex_lock(&t->lock);
    t->cancelled = true;
    if (t->source)
        source_cancel(t->source);
    cond_broadcast(&t->changed);
    mutex_unlock(&t->lock);
}

bool track_is_cancelled(struct track *t)
{
    mutex_lock(&t->lock);
    const bool cancelled = t->cancelled;
    mutex_unlock(&t->lock);
    return cancelled;
}

static int wait_admitted(struct track *t, struct source **source)
{
    mutex_lock(&t->lock);
    while (!t->source && !t->cancelled)
        cond_wait(&t->changed, &t->lock);
    *source = t->source;
    mutex_unlock(&t->lock);
    return *source ? 0 : -ECANCELED;
}

static void keep_error_text(struct track *t, const char *text)
{
    mutex_lock(&t->lock);
    snprintf(t->error_text, sizeof(t->error_text), "%s", text);
    mutex_unlock(&t->lock);
}

// A minute of playing time is kept in memory, or 24 MiB if that is less: enough to sit out a stalled disk.
static size_t window_for(const struct decoder_info *info, uint64_t size_bytes)
{
    const uint64_t most = 24U << 20, least = 1U << 20;
    const double seconds = (double)info->frames / info->format.rate_hz;
    if (seconds <= 60.0)
        return (size_t)(size_bytes < most ? (size_bytes > least ? size_bytes : least) : most);
    const double minute = 60.0 * (double)size_bytes / seconds;
    return minute > (double)most ? most : minute < (double)least ? least : (size_t)minute;
}

static int look_for_mark(struct track *t, struct source *source, uint64_t size_bytes)
{
    struct tags tags;
    const int error = tags_read(&tags, source, size_bytes);
    t->was_mastered = !error && tags_was_mastered(&tags);
    tags_deinit(&tags);
    return error;
}

int track_open_decoder(struct track *t, struct decoder_info *info)
{
    if (t->decoder) {
        *info = t->info;
        return 0;
    }
    struct source *source;
    struct file_identity identity;
    int error = wait_admitted(t, &source);
    if (!error)
        error = source_wait_open(source, &identity);
    if (!error)
        error = look_for_mark(t, source, identity.size_bytes);
    if (!error)
        error = decoder_open(&t->decoder, source, &t->info);
    if (error) {
        keep_error_text(t, decoder_error_text(error));
        return error;
    }
    source_set_window(source, window_for(&t->info, identity.size_bytes));
    *info = t->info;
    return 0;
}

struct decoder *track_decoder(struct track *t)
{
    return t->decoder;
}

bool track_was_mastered(const struct track *t)
{
    return t->was_mastered;
}

struct record *track_record(struct track *t)
{
    mutex_lock(&t->lock);
    struct record *record = t->record ? record_ref(t->record) : NULL;
    mutex_unlock(&t->lock);
    return record;
}

bool track_has_record(const struct track *t)
{
    return atomic_load_explicit(&t->has_record, memory_order_acquire);
}

int track_wait_record(struct track *t, struct record **record)
{
    mutex_lock(&t->lock);
    while (!t->record_known && !t->cancelled)
        cond_wait(&t->changed, &t->lock);
    *record = t->record ? record_ref(t->record) : NULL;
    const int error = *record ? 0 : t->cancelled ? -ECANCELED : t->record_error;
    mutex_unlock(&t->lock);
    return error;
}

static int album_locked(const struct track *t, struct track_album *album) REQUIRES(t->lock)
{
    if (!track_is_album_known(t))
        return t->cancelled ? -ECANCELED : -EAGAIN;
    *album = t->album;
    return t->in_album ? 0 : -ENOENT;
}

int track_album(struct track *t, struct track_album *album)
{
    mutex_lock(&t->lock);
    const int error = album_locked(t, album);
    mutex_unlock(&t->lock);
    return error;
}

int track_wait_album(struct track *t, struct track_album *album)
{
    int error;
    mutex_lock(&t->lock);
    while ((error = album_locked(t, album)) == -EAGAIN)
        cond_wait(&t->changed, &t->lock);
    mutex_unlock(&t->lock);
    return error;
}

void track_error_text(struct track *t, char *text, uint32_t bytes)
{
    mutex_lock(&t->lock);
    snprintf(text, bytes, "%s", t->error_text);
    mutex_unlock(&t->lock);
}

bool track_claim_report(struct track *t)
{
    mutex_lock(&t->lock);
    const bool first = !t->reported;
    t->reported = true;
    mutex_unlock(&t->lock);
    return first;
}

void track_set_tier(struct track *t, enum extraction_tier tier)
{
    mutex_lock(&t->lock);
    t->tier = tier;
    mutex_unlock(&t->lock);
}

void track_progress(struct track *t, struct track_progress *progress)
{
    *progress = (struct track_progress){0};
    mutex_lock(&t->lock);
    progress->admitted = t->source != NULL;
    progress->analysed = t->record != NULL;
    progress->failed = t->record_known && !t->record;
    progress->tier = t->tier;
    struct source *source = t->source;
    mutex_unlock(&t->lock);
    struct file_identity identity;
    if (!source || source_poll_open(source, &identity))
        return;
    progress->open = true;
    progress->size_bytes = identity.size_bytes;
    source_progress(source, &progress->ahead_bytes, &progress->loaded_bytes);
}

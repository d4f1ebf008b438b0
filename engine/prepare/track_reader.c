// SPDX-License-Identifier: MIT
#include "engine/prepare/track_reader.h"
#include "dsp/mutex.h"
#include "engine/prepare/extractor.h"
#include "io/tags/tags.h"
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW_BYTES = 1 << 20 };

struct track_reader {
    // --- immutable after create
    struct loader *loader; // not owned
    char *path;
    struct file_identity expected;
    enum loader_priority priority;
    struct track_reader_progress *progress; // not owned; NULL: nobody asks
    // --- worker only
    struct decoder *decoder;
    struct decoder_info info;
    struct track_reader_report report;
    int was_mastered;  // -1: not known yet
    struct mutex lock; // leaf
    // --- protected by lock
    struct source *source; // set by the worker, cancelled by anyone
    bool cancelled;
};

int track_reader_create(struct track_reader **out, struct loader *loader, const char *path,
                        const struct file_identity *expected, enum loader_priority priority)
{
    *out = NULL;
    struct track_reader *r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    const int error = mutex_init(&r->lock);
    if (error) {
        free(r);
        return error;
    }
    r->loader = loader;
    r->expected = *expected;
    r->priority = priority;
    r->was_mastered = -1;
    r->path = strdup(path);
    if (!r->path) {
        track_reader_destroy(&r);
        return -ENOMEM;
    }
    *out = r;
    return 0;
}

static void close_all(struct track_reader *r)
{
    decoder_close(&r->decoder);
    mutex_lock(&r->lock);
    struct source *source = r->source;
    r->source = NULL;
    mutex_unlock(&r->lock);
    source_close(&source);
}

void track_reader_destroy(struct track_reader **reader)
{
    struct track_reader *r = *reader;
    if (!r)
        return;
    close_all(r);
    mutex_deinit(&r->lock);
    free(r->path);
    free(r);
    *reader = NULL;
}

static int open_source(struct track_reader *r, struct file_identity *identity)
{
    const struct source_config config = {
        .path = r->path, .window_bytes = WINDOW_BYTES, .priority = r->priority};
    struct source *source;
    const int error = source_open(&source, r->loader, &config);
    if (error)
        return error;
    mutex_lock(&r->lock);
    r->source = source;
    const bool cancelled = r->cancelled;
    mutex_unlock(&r->lock);
    if (cancelled)
        source_cancel(source);
    return source_wait_open(source, identity);
}

static void describe(struct track_reader *r, int error)
{
    const char *text = decoder_error_text(error);
    snprintf(r->report.text, sizeof(r->report.text), "%s", text);
}

// In a FLAC file the mark is a Vorbis comment; in a WAV file it is in the ID3 chunk, or at least in a comment.
static int look_for_mark(struct track_reader *r, uint64_t size_bytes)
{
    struct tags tags;
    if (r->was_mastered >= 0)
        return 0;
    const int error = tags_read(&tags, r->source, size_bytes);
    if (!error)
        r->was_mastered = tags_was_mastered(&tags);
    tags_deinit(&tags);
    return error;
}

static int open_first(struct track_reader *r)
{
    struct file_identity identity;
    int error = open_source(r, &identity);
    if (!error)
        error = look_for_mark(r, identity.size_bytes);
    if (!error)
        error = decoder_open(&r->decoder, r->source, &r->info);
    if (error) {
        describe(r, error);
        return error;
    }
    snprintf(r->report.codec, sizeof(r->report.codec), "%s", r->info.codec);
    return 0;
}

void track_reader_set_progress(struct track_reader *r, struct track_reader_progress *progress)
{
    r->progress = progress;
}

static void begin_pass(struct track_reader *r)
{
    struct track_reader_progress *p = r->progress;
    if (!p)
        return;
    atomic_store_explicit(&p->rate_hz, r->info.format.rate_hz, memory_order_relaxed);
    atomic_store_explicit(&p->total_frames, r->info.frames, memory_order_relaxed);
    atomic_store_explicit(&p->done_frames, 0, memory_order_relaxed);
    atomic_fetch_add_explicit(&p->pass, 1, memory_order_relaxed);
}

static int reader_open(void *context, struct pcm_format *format)
{
    struct track_reader *r = context;
    const int error = r->decoder ? decoder_seek(r->decoder, 0) : open_first(r);
    if (error)
        return error;
    *format = r->info.format;
    begin_pass(r);
    return 0;
}

// The first pass over the file says what there is to say of it.
static void note_end(struct track_reader *r)
{
    const char *damage = decoder_damage_text(r->decoder);
    if (damage)
        snprintf(r->report.text, sizeof(r->report.text), "%s", damage);
    r->report.replaced_samples = decoder_replaced_samples(r->decoder);
}

static int64_t reader_read(void *context, float *interleaved, uint32_t frames)
{
    struct track_reader *r = context;
    const int64_t got = decoder_read(r->decoder, interleaved, frames);
    if (got > 0 && r->progress)
        atomic_fetch_add_explicit(&r->progress->done_frames, (uint64_t)got, memory_order_relaxed);
    if (got != 0)
        return got;
    note_end(r);
    return decoder_damage(r->decoder) == DECODER_SOUND ? 0 : -EBADMSG;
}

static void reader_close(void *context)
{
    struct track_reader *r = context;
    struct file_identity now;
    if (file_identity_read(&now, r->path) || memcmp(&now, &r->expected, sizeof(now)) != 0)
        r->report.changed = true;
    close_all(r);
}

struct pcm_reader track_reader_pcm(struct track_reader *r)
{
    return (struct pcm_reader){
        .context = r, .open = reader_open, .read = reader_read, .close = reader_close};
}

int track_reader_was_mastered(void *context)
{
    struct track_reader *r = context;
    struct file_identity identity;
    if (r->was_mastered >= 0)
        return r->was_mastered;
    int error = open_source(r, &identity);
    if (!error)
        error = look_for_mark(r, identity.size_bytes);
    close_all(r);
    return error ? error : r->was_mastered;
}

void track_reader_cancel(struct track_reader *r)
{
    mutex_lock(&r->lock);
    r->cancelled = true;
    if (r->source)
        source_cancel(r->source);
    mutex_unlock(&r->lock);
}

void track_reader_report(const struct track_reader *r, struct track_reader_report *report)
{
    *report = r->report;
}

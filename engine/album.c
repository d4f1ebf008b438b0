// SPDX-License-Identifier: MIT
#include "engine/album.h"
#include "dsp/calibrate.h"
#include "engine/extractor.h"
#include "engine/track_record.h"
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const double SILENCE_LEAST_S = 0.010, SOUND_LEAST_LUFS = -60.0;

static int is_equal(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static const char *artist_of(const struct tags *tags)
{
    const char *artist = tags_get(tags, "ALBUMARTIST");
    return artist ? artist : tags_get(tags, "ALBUM ARTIST");
}

int album_is_same(const struct tags *a, const struct tags *b)
{
    if (!is_equal(tags_get(a, "ALBUM"), tags_get(b, "ALBUM")))
        return 0;
    const char *artist_a = artist_of(a), *artist_b = artist_of(b);
    if (!artist_a && !artist_b) {
        artist_a = tags_get(a, "ARTIST");
        artist_b = tags_get(b, "ARTIST");
    }
    return artist_a == artist_b || is_equal(artist_a, artist_b);
}

static uint32_t disc_of(const struct tags *tags)
{
    const uint32_t disc = tags_number(tags_get(tags, "DISCNUMBER"));
    return disc ? disc : 1;
}

int album_follows(const struct tags *a, const struct tags *b)
{
    const uint32_t number = tags_number(tags_get(a, "TRACKNUMBER"));
    return number && tags_number(tags_get(b, "TRACKNUMBER")) == number + 1 &&
           disc_of(a) == disc_of(b) && album_is_same(a, b);
}

static int ends_with_sound(const struct analysis *a)
{
    const float *lufs = analysis_short_term(a);
    return a->silence_tail_s < SILENCE_LEAST_S &&
           (a->loudness_count == 0 || (double)lufs[a->loudness_count - 1] > SOUND_LEAST_LUFS);
}

static int begins_with_sound(const struct analysis *a)
{
    const float *lufs = analysis_short_term(a);
    return a->silence_head_s < SILENCE_LEAST_S &&
           (a->loudness_count == 0 || (double)lufs[0] > SOUND_LEAST_LUFS);
}

int album_runs_on(const struct album_track *a, const struct album_track *b)
{
    if (!a->record || !b->record || !album_follows(a->tags, b->tags))
        return 0;
    const struct analysis *before = track_record_analysis(track_record_of(a->record));
    const struct analysis *after = track_record_analysis(track_record_of(b->record));
    // The chain's delay has to fit in, and then some.
    return before->sample_rate_hz == after->sample_rate_hz && before->duration_s >= 1.0 &&
           after->duration_s >= 1.0 && ends_with_sound(before) && begins_with_sound(after);
}

// --- Calibration ---------------------------------------------------------------------------------

// A reader that gives up when it is told to, between two reads.
struct cancellable {
    struct track_reader *reader;
    struct pcm_reader inner;
    const _Atomic int *cancel;
};

static int cancellable_open(void *context, struct pcm_format *format)
{
    const struct cancellable *c = context;
    return c->inner.open(c->inner.context, format);
}

static int64_t cancellable_read(void *context, float *interleaved, uint32_t frames)
{
    const struct cancellable *c = context;
    if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed))
        return -ECANCELED;
    return c->inner.read(c->inner.context, interleaved, frames);
}

static void cancellable_close(void *context)
{
    const struct cancellable *c = context;
    c->inner.close(c->inner.context);
}

struct calibration {
    struct cancellable *readers;
    struct pcm_reader *pcm;
    struct calibrate_track *tracks;
};

static int prepare(struct calibration *c, struct album_track *tracks, uint32_t count,
                   struct loader *loader, const _Atomic int *cancel)
{
    c->readers = calloc(count, sizeof(*c->readers));
    c->pcm = calloc(count, sizeof(*c->pcm));
    c->tracks = calloc(count, sizeof(*c->tracks));
    int error = c->readers && c->pcm && c->tracks ? 0 : -ENOMEM;
    for (uint32_t i = 0; i < count && !error; ++i) {
        struct cancellable *r = &c->readers[i];
        struct file_identity identity = {0}; // of no interest here
        error = track_reader_create(&r->reader, loader, tracks[i].path, &identity, LOADER_SCAN);
        if (error)
            break;
        r->inner = track_reader_pcm(r->reader);
        r->cancel = cancel;
        c->pcm[i] = (struct pcm_reader){r, cancellable_open, cancellable_read, cancellable_close};
        const struct track_record *record = track_record_of(tracks[i].record);
        tracks[i].targets = record->targets;
        tracks[i].runs_on = i > 0 && album_runs_on(&tracks[i - 1], &tracks[i]);
        c->tracks[i] = (struct calibrate_track){.targets = &tracks[i].targets,
                                                .analysis = track_record_analysis(record),
                                                .reader = &c->pcm[i],
                                                .join = tracks[i].runs_on ? CALIBRATE_RUNS_ON
                                                                          : CALIBRATE_FRESH};
    }
    return error;
}

int album_calibrate(struct album_track *tracks, uint32_t count,
                    const struct mastering_settings *settings, struct loader *loader,
                    const _Atomic int *cancel)
{
    assert(count > 0 && count <= ALBUM_TRACKS_MAX);
    struct calibration c = {0};
    struct calibrate_album album;
    int error = prepare(&c, tracks, count, loader, cancel);
    if (!error)
        error = calibrate_album(c.tracks, count, settings, &album);
    for (uint32_t i = 0; c.readers && i < count; ++i)
        track_reader_destroy(&c.readers[i].reader);
    free(c.readers);
    free(c.pcm);
    free(c.tracks);
    return error;
}

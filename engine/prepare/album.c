// SPDX-License-Identifier: MIT
#include "engine/prepare/album.h"
#include "dsp/mastering/calibrate.h"
#include "engine/library/track_record.h"
#include "engine/prepare/extractor.h"
#include "io/bytes/source.h"
#include "io/sound/decoder.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const double SOUND_LEAST_DB = -70.0, LENGTH_LEAST_S = 1.0, EDGE_S = 0.1;

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

int album_runs_on(const struct album_track *a, const struct album_track *b)
{
    const struct album_edges *before = &a->edges, *after = &b->edges;
    return (b->follows || album_follows(a->tags, b->tags)) && before->rate_hz == after->rate_hz &&
           before->duration_s >= LENGTH_LEAST_S && after->duration_s >= LENGTH_LEAST_S &&
           before->tail_db > SOUND_LEAST_DB && after->head_db > SOUND_LEAST_DB;
}

// --- What a file says of itself ------------------------------------------------------------------

// RMS of the next `frames` frames; nothing there is silence.
static int measure_edge(struct decoder *decoder, uint32_t channels, uint64_t frames, double *db)
{
    enum { PIECE = 512 };
    float x[PIECE * PCM_MAX_CHANNELS];
    double sum = 0;
    uint64_t count = 0;
    while (count < frames) {
        const int64_t got =
            decoder_read(decoder, x, frames - count < PIECE ? (uint32_t)(frames - count) : PIECE);
        if (got < 0)
            return (int)got;
        if (got == 0)
            break;
        for (int64_t i = 0; i < got * channels; ++i)
            sum += (double)x[i] * (double)x[i];
        count += (uint64_t)got;
    }
    *db = 10.0 * log10(sum / (double)(count ? count * channels : 1));
    return 0;
}

static int measure_edges(struct decoder *decoder, const struct decoder_info *info,
                         struct album_edges *edges)
{
    const uint32_t rate_hz = info->format.rate_hz;
    const uint64_t frames = (uint64_t)(EDGE_S * rate_hz);
    *edges = (struct album_edges){.rate_hz = rate_hz, .duration_s = (double)info->frames / rate_hz};
    int error = measure_edge(decoder, info->format.channels, frames, &edges->head_db);
    if (!error)
        error = decoder_seek(decoder, info->frames > frames ? info->frames - frames : 0);
    if (!error)
        error = measure_edge(decoder, info->format.channels, frames, &edges->tail_db);
    return error;
}

int album_look(const char *path, enum album_looks looks, struct loader *loader, struct tags *tags,
               struct album_edges *edges)
{
    const struct source_config config = {.path = path, .priority = LOADER_SCAN};
    struct source *source;
    struct decoder *decoder = NULL;
    struct decoder_info info;
    struct file_identity identity;
    *tags = (struct tags){0};
    int error = source_open(&source, loader, &config);
    if (!error)
        error = source_wait_open(source, &identity);
    if (!error)
        error = tags_read(tags, source, identity.size_bytes);
    if (!error &&
        (looks == ALBUM_LOOK_ALL || (looks == ALBUM_LOOK_TAGGED && tags_get(tags, "ALBUM"))))
        error = decoder_open(&decoder, source, &info);
    if (decoder)
        error = measure_edges(decoder, &info, edges);
    decoder_close(&decoder);
    source_close(&source);
    if (error)
        tags_deinit(tags);
    return error;
}

// --- Calibration ---------------------------------------------------------------------------------

// A reader that says how far it is, and gives up when it is told to, between two reads.
struct watched {
    struct track_reader *reader;
    struct pcm_reader inner;
    const struct album_watch *watch;
    uint32_t track;
    uint64_t done_frames; // of this pass
};

static int watched_open(void *context, struct pcm_format *format)
{
    struct watched *w = context;
    w->done_frames = 0;
    return w->inner.open(w->inner.context, format);
}

static int64_t watched_read(void *context, float *interleaved, uint32_t frames)
{
    struct watched *w = context;
    const struct album_watch *watch = w->watch;
    if (watch->cancel && atomic_load_explicit(watch->cancel, memory_order_relaxed))
        return -ECANCELED;
    const int64_t got = w->inner.read(w->inner.context, interleaved, frames);
    if (got > 0)
        w->done_frames += (uint64_t)got;
    if (watch->heard)
        watch->heard(watch->context, w->track, w->done_frames);
    return got;
}

static void watched_close(void *context)
{
    const struct watched *w = context;
    w->inner.close(w->inner.context);
}

struct calibration {
    struct watched *readers;
    struct pcm_reader *pcm;
    struct calibrate_track *tracks;
};

static int prepare(struct calibration *c, struct album_track *tracks, uint32_t count,
                   struct loader *loader, const struct album_watch *watch)
{
    c->readers = calloc(count, sizeof(*c->readers));
    c->pcm = calloc(count, sizeof(*c->pcm));
    c->tracks = calloc(count, sizeof(*c->tracks));
    int error = c->readers && c->pcm && c->tracks ? 0 : -ENOMEM;
    for (uint32_t i = 0; i < count && !error; ++i) {
        struct watched *r = &c->readers[i];
        struct file_identity identity = {0}; // of no interest here
        error = track_reader_create(&r->reader, loader, tracks[i].path, &identity, LOADER_SCAN);
        if (error)
            break;
        r->inner = track_reader_pcm(r->reader);
        r->watch = watch;
        r->track = i;
        c->pcm[i] = (struct pcm_reader){r, watched_open, watched_read, watched_close};
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
                    const struct album_watch *watch)
{
    assert(count > 0 && count <= ALBUM_TRACKS_MAX);
    struct calibration c = {0};
    struct calibrate_album album;
    int error = prepare(&c, tracks, count, loader, watch);
    if (!error)
        error = calibrate_album(c.tracks, count, settings, &album);
    for (uint32_t i = 0; i < count && !error; ++i)
        tracks[i].album_lufs = album.lufs;
    for (uint32_t i = 0; c.readers && i < count; ++i)
        track_reader_destroy(&c.readers[i].reader);
    free(c.readers);
    free(c.pcm);
    free(c.tracks);
    return error;
}

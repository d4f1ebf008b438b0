// SPDX-License-Identifier: MIT
#include "engine/desktop/report_drawing.h"
#include "engine/library/track_record.h"
#include "engine/prepare/extractor.h"
#include "engine/render/output_meter.h"
#include "engine/render/track_stream.h"
#include "io/bytes/source.h"
#include "io/sound/decoder.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

enum { BLOCK_FRAMES = 1024 };

/// One way of a track: as it is, or mastered.
struct reading {
    struct source *source;
    struct decoder *decoder;
    struct decoder_info info;
    struct track_stream *stream;
    float stereo[2 * BLOCK_FRAMES];
};

struct drawing {
    struct reading sides[TRACK_SIDES];
    struct track_picture *picture;
    struct output_meter *meter;
    float *short_term;
};

static int open_reading(struct reading *r, const struct report_drawing_config *config,
                        enum track_stream_mastering mastering)
{
    const struct scan_result *of = config->analysed;
    const struct source_config source = {.path = of->path, .priority = LOADER_PLAYING};
    struct file_identity identity;
    int error = source_open(&r->source, scheduler_loader(config->scheduler), &source);
    if (!error)
        error = source_wait_open(r->source, &identity);
    if (!error && !file_identity_has_same_contents(&identity, &of->identity))
        error = -ESTALE; // figures of one file and pictures of another
    if (!error)
        error = decoder_open(&r->decoder, r->source, &r->info);
    if (error)
        return error;
    return track_stream_open(&r->stream,
                             &(struct track_stream_config){.decoder = r->decoder,
                                                           .info = r->info,
                                                           .rate_hz = r->info.format.rate_hz,
                                                           .mastering = mastering});
}

static void close_reading(struct reading *r)
{
    track_stream_close(&r->stream);
    decoder_close(&r->decoder);
    source_close(&r->source);
}

static void close_drawing(struct drawing *d)
{
    for (int side = 0; side < TRACK_SIDES; ++side)
        close_reading(&d->sides[side]);
    track_picture_destroy(&d->picture);
    output_meter_destroy(&d->meter);
    free(d->short_term);
    free(d);
}

static int open_drawing(struct drawing *d, const struct report_drawing_config *config)
{
    int error = open_reading(&d->sides[TRACK_BEFORE], config, TRACK_STREAM_PLAIN);
    if (!error)
        error = open_reading(&d->sides[TRACK_AFTER], config,
                             config->settings ? TRACK_STREAM_MASTERED : TRACK_STREAM_PLAIN);
    if (error)
        return error;
    const struct decoder_info *info = &d->sides[TRACK_BEFORE].info;
    if (info->frames == 0)
        return -ENODATA;
    if (config->settings)
        track_stream_set_targets(d->sides[TRACK_AFTER].stream,
                                 &track_record_of(config->analysed->record)->targets);
    error = track_picture_create(&d->picture, info->frames, info->format.rate_hz);
    return error ? error : output_meter_create(&d->meter, info->format.rate_hz);
}

// Both sides together, column by column. @return 0, at the end or where both end early; -errno.
static int draw(struct drawing *d, const struct report_drawing_config *config)
{
    struct reading *before = &d->sides[TRACK_BEFORE], *after = &d->sides[TRACK_AFTER];
    const double rate_hz = before->info.format.rate_hz;
    uint64_t done_frames = 0;
    uint32_t want;
    while ((want = track_picture_wants(d->picture, BLOCK_FRAMES)) > 0) {
        const int64_t got = track_stream_read(before->stream, before->stereo, want);
        const int64_t mastered =
            got > 0 ? track_stream_read(after->stream, after->stereo, (uint32_t)got) : got;
        if (got <= 0 || mastered != got)
            return got < 0 ? (int)got : mastered < 0 ? (int)mastered : 0;
        struct chain_dynamics dynamics;
        track_stream_take_dynamics(after->stream, &dynamics);
        track_picture_feed(d->picture, before->stereo, after->stereo, (uint32_t)got, &dynamics);
        const int error = output_meter_feed(d->meter, after->stereo, (uint32_t)got);
        if (error)
            return error;
        done_frames += (uint64_t)got;
        if (config->progress)
            config->progress(config->context, (double)done_frames / rate_hz,
                             (double)before->info.frames / rate_hz);
    }
    return 0;
}

static bool has_changed(const struct scan_result *of)
{
    struct file_identity now;
    return file_identity_read(&now, of->path) ||
           !file_identity_has_same_contents(&now, &of->identity);
}

static int write_section(FILE *page, struct drawing *d, const struct report_drawing_config *config)
{
    const struct track_record *record = track_record_of(config->analysed->record);
    const struct mastering_settings *settings = config->settings;
    const uint32_t count = output_meter_short_term_count(d->meter);
    d->short_term = calloc(count + 1, sizeof *d->short_term);
    if (!d->short_term)
        return -ENOMEM;
    output_meter_short_term_fill(d->meter, d->short_term);
    const struct report_track shown = {
        .path = config->analysed->path,
        .codec = record->codec,
        .analysis = track_record_analysis(record),
        .picture = d->picture,
        .targets = settings ? &record->targets : NULL,
        .preset = settings ? mastering_preset_name((int)settings->preset) : NULL,
        .intensity = settings ? settings->intensity : 0,
        .after_lufs = output_meter_lufs(d->meter),
        .after_dbtp = output_meter_dbtp(d->meter),
        .after_short_term = d->short_term,
        .after_short_term_count = count,
    };
    return report_page_track(page, &shown, config->fold);
}

int report_drawing_write(FILE *page, const struct report_drawing_config *config)
{
    struct drawing *d = calloc(1, sizeof *d);
    if (!d)
        return -ENOMEM;
    int error = open_drawing(d, config);
    if (!error)
        error = draw(d, config);
    if (error != -ENOMEM && has_changed(config->analysed))
        error = -ESTALE;
    if (!error) {
        track_picture_finish(d->picture);
        error = write_section(page, d, config);
    }
    close_drawing(d);
    return error;
}

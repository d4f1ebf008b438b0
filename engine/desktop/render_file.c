// SPDX-License-Identifier: MIT
#include "engine/desktop/render_file.h"
#include "dsp/mastering/dither.h"
#include "engine/desktop/commands.h"
#include "engine/desktop/render_list.h"
#include "engine/desktop/render_tags.h"
#include "engine/library/track_record.h"
#include "engine/prepare/extractor.h"
#include "engine/render/chunk.h"
#include "engine/render/output_meter.h"
#include "engine/render/track_stream.h"
#include "io/bytes/source.h"
#include "io/sound/decoder.h"
#include "io/tags/pictures.h"
#include "io/tags/tags.h"
#include "io/writing/audio_file.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BLOCK_FRAMES = 4096 };

struct render_file {
    struct render_file_config config;
    struct source *source;
    struct file_identity identity; // of what is open
    struct decoder *decoder;
    struct decoder_info info;
    struct tags tags;
    struct pictures pictures;
    struct mastering_targets targets;
    struct track_stream *stream;
    struct audio_file *file; // NULL: measured only
    struct output_meter *meter;
    // of a mastered chunk before it was; NULL: the analysis tells it
    struct output_meter *plain_meter;
    struct dither dither;
    enum audio_file_format format;
    uint32_t channels;            // of the output
    uint64_t start_frame, frames; // to be rendered
    double limiter_db;
    bool damaged;
    float stereo[2 * BLOCK_FRAMES], plain[2 * BLOCK_FRAMES];
    int16_t s16[2 * BLOCK_FRAMES];
};

static int fail(struct render_file *f, const char *path, const char *cause)
{
    log_write(f->config.log, LOG_LEVEL_ERROR, path, "%s", cause);
    return EXIT_SOMETHING_FAILED;
}

static int fail_output(struct render_file *f, int error)
{
    return fail(f, f->config.out ? f->config.out : f->config.in, strerror(-error));
}

static bool is_flac(const char *path)
{
    const size_t length = strlen(path);
    return length > 5 && strcasecmp(path + length - 5, ".flac") == 0;
}

// The source's own depth, unless asked for otherwise: lossy and float sources have none.
static enum audio_file_format choose_format(const struct render_file *f)
{
    switch (f->config.options->format) {
    case RENDER_S16:
        return AUDIO_FILE_S16;
    case RENDER_S24:
        return AUDIO_FILE_S24;
    case RENDER_F32:
        return AUDIO_FILE_F32;
    default:
        break;
    }
    const uint32_t depth = f->info.depth_bits;
    return depth == 0 || depth > 24 ? AUDIO_FILE_F32 : depth > 16 ? AUDIO_FILE_S24 : AUDIO_FILE_S16;
}

// Whether the output was given by its own name, not made from the input's.
static bool is_named(const struct render_file *f)
{
    const struct options *o = f->config.options;
    return strcmp(f->config.out, o->paths[o->path_count - 1]) == 0;
}

static struct audio_file_config output_config(const struct render_file *f)
{
    return (struct audio_file_config){.path = f->config.out,
                                      .format = f->format,
                                      .rate_hz = f->info.format.rate_hz,
                                      .channels = f->info.format.channels == 1 ? 1 : 2,
                                      .frames = f->frames,
                                      .tags = &f->tags,
                                      .pictures = &f->pictures};
}

static int check_format(struct render_file *f)
{
    f->format = choose_format(f);
    if (!f->config.out)
        return 0;
    if (f->format == AUDIO_FILE_F32 && is_flac(f->config.out)) {
        if (is_named(f)) {
            (void)fail(f, f->config.out, "FLAC has no float samples: give --format s16 or s24");
            return EXIT_BAD_USAGE;
        }
        // In a folder of all kinds the best that FLAC holds is what is wanted; of one file it is asked for.
        f->format = AUDIO_FILE_S24;
    }
    const struct audio_file_config config = output_config(f);
    const char *refusal = audio_file_refusal(&config);
    return refusal ? fail(f, f->config.out, refusal) : 0;
}

// Figures of one file and audio of another are worth nothing together.
static int check_identity(struct render_file *f)
{
    const struct file_identity *analysed = f->config.identity;
    if (!analysed || file_identity_has_same_contents(analysed, &f->identity))
        return 0;
    return fail(f, f->config.in, "the file was changed after its analysis");
}

static int open_input(struct render_file *f)
{
    const struct source_config config = {.path = f->config.in, .priority = LOADER_PLAYING};
    int error = source_open(&f->source, scheduler_loader(f->config.scheduler), &config);
    if (!error)
        error = source_wait_open(f->source, &f->identity);
    if (!error)
        error = decoder_open(&f->decoder, f->source, &f->info);
    if (!error && f->config.out)
        error = tags_read(&f->tags, f->source, f->identity.size_bytes);
    if (!error && f->config.out)
        error = pictures_read(&f->pictures, f->source, f->identity.size_bytes);
    return error ? fail(f, f->config.in, decoder_error_text(error)) : 0;
}

// Which frames are rendered: all, or those of the chunk.
static int choose_frames(struct render_file *f)
{
    uint64_t end = f->info.frames;
    const int64_t chunk = f->config.options->chunk;
    if (chunk >= 0 && chunk_bounds((uint64_t)chunk, f->info.frames, f->info.format.rate_hz,
                                   &f->start_frame, &end))
        return fail(f, f->config.in, "this chunk is past the end");
    f->frames = end - f->start_frame;
    return f->frames ? 0 : fail(f, f->config.in, "there is no audio in it");
}

static int open_stream(struct render_file *f)
{
    const struct track_stream_config config = {.decoder = f->decoder,
                                               .info = f->info,
                                               .rate_hz = f->info.format.rate_hz,
                                               .start_frame = f->start_frame,
                                               .end = TRACK_STREAM_WAITS,
                                               .mastering = f->config.record ? TRACK_STREAM_MASTERED
                                                                             : TRACK_STREAM_PLAIN};
    const int error = track_stream_open(&f->stream, &config);
    if (error)
        return fail(f, f->config.in, decoder_error_text(error));
    track_stream_set_targets(f->stream, &f->targets);
    return 0;
}

static int create(struct render_file **out, const struct render_file_config *config)
{
    struct render_file *f = calloc(1, sizeof(*f));
    *out = f;
    if (!f) {
        log_write(config->log, LOG_LEVEL_ERROR, config->in, "%s", strerror(ENOMEM));
        return EXIT_SOMETHING_FAILED;
    }
    f->config = *config;
    if (config->record)
        f->targets = *config->targets;
    int status = open_input(f);
    if (!status)
        status = check_identity(f);
    if (!status)
        status = choose_frames(f);
    return status ? status : check_format(f);
}

int render_file_open(struct render_file **out, const struct render_file_config *config)
{
    int status = create(out, config);
    if (!status)
        status = open_stream(*out);
    if (status)
        render_file_close(out);
    return status;
}

// An output by its own name is made for a moment, so that what the file system has against it is known.
static int try_output(struct render_file *f)
{
    if (!f->config.out)
        return 0;
    const struct audio_file_config config = output_config(f);
    const int error =
        is_named(f) ? audio_file_create(&f->file, &config) : render_list_try_folders(f->config.out);
    return error ? fail_output(f, error) : 0;
}

int render_file_check(const struct render_file_config *config)
{
    struct render_file *f;
    int status = create(&f, config);
    if (!status)
        status = try_output(f);
    render_file_close(&f);
    return status;
}

void render_file_close(struct render_file **file)
{
    struct render_file *f = *file;
    if (!f)
        return;
    audio_file_discard(&f->file);
    output_meter_destroy(&f->meter);
    output_meter_destroy(&f->plain_meter);
    track_stream_close(&f->stream);
    decoder_close(&f->decoder);
    source_close(&f->source);
    tags_deinit(&f->tags);
    pictures_deinit(&f->pictures);
    free(f);
    *file = NULL;
}

// --- Output --------------------------------------------------------------------------------------

static bool is_part(const struct render_file *f)
{
    return f->frames < f->info.frames;
}

static int create_meters(struct render_file *f)
{
    int error = output_meter_create(&f->meter, f->info.format.rate_hz);
    if (!error && f->config.record && is_part(f))
        error = output_meter_create(&f->plain_meter, f->info.format.rate_hz);
    return error;
}

static int open_output(struct render_file *f)
{
    f->channels = f->info.format.channels == 1 ? 1 : 2;
    dither_init(&f->dither, 1);
    int error = create_meters(f);
    if (error || !f->config.out)
        return error;
    error = render_tags_carry(&f->tags, &f->config.options->mastering,
                              f->config.record ? &f->targets : NULL);
    if (f->pictures.left_out)
        log_write(f->config.log, LOG_LEVEL_WARN, f->config.in,
                  "pictures left out: %u; those carried over make %u MiB at most",
                  f->pictures.left_out, PICTURES_MOST_BYTES >> 20);
    if (!error && !is_named(f))
        error = render_list_make_folders(f->config.out);
    const struct audio_file_config config = output_config(f);
    return error ? error : audio_file_create(&f->file, &config);
}

// Mono went through the chain on both sides: either is the output.
static void keep_one_side(float *stereo, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; ++i)
        stereo[i] = stereo[2 * i];
}

static int write_block(struct render_file *f, uint32_t frames)
{
    int error = output_meter_feed(f->meter, f->stereo, frames);
    if (!error && f->plain_meter)
        error = output_meter_feed(f->plain_meter, f->plain, frames);
    if (error || !f->file)
        return error;
    if (f->channels == 1)
        keep_one_side(f->stereo, frames);
    if (f->format != AUDIO_FILE_S16)
        return audio_file_write(f->file, f->stereo, frames);
    dither_to_s16(&f->dither, f->s16, f->stereo, frames * f->channels);
    return audio_file_write_s16(f->file, f->s16, frames);
}

static void show_progress(struct render_file *f, uint64_t done)
{
    if (f->config.progress)
        f->config.progress(f->config.context, done, f->frames, f->info.format.rate_hz);
}

// A short read tells that only what the chain holds is left, if it waits; else that all is read.
static int64_t read_block(struct render_file *f, struct render_file *next, uint32_t want)
{
    float *plain = f->plain_meter ? f->plain : NULL;
    int64_t got = track_stream_read_both(f->stream, f->stereo, plain, want);
    if (got < 0 || got == want || !track_stream_is_waiting(f->stream))
        return got;
    if (next)
        track_stream_join(f->stream, next->stream, &next->targets);
    else
        track_stream_finish(f->stream);
    const int64_t more = track_stream_read_both(
        f->stream, f->stereo + 2 * got, plain ? plain + 2 * got : NULL, want - (uint32_t)got);
    return more < 0 ? more : got + more;
}

static bool has_changed(const struct render_file *f)
{
    struct file_identity now;
    return file_identity_read(&now, f->config.in) ||
           !file_identity_has_same_contents(&now, &f->identity);
}

static int fail_changed(struct render_file *f)
{
    return fail(f, f->config.in, "the file was changed while it was rendered");
}

static int copy(struct render_file *f, struct render_file *next)
{
    for (uint64_t left = f->frames; left > 0;) {
        const uint32_t want = left < BLOCK_FRAMES ? (uint32_t)left : BLOCK_FRAMES;
        const int64_t got = read_block(f, next, want);
        if (got < 0)
            return has_changed(f) ? fail_changed(f)
                                  : fail(f, f->config.in, decoder_error_text((int)got));
        if (got == 0)
            break;
        struct chain_dynamics dynamics;
        track_stream_take_dynamics(f->stream, &dynamics);
        f->limiter_db = fmax(f->limiter_db, -dynamics.limiter_db);
        const int error = write_block(f, (uint32_t)got);
        if (error)
            return fail_output(f, error);
        left -= (uint64_t)got;
        show_progress(f, f->frames - left);
    }
    if (has_changed(f))
        return fail_changed(f);
    const char *damage = decoder_damage_text(f->decoder);
    if (damage) {
        f->damaged = true;
        (void)fail(f, f->config.in, damage);
    }
    return 0;
}

static void warn_of_clipping(struct render_file *f)
{
    const uint64_t clipped = audio_file_clipped_samples(f->file) + f->dither.clipped_samples;
    if (clipped)
        log_write(f->config.log, LOG_LEVEL_WARN, f->config.out,
                  "%llu samples were over full scale and clipped", (unsigned long long)clipped);
}

static void describe(struct render_file *f, struct render_outcome *outcome)
{
    outcome->mastered = f->config.record != NULL;
    outcome->is_part = is_part(f);
    outcome->targets = f->targets;
    outcome->after_lufs = output_meter_lufs(f->meter);
    outcome->after_dbtp = output_meter_dbtp(f->meter);
    outcome->limiter_db = f->limiter_db;
    if (!f->config.record)
        return;
    const struct analysis *analysis = track_record_analysis(track_record_of(f->config.record));
    outcome->was_mastered = mastering_targets_are_again(&f->targets, analysis);
    outcome->before_lufs =
        f->plain_meter ? output_meter_lufs(f->plain_meter) : analysis->loudness.integrated_lufs;
}

int render_file_run(struct render_file *f, struct render_file *next, struct render_outcome *outcome)
{
    *outcome = (struct render_outcome){.before_lufs = NAN, .after_lufs = NAN, .album_lufs = NAN};
    int error = open_output(f);
    if (error)
        return fail_output(f, error);
    const int status = copy(f, next);
    if (status)
        return status;
    if (f->file) {
        warn_of_clipping(f);
        error = audio_file_commit(&f->file);
    }
    if (error)
        return fail_output(f, error);
    describe(f, outcome);
    return f->damaged ? EXIT_SOMETHING_FAILED : EXIT_DONE;
}

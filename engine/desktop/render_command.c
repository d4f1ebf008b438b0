// SPDX-License-Identifier: MIT
// `segue render`: the player's own stream, into a file.
#include "dsp/dither.h"
#include "engine/chunk.h"
#include "engine/desktop/commands.h"
#include "engine/desktop/interrupt.h"
#include "engine/desktop/session.h"
#include "engine/escape.h"
#include "engine/output_meter.h"
#include "engine/scan.h"
#include "engine/track_record.h"
#include "engine/track_stream.h"
#include "io/audio_file.h"
#include "io/decoder.h"
#include "io/source.h"
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_FRAMES = 4096 };

struct render_job {
    const struct options *options;
    struct log *log;
    const char *in, *out;
    struct scheduler *scheduler;
    struct source *source;
    struct decoder *decoder;
    struct decoder_info info;
    struct record *record; // NULL without mastering
    struct track_stream *stream;
    struct audio_file *file;
    struct output_meter *meter;
    struct dither dither;
    enum audio_file_format format;
    uint32_t channels; // of the output
    bool damaged;
    float stereo[2 * BLOCK_FRAMES];
    int16_t s16[2 * BLOCK_FRAMES];
};

static int fail(struct render_job *job, const char *path, const char *cause)
{
    log_write(job->log, LOG_LEVEL_ERROR, path, "%s", cause);
    return EXIT_SOMETHING_FAILED;
}

// The source's own depth, unless asked for otherwise: lossy and float sources have none.
static enum audio_file_format choose_format(const struct render_job *job)
{
    switch (job->options->format) {
    case RENDER_S16:
        return AUDIO_FILE_S16;
    case RENDER_S24:
        return AUDIO_FILE_S24;
    case RENDER_F32:
        return AUDIO_FILE_F32;
    default:
        break;
    }
    const uint32_t depth = job->info.depth_bits;
    return depth == 0 || depth > 24 ? AUDIO_FILE_F32 : depth > 16 ? AUDIO_FILE_S24 : AUDIO_FILE_S16;
}

static int open_input(struct render_job *job)
{
    const struct source_config config = {.path = job->in, .priority = LOADER_PLAYING};
    int error = source_open(&job->source, scheduler_loader(job->scheduler), &config);
    struct file_identity identity;
    if (!error)
        error = source_wait_open(job->source, &identity);
    if (!error)
        error = decoder_open(&job->decoder, job->source, &job->info);
    return error ? fail(job, job->in, decoder_error_text(error)) : 0;
}

// @return 0; -ENOENT: there is no such chunk.
static int choose_bounds(const struct render_job *job, uint64_t *start, uint64_t *end)
{
    *start = 0;
    *end = job->info.frames;
    if (job->options->chunk < 0)
        return 0;
    return chunk_bounds((uint64_t)job->options->chunk, job->info.frames, job->info.format.rate_hz,
                        start, end);
}

static int fetch_record(struct render_job *job)
{
    if (!session_mastering(job->options))
        return 0;
    struct scan *scan;
    struct scan_result result = {0};
    int error = scan_create(&scan, job->scheduler, 1, SCAN_IN_ORDER);
    if (!error)
        error = scan_submit(scan, job->in);
    if (!error)
        error = scan_take(scan, &result);
    scan_destroy(&scan);
    if (!error && result.error && !result.record)
        error = fail(job, job->in, result.text);
    else if (error)
        error = fail(job, job->in, strerror(-error));
    job->record = result.record;
    result.record = NULL;
    scan_result_deinit(&result);
    return error;
}

static int open_stream(struct render_job *job, uint64_t start)
{
    const struct track_stream_config config = {.decoder = job->decoder,
                                               .info = job->info,
                                               .rate_hz = job->info.format.rate_hz,
                                               .start_frame = start,
                                               .mastering = job->record ? TRACK_STREAM_MASTERED
                                                                        : TRACK_STREAM_PLAIN};
    const int error = track_stream_open(&job->stream, &config);
    if (error)
        return fail(job, job->in, decoder_error_text(error));
    if (job->record)
        track_stream_set_targets(job->stream, &track_record_of(job->record)->targets);
    return 0;
}

static int open_output(struct render_job *job)
{
    job->channels = job->info.format.channels == 1 ? 1 : 2;
    const struct audio_file_config config = {.path = job->out,
                                             .format = job->format,
                                             .rate_hz = job->info.format.rate_hz,
                                             .channels = job->channels};
    int error = output_meter_create(&job->meter, job->info.format.rate_hz);
    if (!error)
        error = audio_file_create(&job->file, &config);
    dither_init(&job->dither, 1);
    return error ? fail(job, job->out, strerror(-error)) : 0;
}

// Mono went through the chain on both sides: either is the output.
static void keep_one_side(float *stereo, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; ++i)
        stereo[i] = stereo[2 * i];
}

static int write_block(struct render_job *job, uint32_t frames)
{
    if (job->channels == 1)
        keep_one_side(job->stereo, frames);
    if (job->format != AUDIO_FILE_S16)
        return audio_file_write(job->file, job->stereo, frames);
    dither_to_s16(&job->dither, job->s16, job->stereo, frames * job->channels);
    return audio_file_write_s16(job->file, job->s16, frames);
}

static int copy(struct render_job *job, uint64_t left)
{
    while (left > 0) {
        const uint32_t want = left < BLOCK_FRAMES ? (uint32_t)left : BLOCK_FRAMES;
        const int64_t got = track_stream_read(job->stream, job->stereo, want);
        if (got < 0)
            return fail(job, job->in, decoder_error_text((int)got));
        if (got == 0)
            break;
        int error = output_meter_feed(job->meter, job->stereo, (uint32_t)got);
        if (!error)
            error = write_block(job, (uint32_t)got);
        if (error)
            return fail(job, job->out, strerror(-error));
        left -= (uint64_t)got;
    }
    const char *damage = decoder_damage_text(job->decoder);
    if (damage) {
        job->damaged = true;
        (void)fail(job, job->in, damage);
    }
    return 0;
}

static void print_clipping(const struct render_job *job, uint64_t in_file)
{
    const uint64_t clipped = in_file + job->dither.clipped_samples;
    if (clipped)
        log_write(job->log, LOG_LEVEL_WARN, job->out,
                  "%llu samples were over full scale and clipped", (unsigned long long)clipped);
}

static void print_summary(const struct render_job *job)
{
    char in[4096], out[4096];
    escape_text(in, sizeof(in), job->in);
    escape_text(out, sizeof(out), job->out);
    const double after = output_meter_lufs(job->meter);
    if (!job->record) {
        printf("%s -> %s: %.1f LUFS, not mastered\n", in, out, after);
        return;
    }
    const struct track_record *t = track_record_of(job->record);
    printf(
        "%s -> %s: %.1f -> %.1f LUFS (target %.1f), %.1f dBTP, makeup %+.1f dB, limiting at most "
        "%.1f dB",
        in, out, track_record_analysis(t)->loudness.integrated_lufs, after, t->targets.target_lufs,
        output_meter_dbtp(job->meter), t->targets.makeup_db,
        track_stream_reduction_db(job->stream));
    const double below = t->targets.target_lufs - after;
    if (t->targets.shortfall == SHORTFALL_LIMITER)
        printf(", %.1f LU below target: limiter reduction of 4 dB reached", below);
    else if (t->targets.shortfall == SHORTFALL_SILENCE)
        printf(", silence has no loudness to set");
    printf("\n");
}

static int finish(struct render_job *job)
{
    const uint64_t clipped = audio_file_clipped_samples(job->file);
    const int error = audio_file_commit(&job->file);
    if (!error) {
        print_clipping(job, clipped);
        print_summary(job);
    }
    if (error)
        return fail(job, job->out, strerror(-error));
    return job->damaged ? EXIT_SOMETHING_FAILED : EXIT_DONE;
}

static int render(struct render_job *job)
{
    int status = open_input(job);
    if (status)
        return status;
    job->format = choose_format(job);
    const size_t length = strlen(job->out);
    if (job->format == AUDIO_FILE_F32 && length > 5 &&
        strcmp(job->out + length - 5, ".flac") == 0) {
        (void)fail(job, job->out, "FLAC has no float samples: give --format s16 or s24");
        return EXIT_BAD_USAGE;
    }
    uint64_t start, end;
    if (choose_bounds(job, &start, &end))
        return fail(job, job->in, "this chunk is past the end");
    status = fetch_record(job);
    if (!status)
        status = open_stream(job, start);
    if (!status)
        status = open_output(job);
    if (!status)
        status = copy(job, end - start);
    return status ? status : finish(job);
}

static void job_deinit(struct render_job *job)
{
    audio_file_discard(&job->file);
    output_meter_destroy(&job->meter);
    track_stream_close(&job->stream);
    decoder_close(&job->decoder);
    source_close(&job->source);
    record_unref(&job->record);
}

enum exit_status command_render(const struct options *options, struct log *log)
{
    struct render_job job = {.options = options, .log = log};
    job.in = options->paths[0];
    job.out = options->paths[1];
    if (!audio_file_is_known(job.out)) {
        (void)fail(&job, job.out, "the output must end in .wav or .flac");
        return EXIT_BAD_USAGE;
    }
    interrupt_hold();
    if (session_start(&job.scheduler, options, log))
        return EXIT_SOMETHING_FAILED;
    struct interrupt *interrupt;
    const int error = interrupt_start(&interrupt, job.scheduler);
    const int status = error ? fail(&job, job.in, strerror(-error)) : render(&job);
    job_deinit(&job);
    interrupt_stop(&interrupt);
    scheduler_destroy(&job.scheduler);
    return (enum exit_status)status;
}

// SPDX-License-Identifier: MIT
// The benchmark that Segue grew out of: a track in chunks of 15 s, each analysed by itself, against one analysis of
// the track that the first chunk pays for and all others find in the cache.
#include "bench.h"
#include "dsp/analyzer.h"
#include "engine/library/track_record.h"
#include "engine/log.h"
#include "engine/prepare/scan.h"
#include "engine/prepare/scheduler.h"
#include "engine/render/chunk.h"
#include "engine/render/track_stream.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_FRAMES = 4096, CHUNKS_MAX = 4096 };

struct subject {
    const char *path;
    struct log log;
    struct scheduler *scheduler;
    struct source *source;
    struct decoder *decoder;
    struct decoder_info info;
    struct mastering_settings settings;
    float block[PCM_MAX_CHANNELS * BLOCK_FRAMES];
};

struct times {
    double targets_ms, render_ms;
};

static double ms_since(int64_t start_ns)
{
    return (double)(bench_wall_ns() - start_ns) / 1e6;
}

static int start_scheduler(struct subject *s)
{
    const struct scheduler_config config = {.backend = {.workers = 1, .use_cuda = 1},
                                            .cache = analysis_cache_config_default(),
                                            .settings = s->settings,
                                            .log = &s->log};
    return scheduler_create(&s->scheduler, &config);
}

static int open_subject(struct subject *s, const char *path)
{
    s->path = path;
    log_init(&s->log, STDERR_FILENO, LOG_LEVEL_ERROR);
    s->settings = mastering_settings_default();
    int error = start_scheduler(s);
    if (error)
        return error;
    const struct source_config config = {.path = path, .priority = LOADER_PLAYING};
    error = source_open(&s->source, scheduler_loader(s->scheduler), &config);
    struct file_identity identity;
    if (!error)
        error = source_wait_open(s->source, &identity);
    if (!error)
        error = decoder_open(&s->decoder, s->source, &s->info);
    return error;
}

static void close_subject(struct subject *s)
{
    decoder_close(&s->decoder);
    source_close(&s->source);
    scheduler_destroy(&s->scheduler);
}

// Targets by way of the extractor: computed the first time, from the memory cache after that.
static int cached_targets(struct subject *s, struct mastering_targets *targets)
{
    struct scan *scan;
    int error = scan_create(&scan, s->scheduler, 1, SCAN_IN_ORDER);
    struct scan_result result = {0};
    if (!error)
        error = scan_submit(scan, s->path);
    if (!error)
        error = scan_take(scan, &result);
    if (!error && !result.record)
        error = result.error;
    if (!error)
        *targets = track_record_of(result.record)->targets;
    scan_result_deinit(&result);
    scan_destroy(&scan);
    return error;
}

// Targets from the chunk's own 15 s with their context, as if nothing else were known of the track.
static int chunk_targets(struct subject *s, uint64_t start, uint64_t end,
                         struct mastering_targets *targets)
{
    const uint64_t context = (uint64_t)CHUNK_CONTEXT_S * s->info.format.rate_hz;
    const struct analyzer_config config = {.format = s->info.format, .depth = ANALYZER_FULL};
    struct analyzer *analyzer;
    int error = analyzer_create(&analyzer, &config);
    if (error)
        return error;
    const uint64_t from = start > context ? start - context : 0;
    error = decoder_seek(s->decoder, from);
    for (uint64_t left = end - from; !error && left > 0;) {
        const uint32_t want = left < BLOCK_FRAMES ? (uint32_t)left : BLOCK_FRAMES;
        const int64_t got = decoder_read(s->decoder, s->block, want);
        if (got <= 0) {
            error = (int)got;
            break;
        }
        error = analyzer_feed(analyzer, s->block, (uint32_t)got);
        left -= (uint64_t)got;
    }
    struct analysis *analysis = NULL;
    if (!error)
        error = analyzer_finish(analyzer, &analysis);
    if (!error)
        mastering_targets_compute(targets, analysis, &s->settings);
    free(analysis);
    analyzer_destroy(&analyzer);
    return error;
}

static int render_chunk(struct subject *s, uint64_t start, uint64_t end,
                        const struct mastering_targets *targets)
{
    int error = decoder_seek(s->decoder, 0);
    if (error)
        return error;
    const struct track_stream_config config = {.decoder = s->decoder,
                                               .info = s->info,
                                               .rate_hz = s->info.format.rate_hz,
                                               .start_frame = start,
                                               .mastering = TRACK_STREAM_MASTERED};
    struct track_stream *stream;
    error = track_stream_open(&stream, &config);
    if (error)
        return error;
    track_stream_set_targets(stream, targets);
    for (uint64_t left = end - start; !error && left > 0;) {
        const uint32_t want = left < BLOCK_FRAMES ? (uint32_t)left : BLOCK_FRAMES;
        const int64_t got = track_stream_read(stream, s->block, want);
        error = got < 0 ? (int)got : 0;
        left = got > 0 ? left - (uint64_t)got : 0;
    }
    track_stream_close(&stream);
    return error;
}

enum pass { EACH_CHUNK_ALONE, WITH_CACHE };

static int run_chunk(struct subject *s, enum pass pass, uint64_t chunk, struct times *times)
{
    uint64_t start, end;
    int error = chunk_bounds(chunk, s->info.frames, s->info.format.rate_hz, &start, &end);
    if (error)
        return error;
    struct mastering_targets targets;
    int64_t begun = bench_wall_ns();
    error =
        pass == WITH_CACHE ? cached_targets(s, &targets) : chunk_targets(s, start, end, &targets);
    times->targets_ms = ms_since(begun);
    begun = bench_wall_ns();
    if (!error)
        error = render_chunk(s, start, end, &targets);
    times->render_ms = ms_since(begun);
    return error;
}

// @return chunks, or -errno.
static int64_t run_pass(struct subject *s, enum pass pass, struct times *times)
{
    for (uint64_t chunk = 0; chunk < CHUNKS_MAX; ++chunk) {
        const int error = run_chunk(s, pass, chunk, &times[chunk]);
        if (error == -ENOENT)
            return (int64_t)chunk;
        if (error)
            return error;
    }
    return CHUNKS_MAX;
}

static double total(const struct times *times, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; ++i)
        sum += times[i].targets_ms + times[i].render_ms;
    return sum;
}

static void print(const struct times *alone, const struct times *cold, const struct times *warm,
                  int64_t count)
{
    puts("milliseconds a chunk: targets + rendering");
    puts("chunk |  analysed alone   |  cold (empty)     |  warm (memory)");
    double slowest = 0;
    for (int64_t i = 0; i < count; ++i) {
        printf("%5lld | %8.2f + %6.2f | %8.2f + %6.2f | %8.3f + %6.2f\n", (long long)i,
               alone[i].targets_ms, alone[i].render_ms, cold[i].targets_ms, cold[i].render_ms,
               warm[i].targets_ms, warm[i].render_ms);
        if (warm[i].targets_ms > slowest)
            slowest = warm[i].targets_ms;
    }
    const double a = total(alone, count), c = total(cold, count), w = total(warm, count);
    printf("cold-warm chunks=%lld alone_ms=%.1f cold_ms=%.1f warm_ms=%.1f slowest_hit_ms=%.3f "
           "alone/warm=%.2f cold/warm=%.2f\n",
           (long long)count, a, c, w, slowest, a / w, c / w);
}

int bench_cold_warm(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: segue-bench cold-warm FILE\n");
        return 2;
    }
    static struct subject subject;
    static struct times alone[CHUNKS_MAX], cold[CHUNKS_MAX], warm[CHUNKS_MAX];
    int64_t count = open_subject(&subject, argv[1]);
    if (count == 0)
        count = run_pass(&subject, EACH_CHUNK_ALONE, alone);
    if (count > 0)
        count = run_pass(&subject, WITH_CACHE, cold);
    if (count > 0)
        count = run_pass(&subject, WITH_CACHE, warm);
    if (count > 0)
        print(alone, cold, warm, count);
    close_subject(&subject);
    if (count < 0)
        fprintf(stderr, "segue-bench: %s: %s\n", argv[1], decoder_error_text((int)count));
    return count <= 0;
}

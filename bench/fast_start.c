// SPDX-License-Identifier: MIT
// How a track that starts before its analysis is there goes over to its own targets: what the way adds to the
// music's own changes. Those are how it moves with its own targets from the start, and with the provisional ones
// kept: a level of a window moves with what enters and leaves it, and how far that depends on the mastering
// itself. Only what lies outside of both is the way's.
#include "bench.h"
#include "engine/library/track_record.h"
#include "engine/log.h"
#include "engine/prepare/scan.h"
#include "engine/prepare/scheduler.h"
#include "engine/render/output_meter.h"
#include "engine/render/provisional.h"
#include "engine/render/track_stream.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BANDS = 7,
    ARRIVES_S = 6, // the analysis, while this much is played
    LENGTH_S = 20,
    WINDOW_HOPS = 30, // 3 s, as short-term loudness
    HOPS = 10 * LENGTH_S,
};

static const double CENTERS_HZ[BANDS] = {50, 120, 300, 800, 2000, 5000, 10000};

/// One way of hearing the track.
struct way {
    struct source *source;
    struct decoder *decoder;
    struct decoder_info info;
    struct track_stream *stream;
    struct output_meter *meter;
    double state[BANDS][4];     // of a band-pass for each band
    double energy[BANDS][HOPS]; // a hop is 100 ms
    float loudness[HOPS];       // short-term, the window that ends with the hop
    uint32_t hops;
};

struct result {
    double provisional_db, final_db; // makeup
    double loudness_db, band_db;     // the most that either moves in 100 ms, beyond the music
    double band_from_own_db;         // beyond the music with its own targets alone
    double band_settings_db; // of that, by how much both settings' moves differ without any ramp
};

static int open_way(struct way *w, struct scheduler *scheduler, const char *path)
{
    const struct source_config config = {.path = path, .priority = LOADER_PLAYING};
    struct file_identity identity;
    int error = source_open(&w->source, scheduler_loader(scheduler), &config);
    if (!error)
        error = source_wait_open(w->source, &identity);
    if (!error)
        error = decoder_open(&w->decoder, w->source, &w->info);
    const struct track_stream_config stream = {.decoder = w->decoder,
                                               .info = w->info,
                                               .rate_hz = w->info.format.rate_hz,
                                               .mastering = TRACK_STREAM_MASTERED};
    if (!error)
        error = track_stream_open(&w->stream, &stream);
    if (!error)
        error = output_meter_create(&w->meter, w->info.format.rate_hz);
    return error;
}

static void close_way(struct way *w)
{
    output_meter_destroy(&w->meter);
    track_stream_close(&w->stream);
    decoder_close(&w->decoder);
    source_close(&w->source);
}

// Constant-Q band-pass (Q 1.4) by the cookbook of R. Bristow-Johnson, on the sum of both sides.
static void measure_bands(struct way *w, const float *stereo, uint32_t frames)
{
    const double rate_hz = w->info.format.rate_hz;
    for (int band = 0; band < BANDS; ++band) {
        const double angle = 2 * M_PI * fmin(CENTERS_HZ[band] / rate_hz, 0.45);
        const double alpha = sin(angle) / (2 * 1.4), a0 = 1 + alpha;
        double *s = w->state[band], sum = 0;
        for (uint32_t i = 0; i < frames; ++i) {
            const double x = (double)stereo[2 * i] + (double)stereo[2 * i + 1];
            const double y = (alpha * (x - s[1]) + 2 * cos(angle) * s[2] - (1 - alpha) * s[3]) / a0;
            s[1] = s[0];
            s[0] = x;
            s[3] = s[2];
            s[2] = y;
            sum += y * y;
        }
        w->energy[band][w->hops] = sum / frames;
    }
}

static int hear_hop(struct way *w, float *stereo)
{
    const uint32_t want = w->info.format.rate_hz / 10;
    const int64_t got = track_stream_read(w->stream, stereo, want);
    if (got < (int64_t)want)
        return got < 0 ? (int)got : -ENODATA;
    measure_bands(w, stereo, want);
    const int error = output_meter_feed(w->meter, stereo, want);
    ++w->hops;
    return error;
}

// Of each 100 ms by itself: pooled over 3 s, a loud note that enters or leaves the window would move the level
// from where the ramp was then to where it is now, and be taken for a step.
static double band_db(const struct way *w, int band, uint32_t hop)
{
    return 10 * log10(w->energy[band][hop] + 1e-12);
}

enum heard { FAST, OWN, KEPT, WAYS };

/// By how much a move lies outside of those that it should lie between.
static double beyond(const double moves[WAYS])
{
    const double most = fmax(moves[OWN], moves[KEPT]), least = fmin(moves[OWN], moves[KEPT]);
    return fmax(0.0, fmax(moves[FAST] - most, least - moves[FAST]));
}

static void compare_loudness(struct way ways[WAYS], struct result *result)
{
    const uint32_t windows = output_meter_short_term_count(ways[OWN].meter);
    for (int w = 0; w < WAYS; ++w)
        output_meter_short_term_fill(ways[w].meter, ways[w].loudness);
    for (uint32_t i = 10 * ARRIVES_S - WINDOW_HOPS + 1; i < windows; ++i) {
        if (ways[OWN].loudness[i] < -60 || ways[OWN].loudness[i - 1] < -60)
            continue;
        double moves[WAYS];
        for (int w = 0; w < WAYS; ++w)
            moves[w] = (double)ways[w].loudness[i] - (double)ways[w].loudness[i - 1];
        result->loudness_db = fmax(result->loudness_db, beyond(moves));
    }
}

static void compare_band(const struct way ways[WAYS], int band, struct result *result)
{
    for (uint32_t hop = 10 * ARRIVES_S; hop < ways[OWN].hops; ++hop) {
        if (band_db(&ways[OWN], band, hop) < -70 || band_db(&ways[OWN], band, hop - 1) < -70)
            continue;
        double moves[WAYS];
        for (int w = 0; w < WAYS; ++w)
            moves[w] = band_db(&ways[w], band, hop) - band_db(&ways[w], band, hop - 1);
        result->band_db = fmax(result->band_db, beyond(moves));
        result->band_from_own_db = fmax(result->band_from_own_db, fabs(moves[FAST] - moves[OWN]));
        result->band_settings_db = fmax(result->band_settings_db, fabs(moves[KEPT] - moves[OWN]));
    }
}

static int start_fast(struct way *w, struct mastering_targets *targets)
{
    const struct mastering_settings settings = mastering_settings_default();
    const uint32_t rate_hz = w->info.format.rate_hz;
    struct provisional *provisional = NULL;
    const float *head;
    const int64_t got = track_stream_peek(w->stream, PROVISIONAL_HEAD_S * rate_hz, &head);
    int error = got < 0 ? (int)got
                        : provisional_create(&provisional, rate_hz, &settings, PROVISIONAL_FIRST);
    if (!error)
        error = provisional_feed(provisional, head, (uint32_t)got);
    if (error >= 0)
        error = provisional_conclude(provisional);
    if (!error)
        provisional_targets(provisional, targets);
    provisional_destroy(&provisional);
    return error;
}

static int hear_all(struct way ways[WAYS], const struct mastering_targets *targets,
                    struct result *result)
{
    struct way *fast = &ways[FAST], *own = &ways[OWN];
    const uint32_t rate_hz = own->info.format.rate_hz;
    struct mastering_targets provisional;
    double ramp_s = 0;
    float *stereo = calloc(rate_hz / 10, 2 * sizeof(float));
    int error = stereo ? start_fast(fast, &provisional) : -ENOMEM;
    if (!error) {
        track_stream_set_targets(fast->stream, &provisional);
        track_stream_set_targets(own->stream, targets);
        track_stream_set_targets(ways[KEPT].stream, &provisional);
        ramp_s = provisional_ramp_s(&provisional, targets);
        *result = (struct result){.provisional_db = provisional.makeup_db,
                                  .final_db = targets->makeup_db};
    }
    for (int hop = 0; !error && hop < HOPS; ++hop) {
        if (hop == 10 * ARRIVES_S)
            track_stream_ramp_to(fast->stream, targets, (uint32_t)(ramp_s * rate_hz));
        for (int w = 0; w < WAYS && !error; ++w)
            error = hear_hop(&ways[w], stereo);
    }
    free(stereo);
    if (!error || (error == -ENODATA && own->hops > 10 * (ARRIVES_S + ramp_s))) {
        compare_loudness(ways, result);
        for (int band = 0; band < BANDS; ++band)
            compare_band(ways, band, result);
        error = 0;
    }
    return error;
}

static int run_file(struct scheduler *scheduler, struct scan *scan, const char *path,
                    struct result *result)
{
    struct scan_result scanned = {0};
    struct way *ways = calloc(WAYS, sizeof(*ways));
    int error = ways ? scan_submit(scan, path) : -ENOMEM;
    if (!error)
        error = scan_take(scan, &scanned);
    if (!error && !scanned.record)
        error = scanned.error;
    for (int i = 0; i < WAYS && !error; ++i)
        error = open_way(&ways[i], scheduler, path);
    if (!error)
        error = hear_all(ways, &track_record_of(scanned.record)->targets, result);
    for (int i = 0; ways && i < WAYS; ++i)
        close_way(&ways[i]);
    free(ways);
    scan_result_deinit(&scanned);
    return error;
}

int bench_fast_start(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    struct log log;
    log_init(&log, STDERR_FILENO, LOG_LEVEL_ERROR);
    const struct scheduler_config config = {.backend = {.workers = 1},
                                            .cache = analysis_cache_config_default(),
                                            .settings = mastering_settings_default(),
                                            .log = &log};
    struct scheduler *scheduler;
    struct scan *scan = NULL;
    int failed = scheduler_create(&scheduler, &config), heard = 0;
    if (!failed)
        failed = scan_create(&scan, scheduler, 1, SCAN_IN_ORDER);
    double worst_loudness = 0, worst_band = 0;
    for (int i = 1; i < argc && scan; ++i) {
        struct result r = {0};
        const int error = run_file(scheduler, scan, argv[i], &r);
        failed |= error;
        if (error) {
            fprintf(stderr, "%s: %s\n", argv[i], strerror(-error));
            continue;
        }
        fflush(stdout);
        printf("fast-start makeup_provisional_db=%.1f makeup_final_db=%.1f "
               "loudness_move_db_per_100ms=%.2f band_move_db_per_100ms=%.2f "
               "band_from_own_db=%.2f band_settings_db=%.2f file=%s\n",
               r.provisional_db, r.final_db, r.loudness_db, r.band_db, r.band_from_own_db,
               r.band_settings_db, argv[i]);
        worst_loudness = fmax(worst_loudness, r.loudness_db);
        worst_band = fmax(worst_band, r.band_db);
        ++heard;
    }
    printf("fast-start files=%d worst_loudness_move_db=%.2f worst_band_move_db=%.2f\n", heard,
           worst_loudness, worst_band);
    scan_destroy(&scan);
    scheduler_destroy(&scheduler);
    return failed ? 1 : 0;
}

// SPDX-License-Identifier: MIT
#include "mastering_tracks.h"
#include "bench.h"
#include "dsp/mastering/calibrate.h"
#include "mastering_peers.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRACKS_MAX = 256, ROWS = PRESET_COUNT + MASTERING_PEERS };

static const double NAMED_SHORTFALL_LU = 0.1;
static const double MONO_DB = -30; // bass whose side is weaker is mono

/// What happened to all tracks in one preset or peer.
struct row {
    double lufs_error;      // worst, of tracks without a shortfall
    double shortfall;       // worst
    double prediction;      // worst error of what calibration said
    double itu_db, sinc_db; // worst over the ceiling
    double move_db[TRACKS_MAX], crest_db[TRACKS_MAX];
    double side_db, low_side_db; // largest rise
    double pumping_db[TRACKS_MAX];
    double again_lu, again_db; // mastered again
    double cpu_ms, seconds;
    int count, shortfalls;
};

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/// Mean square of a stretch, of both sides.
static double power_of(const float *x, uint32_t channels, uint32_t frames)
{
    double sum = 1e-12;
    for (size_t i = 0; i < (size_t)frames * channels; ++i)
        sum += (double)x[i] * (double)x[i];
    return sum / channels;
}

/// How restless compressor and limiter are: the 95th percentile of the change in dB, from one 0.4 s to the next,
/// of what they do to the power, EQ and width apart. Stretches 30 dB under the loudest are left out.
static int measure_pumping(double *out, const struct mastered_tape *tape,
                           const struct mastering_targets *targets)
{
    const uint32_t channels = tape->format.channels, piece = tape->format.rate_hz * 2 / 5;
    const uint32_t pieces = tape->frames / piece;
    struct mastering_targets plain = *targets;
    memset(plain.eq_db, 0, sizeof plain.eq_db);
    plain.width = 1;
    float *mastered = mastered_render(tape, &plain);
    double *changes = calloc((size_t)pieces + 1, sizeof *changes);
    double loudest = 0, last_db = NAN;
    uint32_t count = 0;
    for (uint32_t i = 0; i < pieces && mastered; ++i)
        loudest = larger(
            loudest, power_of(tape->interleaved + (size_t)i * piece * channels, channels, piece));
    for (uint32_t i = 0; i < pieces && mastered && changes; ++i) {
        const double in =
            power_of(tape->interleaved + (size_t)i * piece * channels, channels, piece);
        const double gain_db =
            10 * log10(power_of(mastered + (size_t)i * piece * 2, 2, piece) / in);
        if (in > 1e-3 * loudest && !isnan(last_db))
            changes[count++] = fabs(gain_db - last_db);
        last_db = in > 1e-3 * loudest ? gain_db : (double)NAN;
    }
    const int error = mastered && changes ? 0 : -ENOMEM;
    if (!error) {
        qsort(changes, count, sizeof *changes, ascending);
        *out = count ? changes[count * 95 / 100] : 0;
    }
    free(changes);
    free(mastered);
    return error;
}

/// Master once more what was mastered, as its tag would have it.
static int master_again(struct row *row, const struct mastered_tape *mastered,
                        const struct mastering_figures *first,
                        const struct mastering_settings *settings)
{
    struct mastered_tape tape = *mastered;
    struct analysis *analysis = mastered_analyse(&tape);
    if (!analysis)
        return -ENOMEM;
    struct mastering_targets targets;
    mastering_targets_compute_again(&targets, analysis, settings);
    const struct pcm_reader reader = mastered_reader(&tape);
    int error = calibrate(&targets, analysis, &reader);
    free(analysis);
    tape.interleaved = error ? NULL : mastered_render(mastered, &targets);
    struct mastering_figures again;
    error = tape.interleaved ? mastering_audio_measure(&again, &tape) : -ENOMEM;
    if (!error) {
        row->again_lu = larger(row->again_lu, fabs(again.lufs - first->lufs));
        row->again_db = larger(row->again_db, mastering_band_move_db(first, &again));
    }
    mastering_audio_free(&tape);
    return error;
}

static void note(struct row *row, const struct mastering_figures *before,
                 const struct mastering_figures *after, double target_lufs, double ceiling_dbtp)
{
    assert(row->count < TRACKS_MAX);
    if (target_lufs - after->lufs > NAMED_SHORTFALL_LU) {
        ++row->shortfalls;
        row->shortfall = larger(row->shortfall, target_lufs - after->lufs);
    } else {
        row->lufs_error = larger(row->lufs_error, fabs(target_lufs - after->lufs));
    }
    row->itu_db = larger(row->itu_db, after->itu_db - ceiling_dbtp);
    row->sinc_db = larger(row->sinc_db, after->sinc_db - ceiling_dbtp);
    row->side_db = larger(row->side_db, after->side_db - before->side_db);
    if (before->low_side_db > MONO_DB)
        row->low_side_db = larger(row->low_side_db, after->low_side_db - before->low_side_db);
    row->crest_db[row->count] = after->crest_db - before->crest_db;
    row->move_db[row->count++] = mastering_band_move_db(before, after);
}

/// One preset on one track.
static int master(struct row *row, struct mastered_tape *tape, const struct analysis *analysis,
                  const struct mastering_figures *before, int preset)
{
    struct mastering_settings settings = mastering_settings_default();
    settings.preset = (enum mastering_preset)preset;
    struct mastering_targets targets;
    const int64_t began_ns = bench_cpu_ns();
    int error = mastered_calibrate(&targets, tape, analysis, &settings);
    row->cpu_ms += (double)(bench_cpu_ns() - began_ns) / 1e6;
    row->seconds += (double)tape->frames / tape->format.rate_hz;
    struct mastered_tape out = {.format = {.rate_hz = tape->format.rate_hz, .channels = 2},
                                .frames = tape->frames};
    if (!error)
        out.interleaved = mastered_render(tape, &targets);
    struct mastering_figures after;
    error = error ? error : out.interleaved ? mastering_audio_measure(&after, &out) : -ENOMEM;
    if (!error)
        error = measure_pumping(&row->pumping_db[row->count], tape, &targets);
    if (!error) {
        note(row, before, &after, targets.target_lufs, targets.ceiling_dbtp);
        row->prediction = larger(row->prediction, fabs(after.lufs - targets.predicted_lufs));
        // What is under its target without a reason is an error, however little.
        if (targets.shortfall == SHORTFALL_NONE)
            row->lufs_error = larger(row->lufs_error, fabs(targets.target_lufs - after.lufs));
        error = master_again(row, &out, &after, &settings);
    }
    mastering_audio_free(&out);
    return error;
}

/// A peer on one track, towards the adaptive preset's target.
static int master_by_peer(struct row *row, const struct mastered_tape *tape,
                          const struct mastering_figures *before, int peer,
                          const char *reference_path)
{
    char path[] = "/tmp/segue-bench-XXXXXX.wav";
    const int fd = mkstemps(path, 4);
    int error = fd < 0 ? -EIO : mastering_audio_write(path, tape);
    const struct mastering_job job = {.in_path = path,
                                      .reference_path = reference_path,
                                      .gain_db = -14 - before->lufs,
                                      .target_lufs = -14,
                                      .ceiling_dbtp = -1,
                                      .rate_hz = tape->format.rate_hz};
    struct mastered_tape out = {0};
    double cpu_ms = 0;
    struct mastering_figures after;
    if (!error)
        error = mastering_peer_run(peer, &job, &out, &cpu_ms);
    if (!error)
        error = mastering_audio_measure(&after, &out);
    if (!error) {
        row->cpu_ms += cpu_ms;
        row->seconds += (double)tape->frames / tape->format.rate_hz;
        note(row, before, &after, job.target_lufs, job.ceiling_dbtp);
        row->lufs_error = larger(row->lufs_error, fabs(after.lufs - job.target_lufs));
    }
    mastering_audio_free(&out);
    bench_close_and_remove(fd, path);
    return error == -ENOSYS ? 0 : error;
}

static int run_track(struct row rows[ROWS], const struct mastering_tracks_config *config, int index)
{
    struct mastering_excerpt excerpt = config->excerpt;
    excerpt.path = config->paths[index];
    struct mastered_tape tape;
    int error = mastering_audio_load(&tape, &excerpt);
    struct mastering_figures before;
    if (!error)
        error = mastering_audio_measure(&before, &tape);
    struct analysis *analysis = error ? NULL : mastered_analyse(&tape);
    if (!error && !analysis)
        error = -ENOMEM;
    for (int preset = 0; preset < PRESET_COUNT && !error; ++preset)
        error = master(&rows[preset], &tape, analysis, &before, preset);
    for (int peer = 0; peer < MASTERING_PEERS && !error && config->with_peers; ++peer)
        error = master_by_peer(&rows[PRESET_COUNT + peer], &tape, &before, peer,
                               config->paths[index ? 0 : config->count - 1]);
    free(analysis);
    mastering_audio_free(&tape);
    return error;
}

static void print_row(struct row *row, const char *name)
{
    if (row->count == 0) {
        printf("master name=%s absent\n", name);
        return;
    }
    const size_t count = (size_t)row->count, last = count - 1;
    qsort(row->move_db, count, sizeof *row->move_db, ascending);
    qsort(row->crest_db, count, sizeof *row->crest_db, ascending);
    qsort(row->pumping_db, count, sizeof *row->pumping_db, ascending);
    printf("master name=%s tracks=%d lufs_error=%.3f below=%d below_most=%.2f itu_over_db=%+.3f "
           "sinc_over_db=%+.3f band_move_db=%.2f/%.2f times_real_time=%.0f\n",
           name, row->count, row->lufs_error, row->shortfalls, row->shortfall, row->itu_db,
           row->sinc_db, row->move_db[count / 2], row->move_db[last],
           1e3 * row->seconds / row->cpu_ms);
    printf("character name=%s crest_change_db=%.2f..%.2f side_rise_db=%.2f low_side_rise_db=%.3f "
           "pumping_db=%.2f/%.2f prediction_error=%.3f again_lu=%.3f again_band_db=%.3f\n",
           name, row->crest_db[0], row->crest_db[last], row->side_db, row->low_side_db,
           row->pumping_db[count / 2], row->pumping_db[last], row->prediction, row->again_lu,
           row->again_db);
}

int mastering_tracks_run(const struct mastering_tracks_config *config)
{
    struct row *rows = calloc(ROWS, sizeof *rows);
    int error = rows ? 0 : -ENOMEM;
    for (int i = 0; rows && i < ROWS; ++i)
        rows[i].itu_db = rows[i].sinc_db = rows[i].side_db = rows[i].low_side_db = -HUGE_VAL;
    for (int i = 0; i < config->count && i < TRACKS_MAX && !error; ++i) {
        error = run_track(rows, config, i);
        if (error)
            fprintf(stderr, "segue-bench: %s: %s\n", config->paths[i], strerror(-error));
    }
    for (int i = 0; i < ROWS && !error; ++i)
        if (i < PRESET_COUNT || config->with_peers)
            print_row(&rows[i], i < PRESET_COUNT ? mastering_preset_name(i)
                                                 : mastering_peer_name(i - PRESET_COUNT));
    free(rows);
    return error;
}

// SPDX-License-Identifier: MIT
// Each chunk is analysed by itself, as if it were the track. Tone and dynamics are the chunks' means, loudness that of
// their energy; a quiet opening is more often an introduction than a quiet track, so until more is known
// it counts as louder than it is.
#include "engine/render/provisional.h"
#include "dsp/analyzer.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

// A track's loudness is not believed to be lower than these, before half a minute was heard and after.
static const double LEAST_EARLY_LUFS = -20.0, LEAST_LUFS = -26.0, EARLY_S = 30.0;

static const double RAMP_LEAST_S = 4.0;
// Of the chain's curve, steepest where it goes up by much: 2.2 times as steep as a straight line up to 20 dB. So
// 0.5 dB in 100 ms at most.
static const double RAMP_S_PER_DB = 0.44;

struct provisional {
    // --- immutable after create
    struct mastering_settings settings;
    enum provisional_kind kind;
    uint32_t rate_hz;
    // --- state
    struct analyzer *analyzer; // of the chunk under way
    uint64_t chunk_frames;
    struct mastering_targets mean; // but for its makeup
    double seconds, energy;        // concluded; energy is its loudness' times seconds
};

static int begin_chunk(struct provisional *p)
{
    const struct analyzer_config config = {.format = {.rate_hz = p->rate_hz, .channels = 2},
                                           .depth = ANALYZER_TONAL};
    p->chunk_frames = 0;
    return analyzer_create(&p->analyzer, &config);
}

int provisional_create(struct provisional **out, uint32_t rate_hz,
                       const struct mastering_settings *settings, enum provisional_kind kind)
{
    *out = NULL;
    struct provisional *p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    *p = (struct provisional){.settings = *settings, .kind = kind, .rate_hz = rate_hz};
    const int error = begin_chunk(p);
    if (error)
        provisional_destroy(&p);
    *out = p;
    return error;
}

void provisional_destroy(struct provisional **provisional)
{
    if (!*provisional)
        return;
    analyzer_destroy(&(*provisional)->analyzer);
    free(*provisional);
    *provisional = NULL;
}

static void move(double *mean, double value, double share)
{
    *mean += share * (value - *mean);
}

static void fold(struct provisional *p, const struct mastering_targets *chunk, double seconds,
                 double lufs)
{
    p->seconds += seconds;
    p->energy += seconds * pow(10.0, lufs / 10.0);
    const double share = seconds / p->seconds;
    if (share >= 1.0) {
        p->mean = *chunk;
        return;
    }
    for (int band = 0; band < EQ_BAND_COUNT; ++band)
        move(&p->mean.eq_db[band], chunk->eq_db[band], share);
    move(&p->mean.compressor.threshold_db, chunk->compressor.threshold_db, share);
    move(&p->mean.compressor.ratio, chunk->compressor.ratio, share);
    move(&p->mean.compressor.attack_s, chunk->compressor.attack_s, share);
    move(&p->mean.compressor.release_s, chunk->compressor.release_s, share);
    move(&p->mean.compressor.mix, chunk->compressor.mix, share);
    move(&p->mean.width, chunk->width, share);
    move(&p->mean.limiter.release_s, chunk->limiter.release_s, share);
}

static void compute(const struct provisional *p, struct mastering_targets *out,
                    const struct analysis *analysis)
{
    if (p->kind == PROVISIONAL_AGAIN)
        mastering_targets_compute_again(out, analysis, &p->settings);
    else
        mastering_targets_compute(out, analysis, &p->settings);
}

int provisional_conclude(struct provisional *p)
{
    const double seconds = (double)p->chunk_frames / p->rate_hz;
    struct analysis *analysis = NULL;
    int error = p->analyzer ? analyzer_finish(p->analyzer, &analysis) : -ENOMEM;
    if (!error) {
        struct mastering_targets chunk;
        compute(p, &chunk, analysis);
        fold(p, &chunk, seconds > 0 ? seconds : 1e-3, analysis->loudness.integrated_lufs);
    }
    free(analysis);
    analyzer_destroy(&p->analyzer);
    return error ? error : begin_chunk(p);
}

int provisional_feed(struct provisional *p, const float *stereo, uint32_t frames)
{
    const int error = p->analyzer ? analyzer_feed(p->analyzer, stereo, frames) : -ENOMEM;
    if (error)
        return error;
    p->chunk_frames += frames;
    if (p->chunk_frames < (uint64_t)PROVISIONAL_CHUNK_S * p->rate_hz)
        return 0;
    const int failed = provisional_conclude(p);
    return failed ? failed : 1;
}

double provisional_ramp_s(const struct mastering_targets *from, const struct mastering_targets *to)
{
    double band_db = 0;
    for (int band = 0; band < EQ_BAND_COUNT; ++band)
        band_db = fmax(band_db, fabs(to->eq_db[band] - from->eq_db[band]));
    return fmax(RAMP_LEAST_S, RAMP_S_PER_DB * (fabs(to->makeup_db - from->makeup_db) + band_db));
}

void provisional_targets(const struct provisional *p, struct mastering_targets *out)
{
    const double lufs = fmax(10.0 * log10(p->energy / p->seconds),
                             p->seconds < EARLY_S ? LEAST_EARLY_LUFS : LEAST_LUFS);
    *out = p->mean;
    out->target_lufs = mastering_target_lufs(&p->settings, lufs);
    out->makeup_db = out->bypass ? 0.0 : out->target_lufs - lufs;
}

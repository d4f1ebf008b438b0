// SPDX-License-Identifier: MIT
#include "dsp/calibrate.h"
#include "dsp/downmix.h"
#include "dsp/history.h"
#include "dsp/limiter.h"
#include "dsp/loudness_meter.h"
#include "dsp/tone.h"
#include "dsp/true_peak.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// One pass at unity makeup, without the limiter, says what makeup would do if nothing were limited;
// most often that is the answer. Otherwise the chain is run with that makeup, and the loudness that
// the limiter took is made up for by a step along a model, then by secants: loudness and reduction
// both rise with makeup. Two or three limited passes do.
enum {
    LIMITED_PASSES = 4,
    SIDES = 2,
    GAIN_BINS = 8192,
    READ_FRAMES = 4096, // each read costs a clock or two and a walk through the decoder
};

static const double ALLOWED_REDUCTION_DB = 4.0;
static const double COUNTED_SHARE = 0.999; // of the samples that are not silence
static const double SILENCE_LEVEL = 1e-3;  // after makeup
static const double NEAR_ENOUGH_DB = 0.02;
static const double NAMED_SHORTFALL_LU = 0.1;
static const double SILENCE_LUFS = -70.0;
// The limiter's ITU interpolator reads up to 0.7 dB more than a true peak meter.
static const double PEAK_DOUBT_DB = 0.8;

/// What one pass over the audio found out about the chain's output.
struct outcome {
    double lufs;
    double peak;         // true peak, linear
    double least_gain;   // of the limiter
    double reduction_db; // COUNTED_SHARE of the samples had no more
};

struct pass {
    struct mastering_targets targets;
    struct pcm_format format;
    struct tone tone;
    struct limiter *limiter; // NULL: not limited
    struct loudness_meter *meter;
    struct true_peak peaks[SIDES];
    uint32_t to_drop_frames; // of the limiter's delay
    uint64_t bins[GAIN_BINS + 1];
    uint64_t counted;
    double least_gain;
    float interleaved[READ_FRAMES * PCM_MAX_CHANNELS];
};

static int pass_start(struct pass *pass, const struct mastering_targets *targets, double makeup_db)
{
    pass->targets = *targets;
    pass->targets.makeup_db = makeup_db;
    const struct pcm_format stereo = {.rate_hz = pass->format.rate_hz, .channels = SIDES};
    tone_init(&pass->tone, stereo.rate_hz);
    tone_reset(&pass->tone, &pass->targets);
    memset(pass->bins, 0, sizeof pass->bins);
    pass->counted = 0;
    pass->least_gain = 1.0;
    pass->to_drop_frames = 0;
    for (int side = 0; side < SIDES; ++side)
        true_peak_init(&pass->peaks[side], stereo.rate_hz);
    return loudness_meter_create(&pass->meter, &stereo);
}

static int pass_start_limiter(struct pass *pass)
{
    const int error = limiter_create(&pass->limiter, pass->format.rate_hz);
    if (error)
        return error;
    const struct limiter_numbers numbers = {
        .ceiling = pow(10.0, pass->targets.ceiling_dbtp / 20.0),
        .release_s = pass->targets.limiter.release_s,
    };
    limiter_set(pass->limiter, &numbers);
    pass->to_drop_frames = limiter_delay_frames(pass->limiter);
    return 0;
}

static void count_gains(struct pass *pass, const double *stereo, const double *gains,
                        uint32_t frames)
{
    for (uint32_t i = 0; i < frames; ++i) {
        const double level = fmax(fabs(stereo[2 * i]), fabs(stereo[2 * i + 1]));
        if (level <= SILENCE_LEVEL * gains[i])
            continue;
        ++pass->bins[(int)(gains[i] * GAIN_BINS)];
        ++pass->counted;
        pass->least_gain = fmin(pass->least_gain, gains[i]);
    }
}

/// Put `frames` stereo frames of input through the chain and measure what comes out.
static int pass_take(struct pass *pass, double *stereo, uint32_t frames)
{
    double gains[HISTORY_PIECE];
    tone_process(&pass->tone, stereo, frames);
    if (pass->limiter) {
        limiter_process(pass->limiter, stereo, gains, frames);
        count_gains(pass, stereo, gains, frames);
    }
    const uint32_t drop = pass->to_drop_frames < frames ? pass->to_drop_frames : frames;
    pass->to_drop_frames -= drop;
    frames -= drop;
    float out[SIDES * HISTORY_PIECE];
    for (uint32_t i = 0; i < SIDES * frames; ++i)
        out[i] = (float)stereo[SIDES * drop + i];
    for (uint32_t side = 0; side < SIDES; ++side)
        true_peak_feed(&pass->peaks[side], out + side, SIDES, frames);
    return loudness_meter_feed(pass->meter, out, frames);
}

static int pass_feed_piece(struct pass *pass, const float *interleaved, uint32_t frames)
{
    float stereo[SIDES * HISTORY_PIECE];
    double wide[SIDES * HISTORY_PIECE];
    downmix_to_stereo(stereo, interleaved, frames, pass->format.channels);
    for (uint32_t i = 0; i < SIDES * frames; ++i)
        wide[i] = fabsf(stereo[i]) <= 1024.0F ? (double)stereo[i] : 0.0; // as chain_process()
    return pass_take(pass, wide, frames);
}

static int pass_feed(struct pass *pass, uint32_t frames)
{
    const float *interleaved = pass->interleaved;
    int error = 0;
    while (frames > 0 && !error) {
        const uint32_t piece = frames < HISTORY_PIECE ? frames : HISTORY_PIECE;
        error = pass_feed_piece(pass, interleaved, piece);
        interleaved += (size_t)piece * pass->format.channels;
        frames -= piece;
    }
    return error;
}

static int pass_flush(struct pass *pass)
{
    uint32_t left = pass->limiter ? limiter_delay_frames(pass->limiter) : 0;
    int error = 0;
    while (left > 0 && !error) {
        double silence[SIDES * HISTORY_PIECE] = {0};
        const uint32_t piece = left < HISTORY_PIECE ? left : HISTORY_PIECE;
        error = pass_take(pass, silence, piece);
        left -= piece;
    }
    return error;
}

static double counted_reduction_db(const struct pass *pass)
{
    const uint64_t beyond = (uint64_t)((1.0 - COUNTED_SHARE) * (double)pass->counted);
    uint64_t seen = 0;
    for (int bin = 0; bin < GAIN_BINS; ++bin) {
        seen += pass->bins[bin];
        if (seen > beyond)
            return -20.0 * log10((bin + 0.5) / GAIN_BINS);
    }
    return 0;
}

static void pass_report(struct pass *pass, struct outcome *out)
{
    out->lufs = loudness_meter_integrated_lufs(pass->meter);
    out->peak =
        fmax((double)true_peak_finish(&pass->peaks[0]), (double)true_peak_finish(&pass->peaks[1]));
    out->least_gain = pass->least_gain;
    out->reduction_db = counted_reduction_db(pass);
}

static int read_through(struct pass *pass, const struct pcm_reader *reader)
{
    for (;;) {
        const int64_t frames = reader->read(reader->context, pass->interleaved, READ_FRAMES);
        if (frames == 0 || frames == -EBADMSG)
            return pass_flush(pass);
        if (frames < 0)
            return (int)frames;
        const int error = pass_feed(pass, (uint32_t)frames);
        if (error)
            return error;
    }
}

enum limiting { LIMITED, UNLIMITED };

/// Run the chain over the whole audio.
static int measure(struct outcome *out, struct pass *pass, const struct mastering_targets *targets,
                   const struct pcm_reader *reader, double makeup_db, enum limiting limiting)
{
    int error = reader->open(reader->context, &pass->format);
    if (!error)
        error = pass_start(pass, targets, makeup_db);
    if (!error && limiting == LIMITED)
        error = pass_start_limiter(pass);
    if (!error)
        error = read_through(pass, reader);
    if (!error)
        pass_report(pass, out);
    reader->close(reader->context);
    limiter_destroy(&pass->limiter);
    loudness_meter_destroy(&pass->meter);
    return error;
}

static double decibels(double gain)
{
    return gain > 0 ? 20.0 * log10(gain) : NAN;
}

/// How far `at` oversteps: over the target or over the allowed reduction. Rises with makeup.
static double excess_db(const struct outcome *at, double target_lufs)
{
    return fmax(at->lufs - target_lufs, at->reduction_db - ALLOWED_REDUCTION_DB);
}

/// Guess the excess' slope from one pass: reduction follows makeup one to one; the loudness lost to the
/// limiter grows as the square of what passes the makeup `onset_db` where limiting begins.
static double guess_slope(const struct outcome *at, double target_lufs, double unlimited_lufs,
                          double above_onset_db)
{
    if (at->reduction_db - ALLOWED_REDUCTION_DB > at->lufs - target_lufs)
        return 1.0;
    const double lost_lu = unlimited_lufs - at->lufs;
    return fmin(1.0, fmax(0.25, 1.0 - 2.0 * lost_lu / fmax(above_onset_db, 1.0)));
}

static void publish(struct mastering_targets *targets, double makeup_db, const struct outcome *at)
{
    targets->makeup_db = makeup_db;
    targets->predicted_lufs = at->lufs;
    targets->predicted_dbtp = decibels(at->peak);
    targets->limiter_reduction_db = 20.0 * log10(1.0 / at->least_gain);
    targets->shortfall = SHORTFALL_NONE;
    if (targets->target_lufs - at->lufs > NAMED_SHORTFALL_LU)
        targets->shortfall = at->lufs <= SILENCE_LUFS ? SHORTFALL_SILENCE : SHORTFALL_LIMITER;
}

static int solve_limited(struct mastering_targets *targets, struct pass *pass,
                         const struct pcm_reader *reader, const struct outcome *unity)
{
    const double target = targets->target_lufs;
    const double onset_db = targets->ceiling_dbtp - decibels(unity->peak);
    double makeup_db = target - unity->lufs, best_db = 0, last_db = 0, last_excess = 0;
    struct outcome best = {0};
    for (int run = 0; run < LIMITED_PASSES; ++run) {
        struct outcome at;
        const int error = measure(&at, pass, targets, reader, makeup_db, LIMITED);
        if (error)
            return error;
        const double excess = excess_db(&at, target);
        if (run == 0 || fabs(excess) < fabs(excess_db(&best, target))) {
            best = at;
            best_db = makeup_db;
        }
        if (fabs(excess) <= NEAR_ENOUGH_DB)
            break;
        double slope = guess_slope(&at, target, unity->lufs + makeup_db, makeup_db - onset_db);
        if (run > 0 && fabs(makeup_db - last_db) > 1e-6)
            slope = fmin(2.0, fmax(0.1, (excess - last_excess) / (makeup_db - last_db)));
        last_db = makeup_db;
        last_excess = excess;
        makeup_db -= excess / slope;
    }
    publish(targets, best_db, &best);
    return 0;
}

static int solve(struct mastering_targets *targets, struct pass *pass,
                 const struct pcm_reader *reader)
{
    struct outcome unity;
    const int error = measure(&unity, pass, targets, reader, 0.0, UNLIMITED);
    if (error)
        return error;
    const double makeup_db = unity.lufs <= SILENCE_LUFS ? 0.0 : targets->target_lufs - unity.lufs;
    const double peak_db = unity.peak > 0 ? decibels(unity.peak) + makeup_db : -HUGE_VAL;
    if (peak_db + PEAK_DOUBT_DB > targets->ceiling_dbtp) {
        if (unity.lufs > SILENCE_LUFS)
            return solve_limited(targets, pass, reader, &unity);
        // Too short for the gate, yet loud: only the limiter has work.
        const int failed = measure(&unity, pass, targets, reader, 0.0, LIMITED);
        if (!failed)
            publish(targets, 0.0, &unity);
        return failed;
    }
    unity.lufs += unity.lufs <= SILENCE_LUFS ? 0.0 : makeup_db;
    unity.peak *= pow(10.0, makeup_db / 20.0);
    publish(targets, makeup_db, &unity);
    return 0;
}

int calibrate(struct mastering_targets *targets, const struct analysis *analysis,
              const struct pcm_reader *reader)
{
    if (targets->bypass) {
        targets->makeup_db = 0;
        targets->predicted_lufs = analysis->loudness.integrated_lufs;
        targets->predicted_dbtp = analysis->loudness.true_peak_dbtp;
        targets->limiter_reduction_db = 0;
        targets->shortfall = SHORTFALL_NONE;
        return 0;
    }
    struct pass *pass = calloc(1, sizeof *pass);
    if (!pass)
        return -ENOMEM;
    const int error = solve(targets, pass, reader);
    free(pass);
    return error;
}

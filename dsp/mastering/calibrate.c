// SPDX-License-Identifier: MIT
#include "dsp/mastering/calibrate.h"
#include "dsp/denormals.h"
#include "dsp/mastering/rehearsal.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

// One run at unity makeup, without the limiter, says what makeup would do if nothing were limited; most often
// that is the answer. Where it is not, the same run has left a model of what the limiter takes at any
// makeup. The makeup that the model finds is tried in a run of the whole chain. Where it is off by what the
// limiter may take, the rest is made up for dB by dB, as reduction follows makeup; where by loudness, what the
// run measured corrects the model. Another run settles what is left. Tracks too long for a model go by a guess
// and secants of loudness instead.
enum { LIMITED_RUNS = 4, MODEL_STEPS = 10 };

static const double ALLOWED_REDUCTION_DB = 4.0;
static const double ALLOWED_AGAIN_DB =
    0.15; // for a track mastered before, whose peaks are there already
static const double NEAR_ENOUGH_DB = 0.02;
static const double NAMED_SHORTFALL_LU = 0.1;
static const double SILENCE_LUFS = -70.0;
// The limiter's ITU interpolator reads up to 0.7 dB more than a true peak meter.
static const double PEAK_DOUBT_DB = 0.8;
// EQ, compressor and width move a peak and its way to the target by less.
static const double TONE_DOUBT_DB = 4.0;

/// What one makeup is sought for.
struct problem {
    // --- given
    struct rehearsal *rehearsal;
    struct rehearsal_track *tracks;
    uint32_t count;
    double target_lufs;
    double ceiling_dbtp;
    double *allowed_db;           // what the limiter may take of each track
    struct loudness_steps *steps; // room for the models' answers
    // --- how far the models' figures lie below those measured
    double lufs_bias, reduction_bias_db;
    // --- found
    double makeup_db;
    struct rehearsal_outcome whole;
    struct rehearsal_outcome *outcomes; // of each track at that makeup
};

static int rehearse(struct problem *p, double makeup_db, enum rehearsal_mode mode,
                    struct rehearsal_outcome *whole)
{
    return rehearsal_run(p->rehearsal, p->tracks, p->count, makeup_db, mode, whole);
}

static void accept(struct problem *p, double makeup_db, const struct rehearsal_outcome *whole)
{
    p->makeup_db = makeup_db;
    p->whole = *whole;
    for (uint32_t i = 0; i < p->count; ++i)
        p->outcomes[i] = p->tracks[i].outcome;
}

static double decibels(double gain)
{
    return gain > 0 ? 20.0 * log10(gain) : NAN;
}

static double allowed_db(const struct calibrate_track *track)
{
    return mastering_targets_are_again(track->targets, track->analysis) ? ALLOWED_AGAIN_DB
                                                                        : ALLOWED_REDUCTION_DB;
}

/// By how much the limiter takes more than it may, in the track that suffers most. Negative: less.
static double over_reduction_db(const struct problem *p)
{
    double most = -HUGE_VAL;
    for (uint32_t i = 0; i < p->count; ++i)
        most = fmax(most, p->tracks[i].outcome.reduction_db - p->allowed_db[i]);
    return most;
}

/// Whether it is the reduction that the makeup is bound by, not the loudness.
static int reduction_binds(const struct problem *p, const struct rehearsal_outcome *at)
{
    return over_reduction_db(p) > at->lufs - p->target_lufs;
}

/// Guess the loudness' slope from one run: what is lost to the limiter grows as the square of what passes the
/// makeup where limiting begins.
static double guess_slope(const struct rehearsal_outcome *at, double unlimited_lufs,
                          double above_onset_db)
{
    const double lost_lu = unlimited_lufs - at->lufs;
    return fmin(1.0, fmax(0.25, 1.0 - 2.0 * lost_lu / fmax(above_onset_db, 1.0)));
}

static int has_models(const struct problem *p)
{
    int all = 1;
    for (uint32_t i = 0; i < p->count; ++i)
        all &= p->tracks[i].model != NULL;
    return all;
}

/// What the models say of a makeup.
struct model_answer {
    double lufs, over_reduction_db;
};

static struct model_answer ask_models(struct problem *p, double makeup_db)
{
    struct model_answer answer = {.over_reduction_db = -HUGE_VAL};
    for (uint32_t i = 0; i < p->count; ++i) {
        const struct mastering_targets *targets = p->tracks[i].targets;
        const struct limiter_numbers numbers = {.ceiling = pow(10.0, p->ceiling_dbtp / 20.0),
                                                .release_s = targets->limiter.release_s};
        struct limiting_guess guess;
        limiting_model_guess(p->tracks[i].model, &numbers, makeup_db, &guess, &p->steps[i]);
        answer.over_reduction_db =
            fmax(answer.over_reduction_db, guess.reduction_db - p->allowed_db[i]);
    }
    answer.lufs = loudness_steps_integrated_lufs(p->steps, p->count);
    return answer;
}

/// How far a makeup oversteps: over the target or over the allowed reduction. Rises with makeup.
static double excess_db(const struct problem *p, double lufs, double over_db)
{
    return fmax(lufs - p->target_lufs, over_db);
}

/// A step against `excess`, by the slope from one point to the next; by `slope` from the first.
struct secant {
    int count;
    double makeup_db, excess;
};

static double secant_next(struct secant *last, double makeup_db, double excess, double slope)
{
    if (last->count++ > 0 && fabs(makeup_db - last->makeup_db) > 1e-6)
        slope = fmin(2.0, fmax(0.1, (excess - last->excess) / (makeup_db - last->makeup_db)));
    last->makeup_db = makeup_db;
    last->excess = excess;
    return makeup_db - excess / slope;
}

/// The makeup that the models, corrected, hold to be right.
static double solve_models(struct problem *p, double makeup_db)
{
    struct secant secant = {0};
    for (int step = 0; step < MODEL_STEPS; ++step) {
        const struct model_answer answer = ask_models(p, makeup_db);
        const double excess = excess_db(p, answer.lufs + p->lufs_bias,
                                        answer.over_reduction_db + p->reduction_bias_db);
        if (fabs(excess) <= 0.1 * NEAR_ENOUGH_DB)
            break;
        makeup_db = secant_next(&secant, makeup_db, excess, 0.7);
    }
    return makeup_db;
}

static void correct_models(struct problem *p, double makeup_db, const struct rehearsal_outcome *at)
{
    const struct model_answer answer = ask_models(p, makeup_db);
    p->lufs_bias = at->lufs - answer.lufs;
    p->reduction_bias_db = over_reduction_db(p) - answer.over_reduction_db;
}

static int solve_limited(struct problem *p, const struct rehearsal_outcome *unity)
{
    const double onset_db = p->ceiling_dbtp - decibels(unity->peak);
    const int by_models = has_models(p);
    double makeup_db = p->target_lufs - unity->lufs, least_excess = HUGE_VAL;
    if (by_models)
        makeup_db = solve_models(p, makeup_db);
    struct secant secant = {0};
    for (int run = 0; run < LIMITED_RUNS && least_excess > NEAR_ENOUGH_DB; ++run) {
        struct rehearsal_outcome at;
        const int error = rehearse(p, makeup_db, REHEARSE_WHOLE, &at);
        if (error)
            return error;
        const double excess = excess_db(p, at.lufs, over_reduction_db(p));
        if (fabs(excess) < least_excess) {
            least_excess = fabs(excess);
            accept(p, makeup_db, &at);
        }
        if (reduction_binds(p, &at)) {
            makeup_db -= excess; // which reduction follows one to one
        } else if (by_models) {
            correct_models(p, makeup_db, &at);
            makeup_db = solve_models(p, makeup_db);
        } else {
            const double slope = guess_slope(&at, unity->lufs + makeup_db, makeup_db - onset_db);
            makeup_db = secant_next(&secant, makeup_db, excess, slope);
        }
    }
    return 0;
}

/// Nothing is limited at this makeup, so the outcome at unity only moves by it.
static void accept_unlimited(struct problem *p, double makeup_db,
                             const struct rehearsal_outcome *unity)
{
    accept(p, makeup_db, unity);
    const double gain = pow(10.0, makeup_db / 20.0);
    p->whole.lufs += unity->lufs <= SILENCE_LUFS ? 0.0 : makeup_db;
    p->whole.peak *= gain;
    for (uint32_t i = 0; i < p->count; ++i) {
        p->outcomes[i].lufs += p->outcomes[i].lufs <= SILENCE_LUFS ? 0.0 : makeup_db;
        p->outcomes[i].peak *= gain;
    }
}

static int solve(struct problem *p)
{
    struct rehearsal_outcome unity;
    int error = rehearse(p, 0.0, REHEARSE_UNLIMITED, &unity);
    if (error)
        return error;
    const int is_silent = unity.lufs <= SILENCE_LUFS;
    const double makeup_db = is_silent ? 0.0 : p->target_lufs - unity.lufs;
    const double peak_db = unity.peak > 0 ? decibels(unity.peak) + makeup_db : -HUGE_VAL;
    if (peak_db + PEAK_DOUBT_DB <= p->ceiling_dbtp) {
        accept_unlimited(p, makeup_db, &unity);
        return 0;
    }
    if (!is_silent)
        return solve_limited(p, &unity);
    // Too short for the gate, yet loud: only the limiter has work.
    error = rehearse(p, 0.0, REHEARSE_WHOLE, &unity);
    if (!error)
        accept(p, 0.0, &unity);
    return error;
}

static void publish(struct mastering_targets *targets, const struct problem *p,
                    const struct rehearsal_outcome *at)
{
    targets->target_lufs = p->target_lufs;
    targets->makeup_db = p->makeup_db;
    targets->predicted_lufs = at->lufs;
    targets->predicted_dbtp = decibels(at->peak);
    targets->limiter_reduction_db = 20.0 * log10(1.0 / at->least_gain);
    targets->shortfall = SHORTFALL_NONE;
    if (p->target_lufs - p->whole.lufs > NAMED_SHORTFALL_LU)
        targets->shortfall = p->whole.lufs <= SILENCE_LUFS ? SHORTFALL_SILENCE : SHORTFALL_LIMITER;
}

static void publish_bypass(struct mastering_targets *targets, const struct analysis *analysis)
{
    targets->makeup_db = 0;
    targets->predicted_lufs = analysis->loudness.integrated_lufs;
    targets->predicted_dbtp = analysis->loudness.true_peak_dbtp;
    targets->limiter_reduction_db = 0;
    targets->shortfall = SHORTFALL_NONE;
}

/// The album's target where it depends on what the album itself measures.
static int find_target(struct problem *p, const struct mastering_settings *settings)
{
    p->target_lufs = mastering_target_lufs(settings, 0.0);
    if (settings->goal != LOUDNESS_AS_IS && settings->intensity >= 1.0)
        return 0;
    struct rehearsal_outcome input;
    const int error = rehearse(p, 0.0, REHEARSE_INPUT, &input);
    p->target_lufs = mastering_target_lufs(settings, input.lufs);
    return error;
}

/// Whether the limiter may have work, by what the analysis says of the input.
static int may_limit(const struct calibrate_track *track)
{
    const double peak_dbtp = track->analysis->loudness.true_peak_dbtp;
    return !(peak_dbtp + track->targets->makeup_db + TONE_DOUBT_DB < track->targets->ceiling_dbtp);
}

/// @param settings NULL: the target is the first track's.
static int calibrate_tracks(const struct calibrate_track *tracks, uint32_t count,
                            const struct mastering_settings *settings,
                            struct rehearsal_outcome *whole)
{
    struct problem p = {
        .tracks = calloc(count, sizeof *p.tracks),
        .count = count,
        .target_lufs = tracks[0].targets->target_lufs,
        .ceiling_dbtp = tracks[0].targets->ceiling_dbtp,
        .allowed_db = calloc(count, sizeof *p.allowed_db),
        .steps = calloc(count, sizeof *p.steps),
        .outcomes = calloc(count, sizeof *p.outcomes),
    };
    int error = p.tracks && p.allowed_db && p.steps && p.outcomes ? rehearsal_create(&p.rehearsal)
                                                                  : -ENOMEM;
    // The chain keeps its tails at -400 dB, whose squares are denormal in single precision.
    const uint64_t saved = denormals_flush();
    for (uint32_t i = 0; i < count && !error; ++i) {
        p.allowed_db[i] = allowed_db(&tracks[i]);
        p.tracks[i] = (struct rehearsal_track){.targets = tracks[i].targets,
                                               .reader = tracks[i].reader,
                                               .runs_on = tracks[i].join == CALIBRATE_RUNS_ON,
                                               .wants_model = may_limit(&tracks[i])};
    }
    if (!error && settings)
        error = find_target(&p, settings);
    if (!error)
        error = solve(&p);
    for (uint32_t i = 0; i < count && !error; ++i)
        publish(tracks[i].targets, &p, &p.outcomes[i]);
    denormals_restore(saved);
    *whole = p.whole;
    rehearsal_destroy(&p.rehearsal);
    for (uint32_t i = 0; i < count && p.tracks; ++i)
        limiting_model_destroy(&p.tracks[i].model);
    free(p.outcomes);
    free(p.steps);
    free(p.allowed_db);
    free(p.tracks);
    return error;
}

int calibrate(struct mastering_targets *targets, const struct analysis *analysis,
              const struct pcm_reader *reader)
{
    if (targets->bypass) {
        publish_bypass(targets, analysis);
        return 0;
    }
    struct rehearsal_outcome whole;
    const struct calibrate_track track = {
        .targets = targets, .analysis = analysis, .reader = reader};
    return calibrate_tracks(&track, 1, NULL, &whole);
}

int calibrate_album(const struct calibrate_track *tracks, uint32_t count,
                    const struct mastering_settings *settings, struct calibrate_album *album)
{
    assert(count > 0);
    *album = (struct calibrate_album){.lufs = NAN, .dbtp = NAN, .target_lufs = NAN};
    if (tracks[0].targets->bypass) {
        for (uint32_t i = 0; i < count; ++i)
            publish_bypass(tracks[i].targets, tracks[i].analysis);
        return 0;
    }
    struct rehearsal_outcome whole;
    const int error = calibrate_tracks(tracks, count, settings, &whole);
    if (!error)
        *album = (struct calibrate_album){.lufs = whole.lufs,
                                          .dbtp = decibels(whole.peak),
                                          .target_lufs = tracks[0].targets->target_lufs};
    return error;
}

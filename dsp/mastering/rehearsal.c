// SPDX-License-Identifier: MIT
#include "dsp/mastering/rehearsal.h"
#include "dsp/cpu.h"
#include "dsp/downmix.h"
#include "dsp/history.h"
#include "dsp/level/loudness_meter.h"
#include "dsp/level/true_peak.h"
#include "dsp/mastering/chain.h"
#include "dsp/mastering/limiter.h"
#include "dsp/mastering/stereo.h"
#include "dsp/mastering/tone.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIDES = 2,
    GAIN_BINS = 8192,
    READ_FRAMES = 4096, // each read costs a clock or two and a walk through the decoder
};

static const double COUNTED_SHARE = 0.999; // of the samples that are not silence
static const double SILENCE_LEVEL = 1e-3;  // after makeup
static const struct mastering_targets as_it_is = {.bypass = 1};

struct rehearsal {
    // --- immutable after create
    const struct stereo_impl *loops;
    // --- of the run
    enum rehearsal_mode mode;
    double makeup_db;
    uint32_t count;                    // of its tracks
    struct loudness_meter **stretches; // of tracks of one rate in a row, one after another
    struct loudness_steps *steps;      // of all of them
    uint32_t stretch_count;            // 0: the one track's meter does
    // --- of the chain
    struct pcm_format format; // of the track under way; rate 0: none yet
    struct tone tone;
    struct limiter *limiter; // NULL: not limited
    uint32_t to_drop_frames; // of the limiter's delay
    // --- of the track under way
    struct rehearsal_track *track;
    struct loudness_meter *meter;
    struct true_peak peaks[SIDES];
    uint64_t bins[GAIN_BINS + 1];
    uint64_t counted;
    double least_gain;
    float interleaved[READ_FRAMES * PCM_MAX_CHANNELS];
};

int rehearsal_create(struct rehearsal **out)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return -ENOMEM;
    (*out)->loops = stereo_select(cpu_flags());
    return 0;
}

void rehearsal_destroy(struct rehearsal **rehearsal)
{
    if (*rehearsal)
        limiter_destroy(&(*rehearsal)->limiter);
    free(*rehearsal);
    *rehearsal = NULL;
}

/// As chain_ramp_to() and chain_reset() have it.
static void set_limiter(struct rehearsal *run, const struct mastering_targets *targets)
{
    const struct limiter_numbers numbers = {
        .ceiling = pow(10.0, targets->ceiling_dbtp / 20.0),
        .release_s = targets->limiter.release_s,
    };
    if (run->limiter)
        limiter_set(run->limiter, &numbers);
}

static int start_limiter(struct rehearsal *run, const struct mastering_targets *targets)
{
    limiter_destroy(&run->limiter);
    run->to_drop_frames = 0;
    if (run->mode != REHEARSE_WHOLE)
        return 0;
    const int error = limiter_create(&run->limiter, run->format.rate_hz);
    if (error)
        return error;
    set_limiter(run, targets);
    run->to_drop_frames = limiter_delay_frames(run->limiter);
    return 0;
}

/// The chain as it stands at the track's first frame.
static int start_chain(struct rehearsal *run, const struct mastering_targets *targets, int runs_on)
{
    if (runs_on) {
        tone_ramp_to(&run->tone, targets, CHAIN_JOIN_SECONDS * run->format.rate_hz);
        set_limiter(run, targets);
        return 0;
    }
    tone_init(&run->tone, run->format.rate_hz);
    tone_reset(&run->tone, targets);
    return start_limiter(run, targets);
}

/// The album's own meter goes on: a block of it may be of several tracks. Not from one rate to another.
static int start_stretch(struct rehearsal *run, const struct pcm_format *stereo, int same_rate)
{
    if (run->count == 1 || (run->stretch_count > 0 && same_rate))
        return 0;
    return loudness_meter_create(&run->stretches[run->stretch_count++], stereo);
}

static int start_measuring(struct rehearsal *run, struct rehearsal_track *track, int same_rate)
{
    run->track = track;
    const struct pcm_format stereo = {.rate_hz = run->format.rate_hz, .channels = SIDES};
    memset(run->bins, 0, sizeof run->bins);
    run->counted = 0;
    run->least_gain = 1.0;
    for (int side = 0; side < SIDES; ++side)
        true_peak_init(&run->peaks[side], stereo.rate_hz);
    loudness_meter_destroy(&run->meter);
    int error = loudness_meter_create(&run->meter, &stereo);
    if (!error)
        error = start_stretch(run, &stereo, same_rate);
    if (!error && track->wants_model && run->mode == REHEARSE_UNLIMITED)
        error = limiting_model_create(&track->model, stereo.rate_hz);
    return error;
}

static void count_gains(struct rehearsal *run, const double *stereo, const double *gains,
                        uint32_t frames)
{
    for (uint32_t i = 0; i < frames; ++i) {
        const double level = fmax(fabs(stereo[2 * i]), fabs(stereo[2 * i + 1]));
        if (level <= SILENCE_LEVEL * gains[i])
            continue;
        ++run->bins[(int)(gains[i] * GAIN_BINS)];
        ++run->counted;
        run->least_gain = fmin(run->least_gain, gains[i]);
    }
}

/// Show the model what would reach the limiter. A track that is too long for it goes on without.
static int show_model(struct rehearsal *run, const double *stereo, uint32_t frames)
{
    if (run->mode != REHEARSE_UNLIMITED || !run->track->model)
        return 0;
    const int error = limiting_model_feed(run->track->model, stereo, frames);
    if (error)
        limiting_model_destroy(&run->track->model);
    return error == -EFBIG ? 0 : error;
}

static int measure(struct rehearsal *run, const float *stereo, uint32_t frames)
{
    for (uint32_t side = 0; side < SIDES; ++side)
        true_peak_feed(&run->peaks[side], stereo + side, SIDES, frames);
    const int error = loudness_meter_feed(run->meter, stereo, frames);
    return error || run->stretch_count == 0
               ? error
               : loudness_meter_feed(run->stretches[run->stretch_count - 1], stereo, frames);
}

/// Put `frames` stereo frames of input through the chain and measure what comes out.
static int take(struct rehearsal *run, double *stereo, uint32_t frames)
{
    double gains[HISTORY_PIECE];
    tone_process(&run->tone, stereo, frames);
    const int error = show_model(run, stereo, frames);
    if (error)
        return error;
    if (run->limiter) {
        limiter_process(run->limiter, stereo, gains, frames);
        count_gains(run, stereo, gains, frames);
    }
    const uint32_t drop = run->to_drop_frames < frames ? run->to_drop_frames : frames;
    run->to_drop_frames -= drop;
    frames -= drop;
    float out[SIDES * HISTORY_PIECE];
    run->loops->narrow(out, stereo + (size_t)SIDES * drop, frames);
    return measure(run, out, frames);
}

static int feed_piece(struct rehearsal *run, const float *interleaved, uint32_t frames)
{
    float stereo[SIDES * HISTORY_PIECE];
    double wide[SIDES * HISTORY_PIECE];
    downmix_to_stereo(stereo, interleaved, frames, run->format.channels);
    run->loops->widen(wide, stereo, frames); // as chain_process()
    return take(run, wide, frames);
}

static int feed(struct rehearsal *run, uint32_t frames)
{
    const float *interleaved = run->interleaved;
    int error = 0;
    while (frames > 0 && !error) {
        const uint32_t piece = frames < HISTORY_PIECE ? frames : HISTORY_PIECE;
        error = feed_piece(run, interleaved, piece);
        interleaved += (size_t)piece * run->format.channels;
        frames -= piece;
    }
    return error;
}

/// Fetch what the limiter still holds.
static int flush(struct rehearsal *run)
{
    uint32_t left = run->limiter ? limiter_delay_frames(run->limiter) : 0;
    int error = 0;
    while (left > 0 && !error) {
        double silence[SIDES * HISTORY_PIECE] = {0};
        const uint32_t piece = left < HISTORY_PIECE ? left : HISTORY_PIECE;
        error = take(run, silence, piece);
        left -= piece;
    }
    return error;
}

static int read_through(struct rehearsal *run, const struct pcm_reader *reader)
{
    for (;;) {
        const int64_t frames = reader->read(reader->context, run->interleaved, READ_FRAMES);
        if (frames == 0 || frames == -EBADMSG)
            return 0;
        if (frames < 0)
            return (int)frames;
        const int error = feed(run, (uint32_t)frames);
        if (error)
            return error;
    }
}

static double counted_reduction_db(const struct rehearsal *run)
{
    const uint64_t beyond = (uint64_t)((1.0 - COUNTED_SHARE) * (double)run->counted);
    uint64_t seen = 0;
    for (int bin = 0; bin < GAIN_BINS; ++bin) {
        seen += run->bins[bin];
        if (seen > beyond)
            return -20.0 * log10((bin + 0.5) / GAIN_BINS);
    }
    return 0;
}

static void report(struct rehearsal *run, struct rehearsal_outcome *out)
{
    out->lufs = loudness_meter_integrated_lufs(run->meter);
    out->peak =
        fmax((double)true_peak_finish(&run->peaks[0]), (double)true_peak_finish(&run->peaks[1]));
    out->least_gain = run->least_gain;
    out->reduction_db = counted_reduction_db(run);
}

static struct mastering_targets targets_of(const struct rehearsal *run,
                                           const struct rehearsal_track *track)
{
    struct mastering_targets targets = run->mode == REHEARSE_INPUT ? as_it_is : *track->targets;
    targets.makeup_db = run->makeup_db;
    return targets;
}

/// One track, from opening to what it leaves in the chain, which the next may go on with.
static int run_track(struct rehearsal *run, struct rehearsal_track *track, uint32_t index)
{
    const struct mastering_targets targets = targets_of(run, track);
    const uint32_t rate_before_hz = run->format.rate_hz;
    int error = track->reader->open(track->reader->context, &run->format);
    const int same_rate = index > 0 && run->format.rate_hz == rate_before_hz;
    if (!error)
        error = start_measuring(run, track, same_rate);
    if (!error)
        error = start_chain(run, &targets, track->runs_on && same_rate);
    if (!error)
        error = read_through(run, track->reader);
    track->reader->close(track->reader->context);
    return error;
}

static void join(struct rehearsal_outcome *whole, const struct rehearsal_outcome *part)
{
    whole->peak = fmax(whole->peak, part->peak);
    whole->least_gain = fmin(whole->least_gain, part->least_gain);
    whole->reduction_db = fmax(whole->reduction_db, part->reduction_db);
}

static double lufs_of_all(struct rehearsal *run)
{
    for (uint32_t i = 0; i < run->stretch_count; ++i)
        run->steps[i] = loudness_list_steps(loudness_meter_list(run->stretches[i]));
    return run->stretch_count ? loudness_steps_integrated_lufs(run->steps, run->stretch_count)
                              : loudness_meter_integrated_lufs(run->meter);
}

static int run_tracks(struct rehearsal *run, struct rehearsal_track *tracks,
                      struct rehearsal_outcome *whole)
{
    for (uint32_t i = 0; i < run->count; ++i) {
        int error = run_track(run, &tracks[i], i);
        if (!error && (i + 1 == run->count || !tracks[i + 1].runs_on))
            error = flush(run);
        if (error)
            return error;
        report(run, &tracks[i].outcome);
        if (run->mode == REHEARSE_UNLIMITED && tracks[i].model)
            error = limiting_model_finish(tracks[i].model, run->meter);
        if (error)
            return error;
        join(whole, &tracks[i].outcome);
    }
    whole->lufs = lufs_of_all(run);
    return 0;
}

int rehearsal_run(struct rehearsal *rehearsal, struct rehearsal_track *tracks, uint32_t count,
                  double makeup_db, enum rehearsal_mode mode, struct rehearsal_outcome *whole)
{
    assert(count > 0);
    rehearsal->mode = mode;
    rehearsal->makeup_db = makeup_db;
    rehearsal->format.rate_hz = 0;
    rehearsal->count = count;
    rehearsal->stretches = calloc(count, sizeof *rehearsal->stretches);
    rehearsal->steps = calloc(count, sizeof *rehearsal->steps);
    rehearsal->stretch_count = 0;
    *whole = (struct rehearsal_outcome){.least_gain = 1.0};
    const int error =
        rehearsal->stretches && rehearsal->steps ? run_tracks(rehearsal, tracks, whole) : -ENOMEM;
    for (uint32_t i = 0; i < rehearsal->stretch_count; ++i)
        loudness_meter_destroy(&rehearsal->stretches[i]);
    loudness_meter_destroy(&rehearsal->meter);
    free(rehearsal->stretches);
    free(rehearsal->steps);
    rehearsal->stretches = NULL;
    rehearsal->steps = NULL;
    limiter_destroy(&rehearsal->limiter);
    return error;
}

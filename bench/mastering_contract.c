// SPDX-License-Identifier: MIT
#include "mastering_contract.h"
#include "bench.h"
#include "dsp/downmix.h"
#include "dsp/mastering/chain.h"
#include "dsp/mastering/eq.h"
#include "support/measure.h"
#include "support/response.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double TONE_HZ = 997;
static const double PI = 3.14159265358979323846;

enum {
    HEAD_S = 3,    // what a track is begun with before it is known
    RAMP_S = 4,    // from there to its own targets, as in play
    CONTEXT_S = 5, // before a chunk
    IMPULSE_FRAMES = 32768,
    RATES = 3,
};
static const uint32_t rates_hz[RATES] = {44100, 48000, 96000};

/// The tape as it goes into the chain, and how well the promises are kept.
struct contract {
    struct mastered_tape *tape;
    struct mastering_targets targets;
    float *stereo; // of the tape
    int missed;
};

static void print_row(struct contract *c, const char *name, double value, const char *unit,
                      double goal)
{
    const int met = value <= goal;
    c->missed += !met;
    printf("contract name=%s value=%.6g unit=%s at_most=%g met=%s\n", name, value, unit, goal,
           met ? "yes" : "no");
}

/// Targets of a tape of its own, analysed and calibrated as in the program.
static int find_targets(struct mastering_targets *out, struct mastered_tape *tape, double intensity)
{
    struct mastering_settings settings = mastering_settings_default();
    settings.intensity = intensity;
    struct analysis *analysis = mastered_analyse(tape);
    const int error = analysis ? mastered_calibrate(out, tape, analysis, &settings) : -ENOMEM;
    free(analysis);
    return error;
}

/// The stereo frames from `first` on through a fresh chain, `piece` at a time, or by turns of all lengths for 0.
/// @return frames to free(), or NULL without memory.
static float *run_pieces(const struct contract *c, uint32_t first, uint32_t piece)
{
    const uint32_t frames = c->tape->frames - first;
    float *x = malloc((size_t)2 * frames * sizeof *x);
    struct chain *chain = NULL;
    if (!x || chain_create(&chain, c->tape->format.rate_hz)) {
        free(x);
        return NULL;
    }
    memcpy(x, c->stereo + (size_t)2 * first, (size_t)2 * frames * sizeof *x);
    chain_reset(chain, &c->targets);
    uint64_t seed = 1;
    for (uint32_t at = 0, count; at < frames; at += count) {
        count = piece ? piece : 1 + (uint32_t)(bench_random(&seed) % 3000);
        count = frames - at < count ? frames - at : count;
        chain_process(chain, x + (size_t)2 * at, count);
    }
    chain_destroy(&chain);
    return x;
}

static double count_different(const float *a, const float *b, size_t samples)
{
    size_t different = 0;
    for (size_t i = 0; i < samples; ++i)
        different += memcmp(a + i, b + i, sizeof *a) != 0;
    return (double)different;
}

static int judge_pieces(struct contract *c)
{
    static const uint32_t pieces[] = {1, 64, 441, 1000, 4096, 0};
    float *whole = run_pieces(c, 0, c->tape->frames);
    double different = 0;
    int error = whole ? 0 : -ENOMEM;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces && !error; ++i) {
        float *parts = run_pieces(c, 0, pieces[i]);
        error = parts ? 0 : -ENOMEM;
        if (parts)
            different += count_different(whole, parts, (size_t)2 * c->tape->frames);
        free(parts);
    }
    free(whole);
    if (!error)
        print_row(c, "any-block-size-against-whole", different, "samples", 0);
    return error;
}

static int judge_chunk(struct contract *c)
{
    const uint32_t rate_hz = c->tape->format.rate_hz, frames = c->tape->frames;
    const uint32_t first = frames / 3 / CHAIN_GRID_FRAMES * CHAIN_GRID_FRAMES;
    if (frames - first <= CONTEXT_S * rate_hz)
        return 0; // too short for one
    float *whole = run_pieces(c, 0, frames), *chunk = run_pieces(c, first, frames);
    float *again = run_pieces(c, first, 1000);
    const int error = whole && chunk && again ? 0 : -ENOMEM;
    double worst = 1e-30;
    for (size_t i = (size_t)2 * (first + CONTEXT_S * rate_hz); i < (size_t)2 * frames && !error;
         ++i)
        worst = fmax(worst, fabs((double)whole[i] - (double)chunk[i - (size_t)2 * first]));
    if (!error) {
        print_row(c, "chunk-against-whole", measure_db(worst), "dBFS", -120);
        print_row(c, "chunk-twice", count_different(chunk, again, (size_t)2 * (frames - first)),
                  "samples", 0);
    }
    free(whole);
    free(chunk);
    free(again);
    return error;
}

static int judge_intensity_0(struct contract *c)
{
    struct mastering_targets bypass;
    const int error = find_targets(&bypass, c->tape, 0);
    float *out = error ? NULL : mastered_render(c->tape, &bypass);
    if (out)
        print_row(c, "intensity-0-against-input",
                  count_different(c->stereo, out, (size_t)2 * c->tape->frames), "samples", 0);
    free(out);
    return error ? error : out ? 0 : -ENOMEM;
}

/// A stereo tone of so many seconds. The caller frees tape->interleaved.
static int make_tone(struct mastered_tape *tape, uint32_t rate_hz, double level_db,
                     uint32_t seconds)
{
    const uint32_t frames = seconds * rate_hz;
    float *x = malloc((size_t)2 * frames * sizeof *x);
    for (uint32_t n = 0; n < frames && x; ++n)
        x[(size_t)2 * n] = x[(size_t)2 * n + 1] =
            (float)(pow(10, level_db / 20) * sin(2 * PI * TONE_HZ * n / rate_hz));
    *tape = (struct mastered_tape){
        .interleaved = x, .format = {.rate_hz = rate_hz, .channels = 2}, .frames = frames};
    return x ? 0 : -ENOMEM;
}

/// THD+N of the last second of a tone through a default render.
static int find_distortion(double *db, uint32_t rate_hz, double level_db)
{
    struct mastered_tape tone;
    struct mastering_targets targets;
    int error = make_tone(&tone, rate_hz, level_db, 4);
    if (!error)
        error = find_targets(&targets, &tone, 1);
    float *out = error ? NULL : mastered_render(&tone, &targets);
    if (out)
        *db = 10 * log10(measure_thd_n(out + (size_t)2 * (tone.frames - rate_hz) - 2000, 2, rate_hz,
                                       TONE_HZ, rate_hz));
    free(out);
    free((void *)tone.interleaved);
    return error ? error : out ? 0 : -ENOMEM;
}

static int judge_distortion(struct contract *c)
{
    for (int level_db = -20; level_db <= -1; level_db += 19) {
        double worst_db = -HUGE_VAL;
        for (int r = 0; r < RATES; ++r) {
            double db;
            const int error = find_distortion(&db, rates_hz[r], level_db);
            if (error)
                return error;
            worst_db = fmax(worst_db, db);
        }
        print_row(c, level_db == -1 ? "thd+n-at-minus-1" : "thd+n-at-minus-20", worst_db, "dB",
                  -140);
    }
    return 0;
}

/// What a tone has outside of 200 Hz around it while the chain goes from some targets to others.
static int find_zipper(double *db, const struct mastering_targets *from,
                       const struct mastering_targets *to, uint32_t ramp_s)
{
    const uint32_t rate_hz = rates_hz[0], settle = 2 * rate_hz;
    struct mastered_tape tone;
    struct chain *chain = NULL;
    int error = make_tone(&tone, rate_hz, -20, 4 + ramp_s);
    if (!error)
        error = chain_create(&chain, rate_hz);
    if (!error) {
        float *x = (float *)tone.interleaved;
        chain_reset(chain, from);
        chain_process(chain, x, settle);
        chain_ramp_to(chain, to, ramp_s * rate_hz);
        chain_process(chain, x + (size_t)2 * settle, tone.frames - settle);
        *db = measure_outside_db(x + (size_t)2 * rate_hz, 2, (2 + ramp_s) * rate_hz, TONE_HZ,
                                 rate_hz);
    }
    chain_destroy(&chain);
    free((void *)tone.interleaved);
    return error;
}

static int judge_zipper(struct contract *c)
{
    struct mastering_targets provisional, other = c->targets;
    struct mastered_tape head = *c->tape;
    const uint32_t most = HEAD_S * head.format.rate_hz;
    head.frames = head.frames < most ? head.frames : most;
    other.makeup_db -= 4;
    for (int band = 0; band < EQ_BAND_COUNT; ++band)
        other.eq_db[band] += band % 2 ? 2 : -2;
    double step_db, ramp_db;
    int error = find_zipper(&step_db, &other, &c->targets, 0);
    if (!error)
        error = find_targets(&provisional, &head, 1);
    if (!error)
        error = find_zipper(&ramp_db, &provisional, &c->targets, RAMP_S);
    if (error)
        return error;
    print_row(c, "parameter-step-outside-200-hz", step_db, "dBFS", -100);
    print_row(c, "provisional-to-final-outside-200-hz", ramp_db, "dBFS", -100);
    return 0;
}

/// The worst of 20 Hz to 20 kHz, through the whole chain: an impulse too weak for its dynamics.
static int find_eq_error(double *worst_db, const struct mastering_targets *targets,
                         uint32_t rate_hz)
{
    float *x = calloc(IMPULSE_FRAMES, 2 * sizeof *x);
    double *wide = calloc(IMPULSE_FRAMES, 2 * sizeof *wide);
    struct chain *chain = NULL;
    int error = x && wide ? chain_create(&chain, rate_hz) : -ENOMEM;
    if (!error) {
        const uint32_t delay = chain_delay_frames(chain);
        chain_reset(chain, targets);
        x[0] = x[1] = 1.0F / 16;
        chain_process(chain, x, IMPULSE_FRAMES);
        for (size_t i = 0; i < (size_t)2 * (IMPULSE_FRAMES - delay); ++i)
            wide[i] = 16 * (double)x[i + (size_t)2 * delay];
        for (int i = 0; i <= 200; ++i) {
            const double hz = 20 * pow(1000, i / 200.0);
            double wanted_db = 0;
            for (int band = 0; band < EQ_BAND_COUNT; ++band)
                wanted_db += response_wanted_db(eq_band_of(band), targets->eq_db[band], hz);
            const double db = response_measured_db(wide, IMPULSE_FRAMES - delay, hz, rate_hz);
            *worst_db = fmax(*worst_db, fabs(db - wanted_db));
        }
    }
    chain_destroy(&chain);
    free(wide);
    free(x);
    return error;
}

static int judge_eq(struct contract *c)
{
    static const double most_db[EQ_BAND_COUNT] = {4, 2, 2, 3, 3};
    struct mastering_targets plain = c->targets;
    plain.compressor.mix = 0;
    plain.width = 1;
    plain.makeup_db = 0;
    double worst_db = 0;
    int error = 0;
    for (int r = 0; r < RATES && !error; ++r) {
        error = find_eq_error(&worst_db, &plain, rates_hz[r]);
        for (unsigned signs = 0; signs < 1U << EQ_BAND_COUNT && !error; ++signs) {
            struct mastering_targets extreme = plain;
            for (unsigned band = 0; band < EQ_BAND_COUNT; ++band)
                extreme.eq_db[band] = signs >> band & 1 ? most_db[band] : -most_db[band];
            error = find_eq_error(&worst_db, &extreme, rates_hz[r]);
        }
    }
    if (!error)
        print_row(c, "eq-against-its-design", worst_db, "dB", 0.05);
    return error;
}

int mastering_contract_run(struct mastered_tape *tape)
{
    static int (*const judges[])(struct contract *) = {
        judge_pieces, judge_chunk, judge_intensity_0, judge_distortion, judge_zipper, judge_eq};
    struct contract c = {.tape = tape};
    c.stereo = malloc((size_t)2 * tape->frames * sizeof *c.stereo);
    int error = c.stereo ? find_targets(&c.targets, tape, 1) : -ENOMEM;
    if (!error)
        downmix_to_stereo(c.stereo, tape->interleaved, tape->frames, tape->format.channels);
    for (size_t i = 0; i < sizeof judges / sizeof *judges && !error; ++i)
        error = judges[i](&c);
    free(c.stereo);
    return error ? error : c.missed ? -ERANGE : 0;
}

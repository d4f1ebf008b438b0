// SPDX-License-Identifier: MIT
#include "dsp/mastering/mastering.h"
#include "dsp/mastering/limiter.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

/// What a preset adds to the coordinates and the tone. All zero: adaptive.
struct bias {
    const char *name;
    double target_lufs;
    double dynamics; // added to D, at most
    double spectral; // likewise: a track taken for brighter is darkened
    double width;    // added to the side gain, at most
    double eq_db[EQ_BAND_COUNT];
};

static const struct bias biases[PRESET_COUNT] = {
    [PRESET_ADAPTIVE] = {"adaptive", -14.0, 0, 0, 0, {0}},
    [PRESET_GENTLE] = {"gentle", -16.0, 0.25, 0, 0, {0}},
    [PRESET_WARM] = {"warm", -14.0, 0, 0.1, 0, {1.0, 0.5, 0, -0.7, -1.2}},
    [PRESET_BRIGHT] = {"bright", -14.0, 0, -0.1, 0, {-0.3, -0.5, 0, 0.8, 1.5}},
    [PRESET_PUNCHY] = {"punchy", -12.0, -0.12, 0, 0, {1.2, -0.4, 0, 0.5, 0.3}},
    [PRESET_LIVE] = {"live", -15.0, 0.20, 0, 0.08, {0, 0, 0.2, 0.3, 0.3}},
};

// An average track by our own definitions, by bench/fit_balance.py: see bench/RESULTS.md. Shares of the whole, one
// reference and limit per EQ band.
static const struct {
    double reference, limit_db;
} balance[EQ_BAND_COUNT] = {{0.482, 4.0}, {0.123, 2.0}, {0.177, 2.0}, {0.056, 3.0}, {0.0034, 3.0}};

// Likewise, where each coordinate has its middle, and how wide it is.
static const struct middle {
    double center, scale;
} tilt_middle = {-2.29, 0.57}, centroid_middle = {0.133, 0.040}, crest_middle = {13.6, 1.74},
  variation_middle = {0.978, 0.382}, lufs_middle = {-14.4, 2.73};

static const double CEILING_DBTP = -1.0;
static const double MAKEUP_LIMIT_DB = 64.0;
static const double REFERENCE_WIDTH = 0.28;

/// An undefined value takes the low end.
static double clamp(double x, double low, double high)
{
    return x > low ? (x < high ? x : high) : low;
}

/// 0..1 around a middle. An undefined value stands in the middle.
static double sigmoid(double value, const struct middle *middle)
{
    return isnan(value) ? 0.5 : 0.5 + 0.5 * tanh((value - middle->center) / (2.0 * middle->scale));
}

/// Shift a coordinate by up to `amount`, less at both ends: stays in 0..1 and monotone for |amount| <= 0.25.
static double shift(double coordinate, double amount)
{
    return coordinate + amount * 4.0 * coordinate * (1.0 - coordinate);
}

struct coordinates {
    double spectral, dynamics, energy;
};

static struct coordinates locate(const double *fp)
{
    const double high =
        fp[FINGERPRINT_UPPER_MID_PCT] + fp[FINGERPRINT_PRESENCE_PCT] + fp[FINGERPRINT_AIR_PCT];
    const double low =
        fp[FINGERPRINT_SUB_BASS_PCT] + fp[FINGERPRINT_BASS_PCT] + fp[FINGERPRINT_LOW_MID_PCT];
    // The floor keeps the logarithm finite for silence and for tones.
    const double tilt = log((high + 1e-6) / (low + 1e-6));
    return (struct coordinates){
        .spectral = 0.7 * sigmoid(tilt, &tilt_middle) +
                    0.3 * sigmoid(fp[FINGERPRINT_SPECTRAL_CENTROID], &centroid_middle),
        .dynamics =
            0.75 * sigmoid(fp[FINGERPRINT_CREST_DB], &crest_middle) +
            0.25 * sigmoid(log1p(fp[FINGERPRINT_LOUDNESS_VARIATION_STD]), &variation_middle),
        .energy = sigmoid(fp[FINGERPRINT_LUFS], &lufs_middle),
    };
}

/// 0 for a share that is next to nothing, 1 from an eighth of the reference up, smooth between:
/// a band without music would only have its noise lifted.
static double gate(double share, double reference)
{
    const double t = clamp((share / reference - 0.0005) / 0.12, 0.0, 1.0);
    return t * t * (3.0 - 2.0 * t);
}

static void shares_of(double shares[EQ_BAND_COUNT], const double *fp)
{
    shares[0] = fp[FINGERPRINT_SUB_BASS_PCT] + fp[FINGERPRINT_BASS_PCT];
    shares[1] = fp[FINGERPRINT_LOW_MID_PCT];
    shares[2] = fp[FINGERPRINT_MID_PCT];
    shares[3] = fp[FINGERPRINT_UPPER_MID_PCT] + fp[FINGERPRINT_PRESENCE_PCT];
    shares[4] = fp[FINGERPRINT_AIR_PCT];
}

static void choose_eq(struct mastering_targets *out, const struct coordinates *at, const double *fp,
                      const struct bias *bias, double intensity)
{
    // Beside each band's own pull, a slight tilt of the whole against a dark or a glaring balance.
    static const double tilt_db[EQ_BAND_COUNT] = {-0.6, 0.0, 0.0, 0.6, 1.2};
    const double tilt = 0.5 - shift(at->spectral, bias->spectral);
    double shares[EQ_BAND_COUNT];
    shares_of(shares, fp);
    for (int band = 0; band < EQ_BAND_COUNT; ++band) {
        const double reference = balance[band].reference, limit_db = balance[band].limit_db;
        const double share = clamp(shares[band], 0.0, 1.0);
        const double away_db = 10.0 * log10(reference / (share + 1e-9));
        const double pull_db = limit_db * tanh(away_db / 6.0) * gate(share, reference);
        // Half way: a reference is an average, not an aim, and the tone of a record is its own.
        const double bias_db = bias->eq_db[band] + tilt_db[band] * tilt;
        const double wanted_db = 0.5 * pull_db + bias_db * gate(share, reference);
        out->eq_db[band] = intensity * clamp(wanted_db, -limit_db, limit_db);
    }
}

/// 1 in the middle, 0 with its slope at both ends and beyond: what is already dense stays as it is,
/// what is precious too.
static double middling(double dynamics)
{
    const double t = (dynamics - 0.5) / 0.42;
    const double rest = 1.0 - t * t;
    return rest > 0 ? rest * rest : 0;
}

static void choose_compressor(struct mastering_targets *out, const struct coordinates *at,
                              double lufs, const struct bias *bias, double intensity)
{
    const double dynamics = shift(at->dynamics, bias->dynamics);
    const double amount = middling(dynamics);
    const double density = bias->dynamics < 0 ? -bias->dynamics : 0;
    out->compressor.threshold_db = clamp(lufs, -70.0, 0.0) + 1.0 - 4.0 * amount;
    out->compressor.ratio = 1.0 + amount * (1.2 + 4.0 * density) * (0.75 + 0.25 * at->energy);
    out->compressor.knee_db = 8.0;
    // Slower for dynamic music, so that its attacks pass.
    out->compressor.attack_s = 0.015 + 0.015 * dynamics;
    out->compressor.release_s = 0.15 + 0.10 * dynamics;
    out->compressor.mix = 0.8 * amount * intensity;
}

static double choose_width(const double *fp, const struct bias *bias, double intensity)
{
    const double width = clamp(fp[FINGERPRINT_STEREO_WIDTH], 0.0, 1.0);
    // A mono record has no side to widen; the gate keeps its noise where it is.
    const double wider = 0.15 * tanh((REFERENCE_WIDTH - width) / 0.2) + bias->width;
    const double change = clamp(wider, -0.2, 0.2) * gate(width, REFERENCE_WIDTH);
    // Between a correlation of 0.3 and 0 widening fades out, so none is left for anti-phase.
    const double correlation = fp[FINGERPRINT_PHASE_CORRELATION];
    const double allowed = clamp(correlation / 0.3, 0.0, 1.0);
    return 1.0 + intensity * (change > 0 ? change * allowed : change);
}

struct mastering_settings mastering_settings_default(void)
{
    return (struct mastering_settings){.preset = PRESET_ADAPTIVE, .intensity = 1.0};
}

int mastering_settings_check(const struct mastering_settings *settings)
{
    if ((int)settings->preset < 0 || settings->preset >= PRESET_COUNT)
        return -EINVAL;
    if ((int)settings->goal < LOUDNESS_OF_PRESET || settings->goal > LOUDNESS_AS_IS)
        return -EINVAL;
    if (!(settings->intensity >= 0 && settings->intensity <= 1))
        return -EINVAL;
    if (settings->goal == LOUDNESS_FIXED &&
        !(settings->target_lufs >= -36.0 && settings->target_lufs <= -6.0))
        return -EINVAL;
    return 0;
}

double mastering_target_lufs(const struct mastering_settings *settings, double track_lufs)
{
    double goal_lufs = biases[settings->preset].target_lufs;
    if (settings->goal == LOUDNESS_FIXED)
        goal_lufs = settings->target_lufs;
    if (settings->goal == LOUDNESS_AS_IS)
        goal_lufs = track_lufs;
    return track_lufs + settings->intensity * (goal_lufs - track_lufs);
}

void mastering_targets_compute(struct mastering_targets *out, const struct analysis *analysis,
                               const struct mastering_settings *settings)
{
    assert(mastering_settings_check(settings) == 0);
    const double *fp = analysis->fingerprint;
    const struct bias *bias = &biases[settings->preset];
    const double intensity = settings->intensity;
    const double lufs = isnan(fp[FINGERPRINT_LUFS]) ? -70.0 : fp[FINGERPRINT_LUFS];
    const struct coordinates at = locate(fp);
    memset(out, 0, sizeof *out); // padding too: targets are stored and compared as bytes
    out->bypass = intensity <= 0;
    out->target_lufs = mastering_target_lufs(settings, lufs);
    out->ceiling_dbtp = CEILING_DBTP;
    choose_eq(out, &at, fp, bias, intensity);
    choose_compressor(out, &at, lufs, bias, intensity);
    out->width = choose_width(fp, bias, intensity);
    out->makeup_db = clamp(out->target_lufs - lufs, -MAKEUP_LIMIT_DB, MAKEUP_LIMIT_DB);
    out->limiter.lookahead_s = limiter_lookahead_s();
    out->limiter.release_s = 0.10 + 0.10 * shift(at.dynamics, bias->dynamics);
    out->predicted_lufs = out->predicted_dbtp = out->limiter_reduction_db = NAN;
}

void mastering_targets_compute_again(struct mastering_targets *out, const struct analysis *analysis,
                                     const struct mastering_settings *settings)
{
    mastering_targets_compute(out, analysis, settings);
    memset(out->eq_db, 0, sizeof out->eq_db);
    out->compressor.ratio = 1.0;
    out->compressor.mix = 0;
    out->width = 1.0;
}

int mastering_targets_are_neutral(const struct mastering_targets *targets)
{
    int is_neutral = targets->compressor.mix <= 0 && !(targets->width < 1 || targets->width > 1);
    for (int band = 0; band < EQ_BAND_COUNT; ++band)
        is_neutral &= !(targets->eq_db[band] < 0 || targets->eq_db[band] > 0);
    return is_neutral;
}

int mastering_targets_are_again(const struct mastering_targets *targets,
                                const struct analysis *analysis)
{
    const struct mastering_settings settings = mastering_settings_default();
    struct mastering_targets first;
    mastering_targets_compute(&first, analysis, &settings);
    return mastering_targets_are_neutral(targets) && !mastering_targets_are_neutral(&first);
}

const char *mastering_preset_name(int preset)
{
    return preset < 0 || preset >= PRESET_COUNT ? NULL : biases[preset].name;
}

int mastering_preset_parse(const char *name)
{
    for (int preset = 0; preset < PRESET_COUNT; ++preset)
        if (strcmp(name, biases[preset].name) == 0)
            return preset;
    return -EINVAL;
}

// SPDX-License-Identifier: MIT
#include "dsp/profile.h"
#include <assert.h>
#include <math.h>

// The label needs a best score of this much, ahead of the second by that much.
#define LEAST_SCORE  0.6
#define LEAST_MARGIN 0.05

/// What the rules read, each about -1 (little) to 1 (much) for most music.
enum trait {
    LOUD,       // loudness
    DENSE,      // little dynamic range
    BRIGHT,     // centroid
    BASSY,      // share of energy below 250 Hz
    AIRY,       // share of energy above 4 kHz
    NOISY,      // flatness
    BUSY,       // onsets
    STEADY,     // regular beats, clearly heard
    FAST,       // tempo
    PERCUSSIVE, // little of it harmonic
    TONAL,      // chroma concentrated, key clear
    VARIED,     // loudness varies
    WIDE,       // stereo
    TRAITS
};

/// Bounded reading of a figure: 0 at `usual`, about 0.76 one `spread` above it.
static double standardised(double value, double usual, double spread)
{
    return tanh((value - usual) / spread);
}

static double logistic(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static double share_of(const double *f, int first, int last)
{
    double sum = 0.0;
    for (int band = first; band <= last; band++)
        sum += f[band];
    return sum;
}

static void read_traits(const struct analysis *a, double traits[TRAITS])
{
    const double *f = a->fingerprint;
    const double tempo = fmax(f[FINGERPRINT_TEMPO_BPM], 30.0);
    traits[LOUD] = standardised(f[FINGERPRINT_LUFS], -14.0, 6.0);
    traits[DENSE] = -standardised(f[FINGERPRINT_CREST_DB], 14.0, 4.0);
    traits[BRIGHT] = standardised(f[FINGERPRINT_SPECTRAL_CENTROID], 0.30, 0.12);
    traits[BASSY] =
        standardised(share_of(f, FINGERPRINT_SUB_BASS_PCT, FINGERPRINT_BASS_PCT), 0.50, 0.20);
    traits[AIRY] =
        standardised(share_of(f, FINGERPRINT_PRESENCE_PCT, FINGERPRINT_AIR_PCT), 0.05, 0.05);
    traits[NOISY] = standardised(f[FINGERPRINT_SPECTRAL_FLATNESS], 0.08, 0.08);
    traits[BUSY] = standardised(f[FINGERPRINT_TRANSIENT_DENSITY], 0.35, 0.20);
    traits[STEADY] =
        standardised(f[FINGERPRINT_RHYTHM_STABILITY] * a->tempo.confidence, 0.75, 0.28);
    traits[FAST] = standardised(log2(tempo), log2(115.0), 0.4);
    traits[PERCUSSIVE] = -standardised(f[FINGERPRINT_HARMONIC_RATIO], 0.65, 0.20);
    traits[TONAL] = 0.5 * (standardised(f[FINGERPRINT_CHROMA_ENERGY], 0.20, 0.08) +
                           standardised(a->key.strength, 0.70, 0.20));
    traits[VARIED] = standardised(f[FINGERPRINT_LOUDNESS_VARIATION_STD], 3.0, 2.0);
    traits[WIDE] = standardised(f[FINGERPRINT_STEREO_WIDTH], 0.20, 0.12);
}

static void fill_profile(const double traits[TRAITS], struct profile *out)
{
    out->energy = logistic(1.2 * traits[LOUD] + 0.8 * traits[DENSE] + 0.7 * traits[BUSY] +
                           0.5 * traits[PERCUSSIVE]);
    out->dynamic_range = logistic(-1.8 * traits[DENSE] + 1.0 * traits[VARIED]);
    out->brightness = logistic(2.0 * traits[BRIGHT] + 1.0 * traits[AIRY]);
    out->warmth = logistic(1.8 * traits[BASSY] - 1.2 * traits[BRIGHT]);
    out->rhythm = logistic(1.5 * traits[STEADY] + 0.8 * traits[BUSY] + 0.6 * traits[PERCUSSIVE]);
    out->harmony = logistic(1.8 * traits[TONAL] - 1.0 * traits[PERCUSSIVE] - 0.5 * traits[NOISY]);
}

// Weights of the traits for each genre, as a listener might describe it. The middle of all music
// scores under a half everywhere: a genre has to be earned.
static const double weights[GENRE_COUNT][TRAITS] = {
    [GENRE_CLASSICAL] = {[LOUD] = -1.0,
                         [DENSE] = -0.8,
                         [STEADY] = -0.8,
                         [PERCUSSIVE] = -1.0,
                         [VARIED] = 1.0,
                         [TONAL] = 0.4,
                         [BASSY] = -0.6},
    [GENRE_ROCK] = {[LOUD] = 0.8,
                    [DENSE] = 0.6,
                    [BRIGHT] = 0.6,
                    [PERCUSSIVE] = 0.5,
                    [STEADY] = 0.5,
                    [NOISY] = 0.4,
                    [BASSY] = -0.3,
                    [BUSY] = 0.4},
    [GENRE_ELECTRONIC] = {[STEADY] = 1.2,
                          [BASSY] = 0.8,
                          [LOUD] = 0.6,
                          [BUSY] = 0.6,
                          [WIDE] = 0.4,
                          [VARIED] = -0.6,
                          [AIRY] = 0.4},
    [GENRE_JAZZ] = {[LOUD] = -0.6,
                    [DENSE] = -0.8,
                    [BUSY] = 0.7,
                    [TONAL] = -0.6,
                    [BRIGHT] = -0.3,
                    [STEADY] = 0.2,
                    [PERCUSSIVE] = 0.2},
    [GENRE_POP] = {[LOUD] = 0.6,
                   [DENSE] = 0.5,
                   [STEADY] = 0.8,
                   [TONAL] = 0.6,
                   [VARIED] = -0.4,
                   [NOISY] = -0.4,
                   [WIDE] = 0.2},
    [GENRE_HIP_HOP] = {[BASSY] = 1.4,
                       [FAST] = -0.9,
                       [PERCUSSIVE] = 0.7,
                       [STEADY] = 0.6,
                       [LOUD] = 0.4,
                       [TONAL] = -0.4},
    [GENRE_ACOUSTIC] = {[LOUD] = -0.6,
                        [DENSE] = -0.7,
                        [BASSY] = -0.5,
                        [PERCUSSIVE] = -0.5,
                        [TONAL] = 0.7,
                        [WIDE] = -0.4,
                        [NOISY] = -0.5,
                        [BUSY] = 0.1},
    [GENRE_AMBIENT] = {[BUSY] = -1.3,
                       [STEADY] = -0.9,
                       [PERCUSSIVE] = -0.9,
                       [LOUD] = -0.5,
                       [WIDE] = 0.6,
                       [VARIED] = -0.3},
    [GENRE_METAL] = {[LOUD] = 0.9,
                     [DENSE] = 1.0,
                     [NOISY] = 1.0,
                     [BRIGHT] = 0.8,
                     [BUSY] = 0.7,
                     [FAST] = 0.4,
                     [TONAL] = -0.5,
                     [VARIED] = -0.3},
    [GENRE_COUNTRY] = {[BRIGHT] = 0.4,
                       [TONAL] = 0.6,
                       [STEADY] = 0.5,
                       [BASSY] = -0.5,
                       [DENSE] = -0.2,
                       [WIDE] = -0.2,
                       [BUSY] = 0.3,
                       [NOISY] = -0.3},
};

static void fill_scores(const double traits[TRAITS], double scores[GENRE_COUNT])
{
    for (int genre = 0; genre < GENRE_COUNT; genre++) {
        double sum = -0.5;
        for (int trait = 0; trait < TRAITS; trait++)
            sum += weights[genre][trait] * traits[trait];
        scores[genre] = logistic(sum);
    }
}

static int32_t pick_label(const double scores[GENRE_COUNT])
{
    int best = 0;
    for (int genre = 1; genre < GENRE_COUNT; genre++)
        if (scores[genre] > scores[best])
            best = genre;
    double second = 0.0;
    for (int genre = 0; genre < GENRE_COUNT; genre++)
        if (genre != best)
            second = fmax(second, scores[genre]);
    const int thin = scores[best] < LEAST_SCORE || scores[best] - second < LEAST_MARGIN;
    return thin ? GENRE_UNKNOWN : best;
}

/// 0 for digital silence, 1 for anything that can be heard, and continuous between.
static double presence(const struct analysis *a)
{
    const double audible = 1.0 - a->fingerprint[FINGERPRINT_SILENCE_RATIO];
    const double loud = a->fingerprint[FINGERPRINT_LUFS] + 70.0;
    return fmin(1.0, fmax(0.0, 20.0 * audible)) * fmin(1.0, fmax(0.0, loud / 10.0));
}

static double ramp(double x, double none, double full)
{
    return fmin(1.0, fmax(0.0, (x - none) / (full - none)));
}

/// How much of a genre there is to judge by, 0..1 and continuous: some seconds of something with notes or with a
/// pulse. Noise has neither (its chroma is even to 0.004), music has one at least (0.03 and more, or 0.1).
static double evidence(const struct analysis *a)
{
    const double notes =
        ramp(a->fingerprint[FINGERPRINT_CHROMA_ENERGY] - 1.0 / PITCH_CLASS_COUNT, 0.004, 0.02);
    const double pulse = ramp(a->tempo.confidence, 0.1, 0.2);
    return ramp(a->duration_s, 0.0, 15.0) * fmax(notes, pulse);
}

void profile_compute(struct analysis *analysis)
{
    assert(analysis);
    double traits[TRAITS];
    read_traits(analysis, traits);
    fill_profile(traits, &analysis->profile);
    fill_scores(traits, analysis->genre.scores);

    const double present = presence(analysis);
    double *const feelings[] = {&analysis->profile.energy,     &analysis->profile.dynamic_range,
                                &analysis->profile.brightness, &analysis->profile.warmth,
                                &analysis->profile.rhythm,     &analysis->profile.harmony};
    for (size_t i = 0; i < sizeof(feelings) / sizeof(*feelings); i++)
        *feelings[i] *= present;
    const double heard = present * evidence(analysis);
    for (int genre = 0; genre < GENRE_COUNT; genre++)
        analysis->genre.scores[genre] *= heard;
    analysis->genre.label = pick_label(analysis->genre.scores);
    analysis->genre.reserved = 0;
}

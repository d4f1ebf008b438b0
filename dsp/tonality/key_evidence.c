// SPDX-License-Identifier: MIT
#include "dsp/tonality/key_evidence.h"
#include <assert.h>
#include <math.h>
#include <string.h>

enum { CLASSES = PITCH_CLASS_COUNT, PARTIALS = 4, DECONVOLUTION_STEPS = 15 };
// Where the first 8 partials of a note fall, each 0.7 times the one before: the octaves (1, 2, 4, 8), the
// third (5), the fifth (3, 6) and the seventh (7).
static const struct {
    int semitones;
    double share;
} partials[PARTIALS] = {{0, 0.67661}, {4, 0.07644}, {7, 0.20950}, {10, 0.03745}};
// A triad's likeness to a stretch: the cosine between their classes, and the root's share of the bass.
#define ROOT_WEIGHT 0.3
// A triad that is less like a stretch by this much is e times less likely.
#define TRIAD_STEP 0.11
// A bass walks over the notes of a chord: which of them is the root, the last few seconds tell.
#define BASS_LASTS 0.85
// The four kinds of evidence of a key: notes (weight 1), triads, bass, and how long the tonic's triad stays.
#define TRIADS_WEIGHT 6.0
#define BASS_WEIGHT   1.2
#define STAY_WEIGHT   0.15

static double sum_of(const double classes[CLASSES])
{
    double sum = 0.0;
    for (int i = 0; i < CLASSES; i++)
        sum += classes[i];
    return sum;
}

static double length_of(const double classes[CLASSES])
{
    double squares = 0.0;
    for (int i = 0; i < CLASSES; i++)
        squares += classes[i] * classes[i];
    return sqrt(squares);
}

/// Correlation (direction 1) or convolution (-1) with a note's spread around the circle of classes.
static void turn(const double a[CLASSES], int direction, double out[CLASSES])
{
    double twice[2 * CLASSES];
    memcpy(twice, a, CLASSES * sizeof(*a));
    memcpy(twice + CLASSES, a, CLASSES * sizeof(*a));
    memset(out, 0, CLASSES * sizeof(*out));
    for (int p = 0; p < PARTIALS; p++) {
        const int semitones = partials[p].semitones;
        const double *from = twice + (direction > 0 ? semitones : CLASSES - semitones);
        for (int i = 0; i < CLASSES; i++)
            out[i] += partials[p].share * from[i];
    }
}

/// The notes whose overtones best explain what is heard (Richardson 1972, Lucy 1974).
static void remove_overtones(const double heard[CLASSES], double notes[CLASSES])
{
    double explained[CLASSES], ratio[CLASSES], correction[CLASSES];
    const double sum = sum_of(heard);
    for (int i = 0; i < CLASSES; i++)
        notes[i] = sum / CLASSES;
    for (int step = 0; step < DECONVOLUTION_STEPS; step++) {
        turn(notes, -1, explained);
        for (int i = 0; i < CLASSES; i++)
            ratio[i] = heard[i] / fmax(explained[i], 1e-12 * sum);
        turn(ratio, 1, correction);
        for (int i = 0; i < CLASSES; i++)
            notes[i] *= correction[i];
    }
}

/// How well a stretch goes with each triad, as shares of 1. @return the likeliest: mode * CLASSES + root.
static int compare_triads(double shares[KEY_MODES][CLASSES], const double notes[CLASSES],
                          const double bass[CLASSES])
{
    const double notes_length = sqrt(3.0) * length_of(notes), bass_length = length_of(bass);
    double all = 0.0, most = 0.0;
    int likeliest = 0;
    for (int mode = 0; mode < KEY_MODES; mode++) {
        for (int root = 0; root < CLASSES; root++) {
            const int third = (root + (mode == KEY_MAJOR ? 4 : 3)) % CLASSES;
            const int fifth = (root + 7) % CLASSES;
            const double low = bass_length > 0.0 ? ROOT_WEIGHT * bass[root] / bass_length : 0.0;
            const double likeness = (notes[root] + notes[third] + notes[fifth]) / notes_length;
            const double odds = exp((likeness + low) / TRIAD_STEP);
            shares[mode][root] = odds;
            all += odds;
            if (odds > most) {
                most = odds;
                likeliest = mode * CLASSES + root;
            }
        }
    }
    for (int mode = 0; mode < KEY_MODES; mode++)
        for (int root = 0; root < CLASSES; root++)
            shares[mode][root] /= all;
    return likeliest;
}

/// Note for how many stretches a triad has been the likeliest.
static void note_stay(struct key_evidence *evidence, int likeliest)
{
    evidence->stay = likeliest == evidence->likeliest ? evidence->stay + 1 : 1;
    evidence->likeliest = likeliest;
    uint32_t *longest = &evidence->longest[likeliest / CLASSES][likeliest % CLASSES];
    if (evidence->stay > *longest)
        *longest = evidence->stay;
}

/// Share a stretch out among the triads, by how likely it sounds like each.
static void count_triads(struct key_evidence *evidence, const double notes[CLASSES])
{
    double shares[KEY_MODES][CLASSES];
    const int likeliest = compare_triads(shares, notes, evidence->recent_bass);
    for (int mode = 0; mode < KEY_MODES; mode++)
        for (int root = 0; root < CLASSES; root++)
            evidence->triads[mode][root] += shares[mode][root];
    note_stay(evidence, likeliest);
}

static void add_share(double sums[CLASSES], const double classes[CLASSES])
{
    const double sum = sum_of(classes);
    for (int i = 0; sum > 0.0 && i < CLASSES; i++)
        sums[i] += classes[i] / sum;
}

void key_evidence_add(struct key_evidence *evidence, const double notes[PITCH_CLASS_COUNT],
                      const double bass[PITCH_CLASS_COUNT])
{
    if (!(sum_of(notes) > 0.0))
        return;
    double played[CLASSES];
    remove_overtones(notes, played);
    add_share(evidence->notes, played);
    add_share(evidence->bass, bass);
    const double bass_sum = sum_of(bass);
    for (int i = 0; bass_sum > 0.0 && i < CLASSES; i++)
        evidence->recent_bass[i] =
            BASS_LASTS * evidence->recent_bass[i] + (1.0 - BASS_LASTS) * bass[i] / bass_sum;
    count_triads(evidence, played);
}

/// Pearson correlation of the classes, read from `tonic` up, with a profile.
static double correlate(const double classes[CLASSES], const double *profile, int tonic)
{
    double x_mean = 0.0, y_mean = 0.0, xx = 0.0, yy = 0.0, xy = 0.0;
    for (int i = 0; i < CLASSES; i++) {
        x_mean += classes[i] / CLASSES;
        y_mean += profile[i] / CLASSES;
    }
    for (int i = 0; i < CLASSES; i++) {
        const double x = classes[(tonic + i) % CLASSES] - x_mean, y = profile[i] - y_mean;
        xx += x * x;
        yy += y * y;
        xy += x * y;
    }
    return xx > 0.0 ? xy / sqrt(xx * yy) : 0.0;
}

/// How usual the track's triads are in a key: the mean of their weights, 0..1.
static double weigh_triads(const struct key_evidence *evidence, int tonic, int mode)
{
    // By degree from the tonic up: the major triads, then the minor ones.
    static const double usual[KEY_MODES][KEY_MODES][CLASSES] = {
        [KEY_MAJOR] = {{1.0, 0, 0.1, 0, 0, 0.75, 0, 0.75, 0, 0, 0.25, 0},
                       {0, 0, 0.4, 0, 0.2, 0, 0, 0, 0, 0.5, 0, 0}},
        [KEY_MINOR] = {{0, 0.1, 0, 0.35, 0, 0.3, 0, 0.55, 0.45, 0, 0.45, 0},
                       {1.0, 0, 0, 0, 0, 0.65, 0, 0.5, 0, 0, 0, 0}},
    };
    double sum = 0.0, all = 0.0;
    for (int kind = 0; kind < KEY_MODES; kind++) {
        for (int degree = 0; degree < CLASSES; degree++) {
            const double count = evidence->triads[kind][(tonic + degree) % CLASSES];
            sum += usual[mode][kind][degree] * count;
            all += count;
        }
    }
    return all > 0.0 ? sum / all : 0.0;
}

/// How long the tonic's triad stayed at most against the one that stayed longest, as a logarithm: it begins,
/// ends and rests.
static double weigh_stay(const struct key_evidence *evidence, int tonic, int mode)
{
    uint32_t longest = 0;
    for (int kind = 0; kind < KEY_MODES; kind++)
        for (int root = 0; root < CLASSES; root++)
            if (evidence->longest[kind][root] > longest)
                longest = evidence->longest[kind][root];
    return log((evidence->longest[mode][tonic] + 1.0) / (longest + 1.0));
}

/// What is known of a key: the likeness of its scale to the notes, and all evidence together.
struct reading {
    double likeness, evidence;
};

static struct reading read_key(const struct key_evidence *evidence, int tonic, int mode)
{
    // How much each degree is heard, from the tonic up: Temperley 2001 (Kostka-Payne
    // corpus), but the minor's seventh mostly natural, as popular music has it.
    static const double note_profiles[KEY_MODES][CLASSES] = {
        [KEY_MAJOR] = {0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057,
                       0.400},
        [KEY_MINOR] = {0.740, 0.084, 0.474, 0.618, 0.049, 0.490, 0.105, 0.747, 0.340, 0.067, 0.310,
                       0.200},
    };
    // A bass plays roots, most of all those of the tonic, the dominant and the subdominant.
    static const double bass_profiles[KEY_MODES][CLASSES] = {
        [KEY_MAJOR] = {1.0, 0, 0.4, 0, 0.35, 0.6, 0, 0.7, 0, 0.4, 0, 0.15},
        [KEY_MINOR] = {1.0, 0, 0.2, 0.4, 0, 0.6, 0, 0.7, 0.4, 0, 0.4, 0.1},
    };
    const double likeness = correlate(evidence->notes, note_profiles[mode], tonic);
    return (struct reading){
        likeness, likeness + TRIADS_WEIGHT * weigh_triads(evidence, tonic, mode) +
                      BASS_WEIGHT * correlate(evidence->bass, bass_profiles[mode], tonic) +
                      STAY_WEIGHT * weigh_stay(evidence, tonic, mode)};
}

void key_evidence_choose(const struct key_evidence *evidence, struct key *out)
{
    double best = -HUGE_VAL;
    out->tonic = -1;
    out->mode = KEY_MODE_UNKNOWN;
    out->strength = 0.0;
    for (int mode = 0; sum_of(evidence->notes) > 0.0 && mode < KEY_MODES; mode++) {
        for (int tonic = 0; tonic < CLASSES; tonic++) {
            const struct reading reading = read_key(evidence, tonic, mode);
            if (reading.likeness > 0.0 && reading.evidence > best) {
                best = reading.evidence;
                out->strength = fmin(1.0, reading.likeness);
                out->tonic = tonic;
                out->mode = mode;
            }
        }
    }
}

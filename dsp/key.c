// SPDX-License-Identifier: MIT
#include "dsp/key.h"
#include "dsp/cpu.h"
#include "dsp/interpolate.h"
#include "dsp/logarithm.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BINS = 1025,
    HOP = 512,
    FINE = 10,
    CLASSES = PITCH_CLASS_COUNT * FINE,
    MODES = 2,
    PEAKS_MAX = BINS / 2,
};
#define LOWEST_HZ 35.0
#define NOTES_HZ                                                                                   \
    95.0 // below, neighbouring notes share a bin: good for a bass alone, not for chords
#define BASS_HZ    150.0
#define HIGHEST_HZ 2100.0
// A chord is looked for in every stretch of this length.
#define STRETCH_S 0.75
// How a stretch is matched with a triad: its third against its root and fifth, and the root in the bass.
#define THIRD_WEIGHT 0.8
#define ROOT_WEIGHT  0.3
// The three kinds of evidence of a key: notes (weight 1), chords and bass.
#define CHORDS_WEIGHT 1.0
#define BASS_WEIGHT   0.8
#define C0_HZ         16.351597831287414 // at A4 = 440 Hz
#define PEAK_SHARE    1e-4f // of the frame's strongest bin: weaker peaks are side lobes

struct key_tracker {
    const struct interpolate_impl *kernels;
    double bin_hz;
    uint32_t first_bin, end_bin;
    uint32_t stretch_frames;
    double places[BINS]; // of the bins' centres among the fine classes
    // --- summed magnitude of spectral peaks, by tenths of a semitone
    double notes[CLASSES], bass[CLASSES];
    // --- the same of the stretch under way
    uint32_t frames;
    double stretch_notes[CLASSES], stretch_bass[CLASSES];
    // --- stretches so far that sounded most like a triad of this mode on this root
    double triads[MODES][PITCH_CLASS_COUNT];
};

/// A place that is off by up to a turn.
static double wrapped(double place)
{
    const double risen = place < 0.0 ? place + CLASSES : place;
    return risen < CLASSES ? risen : risen - CLASSES;
}

int key_tracker_create(struct key_tracker **out, double rate_hz)
{
    *out = NULL;
    if (!(rate_hz >= 1000.0 && rate_hz <= 50000.0))
        return -EINVAL;
    struct key_tracker *tracker = calloc(1, sizeof(*tracker));
    if (!tracker)
        return -ENOMEM;
    tracker->kernels = interpolate_select(cpu_flags());
    tracker->bin_hz = rate_hz / (2.0 * (BINS - 1));
    tracker->first_bin = (uint32_t)fmax(2.0, ceil(LOWEST_HZ / tracker->bin_hz));
    tracker->end_bin = (uint32_t)fmin(BINS - 2, floor(HIGHEST_HZ / tracker->bin_hz));
    tracker->stretch_frames = (uint32_t)fmax(1.0, round(STRETCH_S * rate_hz / HOP));
    for (uint32_t k = 1; k < BINS; k++)
        tracker->places[k] = wrapped(fmod(log2(k * tracker->bin_hz / C0_HZ) * CLASSES, CLASSES));
    *out = tracker;
    return 0;
}

void key_tracker_destroy(struct key_tracker **tracker)
{
    free(*tracker);
    *tracker = NULL;
}

/// Add one peak, shared between the two fine classes it lies between.
static void add_peak(double classes[CLASSES], double place, double magnitude)
{
    const int below = (int)place; // 0 to CLASSES - 1
    const double share = place - below;
    classes[below] += (1.0 - share) * magnitude;
    classes[below + 1 < CLASSES ? below + 1 : 0] += share * magnitude;
}

/// How far notes lie from A4 = 440 Hz, in fine classes, within half a semitone.
static double find_tuning(const double classes[CLASSES])
{
    double x = 0.0, y = 0.0;
    for (int i = 0; i < CLASSES; i++) {
        x += classes[i] * cos(2.0 * M_PI * i / FINE);
        y += classes[i] * sin(2.0 * M_PI * i / FINE);
    }
    return x * x + y * y > 0.0 ? atan2(y, x) * FINE / (2.0 * M_PI) : 0.0;
}

/// How much a note counts that lies so many fine classes above a pitch.
static void weigh_notes(double weights[CLASSES], double tuning)
{
    for (int i = 0; i < CLASSES; i++) {
        const double away = remainder(i - tuning, CLASSES) / FINE;
        weights[i] = exp(-0.5 * away * away / (0.2 * 0.2));
    }
}

static void fold(const double fine[CLASSES], const double weights[CLASSES],
                 double classes[PITCH_CLASS_COUNT])
{
    for (int pitch = 0; pitch < PITCH_CLASS_COUNT; pitch++) {
        const int first = pitch * FINE;
        double sum = 0.0;
        for (int i = first; i < CLASSES; i++)
            sum += fine[i] * weights[i - first];
        for (int i = 0; i < first; i++)
            sum += fine[i] * weights[i - first + CLASSES];
        classes[pitch] = sum;
    }
}

static double length_of(const double classes[PITCH_CLASS_COUNT])
{
    double squares = 0.0;
    for (int i = 0; i < PITCH_CLASS_COUNT; i++)
        squares += classes[i] * classes[i];
    return sqrt(squares);
}

/// Count the triad that the stretch sounds most like; a silent one counts nowhere.
static void count_triad(struct key_tracker *tracker, double tuning)
{
    double notes[PITCH_CLASS_COUNT], bass[PITCH_CLASS_COUNT], weights[CLASSES], best = 0.0;
    weigh_notes(weights, tuning);
    fold(tracker->stretch_notes, weights, notes);
    fold(tracker->stretch_bass, weights, bass);
    const double notes_length = length_of(notes), bass_length = length_of(bass);
    double *best_triad = NULL;
    for (int mode = KEY_MAJOR; notes_length > 0.0 && mode <= KEY_MINOR; mode++) {
        for (int root = 0; root < PITCH_CLASS_COUNT; root++) {
            const int third = (root + (mode == KEY_MAJOR ? 4 : 3)) % PITCH_CLASS_COUNT;
            const int fifth = (root + 7) % PITCH_CLASS_COUNT;
            const double low = bass_length > 0.0 ? ROOT_WEIGHT * bass[root] / bass_length : 0.0;
            const double likeness =
                (notes[root] + THIRD_WEIGHT * notes[third] + notes[fifth]) / notes_length + low;
            if (likeness > best) {
                best = likeness;
                best_triad = &tracker->triads[mode][root];
            }
        }
    }
    if (best_triad)
        *best_triad += 1.0;
}

static void end_stretch(struct key_tracker *tracker)
{
    for (int i = 0; i < CLASSES; i++) {
        tracker->notes[i] += tracker->stretch_notes[i];
        tracker->bass[i] += tracker->stretch_bass[i];
    }
    count_triad(tracker, find_tuning(tracker->notes));
    memset(tracker->stretch_notes, 0, sizeof(tracker->stretch_notes));
    memset(tracker->stretch_bass, 0, sizeof(tracker->stretch_bass));
    tracker->frames = 0;
}

/// The largest of the bins that are looked at.
static float loudest_bin(const struct key_tracker *tracker, const float *power)
{
    return tracker->kernels->sample_peak(power + tracker->first_bin,
                                         tracker->end_bin - tracker->first_bin);
}

/// Spectral peaks of a frame, in columns so that a compiler can lay them side by side.
struct peaks {
    uint32_t count;
    uint16_t bins[PEAKS_MAX];
    float magnitudes[PEAKS_MAX];
    float offsets[PEAKS_MAX]; // from the bin's centre, in bins
    float shifts[PEAKS_MAX];  // of the logarithm of the frequency
};

static void find_peaks(const struct key_tracker *tracker, const float *power, struct peaks *peaks)
{
    const float least = loudest_bin(tracker, power) * PEAK_SHARE;
    uint32_t count = 0;
    for (uint32_t k = tracker->first_bin; k < tracker->end_bin; k++) {
        const float here = power[k], left = power[k - 1], right = power[k + 1];
        peaks->bins[count] = (uint16_t)k; // stays if the next is no peak's neighbour
        count += (here > least) & (here > left) & (here >= right) & (left > 0.0f) & (right > 0.0f);
    }
    peaks->count = count;
}

/// Parabola through the logarithms: nearly exact for a sinusoid under a Hann window.
static void refine_peaks(const float *power, struct peaks *peaks)
{
    float left[PEAKS_MAX], right[PEAKS_MAX];
    for (uint32_t i = 0; i < peaks->count; i++) {
        const float *here = power + peaks->bins[i];
        peaks->magnitudes[i] = sqrtf(here[0]);
        left[i] = here[-1] / here[0];
        right[i] = here[1] / here[0];
    }
    for (uint32_t i = 0; i < peaks->count; i++) {
        const float fall = logarithm(left[i]), rise = logarithm(right[i]);
        const float curve = fminf(fall + rise, -1e-20f);
        peaks->offsets[i] = 0.5f * (fall - rise) / curve;
    }
    for (uint32_t i = 0; i < peaks->count; i++)
        peaks->shifts[i] = logarithm(1.0f + peaks->offsets[i] / (float)peaks->bins[i]);
}

void key_tracker_push(struct key_tracker *tracker, const float power[1025])
{
    assert(power);
    struct peaks peaks;
    find_peaks(tracker, power, &peaks);
    refine_peaks(power, &peaks);
    for (uint32_t i = 0; i < peaks.count; i++) {
        const uint32_t bin = peaks.bins[i];
        const double hz = (bin + (double)peaks.offsets[i]) * tracker->bin_hz;
        const double place =
            wrapped(tracker->places[bin] + CLASSES / M_LN2 * (double)peaks.shifts[i]);
        if (hz >= NOTES_HZ)
            add_peak(tracker->stretch_notes, place, (double)peaks.magnitudes[i]);
        if (hz < BASS_HZ)
            add_peak(tracker->stretch_bass, place, (double)peaks.magnitudes[i]);
    }
    if (++tracker->frames == tracker->stretch_frames)
        end_stretch(tracker);
}

/// Pearson correlation of the classes, read from `tonic` up, with a profile.
static double correlate(const double classes[PITCH_CLASS_COUNT], const double *profile, int tonic)
{
    double x_mean = 0.0, y_mean = 0.0, xx = 0.0, yy = 0.0, xy = 0.0;
    for (int i = 0; i < PITCH_CLASS_COUNT; i++) {
        x_mean += classes[i] / PITCH_CLASS_COUNT;
        y_mean += profile[i] / PITCH_CLASS_COUNT;
    }
    for (int i = 0; i < PITCH_CLASS_COUNT; i++) {
        const double x = classes[(tonic + i) % PITCH_CLASS_COUNT] - x_mean, y = profile[i] - y_mean;
        xx += x * x;
        yy += y * y;
        xy += x * y;
    }
    return xx > 0.0 ? xy / sqrt(xx * yy) : 0.0;
}

/// How usual the track's triads are in a key: the mean of their weights, 0..1.
static double weigh_triads(const struct key_tracker *tracker, int tonic, enum key_mode mode)
{
    // By degree from the tonic up: the major triads, then the minor ones.
    static const double usual[MODES][MODES][PITCH_CLASS_COUNT] = {
        [KEY_MAJOR] = {{1.0, 0, 0.1, 0, 0, 0.75, 0, 0.75, 0, 0, 0.1, 0},
                       {0, 0, 0.4, 0, 0.2, 0, 0, 0, 0, 0.5, 0, 0}},
        [KEY_MINOR] = {{0, 0, 0, 0.35, 0, 0, 0, 0.55, 0.45, 0, 0.45, 0},
                       {1.0, 0, 0, 0, 0, 0.65, 0, 0.5, 0, 0, 0, 0}},
    };
    double sum = 0.0, all = 0.0;
    for (int kind = 0; kind < MODES; kind++) {
        for (int degree = 0; degree < PITCH_CLASS_COUNT; degree++) {
            const double count = tracker->triads[kind][(tonic + degree) % PITCH_CLASS_COUNT];
            sum += usual[mode][kind][degree] * count;
            all += count;
        }
    }
    return all > 0.0 ? sum / all : 0.0;
}

/// What is known of a key: the likeness of its scale to the notes, and all evidence together.
struct reading {
    double likeness, evidence;
};

static struct reading read_key(const struct key_tracker *tracker,
                               const double notes[PITCH_CLASS_COUNT],
                               const double bass[PITCH_CLASS_COUNT], int tonic, enum key_mode mode)
{
    // How much each degree is heard, from the tonic up: Temperley 2001 (Kostka-Payne
    // corpus), but the minor's seventh mostly natural, as popular music has it.
    static const double note_profiles[MODES][PITCH_CLASS_COUNT] = {
        [KEY_MAJOR] = {0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057,
                       0.400},
        [KEY_MINOR] = {0.740, 0.084, 0.474, 0.618, 0.049, 0.490, 0.105, 0.747, 0.340, 0.067, 0.310,
                       0.200},
    };
    // A bass plays roots, most of all those of the tonic, the dominant and the subdominant.
    static const double bass_profiles[MODES][PITCH_CLASS_COUNT] = {
        [KEY_MAJOR] = {1.0, 0, 0.4, 0, 0.35, 0.6, 0, 0.7, 0, 0.4, 0, 0.15},
        [KEY_MINOR] = {1.0, 0, 0.2, 0.4, 0, 0.6, 0, 0.7, 0.4, 0, 0.4, 0.1},
    };
    const double likeness = correlate(notes, note_profiles[mode], tonic);
    return (struct reading){likeness,
                            likeness + CHORDS_WEIGHT * weigh_triads(tracker, tonic, mode) +
                                BASS_WEIGHT * correlate(bass, bass_profiles[mode], tonic)};
}

void key_tracker_finish(const struct key_tracker *tracker, struct key *out)
{
    struct key_tracker whole = *tracker; // with the stretch under way
    end_stretch(&whole);
    double notes[PITCH_CLASS_COUNT], bass[PITCH_CLASS_COUNT], weights[CLASSES], best = 0.0;
    weigh_notes(weights, find_tuning(whole.notes));
    fold(whole.notes, weights, notes);
    fold(whole.bass, weights, bass);
    out->tonic = -1;
    out->mode = KEY_MODE_UNKNOWN;
    out->strength = 0.0;
    for (int mode = KEY_MAJOR; length_of(notes) > 0.0 && mode <= KEY_MINOR; mode++) {
        for (int tonic = 0; tonic < PITCH_CLASS_COUNT; tonic++) {
            const struct reading reading =
                read_key(&whole, notes, bass, tonic, (enum key_mode)mode);
            if (reading.likeness > 0.0 && reading.evidence > best) {
                best = reading.evidence;
                out->strength = fmin(1.0, reading.likeness);
                out->tonic = tonic;
                out->mode = mode;
            }
        }
    }
}

// SPDX-License-Identifier: MIT
#include "dsp/tonality/key.h"
#include "dsp/cpu.h"
#include "dsp/level/interpolate.h"
#include "dsp/logarithm.h"
#include "dsp/tonality/key_evidence.h"
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
    PEAKS_MAX = BINS / 2,
};
#define LOWEST_HZ 35.0
#define NOTES_HZ                                                                                   \
    95.0 // below, neighbouring notes share a bin: good for a bass alone, not for chords
#define BASS_HZ    150.0
#define HIGHEST_HZ 2100.0
// A triad is looked for in every stretch of this length.
#define STRETCH_S 0.375
// Stretches this much fainter than the strongest so far are a reverb's end.
#define LEAST_SHARE 1e-3
#define C0_HZ       16.351597831287414 // at A4 = 440 Hz
#define PEAK_SHARE  1e-4f              // of the frame's strongest bin: weaker peaks are side lobes

struct key_tracker {
    const struct interpolate_impl *kernels;
    double bin_hz;
    uint32_t first_bin, end_bin;
    uint32_t stretch_frames;
    double places[BINS]; // of the bins' centres among the fine classes
    // --- summed magnitude of spectral peaks of the stretch under way, by tenths of a semitone
    uint32_t frames;
    double stretch_notes[CLASSES], stretch_bass[CLASSES];
    // --- of the stretches so far
    double notes[CLASSES]; // for the tuning
    double loudest;        // sum of notes
    struct key_evidence evidence;
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
    for (int place = 0; place < FINE; place++) {
        double sum = 0.0;
        for (int i = place; i < CLASSES; i += FINE)
            sum += classes[i];
        x += sum * cos(2.0 * M_PI * place / FINE);
        y += sum * sin(2.0 * M_PI * place / FINE);
    }
    return x * x + y * y > 0.0 ? atan2(y, x) * FINE / (2.0 * M_PI) : 0.0;
}

/// How much a note counts that lies so many fine classes above a pitch.
static void weigh_notes(double weights[CLASSES], double tuning)
{
    for (int i = 0; i < CLASSES; i++) {
        const double above = i - tuning; // within half a semitone of 0 .. CLASSES - 1
        const double away = (above > 0.5 * CLASSES ? above - CLASSES : above) / FINE;
        weights[i] = fabs(away) < 1.0 ? exp(-0.5 * away * away / (0.2 * 0.2)) : 0.0;
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

static void end_stretch(struct key_tracker *tracker)
{
    double weights[CLASSES], notes[PITCH_CLASS_COUNT], bass[PITCH_CLASS_COUNT], sum = 0.0;
    for (int i = 0; i < CLASSES; i++) {
        tracker->notes[i] += tracker->stretch_notes[i];
        sum += tracker->stretch_notes[i];
    }
    tracker->loudest = fmax(tracker->loudest, sum);
    if (sum > LEAST_SHARE * tracker->loudest) {
        weigh_notes(weights, find_tuning(tracker->notes));
        fold(tracker->stretch_notes, weights, notes);
        fold(tracker->stretch_bass, weights, bass);
        key_evidence_add(&tracker->evidence, notes, bass);
    }
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
    const uint32_t first = tracker->first_bin, bins = tracker->end_bin - first;
    int32_t are_peaks[BINS];
    for (uint32_t i = 0; i < bins;
         i++) { // a loop of its own, which a compiler can lay side by side
        const float here = power[first + i], left = power[first + i - 1];
        const float right = power[first + i + 1];
        are_peaks[i] =
            (here > least) & (here > left) & (here >= right) & (left > 0.0f) & (right > 0.0f);
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < bins; i++) {
        peaks->bins[count] = (uint16_t)(first + i); // stays if it is a peak
        count += (uint32_t)are_peaks[i];
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
        const float both = fall + rise, curve = both < -1e-20f ? both : -1e-20f;
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

void key_tracker_finish(const struct key_tracker *tracker, struct key *out)
{
    struct key_tracker whole = *tracker; // with the stretch under way
    end_stretch(&whole);
    key_evidence_choose(&whole.evidence, out);
}

// SPDX-License-Identifier: MIT
#include "dsp/tonality/key.h"
#include "dsp/cpu.h"
#include "dsp/level/interpolate.h"
#include "dsp/tonality/key_evidence.h"
#include "dsp/tonality/peaks.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BINS = PEAKS_BINS,
    HOP = 512,
    FINE = 10,
    CLASSES = PITCH_CLASS_COUNT * FINE,
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
    const struct peaks_impl *peak_kernels;
    double bin_hz;
    uint32_t first_bin, end_bin;
    uint32_t stretch_frames;
    struct peaks_circle circle; // of fine classes
    // --- summed magnitude of spectral peaks of the stretch under way, by tenths of a semitone
    uint32_t frames;
    double stretch_notes[CLASSES], stretch_bass[CLASSES];
    // --- of the stretches so far
    double notes[CLASSES]; // for the tuning
    double loudest;        // sum of notes
    struct key_evidence evidence;
};

int key_tracker_create(struct key_tracker **out, double rate_hz)
{
    *out = NULL;
    if (!(rate_hz >= 1000.0 && rate_hz <= 50000.0))
        return -EINVAL;
    struct key_tracker *tracker = calloc(1, sizeof(*tracker));
    if (!tracker)
        return -ENOMEM;
    tracker->kernels = interpolate_select(cpu_flags());
    tracker->peak_kernels = peaks_select(cpu_flags());
    tracker->bin_hz = rate_hz / (2.0 * (BINS - 1));
    tracker->first_bin = (uint32_t)fmax(2.0, ceil(LOWEST_HZ / tracker->bin_hz));
    tracker->end_bin = (uint32_t)fmin(BINS - 2, floor(HIGHEST_HZ / tracker->bin_hz));
    tracker->stretch_frames = (uint32_t)fmax(1.0, round(STRETCH_S * rate_hz / HOP));
    tracker->circle.turn = CLASSES;
    for (uint32_t k = 1; k < BINS; k++) {
        const double octaves = log2(k * tracker->bin_hz / C0_HZ);
        tracker->circle.places[k] = (float)((octaves - floor(octaves)) * CLASSES);
    }
    *out = tracker;
    return 0;
}

void key_tracker_destroy(struct key_tracker **tracker)
{
    free(*tracker);
    *tracker = NULL;
}

/// Add one peak, shared between the two fine classes it lies between.
static void add_peak(double classes[CLASSES], float place, float magnitude)
{
    const int below = (int)place; // 0 to CLASSES - 1
    const float upper = (place - (float)below) * magnitude;
    classes[below] += (double)(magnitude - upper);
    classes[below + 1 < CLASSES ? below + 1 : 0] += (double)upper;
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

void key_tracker_push(struct key_tracker *tracker, const float power[1025])
{
    assert(power);
    struct peaks peaks;
    tracker->peak_kernels->find(&peaks, power, &tracker->circle, tracker->first_bin,
                                tracker->end_bin, loudest_bin(tracker, power) * PEAK_SHARE);
    tracker->peak_kernels->refine(&peaks, &tracker->circle);
    for (uint32_t i = 0; i < peaks.count; i++) {
        const double hz = (double)peaks.places_in_bins[i] * tracker->bin_hz;
        if (hz >= NOTES_HZ)
            add_peak(tracker->stretch_notes, peaks.places[i], peaks.magnitudes[i]);
        if (hz < BASS_HZ)
            add_peak(tracker->stretch_bass, peaks.places[i], peaks.magnitudes[i]);
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

// SPDX-License-Identifier: MIT
// From an analysis to one fixed set of mastering targets: continuous, monotone, bounded.
#pragma once
#include "dsp/analysis.h"
#include "dsp/annotate.h"
#include <stdint.h>

enum mastering_preset {
    PRESET_ADAPTIVE,
    PRESET_GENTLE,
    PRESET_WARM,
    PRESET_BRIGHT,
    PRESET_PUNCHY,
    PRESET_LIVE,
    PRESET_COUNT
};

enum loudness_goal {
    LOUDNESS_OF_PRESET,
    LOUDNESS_FIXED, // settings.target_lufs
    LOUDNESS_AS_IS, // the track's own
};

/// What the user asks for; the same for a whole run.
struct mastering_settings {
    enum mastering_preset preset;
    enum loudness_goal goal;
    double target_lufs; // -36..-6, only for LOUDNESS_FIXED
    double intensity;   // 0..1; 0 leaves the audio bit for bit as it is
};

enum { EQ_BAND_COUNT = 5 };

/// Why the output stays under target_lufs.
enum loudness_shortfall {
    SHORTFALL_NONE,
    SHORTFALL_LIMITER, // the limiter's allowed reduction is reached
    SHORTFALL_SILENCE, // nothing over the gate
};

/// Everything the chain needs, fixed for the whole track. Plain data without pointers.
struct mastering_targets {
    double target_lufs;
    double ceiling_dbtp;
    // low shelf 120 Hz, bells 300 Hz, 1.2 kHz, 3.5 kHz, high shelf 9 kHz
    double eq_db[EQ_BAND_COUNT];
    struct {
        double threshold_db, ratio, knee_db, attack_s, release_s;
        double mix; // 0..1
    } compressor;
    double width; // side gain, 1 = as it is
    double makeup_db;
    struct {
        double lookahead_s, release_s;
    } limiter;
    // --- set by calibration; NaN before it
    double predicted_lufs;       // of the output
    double predicted_dbtp;       // of the output
    double limiter_reduction_db; // the most the limiter takes off, >= 0
    int32_t shortfall;           // enum loudness_shortfall
    int32_t bypass;              // 1: intensity 0, the chain is not run
};

/// Adaptive preset, its own loudness, full intensity.
struct mastering_settings mastering_settings_default(void);
/// @return 0; -EINVAL: a member out of range.
MUST_CHECK int mastering_settings_check(const struct mastering_settings *settings);
/// Loudness in LUFS that `settings` ask of a track of loudness `track_lufs`.
double mastering_target_lufs(const struct mastering_settings *settings, double track_lufs);
/// Targets for a track. makeup_db is an estimate until calibrated (see calibrate.h). Pure.
void mastering_targets_compute(struct mastering_targets *out, const struct analysis *analysis,
                               const struct mastering_settings *settings);
/// The same for a track that was mastered before, as its tag says: EQ, compressor and width are neutral, and
/// calibration gives it only the makeup that its target still needs and its peaks still allow. Pure.
void mastering_targets_compute_again(struct mastering_targets *out, const struct analysis *analysis,
                                     const struct mastering_settings *settings);
/// Whether EQ, compressor and width leave every sample as it is.
int mastering_targets_are_neutral(const struct mastering_targets *targets);
/// Whether `targets` are those of a track that was mastered before: neutral, though what `analysis` found in it is not.
/// Of a track that has nothing to shape, such as silence or a constant, they are its first. Pure.
int mastering_targets_are_again(const struct mastering_targets *targets,
                                const struct analysis *analysis);
/// "adaptive" ..; NULL if out of range.
const char *mastering_preset_name(int preset);
/// @return the preset of that name, or -EINVAL.
MUST_CHECK int mastering_preset_parse(const char *name);

// SPDX-License-Identifier: MIT
// Streaming analysis of one track: feed it PCM in blocks of any size, finish, get every figure.
#pragma once
#include "dsp/analysis.h"
#include "dsp/annotate.h"
#include "dsp/pcm.h"
#include <stdint.h>

/// Frames that it works on at once, however they come: few enough that a block of stereo and all that is made of
/// it at once stay in the first-level cache.
enum { ANALYZER_BLOCK_FRAMES = 1024 };

enum analyzer_depth {
    ANALYZER_FULL, // everything
    ANALYZER_TONAL, // only what the mastering targets are made of: bands, loudness and its variation, crest,
    // centroid, width, correlation; the rest of the analysis stays at its value for silence
};

struct analyzer_config {
    struct pcm_format format;
    enum analyzer_depth depth;
};

/// One analysis under way. A full one takes all its working memory when it is created, some 5 MB, and touches it: none
/// grows with the length of the track. Up to an hour every figure is exact, and what is summed up beyond stands in
/// loudness_list.h (within 0.01 LU), shape_medians.h and rhythm.h (tempo and beats of the first hour).
///
/// What a track has nothing of has the value of silence: 0; lufs -70; silence_ratio, peak_consistency and
/// phase_correlation 1; chroma_energy 1/12. So is it for no frames at all, for what is fainter than -360 dBFS, for
/// integrated loudness under 0.4 s, for its variation and range under 3.1 s, for the bands and shapes of a constant,
/// and for tempo under 8 kHz. What is shorter than a spectral frame (93 ms) is filled up with zeros.
/// Thread-safety: one thread at a time; any number of analyzers side by side.
struct analyzer;

/// @return 0; -EINVAL: format out of range; -ENOMEM. On error *out is NULL.
MUST_CHECK int analyzer_create(struct analyzer **out, const struct analyzer_config *config);
/// Destroy and set *analyzer to NULL. NULL is fine.
void analyzer_destroy(struct analyzer **analyzer);
/// Take the next `frames` frames, interleaved in WAVE channel order. The result does not depend on
/// how the audio is cut into blocks, nor on what the thread does with denormal numbers. NaN, infinite samples,
/// magnitudes over 1024 and those under 2^-60 (-361 dBFS) count as 0.
/// @return 0; -ENOMEM (the analyzer can only be destroyed then).
MUST_CHECK int analyzer_feed(struct analyzer *analyzer, const float *interleaved, uint32_t frames);
/// End of the track: compute what is left. The caller owns *out and frees it with free().
/// No feed after it. @return 0; -ENOMEM.
MUST_CHECK int analyzer_finish(struct analyzer *analyzer, struct analysis **out);

/// What a track's beginning tells of it. After 10 s of audio loudness, tempo and key are good guesses.
struct analysis_so_far {
    double heard_s;         // of audio, in the blocks that are complete
    double integrated_lufs; // -70 where nothing passed the gate
    struct tempo tempo;     // bpm 0 where there is no pulse yet
    struct key key;         // without its chroma
};

/// Read off what was fed so far, as if the track ended here; nothing of the result changes by it. Takes a few
/// milliseconds, more with the length. Tempo and key stay unknown for ANALYZER_TONAL. @return 0; -ENOMEM, *out
/// unchanged.
MUST_CHECK int analyzer_so_far(const struct analyzer *analyzer, struct analysis_so_far *out);

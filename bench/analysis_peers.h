// SPDX-License-Identifier: MIT
// What others take for the same work: libebur128, aubio, ffmpeg, librosa, essentia. Each is optional.
#pragma once
#include "analysis_track.h"
#include "dsp/annotate.h"

/// Times of Python's peers in ms of CPU; NaN where one is absent.
struct python_times {
    double librosa;        // everything but what libebur128 does
    double librosa_hpss;   // decompose.hpss, part of it
    double medians;        // scipy's median_filter in both directions, inside hpss
    double harmonic_ratio; // from those medians
    double essentia;       // its MusicExtractor, decoding included
};

/// Integrated loudness, range and true peak by libebur128. @return 0; -ENOSYS: built without; -EIO.
MUST_CHECK int analysis_peer_ebur128(const struct analysis_track *track);
/// Tempo, onsets and pitch by aubio. @return 0; -ENOSYS: built without; -ENOMEM.
MUST_CHECK int analysis_peer_aubio(const struct analysis_track *track);
/// Loudness, range and true peak by a process of ffmpeg, less what decoding takes it. @return ms of CPU; NaN: absent.
double analysis_peer_ffmpeg(const struct analysis_track *track);
/// Run librosa and essentia on the track's file, by the Python that SEGUE_BENCH_PYTHON names or python3.
void analysis_peer_python(const struct analysis_track *track, struct python_times *out);

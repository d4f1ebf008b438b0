// SPDX-License-Identifier: MIT
// What others take for the same work: libebur128, aubio, librosa. Each is optional.
#pragma once
#include "analysis_track.h"
#include "dsp/annotate.h"

/// Times of librosa for what the fingerprint needs, in ms of CPU.
struct librosa_times {
    double set;     // everything but what libebur128 does
    double hpss;    // decompose.hpss, part of the set
    double medians; // scipy's median_filter in both directions, inside hpss
};

/// Integrated loudness, range and true peak by libebur128. @return 0; -ENOSYS: built without; -EIO.
MUST_CHECK int analysis_peer_ebur128(const struct analysis_track *track);
/// Tempo, onsets and pitch by aubio. @return 0; -ENOSYS: built without; -ENOMEM.
MUST_CHECK int analysis_peer_aubio(const struct analysis_track *track);
/// Run librosa on the track's file in a child process. @return 0; -ENOSYS: no python3 with librosa.
MUST_CHECK int analysis_peer_librosa(const struct analysis_track *track, struct librosa_times *out);

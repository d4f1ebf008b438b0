// SPDX-License-Identifier: MIT
// Other programs that master, run as children on the same excerpt.
#pragma once
#include "dsp/annotate.h"
#include "support/mastered.h"

enum mastering_peer {
    MASTERING_ALIMITER,   // ffmpeg: one gain to the target, then its limiter at the ceiling
    MASTERING_LOUDNORM,   // ffmpeg: EBU R128 normalisation in one pass
    MASTERING_MATCHERING, // python, $SEGUE_BENCH_PYTHON or python3; towards a reference track
    MASTERING_PEERS
};

struct mastering_job {
    const char *in_path, *reference_path; // WAV
    double gain_db;                       // that would bring the input to the target
    double target_lufs, ceiling_dbtp;
    uint32_t rate_hz;
};

const char *mastering_peer_name(int peer);
/// Run it. The caller frees out->interleaved. @return 0 and its CPU time; -ENOSYS: it is not there.
MUST_CHECK int mastering_peer_run(int peer, const struct mastering_job *job,
                                  struct mastered_tape *out, double *cpu_ms);

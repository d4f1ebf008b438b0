// SPDX-License-Identifier: MIT
// CPU time of each stage of the analysis, one at a time over a whole track.
#pragma once
#include "analysis_track.h"
#include "dsp/annotate.h"

enum { ANALYSIS_STAGES_MAX = 16 };

int analysis_stage_count(void);
const char *analysis_stage_name(int stage);
/// The stage that separates harmonic from percussive sound.
int analysis_stage_hpss(void);
/// Run every stage `rounds` times: ms[stage] is the median of its times. @return 0; -errno.
MUST_CHECK int analysis_stages_run(const struct analysis_track *track, unsigned rounds,
                                   double ms[ANALYSIS_STAGES_MAX]);

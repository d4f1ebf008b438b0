// SPDX-License-Identifier: MIT
// CPU time of each stage of the analysis, one at a time over a whole track.
#pragma once
#include "analysis_track.h"
#include "dsp/annotate.h"

/// Run every stage `rounds` times and print a line with the median of each; *hpss_ms is that of the
/// separation. @return 0; -errno.
MUST_CHECK int analysis_stages_run(const struct analysis_track *track, unsigned rounds,
                                   double *hpss_ms);

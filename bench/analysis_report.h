// SPDX-License-Identifier: MIT
// What a run of the analysis benchmark found, as tables.
#pragma once
#include "analysis_peers.h"
#include "analysis_stages.h"

enum { ANALYSIS_SETS = 3 };

/// Figures of one instruction set. Ratios are medians of what was measured in turn.
struct analysis_figures {
    const char *set; // as SEGUE_CPU takes it
    double analysis_ms, over_decoding;
    double over_decoding_jointly; // block by block, in one pass
    double loudness_ms,
        under_ebur128; // loudness, range and true peak together; how many times faster
    double stages_ms[ANALYSIS_STAGES_MAX];
};

/// A whole run; NaN where a peer is absent.
struct analysis_report {
    double seconds, decode_ms, harmonic_ratio;
    double ebur128_ms, aubio_ms, ffmpeg_ms;
    struct python_times python;
    int sets;
    struct analysis_figures of[ANALYSIS_SETS];
};

/// Print it in Markdown: machine and compiler, ratios, stages.
void analysis_report_print(const struct analysis_report *report);

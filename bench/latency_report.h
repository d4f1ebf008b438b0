// SPDX-License-Identifier: MIT
// What segue-latency measures, as a table with histograms or as one JSON object.
#pragma once
#include "dsp/annotate.h"
#include "io/sink/sink.h"
#include "listener.h"
#include "stats.h"
#include <stdint.h>
#include <stdio.h>

/// A command has three rows: to the first changed frame, to the full effect, and the first in frames.
enum latency_row {
    LATENCY_EMPTY, // three rows, as of LATENCY_CALLBACK, of a callback that does nothing
    LATENCY_CALLBACK = LATENCY_EMPTY + 3, // thread CPU time, wall time, lateness
    LATENCY_RING = LATENCY_CALLBACK + 3,
    LATENCY_PAUSE,
    LATENCY_RESUME = LATENCY_PAUSE + 3,
    LATENCY_SEEK = LATENCY_RESUME + 3,
    LATENCY_SKIP = LATENCY_SEEK + 3,
    LATENCY_VOLUME = LATENCY_SKIP + 3,
    LATENCY_COMPARE = LATENCY_VOLUME + 3,
    LATENCY_START_COLD = LATENCY_COMPARE + 3,
    LATENCY_START_WARM,
    LATENCY_ROWS
};

enum latency_form { LATENCY_TABLE, LATENCY_JSON };

struct latency_measure {
    struct stats values;
};

/// Plain data. Thread-safety: one thread at a time.
struct latency_report {
    struct latency_measure rows[LATENCY_ROWS];
    struct sink_info device;
    uint64_t underruns, xruns, joins, gap_frames;
};

/// Room for `values` a row. @return 0; -ENOMEM.
MUST_CHECK int latency_report_init(struct latency_report *report, size_t values);
void latency_report_deinit(struct latency_report *report);
/// Take a listener's callbacks into the three rows from `row` on; its sink has stopped. It is empty afterwards.
void latency_report_take(struct latency_report *report, struct listener *listener,
                         enum latency_row row);
void latency_report_print(struct latency_report *report, FILE *out, enum latency_form form);

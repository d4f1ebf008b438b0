// SPDX-License-Identifier: MIT
// A track's section of a report: its audio is read on both ways, and what they show is written.
#pragma once
#include "dsp/annotate.h"
#include "dsp/mastering/mastering.h"
#include "engine/desktop/report_page.h"
#include "engine/prepare/scan.h"
#include "engine/prepare/scheduler.h"
#include <stdio.h>

struct report_drawing_config {
    struct scheduler *scheduler;
    const struct mastering_settings *settings; // NULL: not mastered
    const struct scan_result *analysed;        // with a record
    enum report_fold fold;
    /// Called now and then; may be NULL.
    void (*progress)(void *context, double done_s, double total_s);
    void *context;
};

/// Nothing is written before all is read. @return 0; -ESTALE: the file is not the one that was analysed, or changed
/// meanwhile; -ENOMEM; -ENODATA: there is no audio; errors of the decoder.
MUST_CHECK int report_drawing_write(FILE *page, const struct report_drawing_config *config);

// SPDX-License-Identifier: MIT
#include "engine/provisional.h"
#include "dsp/analyzer.h"
#include <stdlib.h>

int provisional_targets(struct mastering_targets *out, const float *stereo, uint32_t frames,
                        uint32_t rate_hz, const struct mastering_settings *settings,
                        enum provisional_kind kind)
{
    const struct analyzer_config config = {.format = {.rate_hz = rate_hz, .channels = 2},
                                           .depth = ANALYZER_TONAL};
    struct analyzer *analyzer;
    int error = analyzer_create(&analyzer, &config);
    if (error)
        return error;
    struct analysis *analysis = NULL;
    error = analyzer_feed(analyzer, stereo, frames);
    if (!error)
        error = analyzer_finish(analyzer, &analysis);
    if (!error && kind == PROVISIONAL_AGAIN)
        mastering_targets_compute_again(out, analysis, settings);
    else if (!error)
        mastering_targets_compute(out, analysis, settings);
    free(analysis);
    analyzer_destroy(&analyzer);
    return error;
}

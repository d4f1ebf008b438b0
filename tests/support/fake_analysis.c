// SPDX-License-Identifier: MIT
#include "support/fake_analysis.h"
#include "dsp/analyzer.h"
#include "dsp/mastering/calibrate.h"
#include <errno.h>
#include <stdlib.h>

struct analyzer {
    struct analyzer_config config;
    uint64_t frames;
    double sum;
};

struct fake_analysis_faults *fake_analysis_faults(void)
{
    static struct fake_analysis_faults faults;
    return &faults;
}

int analyzer_create(struct analyzer **out, const struct analyzer_config *config)
{
    *out = NULL;
    if (fake_analysis_faults()->create_error)
        return fake_analysis_faults()->create_error;
    *out = calloc(1, sizeof **out);
    if (!*out)
        return -ENOMEM;
    (*out)->config = *config;
    ++fake_analysis_faults()->analyzers_alive;
    return 0;
}

void analyzer_destroy(struct analyzer **analyzer)
{
    fake_analysis_faults()->analyzers_alive -= *analyzer != NULL;
    free(*analyzer);
    *analyzer = NULL;
}

int analyzer_feed(struct analyzer *analyzer, const float *interleaved, uint32_t frames)
{
    for (uint32_t i = 0; i < frames * analyzer->config.format.channels; ++i)
        analyzer->sum += (double)interleaved[i];
    analyzer->frames += frames;
    return fake_analysis_faults()->feed_error;
}

int analyzer_finish(struct analyzer *analyzer, struct analysis **out)
{
    *out = NULL;
    if (fake_analysis_faults()->finish_error)
        return fake_analysis_faults()->finish_error;
    *out = analysis_create(0, 0);
    if (!*out)
        return -ENOMEM;
    (*out)->frames = analyzer->frames;
    for (int b = 0; b < BAND_COUNT; ++b)
        (*out)->fingerprint[b] = FAKE_BAND_SHARE;
    (*out)->fingerprint[FINGERPRINT_LUFS] = analyzer->sum;
    return 0;
}

int analyzer_so_far(const struct analyzer *analyzer, struct analysis_so_far *out)
{
    *out = (struct analysis_so_far){
        .heard_s = (double)analyzer->frames / analyzer->config.format.rate_hz,
        .integrated_lufs = analyzer->sum,
    };
    return 0;
}

void mastering_targets_compute(struct mastering_targets *out, const struct analysis *analysis,
                               const struct mastering_settings *settings)
{
    *out = (struct mastering_targets){.target_lufs = settings->target_lufs,
                                      .predicted_lufs = analysis->fingerprint[FINGERPRINT_LUFS]};
}

void mastering_targets_compute_again(struct mastering_targets *out, const struct analysis *analysis,
                                     const struct mastering_settings *settings)
{
    mastering_targets_compute(out, analysis, settings);
    out->width = FAKE_WIDTH_AGAIN;
}

int calibrate(struct mastering_targets *targets, const struct analysis *analysis,
              const struct pcm_reader *reader)
{
    (void)analysis;
    struct pcm_format format = {0};
    float block[256 * PCM_MAX_CHANNELS];
    double frames = 0;
    int64_t got = reader->open(reader->context, &format);
    if (got == 0)
        while ((got = reader->read(reader->context, block, 256)) > 0)
            frames += (double)got;
    reader->close(reader->context);
    if (got < 0 && got != -EBADMSG)
        return (int)got;
    targets->makeup_db = frames;
    return fake_analysis_faults()->calibrate_error;
}

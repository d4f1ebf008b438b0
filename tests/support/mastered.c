// SPDX-License-Identifier: MIT
#include "support/mastered.h"
#include "dsp/analyzer.h"
#include "dsp/downmix.h"
#include "dsp/mastering/calibrate.h"
#include "dsp/mastering/chain.h"
#include <stdlib.h>
#include <string.h>

static int tape_open(void *context, struct pcm_format *format)
{
    struct mastered_tape *tape = context;
    tape->at = 0;
    *format = tape->format;
    return 0;
}

static int64_t tape_read(void *context, float *interleaved, uint32_t frames)
{
    struct mastered_tape *tape = context;
    const uint32_t left = tape->frames - tape->at, count = left < frames ? left : frames;
    const uint32_t channels = tape->format.channels;
    memcpy(interleaved, tape->interleaved + (size_t)tape->at * channels,
           (size_t)count * channels * sizeof *interleaved);
    tape->at += count;
    return count;
}

static void tape_close(void *context)
{
    (void)context;
}

struct pcm_reader mastered_reader(struct mastered_tape *tape)
{
    return (struct pcm_reader){
        .context = tape, .open = tape_open, .read = tape_read, .close = tape_close};
}

struct analysis *mastered_analyse(const struct mastered_tape *tape)
{
    const struct analyzer_config config = {.format = tape->format, .depth = ANALYZER_TONAL};
    struct analyzer *analyzer;
    struct analysis *analysis = NULL;
    if (analyzer_create(&analyzer, &config) == 0 &&
        analyzer_feed(analyzer, tape->interleaved, tape->frames) == 0 &&
        analyzer_finish(analyzer, &analysis))
        analysis = NULL;
    analyzer_destroy(&analyzer);
    return analysis;
}

int mastered_calibrate(struct mastering_targets *targets, struct mastered_tape *tape,
                       const struct analysis *analysis, const struct mastering_settings *settings)
{
    mastering_targets_compute(targets, analysis, settings);
    const struct pcm_reader reader = mastered_reader(tape);
    return calibrate(targets, analysis, &reader);
}

float *mastered_render(const struct mastered_tape *tape, const struct mastering_targets *targets)
{
    struct chain *chain;
    if (chain_create(&chain, tape->format.rate_hz))
        return NULL;
    const uint32_t delay = chain_delay_frames(chain);
    float *x = calloc((size_t)tape->frames + delay, 2 * sizeof *x);
    if (x) {
        chain_reset(chain, targets);
        downmix_to_stereo(x, tape->interleaved, tape->frames, tape->format.channels);
        chain_process(chain, x, tape->frames + delay);
        memmove(x, x + (size_t)2 * delay, (size_t)tape->frames * 2 * sizeof *x);
    }
    chain_destroy(&chain);
    return x;
}

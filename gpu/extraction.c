// SPDX-License-Identifier: MIT
#include "gpu/extraction.h"
#include "dsp/analyzer.h"
#include "dsp/mastering/calibrate.h"
#include "gpu/cuda_lane.h"
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

static int64_t now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t thread_cpu_ns(void)
{
    return now_ns(CLOCK_THREAD_CPUTIME_ID);
}

// The job's reader with a meter in front of it, which also ends the audio of a cancelled job.
struct metered_reader {
    struct backend_job *job;
    int64_t cpu_ns;  // spent in the reader: decoding
    int64_t wait_ns; // the reader's wall time less that: waiting for bytes, or for a core
    int is_open;
    int is_damaged;
};

static int is_cancelled(struct backend_job *job)
{
    // Relaxed: see job_queue_cancel().
    return atomic_load_explicit(&job->cancelled, memory_order_relaxed);
}

struct stopwatch {
    int64_t wall_ns, cpu_ns;
};

static struct stopwatch stopwatch_start(void)
{
    return (struct stopwatch){now_ns(CLOCK_MONOTONIC), thread_cpu_ns()};
}

static void meter(struct metered_reader *metered, struct stopwatch since)
{
    const int64_t cpu_ns = thread_cpu_ns() - since.cpu_ns;
    const int64_t wall_ns = now_ns(CLOCK_MONOTONIC) - since.wall_ns;
    metered->cpu_ns += cpu_ns;
    metered->wait_ns += wall_ns > cpu_ns ? wall_ns - cpu_ns : 0;
}

static int open_metered(void *context, struct pcm_format *format)
{
    struct metered_reader *metered = context;
    const struct pcm_reader *reader = &metered->job->reader;
    if (is_cancelled(metered->job))
        return -ECANCELED;
    const struct stopwatch since = stopwatch_start();
    metered->is_open = 1;
    const int error = reader->open(reader->context, format);
    meter(metered, since);
    return error;
}

static int64_t read_metered(void *context, float *interleaved, uint32_t frames)
{
    struct metered_reader *metered = context;
    const struct pcm_reader *reader = &metered->job->reader;
    if (is_cancelled(metered->job))
        return -ECANCELED;
    const struct stopwatch since = stopwatch_start();
    const int64_t got = reader->read(reader->context, interleaved, frames);
    meter(metered, since);
    assert(got <= (int64_t)frames);
    metered->is_damaged |= got == -EBADMSG;
    return got;
}

static void close_metered(void *context)
{
    struct metered_reader *metered = context;
    if (metered->is_open)
        metered->job->reader.close(metered->job->reader.context);
    metered->is_open = 0;
}

static int tell_head(struct backend_job *job, const struct analyzer *analyzer)
{
    struct analysis_so_far so_far;
    const int error = analyzer_so_far(analyzer, &so_far);
    if (!error)
        job->on_head(job->owner, &so_far);
    return error;
}

// Feed the analyzer all there is, and the lane as long as it takes any.
static int feed_all(struct analyzer *analyzer, struct metered_reader *metered, uint32_t rate_hz,
                    const struct extraction_tools *tools)
{
    const uint64_t head_frames = (uint64_t)BACKEND_HEAD_S * rate_hz;
    uint64_t fed = 0;
    for (;;) {
        const int64_t got = read_metered(metered, tools->block, EXTRACTION_BLOCK_FRAMES);
        if (got == 0 || got == -EBADMSG)
            return 0;
        if (got < 0)
            return (int)got;
        int error = analyzer_feed(analyzer, tools->block, (uint32_t)got);
        const bool was_head = fed < head_frames;
        fed += (uint64_t)got;
        if (!error && was_head && fed >= head_frames && metered->job->on_head)
            error = tell_head(metered->job, analyzer);
        if (error)
            return error;
        if (tools->lane)
            cuda_lane_feed(tools->lane, tools->block, (uint32_t)got);
    }
}

// The device's band energies take the place of the CPU's, if the lane went through without an error.
static void take_bands(struct backend_job *job, struct analysis *analysis, struct cuda_lane *lane)
{
    double energies[BAND_COUNT];
    if (!lane || cuda_lane_finish(lane, energies))
        return;
    stft_bands_to_fingerprint(analysis->fingerprint, energies);
    job->backend = "cuda";
}

static int finish(struct backend_job *job, struct analyzer *analyzer, struct analysis **out)
{
    if (is_cancelled(job))
        return -ECANCELED;
    const int64_t began_ns = thread_cpu_ns();
    const int error = analyzer_finish(analyzer, out);
    job->timing.profile_ns = thread_cpu_ns() - began_ns;
    return error;
}

static int analyse_open(struct backend_job *job, struct metered_reader *metered,
                        const struct pcm_format *format, const struct extraction_tools *tools)
{
    const int64_t began_ns = thread_cpu_ns() - metered->cpu_ns;
    struct analyzer *analyzer;
    int error = analyzer_create(
        &analyzer, &(struct analyzer_config){.format = *format, .depth = ANALYZER_FULL});
    if (error)
        return error;
    if (tools->lane)
        cuda_lane_start(tools->lane, format);
    error = feed_all(analyzer, metered, format->rate_hz, tools);
    job->timing.fingerprint_ns = thread_cpu_ns() - began_ns - metered->cpu_ns;
    if (!error)
        error = finish(job, analyzer, &job->analysis);
    if (!error)
        take_bands(job, job->analysis, tools->lane);
    else if (tools->lane)
        cuda_lane_abandon(tools->lane);
    analyzer_destroy(&analyzer);
    return error;
}

static int analyse(struct backend_job *job, struct metered_reader *metered,
                   const struct extraction_tools *tools)
{
    struct pcm_format format;
    int error = open_metered(metered, &format);
    if (!error)
        error = analyse_open(job, metered, &format, tools);
    close_metered(metered);
    return error;
}

static int compute_targets(struct backend_job *job, const struct analysis *analysis)
{
    const int again = job->was_mastered ? job->was_mastered(job->reader.context) : 0;
    if (again < 0)
        return again;
    if (again)
        mastering_targets_compute_again(&job->targets, analysis, &job->settings);
    else
        mastering_targets_compute(&job->targets, analysis, &job->settings);
    return 0;
}

static int set_targets(struct backend_job *job, const struct analysis *analysis,
                       struct metered_reader *metered)
{
    const struct pcm_reader reader = {metered, open_metered, read_metered, close_metered};
    const int64_t began_ns = thread_cpu_ns() - metered->cpu_ns;
    int error = compute_targets(job, analysis);
    if (!error)
        error = calibrate(&job->targets, analysis, &reader);
    job->timing.targets_ns = thread_cpu_ns() - began_ns - metered->cpu_ns;
    return error;
}

void extraction_run(struct backend_job *job, const struct extraction_tools *tools)
{
    assert(tools->block);
    struct metered_reader metered = {.job = job};
    const int64_t began_ns = thread_cpu_ns();
    int error = job->known ? 0 : analyse(job, &metered, tools);
    if (!error)
        error = set_targets(job, job->known ? job->known : job->analysis, &metered);
    if (error) {
        free(job->analysis);
        job->analysis = NULL;
    } else if (metered.is_damaged) {
        error = -EBADMSG;
    }
    job->error = error;
    job->timing.load_ns = metered.wait_ns;
    job->timing.decode_ns = metered.cpu_ns;
    job->timing.total_ns = thread_cpu_ns() - began_ns + metered.wait_ns;
}

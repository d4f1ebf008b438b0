// SPDX-License-Identifier: MIT
#include "io/sink/pump.h"
#include "io/sink/sink_impl.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

// A device that plays to nobody: by a clock of its own, or as fast as audio is made.

enum { NULL_PERIOD_FRAMES = 512 };

struct null_sink {
    struct sink sink;
    // --- immutable after open
    struct sink_info info;
    struct pump *pump;
};

static int null_close(struct sink *sink)
{
    struct null_sink *null = (struct null_sink *)sink;
    pump_destroy(&null->pump);
    free(null);
    return 0;
}

static int null_start(struct sink *sink)
{
    return pump_start(((struct null_sink *)sink)->pump);
}

static int null_stop(struct sink *sink)
{
    pump_stop(((struct null_sink *)sink)->pump);
    return 0;
}

static void null_info(const struct sink *sink, struct sink_info *info)
{
    const struct null_sink *null = (const struct null_sink *)sink;
    *info = null->info;
    info->realtime_priority = pump_priority(null->pump);
}

static enum sink_state null_state(struct sink *sink)
{
    return pump_state(((struct null_sink *)sink)->pump);
}

static int null_error(struct sink *sink)
{
    return pump_error(((struct null_sink *)sink)->pump);
}

static void null_wake(struct sink *sink)
{
    pump_wake(((struct null_sink *)sink)->pump);
}

static uint64_t null_xruns(const struct sink *sink)
{
    return pump_xruns(((const struct null_sink *)sink)->pump);
}

static const struct sink_ops null_ops = {
    .close = null_close,
    .start = null_start,
    .stop = null_stop,
    .info = null_info,
    .state = null_state,
    .error = null_error,
    .wake = null_wake,
    .xruns = null_xruns,
};

int sink_null_open(struct sink **out, const struct sink_config *config)
{
    struct null_sink *null = calloc(1, sizeof *null);
    if (!null)
        return -ENOMEM;
    double speed = config->speed > 0.0 ? config->speed : 1.0;
    uint32_t period = config->buffer_frames ? config->buffer_frames : NULL_PERIOD_FRAMES;
    double period_s = period / (config->rate_hz * speed);
    null->sink.ops = &null_ops;
    null->info = (struct sink_info){
        .pace = isinf(speed) ? SINK_PATIENT : SINK_PACED,
        .rate_hz = config->rate_hz,
        .period_frames = period,
        .latency_s = period_s,
        .name = "null",
    };
    int error = pump_create(&null->pump, &(struct pump_config){
                                             .pull = config->pull,
                                             .pull_context = config->context,
                                             .period_frames = period,
                                             .period_ns = period_s * 1e9,
                                             .name = "segue-audio",
                                         });
    if (error) {
        free(null);
        return error;
    }
    *out = &null->sink;
    return 0;
}

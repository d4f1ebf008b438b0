// SPDX-License-Identifier: MIT
#include "io/sink/virtual_device.h"
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

enum { VIRTUAL_BUFFERED_PERIODS = 2 };

struct virtual_device {
    struct virtual_device_config config;
    float *buffer;
    size_t next_event;
    uint64_t steps;
    uint64_t random; // state of xorshift64*
    uint32_t rate_hz, period_frames;
    // The schedule: time since the last change of rate, so that rounding does not add up.
    int64_t origin_ns;
    uint64_t origin_frames;
    int64_t late_ns; // of the next call only
    uint64_t xruns;
    bool is_gone;
};

static bool are_in_order(const struct virtual_event *events, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (events[i].step < events[i - 1].step)
            return false;
    return true;
}

int virtual_device_create(struct virtual_device **out, const struct virtual_device_config *config)
{
    assert(out && config->pull);
    *out = NULL;
    if (!config->rate_hz || !config->period_frames ||
        !are_in_order(config->events, config->n_events))
        return -EINVAL;
    struct virtual_device *d = calloc(1, sizeof *d);
    if (!d)
        return -ENOMEM;
    d->config = *config;
    if (!d->config.buffered_periods)
        d->config.buffered_periods = VIRTUAL_BUFFERED_PERIODS;
    d->rate_hz = config->rate_hz;
    d->period_frames = config->period_frames;
    d->random = config->seed * 2 + 1; // never 0
    d->buffer = calloc(config->period_frames, 2 * sizeof(float));
    if (!d->buffer) {
        free(d);
        return -ENOMEM;
    }
    *out = d;
    return 0;
}

void virtual_device_destroy(struct virtual_device **device)
{
    if (*device)
        free((*device)->buffer);
    free(*device);
    *device = NULL;
}

int64_t virtual_device_now_ns(const struct virtual_device *d)
{
    // Exact to the nanosecond for a year of frames at any rate.
    uint64_t seconds = d->origin_frames / d->rate_hz;
    uint64_t rest = d->origin_frames % d->rate_hz;
    return d->origin_ns + (int64_t)(seconds * 1000000000 + rest * 1000000000 / d->rate_hz);
}

/// Let the schedule go on from here, `shift_ns` later than it would have.
static void reanchor(struct virtual_device *d, int64_t shift_ns)
{
    d->origin_ns = virtual_device_now_ns(d) + shift_ns;
    d->origin_frames = 0;
}

static void happen(struct virtual_device *d, const struct virtual_event *event)
{
    switch (event->kind) {
    case VIRTUAL_LATE:
        d->late_ns += (int64_t)event->value;
        break;
    case VIRTUAL_STALL:
        reanchor(d, (int64_t)event->value);
        break;
    case VIRTUAL_PERIOD:
        assert(event->value > 0 && event->value <= d->config.period_frames);
        d->period_frames = (uint32_t)event->value;
        break;
    case VIRTUAL_RATE:
        assert(event->value > 0 && event->value <= UINT32_MAX);
        reanchor(d, 0);
        d->rate_hz = (uint32_t)event->value;
        break;
    case VIRTUAL_DISCONNECT:
        d->is_gone = true;
        break;
    }
}

static uint64_t draw(struct virtual_device *d)
{
    d->random ^= d->random >> 12;
    d->random ^= d->random << 25;
    d->random ^= d->random >> 27;
    return d->random * 0x2545f4914f6cdd1dU;
}

int virtual_device_step(struct virtual_device *d, struct virtual_step *step)
{
    while (d->next_event < d->config.n_events && d->config.events[d->next_event].step <= d->steps)
        happen(d, &d->config.events[d->next_event++]);
    if (d->is_gone)
        return -ENODEV;

    int64_t late_ns = d->late_ns;
    d->late_ns = 0;
    if (d->config.jitter_ns)
        late_ns += (int64_t)(draw(d) % (d->config.jitter_ns + 1));
    int64_t buffered_ns = (int64_t)((uint64_t)d->config.buffered_periods * d->period_frames *
                                    1000000000 / d->rate_hz);
    if (late_ns > buffered_ns)
        d->xruns++;

    int64_t due_ns = virtual_device_now_ns(d);
    uint32_t got = d->config.pull(d->config.context, d->buffer, d->period_frames);
    assert(got <= d->period_frames);
    if (step)
        *step = (struct virtual_step){
            .due_ns = due_ns,
            .called_ns = due_ns + late_ns,
            .rate_hz = d->rate_hz,
            .frames = d->period_frames,
            .got_frames = got,
            .stereo = d->buffer,
        };
    d->steps++;
    d->origin_frames += d->period_frames;
    return 0;
}

uint64_t virtual_device_xruns(const struct virtual_device *d)
{
    return d->xruns;
}

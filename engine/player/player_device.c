// SPDX-License-Identifier: MIT
#include "engine/monotonic.h"
#include "engine/player/player_impl.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    RING_MS = 2000,      // rendered ahead: what a busy machine may take away from the render thread
    RING_SPEED_MOST = 8, // a faster clock gets that much more, up to 16 s of audio
    RETRIES = 5,
};

static const int64_t retry_after_ns[RETRIES] = {250000000, 500000000, 1000000000, 2000000000,
                                                5000000000};

// --- the device

static uint32_t pull(void *context, float *stereo, uint32_t frames)
{
    struct player *p = context;
    const uint32_t got = callback_run(p->callback, stereo, frames);
    if (p->device.pace == SINK_PACED)
        return got; // the audio thread goes no further
    if (got)
        render_wake(p->render);
    mutex_lock(&p->lock);
    if (callback_ended_epoch(p->callback) == p->epoch)
        cond_broadcast(&p->changed);
    mutex_unlock(&p->lock);
    return got;
}

static void keep_device_error(struct player *p, int error)
{
    mutex_lock(&p->lock);
    p->totals.device_error = error;
    snprintf(p->device_error, sizeof(p->device_error), "%s", sink_error_text());
    mutex_unlock(&p->lock);
}

static int open_sink(struct player *p, uint32_t rate_hz)
{
    const struct sink_config config = {.device = p->config.device,
                                       .rate_hz = rate_hz,
                                       .buffer_frames = p->config.buffer_frames,
                                       .speed = p->config.speed,
                                       .pull = pull,
                                       .context = p};
    const int error = p->config.open_sink
                          ? p->config.open_sink(p->config.open_context, &p->sink, &config)
                          : sink_open(&p->sink, &config);
    if (error)
        keep_device_error(p, error);
    return error;
}

static uint32_t ring_blocks(const struct player *p)
{
    const double speed = fmin(fmax(p->config.speed, 1.0), RING_SPEED_MOST);
    const double frames = p->device.rate_hz * speed * RING_MS / 1000.0;
    const uint32_t wanted = (uint32_t)(frames / RING_BLOCK_FRAMES);
    uint32_t blocks = 16;
    while (blocks < wanted)
        blocks *= 2;
    return blocks;
}

static int create_path(struct player *p)
{
    const enum ring_sides sides = p->config.settings ? RING_TWO_SIDES : RING_ONE_SIDE;
    int error = ring_create_lockable(&p->ring, ring_blocks(p), sides);
    if (!error && !ring_is_locked(p->ring))
        log_write(p->config.log, LOG_LEVEL_DEBUG, NULL,
                  "the audio buffer may not be locked in memory: a limit (ulimit -l) forbids it");
    if (!error)
        error = callback_create(&p->callback, p->ring, p->device.rate_hz, p->device.pace);
    if (error)
        return error;
    mutex_lock(&p->lock);
    player_choose_side_locked(p);
    mutex_unlock(&p->lock);
    const struct render_config config = {.ring = p->ring,
                                         .rate_hz = p->device.rate_hz,
                                         .speed = p->config.speed,
                                         .pace = p->device.pace,
                                         .settings = p->config.settings,
                                         .has_albums = p->planner != NULL,
                                         .events = player_events(p)};
    return render_create(&p->render, &config);
}

static void destroy_path(struct player *p)
{
    (void)sink_close(&p->sink); // nothing was written yet, and nobody renders who would wake it
    render_destroy(&p->render);
    callback_destroy(&p->callback);
    ring_destroy(&p->ring);
}

// The track's rate, or what was asked for; where the device does not take the track's, one that devices take.
static int open_sink_at_some_rate(struct player *p, uint32_t rate_hz)
{
    static const uint32_t usual_hz[] = {48000, 44100, 96000, 192000};
    if (p->config.rate_hz)
        return open_sink(p, p->config.rate_hz);
    int error = open_sink(p, rate_hz);
    for (size_t i = 0; error == -EINVAL && i < sizeof(usual_hz) / sizeof(usual_hz[0]); ++i) {
        if (usual_hz[i] == rate_hz || open_sink(p, usual_hz[i]))
            continue;
        log_write(p->config.log, LOG_LEVEL_INFO, NULL,
                  "the device does not play at %u Hz: resampling to %u Hz", rate_hz, usual_hz[i]);
        error = 0;
    }
    return error;
}

static void forget_device_error(struct player *p)
{
    mutex_lock(&p->lock);
    p->totals.device_error = 0;
    p->device_error[0] = 0;
    mutex_unlock(&p->lock);
}

// Opens the device and all that lies before it, for the rate of the first track.
int player_open_device(struct player *p, uint32_t rate_hz)
{
    int error = open_sink_at_some_rate(p, rate_hz);
    if (error)
        return error;
    forget_device_error(p);
    sink_info(p->sink, &p->device);
    error = create_path(p);
    if (!error)
        error = sink_start(p->sink);
    if (error) {
        keep_device_error(p, error);
        destroy_path(p);
    }
    return error;
}

static void close_lost_sink(struct player *p)
{
    const uint64_t xruns = sink_xruns(p->sink);
    (void)sink_close(&p->sink); // it is known to be broken
    mutex_lock(&p->lock);
    p->closed_xruns += xruns;
    if (p->state != PLAYER_STOPPED)
        p->state = PLAYER_DEVICE_LOST;
    mutex_unlock(&p->lock);
    p->retry = 0;
    p->retry_at_ns = monotonic_ns() + retry_after_ns[0];
    log_write(p->config.log, LOG_LEVEL_WARN, p->device.name, "device lost; trying to get it back");
}

static void lose_file(struct player *p)
{
    mutex_lock(&p->lock);
    if (p->state != PLAYER_STOPPED) {
        p->totals.device_error = sink_error(p->sink);
        snprintf(p->device_error, sizeof(p->device_error), "%s: %s", p->device.name,
                 strerror(-p->totals.device_error));
        ++p->epoch;
        player_stop_locked(p);
    }
    mutex_unlock(&p->lock);
}

static void retry_sink(struct player *p)
{
    if (monotonic_ns() < p->retry_at_ns)
        return;
    int error = open_sink(p, p->device.rate_hz);
    if (!error)
        error = sink_start(p->sink);
    if (error) {
        (void)sink_close(&p->sink); // it never ran
        if (p->retry + 1 < RETRIES)
            ++p->retry;
        p->retry_at_ns = monotonic_ns() + retry_after_ns[p->retry];
        return;
    }
    mutex_lock(&p->lock);
    if (p->state == PLAYER_DEVICE_LOST)
        p->state = PLAYER_PLAYING;
    p->totals.device_error = 0;
    mutex_unlock(&p->lock);
    log_write(p->config.log, LOG_LEVEL_WARN, p->device.name, "device is back");
}

void player_look_after_device(struct player *p)
{
    if (!p->callback)
        return;
    if (!p->sink)
        retry_sink(p);
    else if (sink_state(p->sink) != SINK_LOST)
        return;
    else if (p->device.pace == SINK_PATIENT)
        lose_file(p);
    else
        close_lost_sink(p);
}

// SPDX-License-Identifier: MIT
#include "dsp/mutex.h"
#include "io/sink/audio_thread.h"
#include "io/sink/metronome.h"
#include "io/sink/portaudio_devices.h"
#include "io/sink/sink_impl.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// PortAudio may hang for minutes when its server dies, and often does not say that it died. So whatever
// can hang runs on a thread of its own that is given up after a while, and a heartbeat tells loss. The
// stream belongs to both, sink and thread: the one that lets go last frees it.

enum {
    PA_PERIOD_FRAMES = 1024,   // where the device chooses: larger requests are split
    PA_START_GRACE_MS = 5000,  // until the first callback: servers wake up slowly
    PA_HEARTBEAT_MS = 250,     // or three periods
    PA_JOB_PATIENCE_MS = 1500, // that a host gets to close; to start and stop, its latency on top
};

enum job { JOB_START, JOB_STOP, JOB_CLOSE };

struct stream {
    // --- immutable after open
    sink_pull_fn pull;
    void *context;
    uint32_t period_frames;
    PaStream *host;
    // --- audio thread only
    bool has_entered;
    struct metronome metronome;
    // --- atomic: written by control, read by the audio thread, and the other way round. Sequentially
    // consistent: of "closed" and "pulling", at least one side sees the other's.
    _Atomic bool is_closed;
    _Atomic bool is_pulling;
    // --- atomic: written by the audio thread, read by any; relaxed: each stands for itself
    _Atomic int64_t last_call_ns; // control sets it ahead before the start
    _Atomic uint64_t xruns;
    _Atomic int priority;
    _Atomic bool is_finished;
    struct mutex lock; // leaf
    // --- protected by lock
    struct cond job_done; // predicate: !is_busy
    enum job job;
    bool is_busy;
    bool is_abandoned; // the thread at work closes the stream, whenever it comes back
    PaError result;
    int owners;
};

struct pa_sink {
    struct sink sink;
    // --- immutable after open
    struct sink_info info;
    struct stream *stream;
    int64_t heartbeat_ns;
    // --- atomic: written by control and, for a loss, by whoever notices; relaxed: stands for itself
    _Atomic int state;
};

// --- the audio thread

/// Wait until this call is due, on a host without a clock: there no sound can come late, but its thread would take a
/// core, and ask for more than can be made. Returns at once on hardware.
static void keep_time(struct stream *s, uint32_t frames)
{
    const int64_t now_ns = audio_thread_now_ns();
    const int64_t due_ns = metronome_beat(&s->metronome, now_ns, frames);
    const struct timespec due = {due_ns / 1000000000, due_ns % 1000000000};
    while (due_ns > now_ns && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
        continue;
}

static int audio_run(const void *input, void *output, unsigned long frames,
                     const PaStreamCallbackTimeInfo *time, PaStreamCallbackFlags flags,
                     void *context)
{
    struct stream *s = context;
    (void)input;
    (void)time; // its base differs from host to host
    if (!s->has_entered) {
        // System calls, but before the first sound: the thread is the host's, there is no other place.
        s->has_entered = true;
        int priority = audio_thread_enter("segue-audio");
        atomic_store_explicit(&s->priority, priority, memory_order_relaxed);
    }
    keep_time(s, (uint32_t)frames);
    atomic_store_explicit(&s->last_call_ns, audio_thread_now_ns(), memory_order_relaxed);
    if (flags & paOutputUnderflow)
        atomic_fetch_add_explicit(&s->xruns, 1, memory_order_relaxed);

    float *at = output;
    uint32_t left = (uint32_t)frames;
    atomic_store(&s->is_pulling, true);
    while (left > 0 && !atomic_load(&s->is_closed)) {
        uint32_t n = s->pull(s->context, at, left < s->period_frames ? left : s->period_frames);
        if (n == 0)
            break;
        at += 2 * (size_t)n;
        left -= n;
    }
    atomic_store(&s->is_pulling, false);
    memset(at, 0, 2 * (size_t)left * sizeof *at);
    return paContinue;
}

static void finish_run(void *context)
{
    struct stream *s = context;
    atomic_store_explicit(&s->is_finished, true, memory_order_relaxed);
}

// --- jobs that may hang

static struct stream *stream_create(const struct sink_config *config)
{
    struct stream *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->pull = config->pull;
    s->context = config->context;
    s->period_frames = config->buffer_frames ? config->buffer_frames : PA_PERIOD_FRAMES;
    s->owners = 1;
    if (mutex_init(&s->lock)) {
        free(s);
        return NULL;
    }
    if (cond_init(&s->job_done)) {
        mutex_deinit(&s->lock);
        free(s);
        return NULL;
    }
    return s;
}

static void stream_unref(struct stream *s)
{
    mutex_lock(&s->lock);
    bool is_last = --s->owners == 0;
    mutex_unlock(&s->lock);
    if (!is_last)
        return;
    cond_deinit(&s->job_done);
    mutex_deinit(&s->lock);
    free(s);
}

static PaError close_host(struct stream *s)
{
    (void)Pa_AbortStream(s->host); // an error says that it is stopped already
    portaudio_enter();
    PaError result = Pa_CloseStream(s->host);
    portaudio_finish();
    portaudio_leave();
    return result;
}

static PaError perform(struct stream *s, enum job job)
{
    switch (job) {
    case JOB_START:
        return Pa_StartStream(s->host);
    case JOB_STOP:
        return Pa_StopStream(s->host);
    case JOB_CLOSE:
        break;
    }
    return close_host(s);
}

static void *job_run(void *context)
{
    struct stream *s = context;
    (void)pthread_setname_np(pthread_self(), "segue-host");
    mutex_lock(&s->lock);
    enum job job = s->job;
    mutex_unlock(&s->lock);

    PaError result = perform(s, job);

    mutex_lock(&s->lock);
    s->result = result;
    s->is_busy = false;
    bool is_abandoned = s->is_abandoned;
    cond_signal(&s->job_done);
    mutex_unlock(&s->lock);
    if (is_abandoned && job != JOB_CLOSE)
        (void)close_host(s); // nobody is left to tell
    stream_unref(s);
    return NULL;
}

/// Have the job done on a thread of its own. @return 0; -EIO: the host refused; -ETIMEDOUT: it did not
/// come back and the thread was given up; -EAGAIN: no thread.
static int run_job(struct stream *s, enum job job, double patience_s)
{
    mutex_lock(&s->lock);
    bool is_abandoned = s->is_abandoned;
    s->job = job;
    s->is_busy = true;
    s->owners++;
    mutex_unlock(&s->lock);
    assert(!is_abandoned);
    (void)is_abandoned;

    pthread_t thread;
    int error = -pthread_create(&thread, NULL, job_run, s);
    if (error) {
        stream_unref(s);
        return error;
    }
    pthread_detach(thread);

    int64_t deadline_ns = audio_thread_now_ns() + (int64_t)(patience_s * 1e9);
    mutex_lock(&s->lock);
    while (s->is_busy && audio_thread_now_ns() < deadline_ns)
        cond_wait_until(&s->job_done, &s->lock, deadline_ns);
    s->is_abandoned = s->is_busy;
    error = s->is_busy ? -ETIMEDOUT : s->result == paNoError ? 0 : -EIO;
    mutex_unlock(&s->lock);
    return error;
}

static bool is_abandoned(struct stream *s)
{
    mutex_lock(&s->lock);
    bool abandoned = s->is_abandoned;
    mutex_unlock(&s->lock);
    return abandoned;
}

/// No pull begins after it, and none is under way.
static void close_gate(struct stream *s)
{
    atomic_store(&s->is_closed, true);
    // A pull takes microseconds and its thread cannot be told to wake anybody: nothing to wait on but this.
    while (atomic_load(&s->is_pulling))
        sched_yield();
}

// --- the sink

static double patience_s(const struct pa_sink *pa)
{
    return PA_JOB_PATIENCE_MS / 1e3 + pa->info.latency_s;
}

static int pa_close(struct sink *sink)
{
    struct pa_sink *pa = (struct pa_sink *)sink;
    close_gate(pa->stream);
    if (!is_abandoned(pa->stream)) {
        // Where no thread can be had, hanging here is all that is left to risk.
        if (run_job(pa->stream, JOB_CLOSE, patience_s(pa)) == -EAGAIN)
            (void)close_host(pa->stream);
    }
    stream_unref(pa->stream);
    free(pa);
    return 0;
}

static int pa_start(struct sink *sink)
{
    struct pa_sink *pa = (struct pa_sink *)sink;
    int state = atomic_load_explicit(&pa->state, memory_order_relaxed);
    if (state != SINK_STOPPED)
        return state == SINK_LOST ? -EIO : -EALREADY;
    struct stream *s = pa->stream;
    s->has_entered = false; // no callback runs: the start below publishes it
    atomic_store_explicit(&s->is_finished, false, memory_order_relaxed);
    atomic_store_explicit(&s->last_call_ns,
                          audio_thread_now_ns() + (int64_t)PA_START_GRACE_MS * 1000000,
                          memory_order_relaxed);
    atomic_store_explicit(&pa->state, SINK_RUNNING, memory_order_relaxed);
    int error = run_job(s, JOB_START, PA_START_GRACE_MS / 1e3);
    if (error)
        atomic_store_explicit(&pa->state, SINK_LOST, memory_order_relaxed);
    return error;
}

static int pa_stop(struct sink *sink)
{
    struct pa_sink *pa = (struct pa_sink *)sink;
    if (sink_state(sink) != SINK_RUNNING)
        return 0;
    atomic_store_explicit(&pa->state, SINK_STOPPED, memory_order_relaxed);
    int error = run_job(pa->stream, JOB_STOP, patience_s(pa));
    if (error)
        atomic_store_explicit(&pa->state, SINK_LOST, memory_order_relaxed);
    return error;
}

static void pa_info(const struct sink *sink, struct sink_info *info)
{
    const struct pa_sink *pa = (const struct pa_sink *)sink;
    *info = pa->info;
    info->realtime_priority = atomic_load_explicit(&pa->stream->priority, memory_order_relaxed);
}

static enum sink_state pa_state(struct sink *sink)
{
    struct pa_sink *pa = (struct pa_sink *)sink;
    int state = atomic_load_explicit(&pa->state, memory_order_relaxed);
    if (state != SINK_RUNNING)
        return (enum sink_state)state;
    struct stream *s = pa->stream;
    int64_t last_ns = atomic_load_explicit(&s->last_call_ns, memory_order_relaxed);
    bool is_lost = atomic_load_explicit(&s->is_finished, memory_order_relaxed) ||
                   audio_thread_now_ns() - last_ns > pa->heartbeat_ns;
    // Only from running: a stop may have come between.
    if (is_lost)
        atomic_compare_exchange_strong(&pa->state, &state, SINK_LOST);
    return is_lost ? SINK_LOST : SINK_RUNNING;
}

static int pa_error(struct sink *sink)
{
    return pa_state(sink) == SINK_LOST ? -ENODEV : 0;
}

static uint64_t pa_xruns(const struct sink *sink)
{
    const struct pa_sink *pa = (const struct pa_sink *)sink;
    return atomic_load_explicit(&pa->stream->xruns, memory_order_relaxed);
}

static const struct sink_ops pa_ops = {
    .close = pa_close,
    .start = pa_start,
    .stop = pa_stop,
    .info = pa_info,
    .state = pa_state,
    .error = pa_error,
    .xruns = pa_xruns,
};

static int open_failure(PaError error, const struct sink_config *config, const char *name)
{
    if (error == paInvalidSampleRate)
        return sink_fail(-EINVAL, "%s: rate %u is not supported", name, config->rate_hz);
    bool is_absent = error == paDeviceUnavailable || error == paInvalidDevice;
    const PaHostErrorInfo *host =
        error == paUnanticipatedHostError ? Pa_GetLastHostErrorInfo() : NULL;
    return sink_fail(is_absent ? -ENODEV : -EIO, "%s: %s", name,
                     host ? host->errorText : Pa_GetErrorText(error));
}

/// Find and open the device, as PortAudio's lock is held. @return 0 or -errno.
static int open_stream(struct pa_sink *pa, const struct sink_config *config)
{
    PaDeviceIndex device;
    int error = portaudio_find(config->device, &device);
    if (error)
        return error;
    portaudio_name(device, pa->info.name);
    const PaDeviceInfo *info = Pa_GetDeviceInfo(device);
    PaStreamParameters output = {
        .device = device,
        .channelCount = 2,
        .sampleFormat = paFloat32,
        // Who names a period wants a short way; who does not, a safe one.
        .suggestedLatency =
            config->buffer_frames ? info->defaultLowOutputLatency : info->defaultHighOutputLatency,
    };
    // JACK's period is its server's: any number here makes PortAudio adapt it, late and unevenly.
    bool is_jack = Pa_GetHostApiInfo(info->hostApi)->type == paJACK;
    unsigned long period =
        is_jack || !config->buffer_frames ? paFramesPerBufferUnspecified : config->buffer_frames;
    // No clipping, no dither: what is in the ring is what the device gets.
    PaError result = Pa_OpenStream(&pa->stream->host, NULL, &output, config->rate_hz, period,
                                   paClipOff | paDitherOff, audio_run, pa->stream);
    if (result != paNoError)
        return open_failure(result, config, pa->info.name);
    (void)Pa_SetStreamFinishedCallback(pa->stream->host,
                                       finish_run); // the heartbeat is there besides
    const PaStreamInfo *opened = Pa_GetStreamInfo(pa->stream->host);
    pa->info.latency_s = opened ? opened->outputLatency : output.suggestedLatency;
    return 0;
}

/// Three periods, a device's whole buffer and a half, or the least, whichever is longest.
static int64_t heartbeat_ns(const struct sink_info *info)
{
    double three_periods_s = 3.0 * info->period_frames / info->rate_hz;
    double buffer_s = 1.5 * info->latency_s;
    double longest_s = three_periods_s > buffer_s ? three_periods_s : buffer_s;
    return longest_s > PA_HEARTBEAT_MS / 1e3 ? (int64_t)(longest_s * 1e9)
                                             : (int64_t)PA_HEARTBEAT_MS * 1000000;
}

int sink_portaudio_open(struct sink **out, const struct sink_config *config)
{
    struct pa_sink *pa = calloc(1, sizeof *pa);
    if (!pa)
        return -ENOMEM;
    pa->sink.ops = &pa_ops;
    pa->stream = stream_create(config);
    if (!pa->stream) {
        free(pa);
        return -ENOMEM;
    }
    pa->info.pace = SINK_PACED;
    pa->info.rate_hz = config->rate_hz;
    pa->info.period_frames = pa->stream->period_frames;
    atomic_init(&pa->state, SINK_STOPPED);

    portaudio_enter();
    int error = portaudio_begin();
    if (!error) {
        error = open_stream(pa, config);
        if (error)
            portaudio_finish();
    }
    portaudio_leave();
    if (error) {
        stream_unref(pa->stream);
        free(pa);
        return error;
    }
    pa->heartbeat_ns = heartbeat_ns(&pa->info);
    const double speed = config->speed > 0.0 && isfinite(config->speed) ? config->speed : 1.0;
    metronome_init(&pa->stream->metronome, config->rate_hz, pa->info.latency_s, speed);
    *out = &pa->sink;
    return 0;
}

// SPDX-License-Identifier: MIT
#include "gpu/cuda_lane.h"
#include "dsp/mutex.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SLOT_COUNT = 2,              // one slab is filled while the other is under way
    SLOT_BYTES = 2 << 20,        // of PCM; holds two hops of the widest format
    SIZE_MAX_SAMPLES = 65536,    // of the STFT at PCM_MAX_RATE_HZ
    ALIGNMENT_BYTES = 256,       // what CUDA gives its own allocations
    GLANCE_NS = 5 * 1000 * 1000, // between two looks at a stream that is waited for
};
static const int64_t HANG_NS = 10000000000; // some thousand times what a slab takes

// A point of a stream that has been reached or not.
struct fence {
    struct cuda_lane *lane;
    int is_ahead; // protected by lane->lock
};

// A slab of PCM on its way through the device.
struct slot {
    // --- immutable after create
    float *pcm;      // pinned
    float *energies; // pinned
    void *copied;    // event: the PCM is on the device
    // --- lane's thread only
    float *device_pcm;
    uint32_t frames; // STFT frames under way or not yet summed
    // --- has its own rule
    struct fence done;
};

struct cuda_lane {
    // --- immutable after create
    struct cuda_device *device; // not owned
    const struct cuda_runtime *cuda;
    uint32_t batch_max;
    void *copying, *computing; // streams
    void *allocated;           // event: the arena is there
    float *window;             // pinned
    // --- lane's thread only
    struct stft_shape shape;
    struct pcm_format format; // of the shape; 0 Hz: none
    struct window_frames_args windowing;
    struct band_energies_args summing;
    uint32_t batch;
    void *plan;
    void *arena;
    float *device_window, *spectra;
    struct slot slots[SLOT_COUNT];
    struct fence drained[2]; // of the copying and of the computing stream
    unsigned filling;        // index of the slot that takes PCM
    uint32_t filled;         // PCM frames in it
    uint32_t submitted;      // slabs of this track
    double sums[BAND_COUNT];
    int code;      // first error of this track
    int is_broken; // no more tracks here
    int is_hung;   // the device may still write to our memory
    // --- protected by lock
    struct mutex lock;   // leaf; never held across a call of CUDA
    struct cond reached; // predicate: a fence is no longer ahead
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// @return 1 if all went well so far. The first error is kept and reported.
static int is_fine(struct cuda_lane *lane, int code)
{
    if (code && !lane->code) {
        lane->code = code;
        cuda_device_report(lane->device, code);
    }
    return !lane->code;
}

// --- Waiting

// Runs on a thread of CUDA's, where no call of CUDA is allowed.
static void on_reached(void *context)
{
    struct fence *fence = context;
    mutex_lock(&fence->lane->lock);
    fence->is_ahead = 0;
    cond_signal(&fence->lane->reached);
    mutex_unlock(&fence->lane->lock);
}

static void set_ahead(struct fence *fence, int is_ahead)
{
    mutex_lock(&fence->lane->lock);
    fence->is_ahead = is_ahead;
    mutex_unlock(&fence->lane->lock);
}

// @return a CUDA code; on error the fence is not ahead.
static int put_fence(struct fence *fence, void *stream)
{
    set_ahead(fence, 1);
    const int code = fence->lane->cuda->launch_host(stream, on_reached, fence);
    if (code)
        set_ahead(fence, 0);
    return code;
}

static int is_ahead_after_glance(struct fence *fence)
{
    struct cuda_lane *lane = fence->lane;
    const int64_t until_ns = now_ns() + GLANCE_NS;
    mutex_lock(&lane->lock);
    int timed_out = 0;
    while (fence->is_ahead && !timed_out)
        timed_out = cond_wait_until(&lane->reached, &lane->lock, until_ns) == -ETIMEDOUT;
    const int is_ahead = fence->is_ahead;
    mutex_unlock(&lane->lock);
    return is_ahead;
}

// CUDA drops host functions once its context is broken, so who waits for one must look at the
// stream now and then. @return a CUDA code, or CUDA_NOT_READY if there is no end to it.
static int wait_for(struct fence *fence, void *stream)
{
    const int64_t deadline_ns = now_ns() + HANG_NS;
    do {
        const int code = fence->lane->cuda->stream_query(stream);
        if (code && code != CUDA_NOT_READY)
            return code;
        if (!is_ahead_after_glance(fence))
            return CUDA_SUCCESS_CODE;
    } while (now_ns() < deadline_ns);
    return CUDA_NOT_READY;
}

static void mark_hung(struct cuda_lane *lane)
{
    lane->is_hung = lane->is_broken = 1;
    cuda_device_report_hang(lane->device);
    if (!lane->code)
        lane->code = CUDA_NOT_READY;
}

static int wait_for_slot(struct cuda_lane *lane, struct slot *slot)
{
    const int code = slot->frames ? wait_for(&slot->done, lane->computing) : CUDA_SUCCESS_CODE;
    if (code == CUDA_NOT_READY)
        mark_hung(lane);
    return is_fine(lane, code);
}

// Let the device finish whatever was queued, of which a failed track does not keep count.
static void drain(struct cuda_lane *lane)
{
    void *const streams[] = {lane->copying, lane->computing};
    for (int i = 0; i < 2 && !lane->is_broken; ++i) {
        struct fence *end = &lane->drained[i];
        int code = streams[i] ? put_fence(end, streams[i]) : CUDA_SUCCESS_CODE;
        if (!code && streams[i])
            code = wait_for(end, streams[i]);
        if (code == CUDA_NOT_READY)
            mark_hung(lane);
        else if (code)
            lane->is_broken = 1;
    }
}

// --- The shape of a track

static void drop_shape(struct cuda_lane *lane)
{
    if (lane->plan)
        is_fine(lane, lane->cuda->fft_destroy(lane->plan));
    if (lane->arena)
        is_fine(lane, lane->cuda->free_async(lane->arena, lane->computing));
    lane->plan = lane->arena = NULL;
    lane->format = (struct pcm_format){0};
}

static size_t aligned(size_t bytes)
{
    return (bytes + ALIGNMENT_BYTES - 1) / ALIGNMENT_BYTES * ALIGNMENT_BYTES;
}

static float *carve(char **arena, size_t bytes)
{
    float *part = (float *)(void *)*arena;
    *arena += aligned(bytes);
    return part;
}

static size_t slab_bytes(const struct cuda_lane *lane)
{
    return (size_t)(lane->batch + 1) * lane->shape.hop * lane->windowing.channels * sizeof(float);
}

// One stream-ordered allocation for all buffers; the copying stream may use it from the event on.
static int allocate(struct cuda_lane *lane)
{
    const struct cuda_runtime *cuda = lane->cuda;
    const size_t rows = (size_t)2 * lane->batch;
    const size_t pcm_bytes = slab_bytes(lane), window_bytes = lane->shape.size * sizeof(float);
    const size_t planes_bytes = rows * lane->shape.size * sizeof(float);
    const size_t spectra_bytes = rows * 2 * lane->shape.bins * sizeof(float);
    const size_t energies_bytes = (size_t)lane->batch * BAND_COUNT * sizeof(float);
    const size_t bytes = SLOT_COUNT * aligned(pcm_bytes) + aligned(window_bytes) +
                         aligned(planes_bytes) + aligned(spectra_bytes) + aligned(energies_bytes);
    if (!is_fine(lane, cuda->malloc_async(&lane->arena, bytes, lane->computing)))
        return 0;
    char *at = lane->arena;
    for (int i = 0; i < SLOT_COUNT; ++i)
        lane->slots[i].device_pcm = carve(&at, pcm_bytes);
    lane->device_window = carve(&at, window_bytes);
    lane->windowing.planes = carve(&at, planes_bytes);
    lane->spectra = carve(&at, spectra_bytes);
    lane->summing.energies = carve(&at, energies_bytes);
    return is_fine(lane, cuda->event_record(lane->allocated, lane->computing)) &&
           is_fine(lane, cuda->stream_wait_event(lane->copying, lane->allocated));
}

static void set_arguments(struct cuda_lane *lane, const struct pcm_format *format)
{
    lane->shape = stft_shape_for(format->rate_hz);
    const size_t hop_bytes = (size_t)lane->shape.hop * format->channels * sizeof(float);
    const size_t hops = SLOT_BYTES / hop_bytes;
    assert(hops >= 2 && lane->shape.size <= SIZE_MAX_SAMPLES);
    lane->batch = hops > lane->batch_max ? lane->batch_max : (uint32_t)hops - 1;
    lane->windowing = (struct window_frames_args){
        .batch = lane->batch,
        .size = lane->shape.size,
        .hop = lane->shape.hop,
        .channels = format->channels,
    };
    stft_downmix_gains(&lane->windowing, format->channels);
    lane->summing = (struct band_energies_args){.bins = lane->shape.bins};
    memcpy(lane->summing.bands, lane->shape.bands, sizeof lane->summing.bands);
}

// Tracks of one format follow each other without a new plan or allocation.
static void take_shape(struct cuda_lane *lane, const struct pcm_format *format)
{
    if (lane->format.rate_hz == format->rate_hz && lane->format.channels == format->channels)
        return;
    drop_shape(lane);
    set_arguments(lane, format);
    const struct cuda_runtime *cuda = lane->cuda;
    const uint32_t size = lane->shape.size;
    stft_window(lane->window, size); // no copy of it is under way: the lane is idle
    if (is_fine(lane, lane->code) && allocate(lane) &&
        is_fine(lane, cuda->fft_create(&lane->plan, cuda->library, (int)size, (int)lane->batch * 2,
                                       lane->computing)) &&
        is_fine(lane, cuda->copy_to_device(lane->device_window, lane->window, size * sizeof(float),
                                           lane->computing)))
        lane->format = *format;
    lane->windowing.window = lane->device_window;
    lane->summing.spectra = lane->spectra;
}

// --- A track

static void submit(struct cuda_lane *lane, uint32_t frames)
{
    const struct cuda_runtime *cuda = lane->cuda;
    struct slot *slot = &lane->slots[lane->filling];
    const size_t bytes =
        (size_t)(frames + 1) * lane->shape.hop * lane->format.channels * sizeof(float);
    lane->windowing.pcm = slot->device_pcm;
    lane->windowing.frames = lane->summing.frames = frames;
    if (is_fine(lane, cuda->copy_to_device(slot->device_pcm, slot->pcm, bytes, lane->copying)) &&
        is_fine(lane, cuda->event_record(slot->copied, lane->copying)) &&
        is_fine(lane, cuda->stream_wait_event(lane->computing, slot->copied)) &&
        is_fine(lane, cuda->window_frames(&lane->windowing, lane->computing)) &&
        is_fine(lane, cuda->fft_execute(lane->plan, lane->windowing.planes, lane->spectra)) &&
        is_fine(lane, cuda->band_energies(&lane->summing, lane->computing)) &&
        is_fine(lane, cuda->copy_to_host(slot->energies, lane->summing.energies,
                                         frames * BAND_COUNT * sizeof(float), lane->computing)) &&
        is_fine(lane, put_fence(&slot->done, lane->computing)))
        slot->frames = frames;
    ++lane->submitted;
}

// Slots are collected in the order of submission, so that a sum does not depend on timing.
static int collect(struct cuda_lane *lane, struct slot *slot)
{
    if (!wait_for_slot(lane, slot))
        return 0;
    for (uint32_t frame = 0; frame < slot->frames; ++frame)
        for (uint32_t b = 0; b < BAND_COUNT; ++b)
            lane->sums[b] += (double)slot->energies[frame * BAND_COUNT + b];
    slot->frames = 0;
    return 1;
}

// The last hop of a slab begins the next one, because frames overlap by half.
static void turn_to_other_slot(struct cuda_lane *lane)
{
    const struct slot *full = &lane->slots[lane->filling];
    lane->filling = (lane->filling + 1) % SLOT_COUNT;
    struct slot *next = &lane->slots[lane->filling];
    if (!collect(lane, next))
        return;
    const size_t hop_samples = (size_t)lane->shape.hop * lane->format.channels;
    memcpy(next->pcm, full->pcm + lane->batch * hop_samples, hop_samples * sizeof(float));
    lane->filled = lane->shape.hop;
}

void cuda_lane_start(struct cuda_lane *lane, const struct pcm_format *format)
{
    cuda_lane_abandon(lane);
    if (lane->is_broken || cuda_device_is_lost(lane->device)) {
        lane->code = CUDA_NOT_READY; // reported when it broke
        return;
    }
    take_shape(lane, format);
}

void cuda_lane_feed(struct cuda_lane *lane, const float *interleaved, uint32_t frames)
{
    const uint32_t channels = lane->format.channels;
    const uint32_t slab_frames = (lane->batch + 1) * lane->shape.hop;
    while (frames > 0 && !lane->code) {
        const uint32_t room = slab_frames - lane->filled;
        const uint32_t taken = frames < room ? frames : room;
        float *to = lane->slots[lane->filling].pcm + (size_t)lane->filled * channels;
        memcpy(to, interleaved, (size_t)taken * channels * sizeof(float));
        interleaved += (size_t)taken * channels;
        frames -= taken;
        lane->filled += taken;
        if (lane->filled == slab_frames) {
            submit(lane, lane->batch);
            turn_to_other_slot(lane);
        }
    }
}

static void submit_rest(struct cuda_lane *lane)
{
    const struct stft_shape *shape = &lane->shape;
    if (!lane->submitted && lane->filled < shape->size) {
        const uint32_t channels = lane->format.channels;
        float *end = lane->slots[lane->filling].pcm + (size_t)lane->filled * channels;
        memset(end, 0, (size_t)(shape->size - lane->filled) * channels * sizeof(float));
        lane->filled = shape->size;
    }
    if (lane->filled >= shape->size)
        submit(lane, (lane->filled - shape->size) / shape->hop + 1);
}

int cuda_lane_finish(struct cuda_lane *lane, double energies[BAND_COUNT])
{
    if (!lane->code)
        submit_rest(lane);
    // The other slot is the older one.
    for (unsigned i = 1; i <= SLOT_COUNT && !lane->code; ++i)
        collect(lane, &lane->slots[(lane->filling + i) % SLOT_COUNT]);
    const int failed = lane->code;
    memcpy(energies, lane->sums, sizeof lane->sums);
    cuda_lane_abandon(lane);
    return failed ? -EIO : 0;
}

void cuda_lane_abandon(struct cuda_lane *lane)
{
    int is_pending = lane->code != CUDA_SUCCESS_CODE;
    for (int i = 0; i < SLOT_COUNT; ++i)
        is_pending |= lane->slots[i].frames > 0;
    if (is_pending)
        drain(lane);
    for (int i = 0; i < SLOT_COUNT; ++i)
        lane->slots[i].frames = 0;
    memset(lane->sums, 0, sizeof lane->sums);
    lane->filling = lane->filled = lane->submitted = 0;
    lane->code = CUDA_SUCCESS_CODE;
}

// --- Life

static int is_set_up(struct cuda_lane *lane)
{
    const struct cuda_runtime *cuda = lane->cuda;
    const size_t energies_bytes = (size_t)lane->batch_max * BAND_COUNT * sizeof(float);
    int fine =
        is_fine(lane, cuda->stream_create(&lane->copying)) &&
        is_fine(lane, cuda->stream_create(&lane->computing)) &&
        is_fine(lane, cuda->event_create(&lane->allocated)) &&
        is_fine(lane, cuda->host_alloc((void **)&lane->window, SIZE_MAX_SAMPLES * sizeof(float)));
    for (int i = 0; i < SLOT_COUNT; ++i) {
        struct slot *slot = &lane->slots[i];
        slot->done.lane = lane;
        fine = fine && is_fine(lane, cuda->event_create(&slot->copied)) &&
               is_fine(lane, cuda->host_alloc((void **)&slot->pcm, SLOT_BYTES)) &&
               is_fine(lane, cuda->host_alloc((void **)&slot->energies, energies_bytes));
    }
    return fine;
}

int cuda_lane_create(struct cuda_lane **out, struct cuda_device *device, uint32_t batch_frames)
{
    assert(batch_frames >= 1 && batch_frames <= CUDA_LANE_BATCH_MAX);
    *out = NULL;
    struct cuda_lane *lane = calloc(1, sizeof *lane);
    if (!lane)
        return -ENOMEM;
    lane->device = device;
    lane->batch_max = batch_frames;
    lane->cuda = cuda_device_runtime(device);
    lane->drained[0].lane = lane->drained[1].lane = lane;
    int error = mutex_init(&lane->lock);
    if (!error && (error = cond_init(&lane->reached)))
        mutex_deinit(&lane->lock);
    if (error) {
        free(lane);
        return error;
    }
    if (is_set_up(lane))
        *out = lane;
    else
        cuda_lane_destroy(&lane);
    return *out ? 0 : -EIO;
}

// Errors of a clean-up are not acted on: there is nothing left to save.
static void release(struct cuda_lane *lane)
{
    const struct cuda_runtime *cuda = lane->cuda;
    drop_shape(lane);
    drain(lane); // the arena's release is queued
    for (int i = 0; i < SLOT_COUNT; ++i) {
        struct slot *slot = &lane->slots[i];
        if (slot->copied)
            cuda->event_destroy(slot->copied);
        if (slot->pcm)
            cuda->host_free(slot->pcm);
        if (slot->energies)
            cuda->host_free(slot->energies);
    }
    if (lane->window)
        cuda->host_free(lane->window);
    if (lane->allocated)
        cuda->event_destroy(lane->allocated);
    if (lane->copying)
        cuda->stream_destroy(lane->copying);
    if (lane->computing)
        cuda->stream_destroy(lane->computing);
}

void cuda_lane_destroy(struct cuda_lane **lane)
{
    struct cuda_lane *l = *lane;
    *lane = NULL;
    if (!l)
        return;
    cuda_lane_abandon(l);
    if (l->is_hung)
        return; // deliberately not freed: the device may still write to it
    release(l);
    cond_deinit(&l->reached);
    mutex_deinit(&l->lock);
    free(l);
}

// SPDX-License-Identifier: MIT
#include "listener.h"
#include "io/writing/audio_file.h"
#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { BLOCK_FRAMES = 4096 };

static const float FRAME_STEP = 0x1p-16F;
static const float TOLERANCE = 1e-6F;
static const float WAVE_TOLERANCE = 4e-6F; // the chain's own noise is far below
const float listener_levels[LISTENER_TRACKS] = {0.25F, 0.5F};

static void fill_track(float *stereo, uint64_t frame, unsigned track)
{
    stereo[0] = listener_levels[track];
    stereo[1] = (float)frame * FRAME_STEP;
}

static void fill_wave(float *stereo, uint64_t frame, unsigned track)
{
    (void)track;
    const double turn = 2 * M_PI * (double)(frame % LISTENER_WAVE_FRAMES) / LISTENER_WAVE_FRAMES;
    stereo[0] = stereo[1] = (float)(0.05 * sin(turn) + 0.05 * sin(10 * turn));
}

static int write_file(const char *path, uint32_t rate_hz, uint64_t frames, unsigned track,
                      void (*fill)(float *stereo, uint64_t frame, unsigned track))
{
    static float stereo[2 * BLOCK_FRAMES];
    struct audio_file *file;
    const struct audio_file_config config = {
        .path = path, .format = AUDIO_FILE_F32, .rate_hz = rate_hz, .channels = 2};
    int error = audio_file_create(&file, &config);
    if (error)
        return error;
    for (uint64_t done = 0; !error && done < frames;) {
        uint32_t n = 0;
        for (; n < BLOCK_FRAMES && done < frames; ++n, ++done)
            fill(stereo + 2 * (size_t)n, done, track);
        error = audio_file_write(file, stereo, n);
    }
    if (error)
        audio_file_discard(&file);
    else
        error = audio_file_commit(&file);
    return error;
}

int listener_write_wave(const char *path, uint32_t rate_hz, uint64_t frames)
{
    return write_file(path, rate_hz, frames, 0, fill_wave);
}

int listener_write_track(const char *path, unsigned track, uint32_t rate_hz, uint64_t frames)
{
    assert(track < LISTENER_TRACKS && frames < 1U << 24); // a float counts that far
    return write_file(path, rate_hz, frames, track, fill_track);
}

int listener_init(struct listener *l, uint32_t rate_hz, size_t callbacks)
{
    *l = (struct listener){.rate_hz = rate_hz};
    struct stats *const all[] = {&l->wall_us, &l->cpu_us, &l->begin_ns, &l->begin_frame};
    int error = 0;
    for (size_t i = 0; !error && i < sizeof(all) / sizeof(all[0]); ++i)
        error = stats_init(all[i], callbacks);
    if (error)
        listener_deinit(l);
    return error;
}

void listener_deinit(struct listener *l)
{
    stats_deinit(&l->wall_us);
    stats_deinit(&l->cpu_us);
    stats_deinit(&l->begin_ns);
    stats_deinit(&l->begin_frame);
}

// --- on the sink's thread

static bool is_at_unity(float left)
{
    for (int i = 0; i < LISTENER_TRACKS; ++i)
        if (fabsf(left - listener_levels[i]) < TOLERANCE)
            return true;
    return false;
}

static bool happens(const struct listener *l, const float frame[2])
{
    const float target = (float)l->value * FRAME_STEP;
    switch (l->event) {
    case LISTENER_SOUND:
        return frame[0] != 0.0F;
    case LISTENER_SILENCE:
        return frame[0] == 0.0F && frame[1] == 0.0F;
    case LISTENER_TRACK:
        return fabsf(frame[0] - listener_levels[l->value]) < TOLERANCE;
    case LISTENER_POSITION:
        return is_at_unity(frame[0]) && frame[1] >= target &&
               frame[1] < target + (float)l->rate_hz * FRAME_STEP / 2.0F;
    case LISTENER_WAVE:
        return l->same_frames >= LISTENER_WAVE_FRAMES;
    case LISTENER_LEVEL:
        break;
    }
    return fabsf(frame[0] - l->level) < TOLERANCE;
}

static bool goes_on(const struct listener *l, const float frame[2])
{
    if (l->event == LISTENER_WAVE)
        return l->same_frames > 0;
    return frame[0] == l->last[0] &&
           (frame[1] == l->last[1] + FRAME_STEP || (frame[0] == 0.0F && frame[1] == l->last[1]));
}

static void compare_wave(struct listener *l, float left, uint64_t frame)
{
    float *before = &l->wave[frame % LISTENER_WAVE_FRAMES];
    l->same_frames = fabsf(left - *before) < WAVE_TOLERANCE ? l->same_frames + 1 : 0;
    *before = left;
}

static void watch(struct listener *l, const struct probe_period *period, uint32_t at)
{
    const float *frame = period->stereo + 2 * (size_t)at;
    const int64_t played_ns = period->begin_ns + (int64_t)(at * 1e9 / l->rate_hz);
    if (!l->has_changed && !goes_on(l, frame)) {
        l->has_changed = true;
        l->heard.changed_ns = played_ns;
        l->heard.changed_frame = period->first_frame + at;
    }
    if (!l->has_changed || !happens(l, frame))
        return;
    l->heard.reached_ns = played_ns;
    l->heard.reached_frame = period->first_frame + at;
    // Release: who sees it cleared sees what was heard.
    atomic_store_explicit(&l->armed, 0, memory_order_release);
}

// A track that begins right after the other one's end, at unity: a join. Anything else is a command's doing.
static void count_join(struct listener *l, const float frame[2])
{
    unsigned track = 0;
    for (unsigned i = 0; i < LISTENER_TRACKS; ++i)
        if (frame[0] == listener_levels[i])
            track = i + 1;
    if (!track) {
        ++l->between;
        return;
    }
    if (l->last_track && track != l->last_track && frame[1] == 0.0F) {
        ++l->joins;
        l->gap_frames += l->between;
    }
    l->between = 0;
    l->last_track = track;
}

void listener_see(void *context, const struct probe_period *period)
{
    struct listener *l = context;
    stats_add(&l->wall_us, (double)(period->end_ns - period->begin_ns) / 1e3);
    stats_add(&l->cpu_us, (double)period->cpu_ns / 1e3);
    stats_add(&l->begin_ns, (double)period->begin_ns);
    stats_add(&l->begin_frame, (double)period->first_frame);
    for (uint32_t i = 0; i < period->got_frames; ++i) {
        const float *frame = period->stereo + 2 * (size_t)i;
        count_join(l, frame);
        compare_wave(l, frame[0], period->first_frame + i);
        // Acquire: the watch was set before.
        if (atomic_load_explicit(&l->armed, memory_order_acquire))
            watch(l, period, i);
        l->last[0] = frame[0];
        l->last[1] = frame[1];
    }
}

// --- control

void listener_expect(struct listener *l, enum listener_event event, uint64_t value, float level)
{
    assert(!atomic_load_explicit(&l->armed, memory_order_acquire));
    l->event = event;
    l->value = value;
    l->level = level;
    l->has_changed = false;
    l->heard = (struct listener_heard){0};
    // Release: the sink's thread sees the watch that it is armed with.
    atomic_store_explicit(&l->armed, 1, memory_order_release);
}

bool listener_has_heard(const struct listener *l, struct listener_heard *heard)
{
    // Acquire: what was heard was written before.
    if (atomic_load_explicit(&l->armed, memory_order_acquire))
        return false;
    *heard = l->heard;
    return true;
}

void listener_lateness(const struct listener *l, struct stats *out)
{
    const double frame_ns = 1e9 / l->rate_hz;
    double earliest = INFINITY;
    for (size_t i = 0; i < l->begin_ns.count; ++i)
        earliest = fmin(earliest, l->begin_ns.values[i] - l->begin_frame.values[i] * frame_ns);
    for (size_t i = 0; i < l->begin_ns.count; ++i) {
        const double due = earliest + l->begin_frame.values[i] * frame_ns;
        stats_add(out, (l->begin_ns.values[i] - due) / 1e3);
    }
}

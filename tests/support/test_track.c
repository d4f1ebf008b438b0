// SPDX-License-Identifier: MIT
#include "support/test_track.h"
#include <errno.h>

static float sample_of(const struct test_track *track, uint64_t frame, uint32_t channel)
{
    return track->sample ? track->sample(frame, channel) : (float)(frame % 8 + channel) / 64;
}

static int is_this_pass(const struct test_track *track)
{
    return track->failing_pass == 0 || track->failing_pass == track->opens;
}

static int open_track(void *context, struct pcm_format *format)
{
    struct test_track *track = context;
    ++track->opens;
    track->position = 0;
    *format = track->format;
    return track->open_error;
}

static void stand_at_gate(struct test_track *track)
{
    track->has_gate = 0;
    sem_post(&track->arrived);
    while (sem_wait(&track->go) && errno == EINTR)
        ;
}

static int64_t read_track(void *context, float *interleaved, uint32_t frames)
{
    struct test_track *track = context;
    if (track->on_read)
        track->on_read(track);
    if (track->has_gate && is_this_pass(track) && track->position >= track->gate_frame)
        stand_at_gate(track);
    uint64_t end = track->frames;
    if (track->read_error && is_this_pass(track)) {
        end = track->error_frame;
        if (track->position >= end)
            return track->read_error;
    }
    const uint64_t left = end - track->position;
    const uint32_t got = left < frames ? (uint32_t)left : frames;
    for (uint32_t f = 0; f < got; ++f)
        for (uint32_t c = 0; c < track->format.channels; ++c)
            *interleaved++ = sample_of(track, track->position + f, c);
    track->position += got;
    return got;
}

static void close_track(void *context)
{
    struct test_track *track = context;
    ++track->closes;
}

struct pcm_reader test_track_reader(struct test_track *track)
{
    return (struct pcm_reader){track, open_track, read_track, close_track};
}

void test_track_gate(struct test_track *track, uint64_t frame, int pass)
{
    sem_init(&track->arrived, 0, 0);
    sem_init(&track->go, 0, 0);
    track->gate_frame = frame;
    track->failing_pass = pass;
    track->has_gate = 1;
}

void test_track_wait(struct test_track *track)
{
    while (sem_wait(&track->arrived) && errno == EINTR)
        ;
}

void test_track_let_go(struct test_track *track)
{
    sem_post(&track->go);
}

double test_track_sum(const struct test_track *track, uint64_t frames)
{
    double sum = 0;
    for (uint64_t f = 0; f < frames; ++f)
        for (uint32_t c = 0; c < track->format.channels; ++c)
            sum += (double)sample_of(track, f, c);
    return sum;
}

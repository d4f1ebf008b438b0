// SPDX-License-Identifier: MIT
// The stages pull from each other, last first: mastered() <- resampled() <- decoded(). Each asks for just
// what it needs, so that reading in blocks of any size gives the same calls in the same order of frames.
#include "engine/render/track_stream.h"
#include "dsp/downmix.h"
#include "dsp/mastering/chain.h"
#include "engine/render/resampler.h"
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_FRAMES = 1024 };

struct track_stream {
    // --- immutable after open
    struct decoder *decoder; // not owned
    struct decoder_info info;
    uint32_t rate_hz;
    struct resampler *resampler; // NULL: rates are equal
    enum track_stream_end end;
    struct master *master; // NULL: no mastering; handed on where the audio runs on
    // --- decoded input not yet resampled
    uint32_t input_start, input_count;
    int input_ended;
    // --- chain's delay: zeros still to be fed after the end, frames still to be dropped
    uint32_t tail_frames;
    uint64_t skip_frames;
    bool input_over;         // nothing but the tail is left
    bool has_begun;          // something was read
    track_stream_tap_fn tap; // or NULL
    void *tap_context;
    struct track_stream *next; // whose frames come instead of zeros; not owned
    struct mastering_targets next_targets;
    // --- what was peeked at and is still to be mastered
    float *head;
    uint32_t head_start, head_count;
    float input[2 * INPUT_FRAMES];
    float wide[PCM_MAX_CHANNELS * INPUT_FRAMES];
};

uint64_t track_stream_scale(uint64_t frames, uint32_t rate_in_hz, uint32_t rate_out_hz)
{
    // 64 bits hold 10 h at 768 kHz times a rate with room to spare.
    return (frames * rate_out_hz + rate_in_hz / 2) / rate_in_hz;
}

static uint32_t gcd(uint32_t a, uint32_t b)
{
    while (b) {
        const uint32_t t = a % b;
        a = b;
        b = t;
    }
    return a;
}

// Where decoding starts so that output frame `start` comes out as if the whole track had been played: as
// much context as the chain remembers, on an input frame that falls on an output frame and on the chain's grid.
static uint64_t context_start(const struct track_stream *s, uint64_t start, uint64_t *output_frame)
{
    const uint64_t context = s->master ? (uint64_t)TRACK_STREAM_CONTEXT_S * s->rate_hz
                                       : (s->resampler ? s->rate_hz / 4 : 0);
    const uint64_t from = start > context ? start - context : 0;
    const uint32_t divisor = gcd(s->info.format.rate_hz, s->rate_hz);
    const uint32_t step_out = s->rate_hz / divisor;
    const uint64_t grid = s->master ? CHAIN_GRID_FRAMES / gcd(step_out, CHAIN_GRID_FRAMES) : 1;
    const uint64_t steps = from / (grid * step_out) * grid;
    *output_frame = steps * step_out;
    return steps * (s->info.format.rate_hz / divisor);
}

static int seek(struct track_stream *s, uint64_t start)
{
    const uint64_t length = track_stream_scale(s->info.frames, s->info.format.rate_hz, s->rate_hz);
    if (start > length)
        return -EINVAL;
    uint64_t output_frame;
    const uint64_t input_frame = context_start(s, start, &output_frame);
    s->skip_frames += start - output_frame;
    return decoder_seek(s->decoder, input_frame);
}

static int create_stages(struct track_stream *s, enum track_stream_mastering mastering)
{
    int error = 0;
    if (s->rate_hz != s->info.format.rate_hz)
        error = resampler_create(&s->resampler, s->info.format.rate_hz, s->rate_hz);
    if (error || mastering == TRACK_STREAM_PLAIN)
        return error;
    error = master_create(&s->master, s->rate_hz);
    if (error)
        return error;
    s->tail_frames = chain_delay_frames(master_chain(s->master));
    s->skip_frames = s->tail_frames;
    return 0;
}

int track_stream_open(struct track_stream **out, const struct track_stream_config *config)
{
    assert(config->decoder && config->rate_hz > 0);
    *out = NULL;
    struct track_stream *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->decoder = config->decoder;
    s->info = config->info;
    s->rate_hz = config->rate_hz;
    s->end = config->end;
    int error = create_stages(s, config->mastering);
    if (!error && config->start_frame)
        error = seek(s, config->start_frame);
    if (error)
        track_stream_close(&s);
    *out = s;
    return error;
}

void track_stream_close(struct track_stream **stream)
{
    if (!*stream)
        return;
    resampler_destroy(&(*stream)->resampler);
    master_destroy(&(*stream)->master);
    free((*stream)->head);
    free(*stream);
    *stream = NULL;
}

static int64_t decoded(struct track_stream *s, float *stereo, uint32_t frames)
{
    const uint32_t channels = s->info.format.channels;
    uint32_t done = 0;
    while (done < frames) {
        const uint32_t want = frames - done < INPUT_FRAMES ? frames - done : INPUT_FRAMES;
        const int64_t got = decoder_read(s->decoder, s->wide, want);
        if (got < 0)
            return got;
        if (got == 0)
            break;
        downmix_to_stereo(stereo + 2 * (size_t)done, s->wide, (uint32_t)got, channels);
        done += (uint32_t)got;
    }
    return done;
}

static int fill_input(struct track_stream *s)
{
    if (s->input_count || s->input_ended)
        return 0;
    const int64_t got = decoded(s, s->input, INPUT_FRAMES);
    if (got < 0)
        return (int)got;
    s->input_start = 0;
    s->input_count = (uint32_t)got;
    s->input_ended = got < INPUT_FRAMES;
    return 0;
}

static int64_t resampled(struct track_stream *s, float *stereo, uint32_t frames)
{
    if (!s->resampler)
        return decoded(s, stereo, frames);
    uint32_t done = 0;
    while (done < frames) {
        const int error = fill_input(s);
        if (error)
            return error;
        uint32_t used = 0;
        const uint32_t available = s->input_count;
        const int64_t made =
            resampler_process(s->resampler, s->input + 2 * (size_t)s->input_start, available, &used,
                              stereo + 2 * (size_t)done, frames - done);
        if (made < 0)
            return made;
        s->input_start += used;
        s->input_count -= used;
        done += (uint32_t)made;
        if (made == 0 && available == 0)
            break;
    }
    return done;
}

int64_t track_stream_peek(struct track_stream *s, uint32_t frames, const float **stereo)
{
    assert(!s->head);
    s->head = malloc((size_t)frames * 2 * sizeof(float));
    if (!s->head)
        return -ENOMEM;
    const int64_t got = resampled(s, s->head, frames);
    if (got < 0)
        return got;
    s->head_count = (uint32_t)got;
    *stereo = s->head;
    return got;
}

void track_stream_set_targets(struct track_stream *s, const struct mastering_targets *targets)
{
    if (s->master)
        master_reset(s->master, targets);
}

static int64_t peeked_or_resampled(struct track_stream *s, float *stereo, uint32_t frames)
{
    const uint32_t count = frames < s->head_count ? frames : s->head_count;
    if (count == 0)
        return resampled(s, stereo, frames);
    memcpy(stereo, s->head + 2 * (size_t)s->head_start, (size_t)count * 2 * sizeof(float));
    s->head_start += count;
    s->head_count -= count;
    if (s->head_count == 0) {
        free(s->head);
        s->head = NULL;
    }
    if (count == frames)
        return count;
    const int64_t more = resampled(s, stereo + 2 * (size_t)count, frames - count);
    return more < 0 ? more : more + count;
}

// The first frames of what the audio runs on into; then the chain is that stream's.
static int64_t take_from_next(struct track_stream *s, float *stereo, float *plain, uint32_t frames)
{
    struct track_stream *next = s->next;
    if (!next->has_begun)
        chain_ramp_to(master_chain(s->master), &s->next_targets, CHAIN_JOIN_SECONDS * s->rate_hz);
    next->has_begun = true;
    frames = frames < s->tail_frames ? frames : s->tail_frames;
    const int64_t got = peeked_or_resampled(next, stereo, frames);
    if (got < 0)
        return got;
    master_process(s->master, stereo, plain, (uint32_t)got);
    s->tail_frames -= (uint32_t)got;
    if (s->tail_frames == 0) {
        master_destroy(&next->master);
        next->master = s->master;
        s->master = NULL;
        s->next = NULL;
    } else if (got < frames) {
        s->next = NULL; // it was shorter than it said
    }
    return got;
}

// What the chain still holds when the track has ended comes out behind zeros.
static uint32_t take_tail(struct track_stream *s, float *stereo, float *plain, uint32_t frames)
{
    const uint32_t count = frames < s->tail_frames ? frames : s->tail_frames;
    memset(stereo, 0, 2 * (size_t)count * sizeof(float));
    s->tail_frames -= count;
    master_process(s->master, stereo, plain, count);
    return count;
}

// `plain` may be NULL.
static float *after(float *plain, int64_t frames)
{
    return plain ? plain + 2 * frames : NULL;
}

static int64_t mastered(struct track_stream *s, float *stereo, float *plain, uint32_t frames)
{
    int64_t got = 0;
    s->has_begun = true;
    if (!s->input_over) {
        got = peeked_or_resampled(s, stereo, frames);
        if (got < 0 || !s->master)
            return got;
        if (s->tap && got)
            s->tap(s->tap_context, stereo, (uint32_t)got);
        master_process(s->master, stereo, plain, (uint32_t)got);
        s->input_over = got < frames;
    }
    if (s->input_over && s->next && got < frames) {
        const int64_t more =
            take_from_next(s, stereo + 2 * got, after(plain, got), frames - (uint32_t)got);
        if (more < 0)
            return more;
        got += more;
    }
    if (s->input_over && s->end == TRACK_STREAM_ENDS && s->master && !s->next && got < frames)
        got += take_tail(s, stereo + 2 * got, after(plain, got), frames - (uint32_t)got);
    return got;
}

int track_stream_is_waiting(const struct track_stream *s)
{
    return s->input_over && s->end == TRACK_STREAM_WAITS;
}

void track_stream_finish(struct track_stream *s)
{
    s->end = TRACK_STREAM_ENDS;
}

void track_stream_join(struct track_stream *s, struct track_stream *next,
                       const struct mastering_targets *targets)
{
    assert(s->master && next->master && next->rate_hz == s->rate_hz && !next->has_begun);
    s->next = next;
    s->next_targets = *targets;
    s->end = TRACK_STREAM_ENDS;
    next->skip_frames = 0; // its first frames come out of a chain that is full already
}

static int skip(struct track_stream *s)
{
    float dropped[2 * 256];
    while (s->skip_frames) {
        const uint32_t want = s->skip_frames < 256 ? (uint32_t)s->skip_frames : 256;
        const int64_t got = mastered(s, dropped, NULL, want);
        if (got < 0)
            return (int)got;
        if (got == 0 && track_stream_is_waiting(s))
            return 0; // of so short a track the rest is in the chain
        if (got == 0)
            s->skip_frames = 0;
        else
            s->skip_frames -= (uint64_t)got;
    }
    return 0;
}

int64_t track_stream_read_both(struct track_stream *s, float *stereo, float *plain, uint32_t frames)
{
    const int error = skip(s);
    return error || s->skip_frames ? error : mastered(s, stereo, plain, frames);
}

int64_t track_stream_read(struct track_stream *s, float *stereo, uint32_t frames)
{
    return track_stream_read_both(s, stereo, NULL, frames);
}

void track_stream_ramp_to(struct track_stream *s, const struct mastering_targets *targets,
                          uint32_t ramp_frames)
{
    if (s->master)
        chain_ramp_to(master_chain(s->master), targets, ramp_frames);
}

void track_stream_set_tap(struct track_stream *s, track_stream_tap_fn tap, void *context)
{
    s->tap = tap;
    s->tap_context = context;
}

double track_stream_reduction_db(const struct track_stream *s)
{
    return s->master ? chain_reduction_db(master_chain(s->master)) : 0.0;
}

void track_stream_take_dynamics(struct track_stream *s, struct chain_dynamics *dynamics)
{
    *dynamics = (struct chain_dynamics){0};
    if (s->master)
        chain_take_dynamics(master_chain(s->master), dynamics);
}

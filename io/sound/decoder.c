// SPDX-License-Identifier: MIT
// Decoding 5 ms ahead of what is delivered, so that sound can be faded before a hole nobody foresaw.
#include "io/sound/decoder_impl.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const float max_magnitude = 1024.0f;

static void fade_in(struct decoder *d, float *frame, uint32_t frames)
{
    uint32_t n = frames < d->fade_in_left ? frames : d->fade_in_left;
    for (uint32_t i = 0; i < n; i++, d->fade_in_left--)
        for (uint32_t c = 0; c < d->info.format.channels; c++)
            *frame++ *= (float)(d->fade_frames + 1 - d->fade_in_left) / (float)(d->fade_frames + 1);
}

static void replace_wild_samples(struct decoder *d, float *samples, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (fabsf(samples[i]) <= max_magnitude)
            continue;
        samples[i] = 0;
        d->replaced++;
    }
}

static void decode_more(struct decoder *d)
{
    uint32_t channels = d->info.format.channels;
    memmove(d->ahead, d->ahead + (size_t)d->start * channels,
            (size_t)d->count * channels * sizeof *d->ahead);
    d->start = 0;
    float *to = d->ahead + (size_t)d->count * channels;
    if (d->silence_frames) {
        uint32_t n = d->silence_frames < DECODER_CHUNK_FRAMES ? (uint32_t)d->silence_frames
                                                              : DECODER_CHUNK_FRAMES;
        memset(to, 0, (size_t)n * channels * sizeof *to);
        d->silence_frames -= n;
        d->position += n;
        d->count += n;
        if (d->silence_frames == 0)
            d->fade_in_left = d->fade_frames;
        return;
    }
    uint64_t left = d->info.frames - d->position;
    uint32_t wanted = left < DECODER_CHUNK_FRAMES ? (uint32_t)left : DECODER_CHUNK_FRAMES;
    uint32_t n = wanted ? sound_file_read(&d->file, to, wanted) : 0;
    replace_wild_samples(d, to, (size_t)n * channels);
    fade_in(d, to, n);
    d->position += n;
    d->count += n;
    decoder_note_reached(d);
    if (n < wanted || d->position == d->info.frames)
        decoder_handle_short_read(d);
}

int64_t decoder_read(struct decoder *decoder, float *interleaved, uint32_t frames)
{
    struct decoder *d = decoder;
    uint32_t channels = d->info.format.channels, done = 0;
    while (done < frames) {
        while (!d->has_ended && d->count <= d->fade_frames)
            decode_more(d);
        uint32_t ready = d->has_ended ? d->count : d->count - d->fade_frames;
        if (ready == 0)
            break;
        uint32_t n = ready < frames - done ? ready : frames - done;
        memcpy(interleaved + (size_t)done * channels, d->ahead + (size_t)d->start * channels,
               (size_t)n * channels * sizeof *interleaved);
        d->start += n;
        d->count -= n;
        done += n;
    }
    if (done == 0 && frames > 0 && d->error)
        return d->error;
    return done;
}

/// Decode and drop. @return 0, or what ended it.
static int skip(struct decoder *d, uint64_t frames)
{
    uint32_t channels = d->info.format.channels;
    while (frames > 0) {
        uint32_t wanted = frames < DECODER_CHUNK_FRAMES ? (uint32_t)frames : DECODER_CHUNK_FRAMES;
        uint32_t n = sound_file_read(&d->file, d->ahead, wanted);
        if (n == 0)
            return d->file.io_error ? d->file.io_error : -EBADMSG;
        replace_wild_samples(d, d->ahead, (size_t)n * channels);
        frames -= n;
    }
    return 0;
}

static int seek_file(struct decoder *d, uint64_t frame)
{
    // A lossy frame is made of its neighbours too: a run-up brings the decoder to where it would be had it played to
    // here.
    uint64_t run_up = (uint64_t)d->names.run_up_s * d->info.format.rate_hz;
    uint64_t from = frame > run_up ? frame - run_up : 0;
    int error = sound_file_seek(&d->file, from);
    return error ? error : skip(d, frame - from);
}

int decoder_seek(struct decoder *decoder, uint64_t frame)
{
    struct decoder *d = decoder;
    if (frame > d->info.frames)
        return -EINVAL;
    d->start = d->count = d->fade_in_left = 0;
    d->silence_frames = 0;
    d->error = 0;
    uint64_t replaced = d->replaced;
    // A decoder that met an error stays there: a new one does not know of it.
    bool is_fresh = !d->has_ended || d->damage == DECODER_SOUND;
    d->has_ended = false;
    int error = !is_fresh || d->file.io_error ? decoder_reopen(d) : 0;
    d->position = frame;
    d->file.has_ended = false;
    if (!error && frame < d->info.frames)
        error = seek_file(d, frame);
    d->replaced = replaced; // what was dropped was never heard
    d->has_ended = error || frame == d->info.frames;
    return error;
}

enum decoder_damage decoder_damage(const struct decoder *decoder)
{
    return decoder->damage;
}

const char *decoder_damage_text(const struct decoder *decoder)
{
    return decoder->damage == DECODER_SOUND ? NULL : decoder->text;
}

uint64_t decoder_replaced_samples(const struct decoder *decoder)
{
    return decoder->replaced;
}

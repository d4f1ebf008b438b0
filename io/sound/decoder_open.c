// SPDX-License-Identifier: MIT
// What kind of file it is, and how long.
#include "io/sound/decoder_impl.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FADES_PER_SECOND = 200 }; // 5 ms

int decoder_reopen(struct decoder *d)
{
    sound_file_close(&d->file);
    return sound_file_open(&d->file, d->source, d->size_bytes, d->is_mp3 ? &d->layout : NULL,
                           &d->lengths);
}

static int check_format(const SF_INFO *info)
{
    if (info->channels < 1 || info->channels > PCM_MAX_CHANNELS)
        return -ENOTSUP;
    if (info->samplerate < PCM_MIN_RATE_HZ || info->samplerate > PCM_MAX_RATE_HZ)
        return -ENOTSUP;
    return info->frames < 0 ? -EBADMSG : 0;
}

/// @return 0, also where it is no MP3; -EBADMSG; the source's errors.
static int scan_mp3(struct decoder *d, uint64_t start, uint64_t end)
{
    mp3_layout_deinit(&d->layout);
    const int error = mp3_layout_scan(&d->layout, d->source, start, end);
    d->is_mp3 = !error;
    return error == -ENOTSUP ? 0 : error;
}

/// Of a WAV file that holds MP3 only its data are looked at.
static int open_wrapped_mp3(struct decoder *d)
{
    const struct container_lengths *l = &d->lengths;
    const bool is_whole = l->stated_bytes > 0 && l->stated_bytes <= d->size_bytes;
    if (l->data_offset >= d->size_bytes)
        return -EBADMSG;
    const int error = scan_mp3(d, l->data_offset, is_whole ? l->stated_bytes : d->size_bytes);
    return error ? error : d->is_mp3 ? decoder_reopen(d) : -EBADMSG;
}

/// Ogg is known by its first bytes, but also by a page behind others, which has a checksum.
static int open_hidden_ogg(struct decoder *d, int error)
{
    if (d->lengths.is_ogg)
        return error;
    d->lengths.is_hidden_ogg = 1;
    const int ogg_error = decoder_reopen(d);
    return ogg_error == -ENOTSUP || ogg_error == -EBADMSG ? error : ogg_error;
}

/// MP3 is known by its first bytes, after other tags perhaps. Where nobody knows a file, its first frame is looked for
/// behind bytes that are none. What only looks like MP3 is kept from libsndfile, which would let libmpg123 print.
static int open_file(struct decoder *d)
{
    unsigned char head[MP3_HEADER_BYTES] = {0};
    int64_t n = source_read(d->source, head, 0, sizeof head);
    if (n < 0)
        return (int)n;
    bool may_be_mp3 = memcmp(head, "ID3", 3) == 0 || (head[0] == 0xff && head[1] >= 0xe0);
    int error = may_be_mp3 ? scan_mp3(d, 0, d->size_bytes) : 0;
    if (!error && !d->is_mp3)
        error = container_probe(&d->lengths, d->source, d->size_bytes);
    if (!error && d->lengths.is_mpeg)
        return open_wrapped_mp3(d);
    if (!error)
        error = d->is_mp3 || !d->layout.is_alike ? decoder_reopen(d) : -ENOTSUP;
    if (error == -ENOTSUP || (error == -EBADMSG && may_be_mp3))
        error = open_hidden_ogg(d, error);
    if (error != -ENOTSUP || may_be_mp3)
        return error;
    error = scan_mp3(d, 0, d->size_bytes);
    return error ? error : d->is_mp3 ? decoder_reopen(d) : -ENOTSUP;
}

/// Some streams do not say how long they are (FLAC from a pipe, Ogg without its end).
static int count_frames(struct decoder *d, uint64_t *frames)
{
    *frames = 0;
    for (uint32_t n; (n = sound_file_read(&d->file, d->ahead, DECODER_CHUNK_FRAMES));)
        *frames += n;
    if (d->file.io_error)
        return d->file.io_error;
    return decoder_reopen(d);
}

/// What a header states beyond the file, in frames: libsndfile has corrected it.
static uint64_t find_stated_frames(const struct decoder *d)
{
    const struct container_lengths *l = &d->lengths;
    if (l->stated_bytes <= d->size_bytes || d->size_bytes < l->data_offset)
        return 0;
    // Of a file that ends with its header only the format tells how long a frame is.
    double have = (double)(d->size_bytes - l->data_offset), frames = (double)d->info.frames;
    if (d->info.frames == 0) {
        have = d->info.format.channels * (d->info.depth_bits ? d->info.depth_bits / 8.0 : 4.0);
        frames = 1;
    }
    double whole = frames * (double)(l->stated_bytes - l->data_offset) / have;
    // Any byte that is missing belongs to a frame.
    uint64_t least = d->info.frames + 1;
    return whole < (double)least ? least : whole < 1e15 ? (uint64_t)(whole + 0.5) : 0;
}

static int open_decoder(struct decoder *d)
{
    int error = open_file(d);
    if (!error)
        error = check_format(&d->file.info);
    if (error)
        return error;
    const SF_INFO *info = &d->file.info;
    d->names = sound_file_names(info->format);
    if (d->lengths.is_mpeg)
        d->names.container = "wav";
    d->info = (struct decoder_info){
        .format = {.rate_hz = (uint32_t)info->samplerate, .channels = (uint32_t)info->channels},
        .frames = (uint64_t)info->frames,
        .depth_bits = d->names.depth_bits,
        .codec = d->names.codec,
        .container = d->names.container,
    };
    d->fade_frames = d->info.format.rate_hz / FADES_PER_SECOND;
    d->ahead = calloc((size_t)(DECODER_CHUNK_FRAMES + d->fade_frames) * d->info.format.channels,
                      sizeof *d->ahead);
    if (!d->ahead)
        return -ENOMEM;
    if (info->frames == SF_COUNT_MAX || info->frames == 0)
        error = count_frames(d, &d->info.frames);
    d->stated_frames =
        d->layout.cut_frames ? d->info.frames + d->layout.cut_frames : find_stated_frames(d);
    if (!error && d->file.junk_bytes)
        decoder_note_junk_before(d);
    if (!error && d->info.frames == 0)
        decoder_handle_short_read(d); // what is wrong is known at once, as no one may read
    return error;
}

int decoder_open(struct decoder **out, struct source *source, struct decoder_info *info)
{
    *out = NULL;
    struct file_identity identity;
    int error = source_wait_open(source, &identity);
    if (error)
        return error;
    if (identity.size_bytes == 0)
        return -ENODATA;
    struct decoder *d = calloc(1, sizeof *d);
    if (!d)
        return -ENOMEM;
    d->source = source;
    d->size_bytes = identity.size_bytes;
    error = open_decoder(d);
    if (error) {
        decoder_close(&d);
        return error;
    }
    *info = d->info;
    *out = d;
    return 0;
}

void decoder_close(struct decoder **decoder)
{
    struct decoder *d = *decoder;
    *decoder = NULL;
    if (!d)
        return;
    sound_file_close(&d->file);
    mp3_layout_deinit(&d->layout);
    free(d->ahead);
    free(d);
}

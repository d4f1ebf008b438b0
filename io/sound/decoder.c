// SPDX-License-Identifier: MIT
// Decoding 5 ms ahead of what is delivered, so that sound can be faded before a hole nobody foresaw.
#include "io/sound/decoder.h"
#include "io/sound/container.h"
#include "io/sound/mp3_layout.h"
#include "io/sound/mpeg.h"
#include "io/sound/sound_file.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_FRAMES = 2048,
    FADES_PER_SECOND = 200, // 5 ms
    // Where the next sound FLAC frame is looked for: the usual block, then ever farther.
    RESUME_STEP_FRAMES = 4096,
    RESUME_EVEN_STEPS = 16,
    RESUME_STEPS = 40,
    // Ogg muxers count the first block's overlap in or out, so that the last granule can promise frames that
    // no packet holds; a lost page is longer than the longest block.
    OGG_SLACK_FRAMES = 8192,
};
static const float max_magnitude = 1024.0f;

struct decoder {
    struct sound_file file;
    struct source *source;
    struct mp3_layout layout;
    bool is_mp3; // and the layout holds
    struct container_lengths lengths;
    struct sound_file_names names;
    struct decoder_info info;
    uint64_t size_bytes, stated_frames;
    uint64_t position;       // of the next frame that the file decodes
    uint64_t silence_frames; // of a hole, to come before it
    // Decoded and not delivered: [start, start + count).
    float *ahead;
    uint32_t start, count, fade_frames, fade_in_left;
    bool has_ended;
    int error; // what ended it: -ECANCELED, -ENOMEM; else 0
    enum decoder_damage damage;
    char text[160];
    uint64_t replaced;
};

static double seconds(const struct decoder *d, uint64_t frames)
{
    return (double)frames / d->info.format.rate_hz;
}

/// Open the file, or open it anew.
static int reopen(struct decoder *d)
{
    sound_file_close(&d->file);
    return sound_file_open(&d->file, d->source, d->size_bytes, d->is_mp3 ? &d->layout : NULL,
                           &d->lengths);
}

// --- Damage --------------------------------------------------------------------------------------

static void note_damage(struct decoder *d, enum decoder_damage damage, const char *text)
{
    if (d->damage != DECODER_SOUND)
        return; // the first cause is the one to tell
    d->damage = damage;
    snprintf(d->text, sizeof d->text, "%s", text);
}

/// What the layout of an MP3 shows, when it is reached.
static void note_flaw(struct decoder *d)
{
    const struct mp3_flaw *flaw = &d->layout.flaw;
    char text[sizeof d->text];
    if (flaw->kind == MP3_NO_FLAW || d->position < flaw->at)
        return;
    if (flaw->kind == MP3_JUNK)
        snprintf(text, sizeof text, "corrupt: %llu bytes at %.1f s are no sound",
                 (unsigned long long)flaw->amount, seconds(d, flaw->at));
    else
        snprintf(text, sizeof text, "truncated: %.2f s at %.2f s are missing",
                 seconds(d, flaw->amount), seconds(d, flaw->at));
    note_damage(d, flaw->kind == MP3_JUNK ? DECODER_CORRUPT : DECODER_TRUNCATED, text);
}

static void note_silence(struct decoder *d, uint64_t frames, uint64_t at)
{
    char text[sizeof d->text];
    snprintf(text, sizeof text, "corrupt: %.2f s at %.1f s are silent", seconds(d, frames),
             seconds(d, at));
    note_damage(d, DECODER_CORRUPT, text);
}

/// Frames that an MP3 lost.
static void note_hole(struct decoder *d)
{
    const struct mpeg_hole hole = mpeg_hole(d->file.mpeg);
    if (hole.frames > 0)
        note_silence(d, hole.frames, hole.at);
}

static void note_junk_before(struct decoder *d)
{
    char text[sizeof d->text];
    snprintf(text, sizeof text, "corrupt: %llu bytes before the sound are none",
             (unsigned long long)d->file.junk_bytes);
    note_damage(d, DECODER_CORRUPT, text);
}

/// What is amiss within an Ogg file, when it is reached.
static void note_flaw_before_end(struct decoder *d)
{
    char text[sizeof d->text];
    uint64_t at;
    const char *flaw = sound_file_flaw_before_end(&d->file, &at);
    if (!flaw || d->position < at)
        return;
    snprintf(text, sizeof text, "%s at %.1f s", flaw, seconds(d, at));
    note_damage(d, DECODER_CORRUPT, text);
}

/// What else is known of the end that was come to.
static void note_end_flaw(struct decoder *d)
{
    char text[sizeof d->text];
    const char *flaw = sound_file_flaw(&d->file);
    if (!flaw)
        return;
    snprintf(text, sizeof text, "%s at %.1f s", flaw, seconds(d, d->position));
    note_damage(d, DECODER_CORRUPT, text);
}

static void note_end(struct decoder *d, enum decoder_damage damage)
{
    const uint64_t whole = d->stated_frames > d->info.frames ? d->stated_frames : d->info.frames;
    const bool is_little = whole - d->position < d->info.format.rate_hz / 10;
    const int digits = is_little ? 3 : 1; // else both may read alike
    const char *words = damage == DECODER_TRUNCATED ? "truncated: %.*f of %.*f s are there"
                                                    : "corrupt: %.*f of %.*f s can be decoded";
    char text[sizeof d->text];
    snprintf(text, sizeof text, words, digits, seconds(d, d->position), digits, seconds(d, whole));
    note_damage(d, damage, text);
}

static void note_io_error(struct decoder *d, int error)
{
    char text[sizeof d->text];
    snprintf(text, sizeof text, "%s, at %.1f s", decoder_error_text(error),
             seconds(d, d->position));
    note_damage(d, DECODER_IO_ERROR, text);
}

/// Fade what is decoded and not delivered down to a hole that follows it.
static void fade_out(struct decoder *d)
{
    uint32_t channels = d->info.format.channels;
    uint32_t n = d->count < d->fade_frames ? d->count : d->fade_frames;
    float *frame = d->ahead + (size_t)(d->start + d->count - n) * channels;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t c = 0; c < channels; c++)
            *frame++ *= (float)(n - i) / (float)(n + 1);
}

static void fade_in(struct decoder *d, float *frame, uint32_t frames)
{
    uint32_t n = frames < d->fade_in_left ? frames : d->fade_in_left;
    for (uint32_t i = 0; i < n; i++, d->fade_in_left--)
        for (uint32_t c = 0; c < d->info.format.channels; c++)
            *frame++ *= (float)(d->fade_frames + 1 - d->fade_in_left) / (float)(d->fade_frames + 1);
}

/// Go on after a broken FLAC frame. libsndfile stays at its end, so the file is opened anew and the
/// next sound frame is looked for by seeking. @return whether there is one; else the stream has ended.
static bool resume(struct decoder *d)
{
    uint64_t hole = RESUME_STEP_FRAMES, step = RESUME_STEP_FRAMES;
    for (int i = 0; i < RESUME_STEPS && hole < d->info.frames - d->position; i++) {
        if (reopen(d))
            return false;
        uint64_t to = d->position + hole;
        float probe[PCM_MAX_CHANNELS];
        if (!sound_file_seek(&d->file, to) && sound_file_read(&d->file, probe, 1) &&
            !sound_file_seek(&d->file, to)) {
            d->silence_frames = hole;
            return true;
        }
        if (d->file.io_error)
            return false;
        if (i >= RESUME_EVEN_STEPS)
            step += step / 4;
        hole += step;
    }
    return false;
}

/// Where it is known how much is missing of an Ogg stream, the rest keeps its time. @return whether it is.
static bool pass_hole(struct decoder *d)
{
    const uint64_t hole = sound_file_pass_hole(&d->file), left = d->info.frames - d->position;
    if (hole == 0)
        return false;
    fade_out(d);
    d->silence_frames = hole < left ? hole : left;
    note_silence(d, d->silence_frames, d->position);
    return true;
}

/// Whether what is missing lies beyond the file. The decoder came to its end then; but so does one of MP3 that passed
/// over what it could not read, whatever the reason.
static bool is_cut(const struct decoder *d)
{
    if (d->is_mp3)
        return d->layout.may_be_cut || d->lengths.stated_bytes > d->size_bytes;
    return d->position >= d->info.frames || d->file.has_ended;
}

/// The file gave fewer frames than it should: find out why, and whether it goes on.
static void handle_short_read(struct decoder *d)
{
    bool is_complete = d->position >= d->info.frames;
    if (is_complete && d->stated_frames <= d->info.frames && !d->file.io_error) {
        note_end_flaw(d);
        d->has_ended = true;
        return;
    }
    if (pass_hole(d))
        return;
    int error = d->file.io_error;
    bool is_ogg = strcmp(d->names.container, "ogg") == 0;
    if (is_ogg && !error && d->stated_frames <= d->info.frames &&
        d->info.frames - d->position < OGG_SLACK_FRAMES) {
        note_end_flaw(d);
        d->has_ended = true;
        return;
    }
    fade_out(d);
    if (error == -ECANCELED || error == -ENOMEM) {
        d->error = error;
    } else if (error) {
        note_io_error(d, error);
    } else if (is_cut(d) && !is_ogg) {
        note_end(d, DECODER_TRUNCATED);
    } else {
        if (strcmp(d->names.codec, "flac") == 0 && resume(d)) {
            note_silence(d, d->silence_frames, d->position);
            return;
        }
        if (d->stated_frames <= d->info.frames)
            note_end_flaw(d); // which says more
        note_end(d, DECODER_CORRUPT);
    }
    d->has_ended = true;
}

// --- Decoding ------------------------------------------------------------------------------------

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
        uint32_t n = d->silence_frames < CHUNK_FRAMES ? (uint32_t)d->silence_frames : CHUNK_FRAMES;
        memset(to, 0, (size_t)n * channels * sizeof *to);
        d->silence_frames -= n;
        d->position += n;
        d->count += n;
        if (d->silence_frames == 0)
            d->fade_in_left = d->fade_frames;
        return;
    }
    uint64_t left = d->info.frames - d->position;
    uint32_t wanted = left < CHUNK_FRAMES ? (uint32_t)left : CHUNK_FRAMES;
    uint32_t n = wanted ? sound_file_read(&d->file, to, wanted) : 0;
    replace_wild_samples(d, to, (size_t)n * channels);
    fade_in(d, to, n);
    d->position += n;
    d->count += n;
    if (d->is_mp3) {
        note_flaw(d);
        note_hole(d);
    }
    note_flaw_before_end(d);
    if (n < wanted || d->position == d->info.frames)
        handle_short_read(d);
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
        uint32_t wanted = frames < CHUNK_FRAMES ? (uint32_t)frames : CHUNK_FRAMES;
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
    int error = !is_fresh || d->file.io_error ? reopen(d) : 0;
    d->position = frame;
    d->file.has_ended = false;
    if (!error && frame < d->info.frames)
        error = seek_file(d, frame);
    d->replaced = replaced; // what was dropped was never heard
    d->has_ended = error || frame == d->info.frames;
    return error;
}

// --- Opening -------------------------------------------------------------------------------------

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
    return error ? error : d->is_mp3 ? reopen(d) : -EBADMSG;
}

/// Ogg is known by its first bytes, but also by a page behind others, which has a checksum.
static int open_hidden_ogg(struct decoder *d, int error)
{
    if (d->lengths.is_ogg)
        return error;
    d->lengths.is_hidden_ogg = 1;
    const int ogg_error = reopen(d);
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
        error = d->is_mp3 || !d->layout.is_alike ? reopen(d) : -ENOTSUP;
    if (error == -ENOTSUP || (error == -EBADMSG && may_be_mp3))
        error = open_hidden_ogg(d, error);
    if (error != -ENOTSUP || may_be_mp3)
        return error;
    error = scan_mp3(d, 0, d->size_bytes);
    return error ? error : d->is_mp3 ? reopen(d) : -ENOTSUP;
}

/// Some streams do not say how long they are (FLAC from a pipe, Ogg without its end).
static int count_frames(struct decoder *d, uint64_t *frames)
{
    *frames = 0;
    for (uint32_t n; (n = sound_file_read(&d->file, d->ahead, CHUNK_FRAMES));)
        *frames += n;
    if (d->file.io_error)
        return d->file.io_error;
    return reopen(d);
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
    d->ahead =
        calloc((size_t)(CHUNK_FRAMES + d->fade_frames) * d->info.format.channels, sizeof *d->ahead);
    if (!d->ahead)
        return -ENOMEM;
    if (info->frames == SF_COUNT_MAX || info->frames == 0)
        error = count_frames(d, &d->info.frames);
    d->stated_frames =
        d->layout.cut_frames ? d->info.frames + d->layout.cut_frames : find_stated_frames(d);
    if (!error && d->file.junk_bytes)
        note_junk_before(d);
    if (!error && d->info.frames == 0)
        handle_short_read(d); // what is wrong is known at once, as no one may read
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

const char *decoder_error_text(int error)
{
    static const struct {
        int error;
        const char *text;
    } table[] = {
        {-ENOENT, "no such file"},
        {-ENOTDIR, "no such file"},
        {-EACCES, "permission denied"},
        {-EPERM, "permission denied"},
        {-EISDIR, "is a directory"},
        {-ESPIPE, "is not a regular file"},
        {-ELOOP, "too many symbolic links"},
        {-ENAMETOOLONG, "name too long"},
        {-EMFILE, "too many open files"},
        {-ENFILE, "too many open files"},
        {-ENODATA, "empty file"},
        {-EBADMSG, "corrupt header"},
        {-ENOMSG, "truncated: it ends within its first frame"},
        {-ENOTSUP, "not a known audio format"},
        {-EPROTONOSUPPORT, "FLAC of more than 24 bits, which cannot be read"},
        {-ESTALE, "changed while it was read"},
        {-EIO, "read error"},
        {-ENOMEM, "out of memory"},
        {-ECANCELED, "canceled"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].error == error)
            return table[i].text;
    return "cannot be read";
}

// SPDX-License-Identifier: MIT
// What is wrong with a file, in words, and where its sound goes on.
#include "io/sound/decoder_impl.h"
#include "io/sound/mpeg.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    // Where the next sound FLAC frame is looked for: the usual block, then ever farther.
    RESUME_STEP_FRAMES = 4096,
    RESUME_EVEN_STEPS = 16,
    RESUME_STEPS = 40,
    // Ogg muxers count the first block's overlap in or out, so that the last granule can promise frames that
    // no packet holds; a lost page is longer than the longest block.
    OGG_SLACK_FRAMES = 8192,
};

// --- What is said --------------------------------------------------------------------------------

static double seconds(const struct decoder *d, uint64_t frames)
{
    return (double)frames / d->info.format.rate_hz;
}

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

void decoder_note_junk_before(struct decoder *d)
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

void decoder_note_reached(struct decoder *d)
{
    if (d->is_mp3) {
        note_flaw(d);
        note_hole(d);
    }
    note_flaw_before_end(d);
}

// --- Going on ------------------------------------------------------------------------------------

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

/// Go on after a broken FLAC frame. libsndfile stays at its end, so the file is opened anew and the
/// next sound frame is looked for by seeking. @return whether there is one; else the stream has ended.
static bool resume(struct decoder *d)
{
    uint64_t hole = RESUME_STEP_FRAMES, step = RESUME_STEP_FRAMES;
    for (int i = 0; i < RESUME_STEPS && hole < d->info.frames - d->position; i++) {
        if (decoder_reopen(d))
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

void decoder_handle_short_read(struct decoder *d)
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

// --- Words ---------------------------------------------------------------------------------------

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
        {-EPROTOTYPE, "FLAC or Speex in Ogg, which cannot be read"},
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

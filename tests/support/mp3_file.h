// SPDX-License-Identifier: MIT
// MP3 files to test with: encoded ones, frames written one by one, and what comes between them; and a way to hear them.
#pragma once
#include "io/sound/decoder.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// A file under way.
struct mp3_file {
    unsigned char *bytes;
    size_t count;
};

/// Append bytes.
void mp3_put(struct mp3_file *file, const void *bytes, size_t count);
/// Append another, and free it.
void mp3_put_file(struct mp3_file *file, struct mp3_file *other);
/// Append bytes under 0x80, of which none begins a frame.
void mp3_put_junk(struct mp3_file *file, size_t count);
/// Append an ID3v2.3 tag with a picture, which says that it is `stated` bytes long behind its header.
void mp3_put_id3(struct mp3_file *file, size_t picture_bytes, uint32_t stated);
/// Append `count` frames that begin with `header` and hold nothing else, each of `frame_bytes` bytes.
void mp3_put_frames(struct mp3_file *file, const unsigned char header[4], size_t frame_bytes,
                    uint32_t count);
/// Write a number in four bytes, the biggest first.
void mp3_put_big(unsigned char *to, uint32_t value);

enum { MP3_TONE_SAMPLES = 1152 };
/// Checked: with checksums, which are not those of their frames. Early: a frame's bits lie in the one before it, the
/// first one's in its own.
enum mp3_tone { MP3_TONE_PLAIN, MP3_TONE_CHECKED, MP3_TONE_EARLY };
/// Where the frame of that number begins: they are of 104 bytes or, padded, of 105.
size_t mp3_tone_at(uint32_t number);
/// Append `count` frames of layer III, 44.1 kHz, mono, 32 kbit/s: a tone that is of another loudness in each.
void mp3_put_tones(struct mp3_file *file, enum mp3_tone kind, uint32_t count);

enum { MP3_SILENT_BYTES = 417, MP3_SILENT_TAG_AT = 36 };
/// Frames of silence of 44.1 kHz, stereo, 128 kbit/s, behind a tag that counts them.
struct mp3_file mp3_silent_frames(uint32_t count);

/// An encoded file of music: a frame with a tag, and frames of sound from `first` on.
struct mp3_song {
    struct mp3_file file;
    size_t first, tag; // where the tag's name lies
    uint32_t rate_hz, channels, frames;
    float *samples; // what it plays as alone
};
/// LAME's default, encoded by libsndfile. Its samples are what mp3_play() hears.
struct mp3_song mp3_encode(uint32_t rate_hz, uint32_t channels, uint32_t frames);
void mp3_song_free(struct mp3_song *song);
/// Append its bytes; those without the frame with the tag.
void mp3_put_song(struct mp3_file *file, const struct mp3_song *song);
void mp3_put_untagged(struct mp3_file *file, const struct mp3_song *song);
/// A new file of either.
struct mp3_file mp3_copy(const struct mp3_song *song);
struct mp3_file mp3_copy_untagged(const struct mp3_song *song);
/// Where the first frame of the song at or behind `offset` begins.
size_t mp3_frame_from(const struct mp3_song *song, size_t offset);

struct mp3_heard {
    float *samples;
    struct pcm_format format;
    uint64_t frames, stated;
    enum decoder_damage damage;
    char text[160]; // of the damage, or empty
    bool is_quiet;  // nothing was written to standard error
};
/// Decode a file from its begin to its end, and free it. Asserts that it can be opened, as "mp3".
struct mp3_heard mp3_play(struct mp3_file *file);
/// Assert that the next frames of stereo heard, from *at on, are these, one channel on both sides.
void mp3_assert_next(const struct mp3_heard *heard, uint64_t *at, const float *samples,
                     uint32_t channels, uint64_t frames);
void mp3_assert_song(const struct mp3_heard *heard, uint64_t *at, const struct mp3_song *song);
/// @return the error of opening the file, which is freed.
int mp3_open_error(struct mp3_file *file);
/// Seek to every `step`-th frame, and assert that what is read there is what was read on from the start.
void mp3_assert_seeks(const struct mp3_file *file, uint32_t step);
/// The file as one in the folder, to be read by others. Its path stays valid until the next.
const char *mp3_save(const struct mp3_file *file);
/// A source of the saved file, which looks at 512 KiB at a time.
struct source *mp3_open_source(const struct mp3_file *file);

/// For cmocka: a folder, and a loader with its thread.
int mp3_set_up(void **state);
int mp3_tear_down(void **state);

// SPDX-License-Identifier: MIT
// libsndfile over a source, or what reads MP3, Vorbis and Opus.
#pragma once
#include "dsp/annotate.h"
#include "io/bytes/source.h"
#include "io/sound/container.h"
#include <sndfile.h>
#include <stdbool.h>
#include <stdint.h>

struct mp3_layout;
struct mpeg;
struct ogg_sound;

/// Thread-safety: one thread at a time. Must not move while open.
struct sound_file {
    SNDFILE *handle;
    struct mpeg *mpeg;
    struct ogg_chain *ogg; // one of the three is open
    SF_INFO info;
    struct source *source;
    uint64_t bytes; // of the file
    uint64_t position;
    const struct container_lengths *lengths; // says which bytes are to be read as others
    int io_error;                            // of the source, the last; 0: none
    bool has_ended;                          // libsndfile asked for bytes past the file's end
    uint64_t junk_bytes;                     // before an Ogg file's first page
};

/// Open, as MP3 where there is a layout, as Ogg where `lengths` says so; blocks. Both are borrowed. @return 0;
/// -ENOTSUP; -EBADMSG; the source's errors. On error there is nothing to close.
MUST_CHECK int sound_file_open(struct sound_file *file, struct source *source, uint64_t size_bytes,
                               const struct mp3_layout *layout,
                               const struct container_lengths *lengths);
/// Close; nothing where it is not open.
void sound_file_close(struct sound_file *file);
/// Read; blocks. @return frames, fewer at an end, an error or a hole.
uint32_t sound_file_read(struct sound_file *file, float *interleaved, uint32_t frames);
/// Pass over a hole of known length that reading has come to. @return its frames; 0: there is none.
uint64_t sound_file_pass_hole(struct sound_file *file);
/// What is wrong before the end, likewise, and the frame it is found at.
const char *sound_file_flaw_before_end(const struct sound_file *file, uint64_t *at);
/// What is wrong with the end, in words that a time can follow; NULL: nothing is known. A static string.
const char *sound_file_flaw(const struct sound_file *file);

/// Go to `frame`; blocks. @return 0; -EBADMSG; the source's errors.
MUST_CHECK int sound_file_seek(struct sound_file *file, uint64_t frame);

/// What a format is called. Static strings.
struct sound_file_names {
    const char *codec, *container;
    uint32_t depth_bits; // 0: float or lossy
    // of sound to decode before a place for what is read there to be as if read from the start
    uint32_t run_up_s;
};
/// Of a format in libsndfile's numbers.
struct sound_file_names sound_file_names(int format);

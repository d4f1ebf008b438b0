// SPDX-License-Identifier: MIT
// libsndfile, or libmpg123 for MP3, over a source.
#pragma once
#include "dsp/annotate.h"
#include "io/container.h"
#include "io/source.h"
#include <sndfile.h>
#include <stdbool.h>
#include <stdint.h>

struct mp3_layout;
struct mpeg;

/// Thread-safety: one thread at a time. Must not move while open.
struct sound_file {
    SNDFILE *handle;
    struct mpeg *mpeg; // one of both is open
    SF_INFO info;
    struct source *source;
    uint64_t bytes; // of the file
    uint64_t position;
    const struct container_lengths *lengths; // says which bytes are to be read as others
    int io_error;                            // of the source, the last; 0: none
    bool has_ended;                          // libsndfile asked for bytes past the file's end
};

/// Open, as MP3 where there is a layout; blocks. `layout` and `lengths` are borrowed. @return 0; -ENOTSUP;
/// -EBADMSG; the source's errors. On error there is nothing to close.
MUST_CHECK int sound_file_open(struct sound_file *file, struct source *source, uint64_t size_bytes,
                               const struct mp3_layout *layout,
                               const struct container_lengths *lengths);
/// Close; nothing where it is not open.
void sound_file_close(struct sound_file *file);
/// Read; blocks. @return frames, fewer at an end or an error.
uint32_t sound_file_read(struct sound_file *file, float *interleaved, uint32_t frames);

/// Go to `frame`; blocks. @return 0; -EBADMSG; the source's errors.
MUST_CHECK int sound_file_seek(struct sound_file *file, uint64_t frame);

/// What a format is called. Static strings.
struct sound_file_names {
    const char *codec, *container;
    uint32_t depth_bits; // 0: float or lossy
    uint32_t
        run_up_s; // of sound to decode before a place for what is read there to be as if read from the start
};
struct sound_file_names sound_file_names(int format);

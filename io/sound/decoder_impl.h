// SPDX-License-Identifier: MIT
// The decoder's state, for the files that make it up: decoder.c (delivers and seeks), decoder_open.c (finds out what
// file it is) and decoder_damage.c (says what is missing or wrong, and finds where sound goes on).
#pragma once
#include "dsp/annotate.h"
#include "io/sound/container.h"
#include "io/sound/decoder.h"
#include "io/sound/mp3_layout.h"
#include "io/sound/sound_file.h"
#include <stdbool.h>
#include <stdint.h>

enum { DECODER_CHUNK_FRAMES = 2048 }; // the most that is decoded at once

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

/// Open the file of the kind that was found, or open it anew. @return 0; -errno, see sound_file_open().
MUST_CHECK int decoder_reopen(struct decoder *d);
/// What was known to be amiss at a place, now that it is reached.
void decoder_note_reached(struct decoder *d);
/// What stands before the sound is none.
void decoder_note_junk_before(struct decoder *d);
/// The file gave fewer frames than it should, or its last: find out why, and whether it goes on.
void decoder_handle_short_read(struct decoder *d);

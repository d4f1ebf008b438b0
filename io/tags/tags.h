// SPDX-License-Identifier: MIT
// What a file says of itself: title, artist, album .., under the names that Vorbis comments use.
#pragma once
#include "dsp/annotate.h"
#include "io/bytes/source.h"
#include <stddef.h>
#include <stdint.h>

struct pictures;

enum {
    TAGS_MAX = 256,          // entries; what comes after them is passed over
    TAGS_VALUE_BYTES = 8192, // of one value; longer ones (pictures) are passed over
};

/// Text entries in the file's order, a name as often as the file has it. Plain data; zero-initialised: none.
/// Thread-safety: one thread at a time.
struct tags {
    char **entries; // "NAME=value": the name in capitals, the value in UTF-8
    uint32_t count;
};

/// Read the tags of a FLAC, Ogg (Vorbis, Opus, FLAC), MP3, WAV or AIFF file: Vorbis comments, ID3v2, or ID3v1
/// where there is no other, RIFF INFO. Names are mapped to those of Vorbis comments: TITLE, ARTIST, ALBUM, ALBUMARTIST,
/// TRACKNUMBER, DISCNUMBER, DATE, GENRE, COMMENT and others. What is malformed is passed over. Blocks for the file's
/// bytes. @return 0, with *tags empty where there are none; -ENOMEM; the source's errors.
MUST_CHECK int tags_read(struct tags *tags, struct source *source, uint64_t size_bytes);
/// Free all entries. Empty is fine.
void tags_deinit(struct tags *tags);
/// The first value of `name` (in capitals), or NULL. Valid until the tags change.
const char *tags_get(const struct tags *tags, const char *name);
/// Add an entry; `bytes` of `value` are copied. Names that are no names, values that are empty, too long or no
/// UTF-8, and entries past the limits are passed over. @return 0; -ENOMEM.
MUST_CHECK int tags_add(struct tags *tags, const char *name, const char *value, size_t bytes);
/// Drop all entries of which `drop` says so.
void tags_drop(struct tags *tags, int (*drop)(const char *entry));
/// Whether an entry is called `name`.
int tags_is_called(const char *entry, const char *name);
/// The number before a slash in a value such as "3/12"; 0: none.
uint32_t tags_number(const char *value);

/// Whether they say that the file is a render of Segue's: SEGUE_MASTERED, of its own or at the end of a comment, in the
/// form "version 9, adaptive, intensity 1, target -14.0 LUFS". Anything else is nobody's word.
int tags_was_mastered(const struct tags *tags);

/// Vorbis comments as FLAC's metadata block holds them, without the block's header; new memory. @return NULL without
/// memory.
MUST_CHECK unsigned char *tags_format_vorbis(const struct tags *tags, size_t *bytes);
/// An ID3v2.4 tag of both; new memory. @return NULL without memory.
MUST_CHECK unsigned char *tags_format_id3(const struct tags *tags, const struct pictures *pictures,
                                          size_t *bytes);

// SPDX-License-Identifier: MIT
// Tags of a file that libsndfile writes, for audio_file.c.
#pragma once
#include "dsp/annotate.h"
#include "io/tags/pictures.h"
#include "io/tags/tags.h"
#include <sndfile.h>

/// What a file is to say of itself.
struct audio_tags {
    const struct tags *tags; // not NULL, nor are the pictures
    const struct pictures *pictures;
};

/// Hand what INFO holds of the tags to a WAV file to which nothing is written yet. @return 0; -ENOMEM.
MUST_CHECK int audio_tags_set(SNDFILE *file, const struct audio_tags *tags);
/// Append an ID3 chunk of all to a RIFF or RF64 file, when it is closed. @return 0; -ENOMEM; -EIO and others of
/// the file system.
MUST_CHECK int audio_tags_append(int fd, const struct audio_tags *tags);
/// Make room for them in a FLAC file to which nothing is written yet: libsndfile knows only a few. @return 0; -ENOMEM.
MUST_CHECK int audio_tags_reserve(SNDFILE *file, const struct audio_tags *tags);
/// Put them there, when it is closed. @return 0; -ENOMEM; -EIO and others of the file system.
MUST_CHECK int audio_tags_fill(int fd, const struct audio_tags *tags);

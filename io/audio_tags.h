// SPDX-License-Identifier: MIT
// Tags of a file that libsndfile writes, for audio_file.c.
#pragma once
#include "dsp/annotate.h"
#include "io/tags.h"
#include <sndfile.h>

/// Hand the tags to a WAV file to which nothing is written yet. @return 0; -ENOMEM.
MUST_CHECK int audio_tags_set(SNDFILE *file, const struct tags *tags);
/// Make room for them in a FLAC file to which nothing is written yet: libsndfile knows only a few. @return 0; -ENOMEM.
MUST_CHECK int audio_tags_reserve(SNDFILE *file, const struct tags *tags);
/// Put them there, when it is closed. @return 0; -ENOMEM; -EIO.
MUST_CHECK int audio_tags_fill(int fd, const struct tags *tags);

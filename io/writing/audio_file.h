// SPDX-License-Identifier: MIT
// Writing a WAV or FLAC file with its tags; it appears under its name when it is whole.
#pragma once
#include "dsp/annotate.h"
#include <stdint.h>

struct pictures;
struct tags;

enum audio_file_format { AUDIO_FILE_S16, AUDIO_FILE_S24, AUDIO_FILE_F32 };

/// Thread-safety: one thread at a time.
struct audio_file;

struct audio_file_config {
    const char *path; // its extension says the container: .wav or .flac
    enum audio_file_format format;
    uint32_t rate_hz, channels;
    uint64_t frames; // that will be written at most; 0: not known. Over 4 GiB a WAV file is RF64
    /// Both are borrowed until the file is committed or discarded; NULL: none. FLAC takes tags as Vorbis comments,
    /// WAV in an ID3 chunk behind the sound and an INFO chunk, where SEGUE_MASTERED stands in ICMT, behind a comment.
    const struct tags *tags;
    const struct pictures *pictures;
};

/// Why no such file can be made, in words (a static string); NULL: nothing speaks against it. Of an output that cannot
/// be, this is known before its first sample is.
const char *audio_file_refusal(const struct audio_file_config *config);
/// @return 0; -EINVAL: audio_file_refusal() says why; -ENOMEM; errors of
/// the file system. On error *out is NULL and no file is made. Until it is committed the file has no name, where
/// the file system can do that: whatever ends the program leaves nothing behind.
MUST_CHECK int audio_file_create(struct audio_file **out, const struct audio_file_config *config);
/// Append float frames to an F32 or S24 file (rounded to nearest there, out of range clipped). @return 0; -ENOSPC,
/// -EIO.
MUST_CHECK int audio_file_write(struct audio_file *file, const float *interleaved, uint32_t frames);
/// Append 16-bit frames to an S16 file. @return as audio_file_write().
MUST_CHECK int audio_file_write_s16(struct audio_file *file, const int16_t *interleaved,
                                    uint32_t frames);
/// Finish, give the file its name, set *file to NULL. @return 0, or -errno: then there is no file.
MUST_CHECK int audio_file_commit(struct audio_file **file);
/// Give up: remove what was written, set *file to NULL. NULL is fine.
void audio_file_discard(struct audio_file **file);
/// @return true if the path's extension names a container we write.
int audio_file_is_known(const char *path);
/// Samples that were out of range in integer formats.
uint64_t audio_file_clipped_samples(const struct audio_file *file);

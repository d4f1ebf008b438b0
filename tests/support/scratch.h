// SPDX-License-Identifier: MIT
// A folder for a test's files, and WAV or FLAC files of known samples in it.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { SCRATCH_PATH_BYTES = 256 };

/// A new folder below $TMPDIR or /tmp. Asserts that it could be made.
void scratch_create(char folder[SCRATCH_PATH_BYTES]);
/// Remove it and the files in it.
void scratch_remove(const char *folder);
/// `folder`/`name`.
void scratch_path(char path[SCRATCH_PATH_BYTES], const char *folder, const char *name);
/// Write `frames` frames of 16-bit samples; the extension (.wav, .flac) chooses the container.
void scratch_write_s16(const char *path, const int16_t *samples, size_t frames, uint32_t rate_hz,
                       uint32_t channels);
/// Write `frames` frames of float to a WAV.
void scratch_write_float(const char *path, const float *samples, size_t frames, uint32_t rate_hz,
                         uint32_t channels);
/// Read a whole file as float frames, new memory. Asserts that it can be read.
float *scratch_read(const char *path, size_t *frames, uint32_t *rate_hz, uint32_t *channels);
/// Seeded music-like stereo: chords of decaying partials on a beat, at about -20 LUFS; new memory.
int16_t *scratch_music(uint64_t seed, size_t frames, uint32_t rate_hz);

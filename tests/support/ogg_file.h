// SPDX-License-Identifier: MIT
// Vorbis and Opus files made by libsndfile, taken apart into pages or packets and put together otherwise.
#pragma once
#include "io/bytes/loader.h"
#include "io/sound/decoder.h"
#include <ogg/ogg.h>
#include <stddef.h>
#include <stdint.h>

enum { OGG_FILE_PAGES = 4096 };

struct ogg_file {
    unsigned char *bytes;
    size_t size;
    size_t at[OGG_FILE_PAGES + 1]; // of each page, and the end
    uint32_t pages;
};

/// Write tones that differ from channel to channel, and noise. `format`: SF_FORMAT_VORBIS or SF_FORMAT_OPUS.
void ogg_file_write(const char *path, int format, int rate_hz, int channels, uint32_t frames);
void ogg_file_load(struct ogg_file *file, const char *path);
void ogg_file_free(struct ogg_file *file);
/// A page as libogg has it.
ogg_page ogg_file_page(const struct ogg_file *file, uint32_t page);
/// Add to all granule positions of sound, from page `first` on, and mend checksums.
void ogg_file_shift(struct ogg_file *file, uint32_t first, int64_t ticks);
/// Give the stream another number.
void ogg_file_renumber(struct ogg_file *file, int serial);
/// Save without page `left_out`; UINT32_MAX: with all.
void ogg_file_save(const struct ogg_file *file, const char *path, uint32_t left_out);
/// Save with other pages: each ends with the packet that makes it `page_bytes` long, sound begins where the headers
/// end. Granule positions are off by up to `jitter` ticks, but for the first and last.
void ogg_file_save_paged(const struct ogg_file *file, const char *path, int page_bytes,
                         int64_t jitter);

struct ogg_played {
    float *samples; // all that could be read; free() them
    uint64_t read, frames;
    uint32_t rate_hz, channels;
    enum decoder_damage damage;
    char text[160]; // of the damage
};

/// Read a whole file. @return decoder_open()'s error; then there is nothing to free.
int ogg_file_play(struct ogg_played *played, struct loader *loader, const char *path);

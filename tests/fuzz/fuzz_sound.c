// SPDX-License-Identifier: MIT
// Any bytes as a sound file, and the same as an Ogg file whose checksums are right: what is decoded is within bounds
// and no longer than was said, and reading tags and pictures ends.
#include "io/sound/decoder.h"
#include "io/tags/pictures.h"
#include "io/tags/tags.h"
#include "support/loop_thread.h"
#include <fcntl.h>
#include <math.h>
#include <ogg/ogg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PIECE_FRAMES = 1000,
    MOST_FRAMES = 300000, // of one input: a header can promise days of silence
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static char path[64];
static struct loop_thread loop; // ends with the process

static void demand(int holds)
{
    if (!holds)
        abort(); // which libFuzzer reports with the input
}

static void remove_file(void)
{
    (void)remove(path); // there may be none
}

static void begin(void)
{
    struct loader *loader;
    snprintf(path, sizeof path, "%s/segue-fuzz-sound-%ld",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (long)getpid());
    demand(atexit(remove_file) == 0);
    demand(loader_create(&loader, &(struct loader_config){0}) == 0);
    loop_thread_start(&loop, loader);
}

static void save(const uint8_t *data, size_t bytes)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    demand(fd >= 0 && write(fd, data, bytes) == (ssize_t)bytes);
    close(fd);
}

/// @return frames.
static uint64_t read_on(struct decoder *decoder, const struct decoder_info *info)
{
    static float piece[PIECE_FRAMES * PCM_MAX_CHANNELS];
    uint64_t frames = 0;
    for (int64_t n; frames < MOST_FRAMES; frames += (uint64_t)n) {
        n = decoder_read(decoder, piece, PIECE_FRAMES);
        demand(n >= 0 && n <= PIECE_FRAMES);
        if (n == 0)
            return frames;
        for (int64_t i = 0; i < n * info->format.channels; ++i)
            demand(fabsf(piece[i]) <= 1024);
    }
    return frames;
}

static void decode(struct source *source)
{
    struct decoder *decoder;
    struct decoder_info info;
    if (decoder_open(&decoder, source, &info))
        return;
    demand(info.format.channels >= 1 && info.format.channels <= PCM_MAX_CHANNELS);
    const uint64_t frames = read_on(decoder, &info);
    demand(frames <= info.frames);
    demand((decoder_damage(decoder) != DECODER_SOUND) == (decoder_damage_text(decoder) != NULL));
    demand(frames >= MOST_FRAMES || frames == info.frames ||
           decoder_damage(decoder) != DECODER_SOUND || info.frames - frames < 8192);
    const uint64_t at = info.frames / 3;
    const int error = decoder_seek(decoder, at);
    const uint64_t left = read_on(decoder, &info);
    demand(left <= (error ? 0 : info.frames - at));
    decoder_close(&decoder);
}

static void try_file(const uint8_t *data, size_t bytes)
{
    struct source *source;
    struct tags tags;
    struct pictures pictures;
    save(data, bytes);
    demand(source_open(&source, loop.loader, &(struct source_config){.path = path}) == 0);
    decode(source);
    demand(tags_read(&tags, source, bytes) == 0);
    tags_deinit(&tags);
    demand(pictures_read(&pictures, source, bytes) == 0);
    pictures_deinit(&pictures);
    source_close(&source);
}

/// Give all that looks like an Ogg page its checksum, without which nobody would look into it. @return pages.
static int mend_pages(uint8_t *data, size_t bytes)
{
    enum { HEADER_BYTES = 27 };
    int pages = 0;
    for (size_t at = 0; at + HEADER_BYTES <= bytes; ++at) {
        const size_t header = HEADER_BYTES + (size_t)data[at + HEADER_BYTES - 1];
        size_t body = 0;
        if (memcmp(data + at, "OggS", 4) != 0 || header > bytes - at)
            continue;
        for (size_t i = HEADER_BYTES; i < header; ++i)
            body += data[at + i];
        if (body > bytes - at - header)
            continue;
        ogg_page page = {data + at, (long)header, data + at + header, (long)body};
        ogg_page_checksum_set(&page);
        ++pages;
        at += header + body - 1;
    }
    return pages;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (!path[0])
        begin();
    try_file(data, bytes);
    uint8_t *mended = malloc(bytes + 1);
    demand(mended != NULL);
    memcpy(mended, data, bytes);
    if (mend_pages(mended, bytes) > 0 && memcmp(mended, data, bytes) != 0)
        try_file(mended, bytes);
    free(mended);
    return 0;
}

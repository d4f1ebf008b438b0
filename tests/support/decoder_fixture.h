// SPDX-License-Identifier: MIT
// What the suites of the decoder share: sound files of every kind, opened through a loader.
#pragma once
#include "io/sound/decoder.h"
#include "support/loop_thread.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { FRAMES = 100003, CHANNELS = 2, RATE_HZ = 44100 };

static char folder[] = "/tmp/segue-decoder-XXXXXX";
static struct loop_thread loop;

struct opened {
    struct source *source;
    struct decoder *decoder;
    struct decoder_info info;
};

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static inline int try_open(struct opened *o, const char *path)
{
    *o = (struct opened){0};
    struct source_config config = {.path = path};
    assert_int_equal(source_open(&o->source, loop.loader, &config), 0);
    int error = decoder_open(&o->decoder, o->source, &o->info);
    if (error) {
        assert_null(o->decoder);
        source_close(&o->source);
    }
    return error;
}

static inline void close_both(struct opened *o)
{
    decoder_close(&o->decoder);
    assert_null(o->decoder);
    source_close(&o->source);
}

/// All frames, read in uneven pieces. Caller frees.
static inline float *read_all(struct opened *o, uint64_t *frames)
{
    uint32_t channels = o->info.format.channels;
    float *all = calloc((o->info.frames + 1000) * channels, sizeof *all);
    assert_non_null(all);
    *frames = 0;
    uint32_t piece = 1;
    for (int64_t n; (n = decoder_read(o->decoder, all + *frames * channels, piece)) > 0;) {
        *frames += (uint64_t)n;
        assert_true(*frames <= o->info.frames);
        piece = piece * 7 % 997 + 1;
    }
    return all;
}

static inline unsigned char *load_file(const char *name, size_t *bytes)
{
    FILE *file = fopen(path_of(name), "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *bytes = (size_t)ftell(file);
    rewind(file);
    unsigned char *data = malloc(*bytes + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *bytes, file), *bytes);
    fclose(file);
    return data;
}

static inline void save_file(const char *name, const void *data, size_t bytes)
{
    int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, bytes), bytes);
    close(fd);
}

static inline int16_t sample_at(int i)
{
    double tone = 12000 * sin(i / CHANNELS * (i % CHANNELS ? 0.05 : 0.031));
    return (int16_t)(tone + (double)((unsigned)i * 2654435761u >> 22) - 512);
}

static inline int write_sound(const char *name, int format, int rate_hz, int channels, int frames)
{
    SF_INFO info = {.format = format, .samplerate = rate_hz, .channels = channels};
    SNDFILE *file = sf_open(path_of(name), SFM_WRITE, &info);
    if (!file)
        return -1;
    sf_command(file, SFC_SET_SCALE_INT_FLOAT_WRITE, NULL, SF_TRUE); // float files: full scale 1
    int n_samples = frames * channels;
    int16_t *samples = malloc((size_t)n_samples * sizeof *samples);
    assert_non_null(samples);
    for (int i = 0; i < n_samples; i++)
        samples[i] = sample_at(i);
    assert_int_equal(sf_writef_short(file, samples, frames), frames);
    free(samples);
    return sf_close(file);
}

struct kind {
    const char *name;
    int format, rate_hz;
    const char *codec;
    uint32_t depth_bits;
};
static const struct kind kinds[] = {
    {"s16.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, RATE_HZ, "wav", 16},
    {"s24.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_24, RATE_HZ, "wav", 24},
    {"s32.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_32, RATE_HZ, "wav", 32},
    {"f32.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, RATE_HZ, "wav", 0},
    {"s16.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, RATE_HZ, "aiff", 16},
    {"s16.au", SF_FORMAT_AU | SF_FORMAT_PCM_16, RATE_HZ, "au", 16},
    {"s16.caf", SF_FORMAT_CAF | SF_FORMAT_PCM_16, RATE_HZ, "caf", 16},
    {"s16.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, RATE_HZ, "flac", 16},
    {"s24.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, RATE_HZ, "flac", 24},
    {"a.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, RATE_HZ, "vorbis", 0},
    {"a.opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 48000, "opus", 0},
    {"a.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, RATE_HZ, "mp3", 0},
};
enum { N_KINDS = sizeof kinds / sizeof *kinds, N_LOSSLESS = 9 };

static inline int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    for (int i = 0; i < N_KINDS; i++)
        if (write_sound(kinds[i].name, kinds[i].format, kinds[i].rate_hz, CHANNELS, FRAMES))
            return -1;
    loop_thread_open(&loop);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    int error = loop_thread_close(&loop);
    for (int i = 0; i < N_KINDS; i++)
        remove(path_of(kinds[i].name));
    remove(path_of("bad"));
    remove(path_of("directory"));
    return error || rmdir(folder);
}

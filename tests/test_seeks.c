// SPDX-License-Identifier: MIT
// From wherever a file is read, its samples are those of reading it from the start, to the last bit: every format, at
// rates from 8 to 384 kHz, of 1 to 8 channels.
#include "io/sound/decoder.h"
#include "support/loop_thread.h"
#include "support/rng.h"
#include "support/scratch.h"
#include <math.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FRAMES = 12011, LONG_FRAMES = 50021, PIECE_FRAMES = 700, SEEKS = 5 };

static struct loop_thread loop;
static char folder[SCRATCH_PATH_BYTES], path[SCRATCH_PATH_BYTES];

struct kind {
    const char *name;
    int format;
    int rates_hz[6];   // up to a 0
    uint32_t channels; // bit n: n of them
    uint32_t frames;   // more where a place is decoded from far before it
};

#define ANY_RATE                                                                                   \
    {                                                                                              \
        8000, 44100, 384000                                                                        \
    }
enum { ANY = 0x1fe, TWO = 1 << 1 | 1 << 2 };

static const struct kind kinds[] = {
    {"wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, ANY_RATE, ANY, FRAMES},
    {"wav 8", SF_FORMAT_WAV | SF_FORMAT_PCM_U8, ANY_RATE, TWO, FRAMES},
    {"wav 24", SF_FORMAT_WAVEX | SF_FORMAT_PCM_24, ANY_RATE, ANY, FRAMES},
    {"wav float", SF_FORMAT_WAV | SF_FORMAT_FLOAT, ANY_RATE, ANY, FRAMES},
    {"rf64", SF_FORMAT_RF64 | SF_FORMAT_PCM_32, ANY_RATE, ANY, FRAMES},
    {"w64", SF_FORMAT_W64 | SF_FORMAT_PCM_24, ANY_RATE, ANY, FRAMES},
    {"aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, ANY_RATE, ANY, FRAMES},
    {"au", SF_FORMAT_AU | SF_FORMAT_PCM_16, ANY_RATE, ANY, FRAMES},
    {"caf", SF_FORMAT_CAF | SF_FORMAT_PCM_24, ANY_RATE, ANY, FRAMES},
    {"alac", SF_FORMAT_CAF | SF_FORMAT_ALAC_16, ANY_RATE, ANY, FRAMES},
    {"flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, ANY_RATE, ANY, FRAMES},
    {"flac 24", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, ANY_RATE, ANY, FRAMES},
    {"vorbis", SF_FORMAT_OGG | SF_FORMAT_VORBIS, {8000, 44100, 96000}, ANY, LONG_FRAMES},
    {"opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, {8000, 16000, 48000}, ANY, LONG_FRAMES},
    {"mp3",
     SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III,
     {8000, 16000, 24000, 32000, 48000},
     TWO,
     LONG_FRAMES},
};

/// Tones that differ from channel to channel, and noise.
static int write_file(const struct kind *kind, int rate_hz, int channels)
{
    SF_INFO info = {.format = kind->format, .samplerate = rate_hz, .channels = channels};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    if (!file)
        return -1;
    uint64_t random = 5;
    static float samples[LONG_FRAMES * PCM_MAX_CHANNELS];
    for (int i = 0; i < (int)kind->frames; ++i)
        for (int c = 0; c < channels; ++c)
            samples[i * channels + c] =
                0.3F * sinf((float)(i * (c + 2)) * 0.01F) + 0.1F * (float)rng_unit(&random);
    assert_int_equal(sf_writef_float(file, samples, kind->frames), kind->frames);
    return sf_close(file);
}

static uint32_t read_frames(struct decoder *decoder, float *to, uint32_t channels, uint32_t frames)
{
    uint32_t done = 0;
    for (int64_t n; done < frames &&
                    (n = decoder_read(decoder, to + (size_t)done * channels, frames - done)) > 0;)
        done += (uint32_t)n;
    return done;
}

static void check_seeks(const struct kind *kind, int rate_hz, uint32_t channels)
{
    static float whole[(LONG_FRAMES + 1) * PCM_MAX_CHANNELS],
        piece[PIECE_FRAMES * PCM_MAX_CHANNELS];
    struct source *source = NULL;
    struct decoder *decoder = NULL;
    struct decoder_info info;
    assert_int_equal(source_open(&source, loop.loader, &(struct source_config){.path = path}), 0);
    assert_int_equal(decoder_open(&decoder, source, &info), 0);
    assert_int_equal(info.format.channels, channels);
    assert_int_equal(info.frames, kind->frames);
    assert_int_equal(read_frames(decoder, whole, channels, kind->frames + 1), kind->frames);
    uint64_t random = (uint64_t)rate_hz + channels;
    for (uint32_t i = 0; i < SEEKS; ++i) {
        const uint32_t at = i < 3 ? i * (kind->frames - PIECE_FRAMES) / 2
                                  : (uint32_t)(rng_unit(&random) * (kind->frames - PIECE_FRAMES));
        assert_int_equal(decoder_seek(decoder, at), 0);
        assert_int_equal(read_frames(decoder, piece, channels, PIECE_FRAMES), PIECE_FRAMES);
        if (memcmp(piece, whole + (size_t)at * channels, PIECE_FRAMES * channels * sizeof *piece))
            fail_msg("%s, %d Hz, %u channels: frame %u", kind->name, rate_hz, channels, at);
    }
    assert_int_equal(decoder_damage(decoder), DECODER_SOUND);
    decoder_close(&decoder);
    source_close(&source);
}

static void check_kind(void **state)
{
    const struct kind *kind = *state;
    int count = 0;
    for (int r = 0; r < 6 && kind->rates_hz[r]; ++r)
        for (uint32_t channels = 1; channels <= PCM_MAX_CHANNELS; ++channels)
            if (kind->channels >> channels & 1 &&
                write_file(kind, kind->rates_hz[r], (int)channels) == 0) {
                check_seeks(kind, kind->rates_hz[r], channels);
                ++count;
            }
    print_message("%s: %d shapes\n", kind->name, count);
    assert_true(count >= 6);
}

static int set_up(void **state)
{
    (void)state;
    scratch_create(folder);
    scratch_path(path, folder, "file");
    loop_thread_open(&loop);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    const int error = loop_thread_close(&loop);
    scratch_remove(folder);
    return error;
}

int main(void)
{
    struct CMUnitTest tests[sizeof kinds / sizeof *kinds];
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; ++i)
        tests[i] = (struct CMUnitTest){.name = kinds[i].name,
                                       .test_func = check_kind,
                                       .initial_state = (void *)(uintptr_t)&kinds[i]};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

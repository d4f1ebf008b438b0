// SPDX-License-Identifier: MIT
#include "support/scratch.h"
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

void scratch_create(char folder[SCRATCH_PATH_BYTES])
{
    const char *base = getenv("TMPDIR");
    snprintf(folder, SCRATCH_PATH_BYTES, "%s/segue-test-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(folder));
}

void scratch_path(char path[SCRATCH_PATH_BYTES], const char *folder, const char *name)
{
    const int length = snprintf(path, SCRATCH_PATH_BYTES, "%s/%s", folder, name);
    assert_in_range(length, 1, SCRATCH_PATH_BYTES - 1);
}

void scratch_remove(const char *folder)
{
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[SCRATCH_PATH_BYTES];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        scratch_path(path, folder, entry->d_name);
        assert_int_equal(remove(path), 0);
    }
    closedir(dir);
    assert_int_equal(rmdir(folder), 0);
}

static SNDFILE *create(const char *path, uint32_t rate_hz, uint32_t channels, int coding)
{
    const char *dot = strrchr(path, '.');
    const int container = dot && strcmp(dot, ".flac") == 0 ? SF_FORMAT_FLAC : SF_FORMAT_WAV;
    SF_INFO info = {
        .samplerate = (int)rate_hz, .channels = (int)channels, .format = container | coding};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    assert_non_null(file);
    return file;
}

void scratch_write_s16(const char *path, const int16_t *samples, size_t frames, uint32_t rate_hz,
                       uint32_t channels)
{
    SNDFILE *file = create(path, rate_hz, channels, SF_FORMAT_PCM_16);
    assert_int_equal(sf_writef_short(file, samples, (sf_count_t)frames), frames);
    assert_int_equal(sf_close(file), 0);
}

void scratch_write_float(const char *path, const float *samples, size_t frames, uint32_t rate_hz,
                         uint32_t channels)
{
    SNDFILE *file = create(path, rate_hz, channels, SF_FORMAT_FLOAT);
    assert_int_equal(sf_writef_float(file, samples, (sf_count_t)frames), frames);
    assert_int_equal(sf_close(file), 0);
}

float *scratch_read(const char *path, size_t *frames, uint32_t *rate_hz, uint32_t *channels)
{
    SF_INFO info = {0};
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    assert_non_null(file);
    float *samples = malloc(((size_t)info.frames * (size_t)info.channels + 1) * sizeof(float));
    assert_non_null(samples);
    assert_int_equal(sf_readf_float(file, samples, info.frames), info.frames);
    sf_close(file);
    *frames = (size_t)info.frames;
    *rate_hz = (uint32_t)info.samplerate;
    *channels = (uint32_t)info.channels;
    return samples;
}

static uint64_t next(uint64_t *state)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return *state >> 33;
}

enum { KEYS = 12 };

// One struck chord of half a second, left and right by turns, made once a key and rate and kept.
static const double *chord(uint32_t key, uint32_t rate_hz)
{
    static double *kept[KEYS];
    static uint32_t kept_rate_hz[KEYS];
    if (kept[key] && kept_rate_hz[key] == rate_hz)
        return kept[key];
    const double root = 110.0 * exp2((double)key / KEYS);
    static const double ratios[3] = {1.0, 1.25, 1.5};
    const size_t length = rate_hz / 2;
    free(kept[key]);
    kept[key] = calloc(length, 2 * sizeof(double));
    assert_non_null(kept[key]);
    kept_rate_hz[key] = rate_hz;
    for (size_t i = 0; i < length; ++i) {
        const double t = (double)i / rate_hz, envelope = exp(-6.0 * t) * fmin(1.0, 400.0 * t);
        for (int k = 0; k < 3; ++k) {
            const double phase = 6.283185307179586 * root * ratios[k] * t, base = sin(phase);
            kept[key][2 * i] += 0.10 * envelope * (base + 0.3 * sin(4 * phase));
            kept[key][2 * i + 1] += 0.10 * envelope * (base + 0.3 * sin(6 * phase));
        }
    }
    return kept[key];
}

int16_t *scratch_music(uint64_t seed, size_t frames, uint32_t rate_hz)
{
    int16_t *samples = calloc(frames, 2 * sizeof(int16_t));
    assert_non_null(samples);
    uint64_t state = seed * 2654435761U + 1;
    const size_t length = rate_hz / 2;
    for (size_t start = 0; start < frames; start += length) {
        const double *struck = chord((uint32_t)(next(&state) % KEYS), rate_hz);
        const size_t left = frames - start, count = left < length ? left : length;
        for (size_t i = 0; i < 2 * count; ++i)
            samples[2 * start + i] = (int16_t)lrint(fmax(-1.0, fmin(1.0, struck[i])) * 32000.0);
    }
    return samples;
}

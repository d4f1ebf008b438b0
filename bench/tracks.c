// SPDX-License-Identifier: MIT
#include "tracks.h"
#include "bench.h"
#include "engine/library/track_record.h"
#include "engine/prepare/scan.h"
#include "engine/render/track_stream.h"
#include "io/bytes/source.h"
#include "io/sound/decoder.h"
#include "io/writing/audio_file.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

enum { BLOCK_FRAMES = 4096, VOICES = 3 };

static const double TWO_PI = 6.283185307179586;

// --- music

struct voice {
    double phase, step, level;
};

static double unit(uint64_t *seed)
{
    return (double)(bench_random(seed) >> 11) * 0x1p-53;
}

static void strike(struct voice *voice, uint32_t rate_hz, uint64_t *seed)
{
    const double note = floor(unit(seed) * 36);
    *voice = (struct voice){.step = TWO_PI * 110.0 * exp2(note / 12.0) / rate_hz, .level = 0.15};
}

static void play(struct voice voices[VOICES], int16_t *stereo, uint32_t frames, uint32_t rate_hz,
                 uint64_t *seed)
{
    const double decay = exp2(-3.0 / rate_hz);
    for (uint32_t i = 0; i < frames; ++i) {
        double left = 0.01 * (unit(seed) - 0.5), right = 0.01 * (unit(seed) - 0.5);
        for (int v = 0; v < VOICES; ++v) {
            const double value = voices[v].level * sin(voices[v].phase);
            voices[v].phase += voices[v].step;
            voices[v].level *= decay;
            left += value * (v + 1) / VOICES;
            right += value * (VOICES - v) / VOICES;
        }
        stereo[2 * i] = (int16_t)lrint(left * 32767);
        stereo[2 * i + 1] = (int16_t)lrint(right * 32767);
    }
}

static int write_notes(struct audio_file *file, uint32_t rate_hz, uint64_t frames, uint64_t seed)
{
    struct voice voices[VOICES] = {0};
    static int16_t stereo[2 * BLOCK_FRAMES];
    int error = 0;
    for (uint64_t done = 0, turn = 0; !error && done < frames; ++turn) {
        strike(&voices[turn % VOICES], rate_hz, &seed);
        const uint32_t n = frames - done < BLOCK_FRAMES ? (uint32_t)(frames - done) : BLOCK_FRAMES;
        play(voices, stereo, n, rate_hz, &seed);
        error = audio_file_write_s16(file, stereo, n);
        done += n;
    }
    return error;
}

int tracks_write_music(const char *path, uint32_t rate_hz, uint64_t frames, uint64_t seed)
{
    struct audio_file *file;
    const struct audio_file_config config = {
        .path = path, .format = AUDIO_FILE_S16, .rate_hz = rate_hz, .channels = 2};
    int error = audio_file_create(&file, &config);
    if (error)
        return error;
    error = write_notes(file, rate_hz, frames, seed);
    if (error)
        audio_file_discard(&file);
    else
        error = audio_file_commit(&file);
    return error;
}

// --- what a track sounds like

void tracks_hash_add(struct tracks_hash *hash, const float *stereo, uint32_t frames)
{
    uint64_t sum = hash->sum;
    for (uint32_t i = 0; i < frames; ++i) {
        uint64_t both;
        memcpy(&both, stereo + 2 * (size_t)i, sizeof(both));
        sum = (sum ^ both) * 0x100000001b3;
        sum ^= sum >> 29;
    }
    hash->sum = sum;
    hash->frames += frames;
}

static int fetch_targets(struct scheduler *scheduler, const char *path,
                         struct mastering_targets *targets)
{
    struct scan *scan;
    struct scan_result result = {0};
    int error = scan_create(&scan, scheduler, 1, SCAN_IN_ORDER);
    if (!error)
        error = scan_submit(scan, path);
    if (!error)
        error = scan_take(scan, &result);
    if (!error && !result.record)
        error = result.error;
    if (!error)
        *targets = track_record_of(result.record)->targets;
    scan_result_deinit(&result);
    scan_destroy(&scan);
    return error;
}

static int hash_stream(struct tracks_hash *hash, struct track_stream *stream)
{
    static float block[2 * BLOCK_FRAMES];
    int64_t got;
    while ((got = track_stream_read(stream, block, BLOCK_FRAMES)) > 0)
        tracks_hash_add(hash, block, (uint32_t)got);
    return (int)got;
}

static int hash_source(struct tracks_hash *hash, struct source *source, uint32_t rate_hz,
                       const struct mastering_targets *targets)
{
    struct file_identity identity;
    struct decoder *decoder = NULL;
    struct track_stream *stream = NULL;
    struct track_stream_config config = {
        .rate_hz = rate_hz, .mastering = targets ? TRACK_STREAM_MASTERED : TRACK_STREAM_PLAIN};
    int error = source_wait_open(source, &identity);
    if (!error)
        error = decoder_open(&decoder, source, &config.info);
    config.decoder = decoder;
    if (!error)
        error = track_stream_open(&stream, &config);
    if (!error && targets)
        track_stream_set_targets(stream, targets);
    if (!error)
        error = hash_stream(hash, stream);
    track_stream_close(&stream);
    decoder_close(&decoder);
    return error;
}

int tracks_hash_render(struct tracks_hash *hash, struct scheduler *scheduler, const char *path,
                       uint32_t rate_hz, const struct mastering_settings *settings)
{
    assert(rate_hz > 0);
    *hash = (struct tracks_hash){0};
    struct mastering_targets targets;
    int error = settings ? fetch_targets(scheduler, path, &targets) : 0;
    if (error)
        return error;
    const struct source_config config = {.path = path, .priority = LOADER_PLAYING};
    struct source *source;
    error = source_open(&source, scheduler_loader(scheduler), &config);
    if (!error)
        error = hash_source(hash, source, rate_hz, settings ? &targets : NULL);
    source_close(&source);
    return error;
}

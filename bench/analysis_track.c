// SPDX-License-Identifier: MIT
#include "analysis_track.h"
#include "bench.h"
#include <errno.h>
#include <math.h>
#include <sndfile.h>
#include <stdlib.h>

enum { BLOCK_FRAMES = 4096, RATE_HZ = 44100, SECONDS = 227, BEATS_PER_MINUTE = 124 };

int analysis_track_load(struct analysis_track *track, const char *path)
{
    SF_INFO info = {0};
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    if (!file)
        return -EIO;
    *track = (struct analysis_track){
        .path = path,
        .format = {.rate_hz = (uint32_t)info.samplerate, .channels = (uint32_t)info.channels},
        .samples = malloc((size_t)info.frames * (size_t)info.channels * sizeof(float)),
    };
    if (track->samples)
        track->frames = (uint64_t)sf_readf_float(file, track->samples, info.frames);
    sf_close(file);
    return !track->samples ? -ENOMEM : track->frames > 0 ? 0 : -EIO;
}

void analysis_track_unload(struct analysis_track *track)
{
    free(track->samples);
    track->samples = NULL;
}

int analysis_track_decode(const struct analysis_track *track, analysis_take_fn take, void *context)
{
    SF_INFO info = {0};
    SNDFILE *file = sf_open(track->path, SFM_READ, &info);
    if (!file)
        return -EIO;
    static float block[BLOCK_FRAMES * PCM_MAX_CHANNELS];
    uint64_t frames = 0;
    int error = 0;
    for (sf_count_t got = 1; got > 0 && !error; frames += (uint64_t)got) {
        got = sf_readf_float(file, block, BLOCK_FRAMES);
        if (take && got > 0)
            error = take(context, block, (uint32_t)got);
    }
    sf_close(file);
    return error ? error : frames == track->frames ? 0 : -EIO;
}

static float noise(uint64_t *seed)
{
    return (float)(int32_t)(bench_random(seed) >> 32) * 0x1p-31F;
}

// A note of eight partials, plucked at `seconds` = 0.
static float note(double hz, double seconds, double decay_per_s)
{
    double sum = 0;
    for (int k = 1; k <= 8; ++k)
        sum += sin(2 * M_PI * hz * k * seconds) / (k * sqrt(k));
    return (float)(sum * exp(-decay_per_s * seconds));
}

static double note_hz(int midi)
{
    return 440.0 * exp2((midi - 69) / 12.0);
}

// A bar each of A minor, F, C and G: kick and snare in turn, hats on the eighths, bass and a chord.
static void play_frame(float *out, uint64_t frame, uint64_t *seed)
{
    static const int chords[4][3] = {{57, 60, 64}, {53, 57, 60}, {48, 52, 55}, {55, 59, 62}};
    const double at_s = (double)frame / RATE_HZ, beat_s = 60.0 / BEATS_PER_MINUTE;
    const uint64_t beat = (uint64_t)(at_s / beat_s);
    const int *chord = chords[beat / 4 % 4];
    const double in_beat_s = at_s - (double)beat * beat_s;
    const double in_half_s = fmod(in_beat_s, beat_s / 2);
    const double in_bar_s = at_s - (double)(beat - beat % 4) * beat_s;
    const float drum = beat % 2 ? 0.3F * noise(seed) * (float)exp(-20 * in_beat_s)
                                : 0.5F * (float)(sin(320 * sqrt(in_beat_s)) * exp(-9 * in_beat_s));
    const float hat = 0.1F * noise(seed) * (float)exp(-50 * in_half_s);
    const float bass = 0.15F * note(note_hz(chord[0] - 24), in_beat_s, 4);
    for (int side = 0; side < 2; ++side) {
        float tones = 0;
        for (int voice = 0; voice < 3; ++voice)
            tones += (voice == side ? 0.09F : 0.05F) * note(note_hz(chord[voice]), in_bar_s, 1.2);
        out[side] = drum + bass + tones + (side ? 0.7F : 1.0F) * hat + 0.0005F * noise(seed);
    }
}

int analysis_track_make(const char *path)
{
    const uint64_t frames = (uint64_t)SECONDS * RATE_HZ + RATE_HZ * 3 / 10;
    float *samples = malloc(frames * 2 * sizeof *samples);
    if (!samples)
        return -ENOMEM;
    uint64_t seed = 5;
    for (uint64_t i = 0; i < frames; ++i)
        play_frame(samples + 2 * i, i, &seed);
    SF_INFO info = {
        .samplerate = RATE_HZ, .channels = 2, .format = SF_FORMAT_FLAC | SF_FORMAT_PCM_16};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    sf_count_t written = 0;
    if (file)
        written = sf_writef_float(file, samples, (sf_count_t)frames);
    const int closed = file && sf_close(file) == 0;
    free(samples);
    return closed && written == (sf_count_t)frames ? 0 : -EIO;
}

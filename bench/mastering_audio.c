// SPDX-License-Identifier: MIT
#include "mastering_audio.h"
#include "bench.h"
#include "support/measure.h"
#include <errno.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef SEGUE_HAS_EBUR128
#    include <ebur128.h>
#else
#    include "dsp/level/loudness_meter.h"
#endif

static const double LEAST_SHARE = 0.003;
static const double LOW_HZ = 100.0; // of each pole

enum { LOW_ORDER = 6 };

int mastering_audio_read(struct mastered_tape *tape, const char *path)
{
    SF_INFO info = {0};
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    *tape = (struct mastered_tape){0};
    if (!file || info.channels > 2) {
        sf_close(file);
        return -EIO;
    }
    float *samples = malloc((size_t)info.frames * (size_t)info.channels * sizeof *samples);
    if (samples)
        tape->frames = (uint32_t)sf_readf_float(file, samples, info.frames);
    sf_close(file);
    tape->interleaved = samples;
    tape->format = (struct pcm_format){.rate_hz = (uint32_t)info.samplerate,
                                       .channels = (uint32_t)info.channels};
    return samples ? 0 : -ENOMEM;
}

int mastering_audio_write(const char *path, const struct mastered_tape *tape)
{
    SF_INFO info = {.samplerate = (int)tape->format.rate_hz,
                    .channels = (int)tape->format.channels,
                    .format = SF_FORMAT_WAV | SF_FORMAT_FLOAT};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    if (!file)
        return -EIO;
    const sf_count_t written = sf_writef_float(file, tape->interleaved, tape->frames);
    return sf_close(file) == 0 && written == (sf_count_t)tape->frames ? 0 : -EIO;
}

void mastering_audio_free(struct mastered_tape *tape)
{
    free((void *)tape->interleaved);
    tape->interleaved = NULL;
}

/// Have ffmpeg turn the file into another rate or channel count, in a file beside our other scratch.
static int convert(const char *out_path, const struct mastering_excerpt *from)
{
    char rate[32] = "", channels[32] = "", command[256];
    if (from->rate_hz)
        snprintf(rate, sizeof rate, "-ar %u", from->rate_hz);
    if (from->channels)
        snprintf(channels, sizeof channels, "-ac %u", from->channels);
    snprintf(
        command, sizeof command,
        "ffmpeg -v error -y -i \"$SEGUE_BENCH_FILE\" %s %s -c:a pcm_f32le \"$SEGUE_BENCH_OUT\"",
        rate, channels);
    if (setenv("SEGUE_BENCH_FILE", from->path, 1) || setenv("SEGUE_BENCH_OUT", out_path, 1))
        return -ENOMEM;
    return system(command) == 0 ? 0 : -EIO;
}

static void cut_middle(struct mastered_tape *tape, double seconds)
{
    const uint32_t wanted = (uint32_t)(seconds * tape->format.rate_hz);
    if (tape->frames <= wanted)
        return;
    const size_t channels = tape->format.channels, first = (tape->frames - wanted) / 2;
    float *samples = (float *)tape->interleaved;
    memmove(samples, samples + first * channels, wanted * channels * sizeof *samples);
    tape->frames = wanted;
}

int mastering_audio_load(struct mastered_tape *tape, const struct mastering_excerpt *from)
{
    int error;
    if (from->rate_hz || from->channels) {
        char path[] = "/tmp/segue-bench-XXXXXX.wav";
        const int fd = mkstemps(path, 4);
        error = fd < 0 ? -EIO : convert(path, from);
        if (!error)
            error = mastering_audio_read(tape, path);
        bench_close_and_remove(fd, path);
    } else {
        error = mastering_audio_read(tape, from->path);
    }
    if (!error)
        cut_middle(tape, from->seconds);
    return error;
}

#ifdef SEGUE_HAS_EBUR128
static int measure_lufs(double *lufs, const struct mastered_tape *tape)
{
    ebur128_state *state =
        ebur128_init(tape->format.channels, tape->format.rate_hz, EBUR128_MODE_I);
    if (!state)
        return -ENOMEM;
    if (tape->format.channels == 1) // as it is heard, from both sides
        ebur128_set_channel(state, 0, EBUR128_DUAL_MONO);
    const int failed = ebur128_add_frames_float(state, tape->interleaved, tape->frames) ||
                       ebur128_loudness_global(state, lufs);
    ebur128_destroy(&state);
    return failed ? -ENOMEM : 0;
}
#else
static int measure_lufs(double *lufs, const struct mastered_tape *tape)
{
    struct loudness_meter *meter;
    int error = loudness_meter_create(&meter, &tape->format);
    if (!error)
        error = loudness_meter_feed(meter, tape->interleaved, tape->frames);
    *lufs = error ? 0 : loudness_meter_integrated_lufs(meter);
    loudness_meter_destroy(&meter);
    return error;
}
#endif

/// The sinc's peak beside samples over half of the loudest: music has none elsewhere.
static double sinc_peak(const float *x, size_t stride, size_t frames, double loudest)
{
    double h[MEASURE_PHASES][MEASURE_TAPS], peak = loudest;
    const double gain = measure_sinc_taps(h);
    for (size_t n = 0; n + 1 < frames; ++n) {
        const double here = fabs((double)x[n * stride]), next = fabs((double)x[(n + 1) * stride]);
        if (fmax(here, next) > 0.5 * loudest)
            peak = measure_sinc_at(h, gain, x, stride, frames, n, peak);
    }
    return peak;
}

static void measure_peaks(struct mastering_figures *out, const struct mastered_tape *tape)
{
    double itu = 0, sinc = 0;
    for (uint32_t c = 0; c < tape->format.channels; ++c) {
        const float *x = tape->interleaved + c;
        double samples = 0;
        for (size_t n = 0; n < tape->frames; ++n)
            samples = fmax(samples, fabs((double)x[n * tape->format.channels]));
        itu = fmax(itu, measure_itu_peak(x, tape->format.channels, tape->frames));
        sinc = fmax(sinc, sinc_peak(x, tape->format.channels, tape->frames, samples));
    }
    out->itu_db = measure_db(itu);
    out->sinc_db = measure_db(sinc);
}

/// Side against mid, of everything and of what a steep low-pass leaves.
static void measure_sides(struct mastering_figures *out, const struct mastered_tape *tape)
{
    const double share = 1 - exp(-2 * M_PI * LOW_HZ / tape->format.rate_hz);
    double power[2][2] = {{1e-20, 1e-20}, {1e-20, 1e-20}}, low[2][LOW_ORDER] = {{0}};
    for (size_t n = 0; n < tape->frames && tape->format.channels == 2; ++n) {
        const double l = (double)tape->interleaved[2 * n], r = (double)tape->interleaved[2 * n + 1];
        const double parts[2] = {l + r, l - r};
        for (int i = 0; i < 2; ++i) {
            double x = parts[i];
            for (int k = 0; k < LOW_ORDER; ++k)
                x = low[i][k] += share * (x - low[i][k]);
            power[0][i] += parts[i] * parts[i];
            power[1][i] += x * x;
        }
    }
    out->side_db = 10 * log10(power[0][1] / power[0][0]);
    out->low_side_db = 10 * log10(power[1][1] / power[1][0]);
}

int mastering_audio_measure(struct mastering_figures *out, const struct mastered_tape *tape)
{
    struct analysis *analysis = mastered_analyse(tape);
    if (!analysis)
        return -ENOMEM;
    out->crest_db = analysis->fingerprint[FINGERPRINT_CREST_DB];
    for (int band = 0; band < BAND_COUNT; ++band)
        out->bands_db[band] =
            10 * log10(analysis->fingerprint[FINGERPRINT_SUB_BASS_PCT + band] + 1e-12);
    free(analysis);
    measure_peaks(out, tape);
    measure_sides(out, tape);
    return measure_lufs(&out->lufs, tape);
}

double mastering_band_move_db(const struct mastering_figures *before,
                              const struct mastering_figures *after)
{
    double most = 0;
    for (int band = 0; band < BAND_COUNT; ++band)
        if (before->bands_db[band] > 10 * log10(LEAST_SHARE))
            most = fmax(most, fabs(after->bands_db[band] - before->bands_db[band]));
    return most;
}

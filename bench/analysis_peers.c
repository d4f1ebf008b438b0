// SPDX-License-Identifier: MIT
#include "analysis_peers.h"
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#ifdef SEGUE_HAS_EBUR128
#    include <ebur128.h>
#endif
#ifdef SEGUE_HAS_AUBIO
#    include <aubio/aubio.h>
#endif

int analysis_peer_ebur128(const struct analysis_track *track)
{
#ifdef SEGUE_HAS_EBUR128
    enum { BLOCK_FRAMES = 4096 };
    ebur128_state *state = ebur128_init(track->format.channels, track->format.rate_hz,
                                        EBUR128_MODE_I | EBUR128_MODE_LRA | EBUR128_MODE_TRUE_PEAK);
    int error = state ? 0 : -EIO;
    for (uint64_t at = 0; !error && at < track->frames; at += BLOCK_FRAMES) {
        const uint64_t left = track->frames - at;
        if (ebur128_add_frames_float(state, track->samples + at * track->format.channels,
                                     left < BLOCK_FRAMES ? left : BLOCK_FRAMES))
            error = -EIO;
    }
    double lufs, range_lu;
    if (!error &&
        (ebur128_loudness_global(state, &lufs) || ebur128_loudness_range(state, &range_lu)))
        error = -EIO;
    if (state)
        ebur128_destroy(&state);
    return error;
#else
    (void)track;
    return -ENOSYS;
#endif
}

#ifdef SEGUE_HAS_AUBIO
struct aubio {
    aubio_tempo_t *tempo;
    aubio_onset_t *onset;
    aubio_pitch_t *pitch;
    fvec_t *in, *out;
};

static void aubio_run(struct aubio *a, const struct analysis_track *track)
{
    const uint32_t channels = track->format.channels;
    for (uint64_t at = 0; at + a->in->length <= track->frames; at += a->in->length) {
        for (uint32_t i = 0; i < a->in->length; ++i) {
            const float *frame = track->samples + (at + i) * channels;
            a->in->data[i] = 0.5F * (frame[0] + frame[channels - 1]);
        }
        aubio_tempo_do(a->tempo, a->in, a->out);
        aubio_onset_do(a->onset, a->in, a->out);
        aubio_pitch_do(a->pitch, a->in, a->out);
    }
}
#endif

int analysis_peer_aubio(const struct analysis_track *track)
{
#ifdef SEGUE_HAS_AUBIO
    enum { WINDOW = 1024, HOP = 512, PITCH_WINDOW = 2048 };
    const uint32_t rate_hz = track->format.rate_hz;
    struct aubio a = {
        .tempo = new_aubio_tempo("default", WINDOW, HOP, rate_hz),
        .onset = new_aubio_onset("default", WINDOW, HOP, rate_hz),
        .pitch = new_aubio_pitch("yinfft", PITCH_WINDOW, HOP, rate_hz),
        .in = new_fvec(HOP),
        .out = new_fvec(2),
    };
    const int complete = a.tempo && a.onset && a.pitch && a.in && a.out;
    if (complete)
        aubio_run(&a, track);
    if (a.tempo)
        del_aubio_tempo(a.tempo);
    if (a.onset)
        del_aubio_onset(a.onset);
    if (a.pitch)
        del_aubio_pitch(a.pitch);
    if (a.in)
        del_fvec(a.in);
    if (a.out)
        del_fvec(a.out);
    return complete ? 0 : -ENOMEM;
#else
    (void)track;
    return -ENOSYS;
#endif
}

// CPU time of a command and its children, in ms; NaN if it fails. The track's path is in its environment.
static double time_of_command(const struct analysis_track *track, const char *command)
{
    struct rusage before, after;
    if (setenv("SEGUE_BENCH_FILE", track->path, 1) || getrusage(RUSAGE_CHILDREN, &before) ||
        system(command) != 0 || getrusage(RUSAGE_CHILDREN, &after))
        return (double)NAN;
    const int64_t us = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * INT64_C(1000000) +
                       (after.ru_utime.tv_usec - before.ru_utime.tv_usec) +
                       (after.ru_stime.tv_sec - before.ru_stime.tv_sec) * INT64_C(1000000) +
                       (after.ru_stime.tv_usec - before.ru_stime.tv_usec);
    return (double)us / 1000;
}

double analysis_peer_ffmpeg(const struct analysis_track *track)
{
#define FFMPEG "ffmpeg -v quiet -threads 1 -i \"$SEGUE_BENCH_FILE\" "
    return time_of_command(track, FFMPEG "-af ebur128=peak=true -f null - 2>/dev/null") -
           time_of_command(track, FFMPEG "-f null - 2>/dev/null");
}

void analysis_peer_python(const struct analysis_track *track, struct python_times *out)
{
    static const char command[] = "\"${SEGUE_BENCH_PYTHON:-python3}\" " SEGUE_BENCH_SCRIPT
                                  " \"$SEGUE_BENCH_FILE\" 2>/dev/null";
    const double absent = (double)NAN;
    *out = (struct python_times){absent, absent, absent, absent, absent};
    if (setenv("SEGUE_BENCH_FILE", track->path, 1))
        return;
    FILE *child = popen(command, "r");
    if (!child)
        return;
    char line[256];
    while (fgets(line, sizeof line, child)) {
        if (sscanf(line, "librosa %lf %lf %lf %lf", &out->librosa, &out->librosa_hpss,
                   &out->medians, &out->harmonic_ratio) == 4)
            continue;
        (void)sscanf(line, "essentia %lf", &out->essentia); // anything else is chatter
    }
    pclose(child);
}

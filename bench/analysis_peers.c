// SPDX-License-Identifier: MIT
#include "analysis_peers.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

// The calls are warmed up on five seconds, as the first ones compile.
static const char LIBROSA_SCRIPT[] =
    "import os, sys, time\n"
    "for name in ('OMP', 'OPENBLAS', 'MKL', 'NUMBA'): os.environ[name + '_NUM_THREADS'] = '1'\n"
    "import numpy as np, soundfile, librosa\n"
    "from scipy.ndimage import median_filter\n"
    "from scipy.signal import resample_poly\n"
    "pcm, rate = soundfile.read(sys.argv[1], dtype='float32', always_2d=True)\n"
    "def measure(stereo):\n"
    "    spent = {}\n"
    "    def run(name, call):\n"
    "        start = time.process_time()\n"
    "        result = call()\n"
    "        spent[name] = 1000 * (time.process_time() - start)\n"
    "        return result\n"
    "    full = stereo.mean(axis=1)\n"
    "    halvings = 0\n"
    "    while rate >> (halvings + 1) >= 22050: halvings += 1\n"
    "    y = run('resample', lambda: resample_poly(full, 1, 1 << halvings))\n"
    "    low = rate / (1 << halvings)\n"
    "    S = run('stft', lambda: np.abs(librosa.stft(y, n_fft=2048, hop_length=512)))\n"
    "    N = run('native', lambda: np.abs(librosa.stft(full, n_fft=4096, hop_length=2048)))\n"
    "    run('beat', lambda: librosa.beat.beat_track(y=y, sr=low))\n"
    "    run('onset', lambda: librosa.onset.onset_detect(y=y, sr=low))\n"
    "    run('hpss', lambda: librosa.decompose.hpss(S))\n"
    "    run('yin', lambda: librosa.yin(y, fmin=65.4, fmax=2093, sr=low, frame_length=2048))\n"
    "    run('chroma', lambda: librosa.feature.chroma_stft(S=S**2, sr=low, tuning=0))\n"
    "    run('centroid', lambda: librosa.feature.spectral_centroid(S=N, sr=rate))\n"
    "    run('rolloff', lambda: librosa.feature.spectral_rolloff(S=N, sr=rate))\n"
    "    run('flatness', lambda: librosa.feature.spectral_flatness(S=N))\n"
    "    run('rms', lambda: librosa.feature.rms(y=y))\n"
    "    whole = sum(spent.values())\n"
    "    run('medians', lambda: (median_filter(S, size=(1, 31), mode='reflect'),\n"
    "                            median_filter(S, size=(31, 1), mode='reflect')))\n"
    "    return whole, spent['hpss'], spent['medians']\n"
    "measure(pcm[:5 * rate])\n"
    "print('librosa', *measure(pcm))\n";

int analysis_peer_librosa(const struct analysis_track *track, struct librosa_times *out)
{
    static const char command[] = "python3 -c \"$SEGUE_BENCH_SCRIPT\" \"$SEGUE_BENCH_FILE\"";
    if (setenv("SEGUE_BENCH_SCRIPT", LIBROSA_SCRIPT, 1) ||
        setenv("SEGUE_BENCH_FILE", track->path, 1))
        return -ENOMEM;
    FILE *child = popen(command, "r");
    if (!child)
        return -ENOSYS;
    const int fields = fscanf(child, "librosa %lf %lf %lf", &out->set, &out->hpss, &out->medians);
    return pclose(child) == 0 && fields == 3 ? 0 : -ENOSYS;
}

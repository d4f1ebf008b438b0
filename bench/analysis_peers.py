# SPDX-License-Identifier: MIT
"""CPU time of librosa and essentia for what the fingerprint needs, in ms: prints "librosa SET HPSS MEDIANS RATIO"
and "essentia MS", or nothing where one is absent."""
import os
import sys
import time

for name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ[name + "_NUM_THREADS"] = "1"


def spend(call):
    start = time.process_time()
    result = call()
    return 1000 * (time.process_time() - start), result


def measure_librosa(stereo, rate):
    import librosa
    import numpy as np
    from scipy.ndimage import median_filter
    from scipy.signal import resample_poly

    spent = {}

    def run(name, call):
        spent[name], result = spend(call)
        return result

    full = stereo.mean(axis=1)
    halvings = 0
    while rate >> (halvings + 1) >= 22050:
        halvings += 1
    low = rate / (1 << halvings)
    y = run("resample", lambda: resample_poly(full, 1, 1 << halvings))
    s = run("stft", lambda: np.abs(librosa.stft(y, n_fft=2048, hop_length=512)))
    native = run("native", lambda: np.abs(librosa.stft(full, n_fft=4096, hop_length=2048)))
    run("beat", lambda: librosa.beat.beat_track(y=y, sr=low))
    run("onset", lambda: librosa.onset.onset_detect(y=y, sr=low))
    run("hpss", lambda: librosa.decompose.hpss(s))
    run("yin", lambda: librosa.yin(y, fmin=65.4, fmax=2093, sr=low, frame_length=2048))
    run("chroma", lambda: librosa.feature.chroma_stft(S=s**2, sr=low, tuning=0))
    run("centroid", lambda: librosa.feature.spectral_centroid(S=native, sr=rate))
    run("rolloff", lambda: librosa.feature.spectral_rolloff(S=native, sr=rate))
    run("flatness", lambda: librosa.feature.spectral_flatness(S=native))
    run("rms", lambda: librosa.feature.rms(y=y))
    whole = sum(spent.values())
    medians, (h, p) = spend(
        lambda: (
            median_filter(s, size=(1, 31), mode="reflect"),
            median_filter(s, size=(31, 1), mode="reflect"),
        )
    )
    h, p, s = (x.astype(float) ** 2 for x in (h, p, s))
    both = h + p
    mask = np.where(both > 0, h / np.where(both > 0, both, 1), 0.5)
    harmonic, percussive = (mask**2 * s).sum(), ((1 - mask) ** 2 * s).sum()
    return whole, spent["hpss"], medians, harmonic / (harmonic + percussive)


def main():
    path = sys.argv[1]
    try:
        import soundfile

        pcm, rate = soundfile.read(path, dtype="float32", always_2d=True)
        measure_librosa(pcm[: 5 * rate], rate)  # the first calls compile
        print("librosa", *measure_librosa(pcm, rate), flush=True)
    except ImportError:
        pass
    try:
        import essentia
        import essentia.standard

        essentia.log.infoActive = essentia.log.warningActive = False
        extract = essentia.standard.MusicExtractor()
        print("essentia", spend(lambda: extract(path))[0], flush=True)
    except ImportError:
        pass


main()

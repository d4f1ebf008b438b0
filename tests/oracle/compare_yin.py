#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Frame errors of dsp/spectrum/yin.c beside librosa.yin on the same tones in white noise, in one run.

    compare_yin.py [--build build/release]

Sines, sawtooths, tones without their fundamental and tones of odd harmonics, 80 to 1000 Hz at 22,050 Hz, each of
1.5 s, at 60, 20, 10 and 0 dB of signal to noise. A pitch more than 50 cents off is an error; errors are shares of
all frames. segue leaves a frame without a pitch where no dip is under the threshold; the share of frames with one is
printed beside. All use a threshold of 0.1, 65.4 to 2093 Hz, frames of 2048 and a hop of 512.

Two readings of librosa stand beside it. Up to 0.10 librosa compared windows of 1024 samples, as YIN's authors do and
segue does: that one is written here in numpy, and where no dip is under the threshold takes the lowest, as librosa
does; run with librosa 0.10 on PYTHONPATH, the last column is the same. Since 0.11 librosa.yin compares all of a frame that is left at a lag, up to twice as much, which averages more
noise away. The exit status is 1 where segue errs more often than the first at any level, or its median error is over
1.0 cent at 60 or 20 dB.

Builds a few lines of C against libdsp.a of the build. Needs cc, fftw3f, numpy and librosa.
"""
import argparse
import os
import subprocess
import sys
import tempfile

import librosa
import numpy as np

RATE, SECONDS, HOP = 22050, 1.5, 512
PITCHES_HZ = np.geomspace(80, 1000, 24)
SHAPES = {
    "sine": lambda n: 1.0 * (n == 1),
    "saw": lambda n: 1.0 / n,
    "missing fundamental": lambda n: (n > 1) / n,
    "odd harmonics": lambda n: (n % 2) / n,
}
LEVELS_DB = [60, 20, 10, 0]
PROGRAM = r"""
#include "dsp/spectrum/yin.h"
#include <stdio.h>
int main(void)
{
    float hop[512];
    struct yin *yin;
    if (yin_create(&yin, 22050.0))
        return 1;
    while (fread(hop, sizeof *hop, 512, stdin) == 512) {
        yin_feed(yin, hop, 512);
        printf("%.9g\n", yin_latest_period(yin));
    }
    yin_destroy(&yin);
    return 0;
}
"""


def build(folder, build_dir):
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    source, program = os.path.join(folder, "pitches.c"), os.path.join(folder, "pitches")
    with open(source, "w") as f:
        f.write(PROGRAM)
    subprocess.run(["cc", "-O2", "-std=c17", "-I", root, source, "-o", program,
                    os.path.join(build_dir, "dsp", "libdsp.a"), "-lfftw3f", "-lm", "-lpthread"], check=True)
    return program


def make_tone(hz, shape, level_db, rng):
    """Phases are drawn, so that no shape has a peak of its own."""
    t = np.arange(int(RATE * SECONDS)) / RATE
    tone = np.zeros(len(t))
    for n in range(1, int(min(30, 0.45 * RATE / hz)) + 1):
        if shape(n):
            tone += shape(n) * np.sin(2 * np.pi * n * hz * t + rng.uniform(0, 2 * np.pi))
    tone /= np.sqrt(np.mean(tone**2))
    return (0.1 * (tone + 10 ** (-level_db / 20) * rng.standard_normal(len(t)))).astype(np.float32)


def measure_segue(program, tone):
    done = subprocess.run([program], input=tone.tobytes(), capture_output=True, check=True)
    periods = np.array(done.stdout.split(), dtype=float)[6:-6]
    return np.divide(RATE, periods, out=np.full(len(periods), np.nan), where=periods > 0)


def measure_windows(tone):
    """YIN with windows of 1024: all frames at once, from the definition."""
    window, first, last = 1024, int(RATE / 2093), int(np.ceil(RATE / 65.4))
    padded = np.pad(tone.astype(float), (1024, 2048))
    frames = np.array([padded[i:i + window + last + 1] for i in range(0, len(tone) + 1, HOP)])
    difference = np.array([np.sum((frames[:, :window] - frames[:, lag:lag + window])**2, axis=1)
                           for lag in range(1, last + 2)]).T
    lags = np.arange(1, last + 2)
    normal = lags * difference / np.maximum(np.cumsum(difference, axis=1), 1e-30)
    pitches = []
    for row in normal[6:-6]:
        inside = np.arange(first, last)  # index i is lag i + 1
        dips = inside[(row[inside] < row[inside - 1]) & (row[inside] <= row[inside + 1])]
        under = dips[row[dips] < 0.1]
        i = under[0] if len(under) else inside[np.argmin(row[inside])]
        curve = row[i - 1] - 2 * row[i] + row[i + 1]
        shift = 0.5 * (row[i - 1] - row[i + 1]) / curve if curve > 0 else 0.0
        pitches.append(RATE / (i + 1 + np.clip(shift, -1, 1)))
    return np.array(pitches)


def measure_librosa(tone):
    return librosa.yin(tone, fmin=65.4, fmax=2093, sr=RATE, frame_length=2048, hop_length=HOP,
                       trough_threshold=0.1)[6:-6]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default="build/release")
    args = parser.parse_args()
    rng = np.random.default_rng(1)
    failed = False
    names = ["segue", "window of 1024", "librosa.yin"]
    print("dB     voiced" + "".join(f"{name + ': errors':>24s}  median" for name in names))
    with tempfile.TemporaryDirectory() as folder:
        program = build(folder, args.build)
        measures = [lambda tone: measure_segue(program, tone), measure_windows, measure_librosa]
        for level_db in LEVELS_DB:
            cents = {name: [] for name in names}
            for shape in SHAPES.values():
                for hz in PITCHES_HZ:
                    tone = make_tone(hz, shape, level_db, rng)
                    for name, measure in zip(names, measures):
                        cents[name].append(1200 * np.log2(measure(tone) / hz))
            off = {name: np.abs(np.concatenate(values)) for name, values in cents.items()}
            pitched = {name: values[np.isfinite(values)] for name, values in off.items()}
            errors = {name: np.mean(off[name] > 50) for name in names}
            medians = {name: np.median(values) if len(values) else 0.0 for name, values in pitched.items()}
            print(f"{level_db:2d} {len(pitched['segue']) / len(off['segue']):10.1%}" +
                  "".join(f"{errors[name]:24.2%} {medians[name]:7.2f}" for name in names))
            failed |= errors["segue"] > errors["window of 1024"]
            failed |= level_db >= 20 and medians["segue"] > 1.0
    sys.exit(failed)


if __name__ == "__main__":
    main()

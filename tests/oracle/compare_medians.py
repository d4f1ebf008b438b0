#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The medians of dsp/spectrum/hpss.c against scipy's, bit for bit, and what either takes, in one run.

    compare_medians.py [--build build/release] [--rounds 3] FILE...

Every file is decimated to 22,050 Hz or more, and its spectrogram (periodic Hann of 2048, hop 512) handed to hpss.c and to
scipy.ndimage.median_filter, 31 frames along time and 31 bins along frequency, mode "reflect". A row says how many of
all medians differ in any bit, for each instruction set, how many times as long scipy takes for the medians as hpss.c
takes for the whole separation (CPU time, medians of the rounds), and how far the harmonic ratios are apart. The exit
status is 1 where any bit differs.

Builds a few lines of C around dsp/spectrum/hpss.c against libdsp.a of the build. Needs cc, fftw3f, numpy, scipy and soundfile.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import soundfile
from scipy.ndimage import median_filter
from scipy.signal import resample_poly, stft

BINS, SETS = 1025, ["avx512", "avx2", "c"]
# With "dump", the roots of what is masked are written out in order: magnitudes and medians along time and frequency.
# hpss.c takes medians of powers, which have the same order; correct roots keep it, so those have scipy's bits. Without,
# the time that the separation takes and its ratio are printed.
PROGRAM = r"""
#include "dsp/spectrum/hpss.c"
#include <math.h>
#include <stdio.h>
#include <time.h>
static void write_row(const float *phases)
{
    float row[BINS];
    for (int k = 0; k < BINS; ++k)
        row[k] = sqrtf(phases[k % RUN * PHASE + MARGIN + k / RUN]);
    fwrite(row, sizeof *row, BINS, stdout);
}
static struct spectrum_masked write_rows(const float *magnitude, const float *a, const float *b, uint32_t count)
{
    (void)count;
    write_row(magnitude);
    write_row(a);
    write_row(b);
    return (struct spectrum_masked){0};
}
int main(int argc, char **argv)
{
    struct hpss *hpss;
    if (hpss_create(&hpss) || argc != 3)
        return 1;
    const int dumps = strcmp(argv[1], "dump") == 0;
    struct spectrum_impl writer = *hpss->kernels;
    writer.masked = write_rows;
    if (dumps)
        hpss->kernels = &writer;
    const size_t frames = strtoul(argv[2], NULL, 10);
    float *power = malloc((frames + 1) * BINS * sizeof *power);
    if (!power || fread(power, BINS * sizeof *power, frames, stdin) != frames)
        return 1;
    const clock_t start = clock();
    for (size_t t = 0; t < frames; ++t)
        hpss_push(hpss, power + t * BINS);
    const double ratio = hpss_finish(hpss);
    if (!dumps)
        printf("%.6f %.12f\n", 1e3 * (double)(clock() - start) / CLOCKS_PER_SEC, ratio);
    hpss_destroy(&hpss);
    free(power);
    return 0;
}
"""


def build(folder, build_dir):
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    source, program = os.path.join(folder, "medians.c"), os.path.join(folder, "medians")
    with open(source, "w") as f:
        f.write(PROGRAM)
    library = os.path.join(build_dir, "dsp", "libdsp.a")
    command = ["cc", "-std=gnu17", "-O3", "-ffp-contract=off", "-I", root, source, library]
    subprocess.run(command + ["-lfftw3f", "-lm", "-o", program], check=True)
    return program


def run(program, mode, power, isa):
    command = [program, mode, str(len(power))]
    env = os.environ | {"SEGUE_CPU": isa}
    return subprocess.run(command, input=power.tobytes(), stdout=subprocess.PIPE, check=True, env=env).stdout


def spectrogram(path):
    """Power, a row a frame, as single floats."""
    pcm, rate = soundfile.read(path, dtype="float32", always_2d=True)
    halvings = 0
    while rate >> (halvings + 1) >= 22050:
        halvings += 1
    mono = resample_poly(pcm.mean(axis=1), 1, 1 << halvings)
    _, _, z = stft(mono, nperseg=2048, noverlap=1536, padded=False, scaling="spectrum")
    return np.ascontiguousarray((np.abs(z) ** 2).T.astype(np.float32) * 1024**2)


def filter_by_scipy(magnitude):
    start = time.process_time()
    along_time = median_filter(magnitude, size=(31, 1), mode="reflect")
    along_frequency = median_filter(magnitude, size=(1, 31), mode="reflect")
    return 1e3 * (time.process_time() - start), along_time, along_frequency


def ratio_of(magnitude, along_time, along_frequency):
    power, h, p = (x.astype(float) ** 2 for x in (magnitude, along_time, along_frequency))
    mask = np.where(h + p > 0, h / np.where(h + p > 0, h + p, 1), 0.5)
    harmonic, percussive = (mask**2 * power).sum(), ((1 - mask) ** 2 * power).sum()
    return harmonic / (harmonic + percussive) if harmonic + percussive > 0 else 0.0


def compare(program, path, rounds):
    power, differing = spectrogram(path), 0
    print(f"{os.path.basename(path)}: {len(power)} frames, {2 * power.size} medians")
    for isa in SETS:
        rows = np.frombuffer(run(program, "dump", power, isa), np.float32).reshape(-1, 3, BINS)
        peer_ms, along_time, along_frequency = filter_by_scipy(np.ascontiguousarray(rows[:, 0]))
        own_ms = []
        for _ in range(rounds):
            ms, ratio = map(float, run(program, "time", power, isa).split())
            own_ms.append(ms)
        wrong = sum(
            np.count_nonzero(np.ascontiguousarray(own).view(np.uint32) != peer.view(np.uint32))
            for own, peer in ((rows[:, 1], along_time), (rows[:, 2], along_frequency))
        )
        wrong += abs(len(rows) - len(power)) * BINS
        off = abs(ratio - ratio_of(rows[:, 0], along_time, along_frequency))
        speed = peer_ms / np.median(own_ms)
        print(f"  {isa}: {wrong} differ, scipy {peer_ms:.0f} ms, {speed:.0f} times as long, ratio {off:.1e} apart")
        differing += wrong
    return differing


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        program = build(folder, options.build)
        differing = sum(compare(program, path, options.rounds) for path in options.files)
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()

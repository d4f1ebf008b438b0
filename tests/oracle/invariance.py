#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How far each figure of `segue analyze` moves when a track stays the same to the ear.

    invariance.py --segue build/release/bin/segue [--seconds 60] [--definition] FILE...

Each file is decoded, brought to 44.1 kHz stereo where it is not that already, cut to its first --seconds
(0: all of it) and measured in these versions:

    gain   12 dB louder and 12 dB softer, as floats
    rate   at 48 and at 96 kHz, resampled by soxr (VHQ)
    mp3    as MP3 (lame -V2), against a FLAC file of the same 16-bit samples
    mono   L + R over 2 as a mono file, against the same on both sides of a stereo file

The table shows for each figure and version the largest move as a share of the figure's range, the goal, the
track that moved most, and in brackets how many are over the goal. Loudness is compared in LU, less the gain,
for which it has no goal: -70 LUFS is an absolute gate. Tempo is in BPM for MP3; mono is compared bit by bit.
The exit status is 1 where a goal is missed.

With --definition each move over its goal is measured a second time by what compare_analysis.py makes of the two
versions, in double precision from the text of the definitions: `text` is how many move over the goal there too, and
the largest difference between the two moves. What is over by the text is the definition's, not the program's. Tempo,
its stability and the density of onsets have no such reading.

Over the rate goal can be what the definitions tie to a length in frames or bins: a band's edge through a
strong bass note (bins of 10.8 or 11.7 Hz), HPSS's 31 frames and bins, onsets and chroma on frames of 512
samples, a median between two kinds of frames. The peak in the crest, a single sample, moves with any
resampling and any lossy codec, and a codec that leaves out what is over 18 kHz moves a centroid of magnitudes.

Needs numpy, soundfile and soxr, and flac, lame and ffmpeg on the PATH.
"""
import argparse
import json
import math
import os
import subprocess
import sys
import tempfile

import numpy as np
import soundfile
import soxr

from compare_analysis import decode, expected

RATE_HZ = 44100
RANGES = {"crest_db": 40, "bass_mid_ratio": 120, "tempo_bpm": 200, "loudness_variation_std": 20,
          "phase_correlation": 2, "chroma_energy": 11 / 12, "lufs": 1}
GOALS = {
    "gain": {None: 1e-4, "lufs": math.inf},
    "rate": {None: 0.01, "spectral_rolloff": 0.02, "lufs": 0.03},
    "mp3": {None: 0.01, "spectral_flatness": 0.10, "lufs": 0.05, "tempo_bpm": 0.05},
    "mono": {None: 0.0},
}
OF_ITS_VALUE = {("mp3", "spectral_flatness")}
ABSOLUTE = {("mp3", "tempo_bpm")}
GAIN_DB = 12


def versions(folder, stereo):
    """Write every version of a track. Returns {name: path}."""
    paths = {}

    def write(name, samples, rate_hz=RATE_HZ, subtype="FLOAT"):
        paths[name] = os.path.join(folder, name + ".wav")
        soundfile.write(paths[name], samples, rate_hz, subtype=subtype)

    write("base", stereo)
    write("louder", stereo * 10 ** (GAIN_DB / 20))
    write("softer", stereo * 10 ** (-GAIN_DB / 20))
    for rate_hz in (48000, 96000):
        write(f"at_{rate_hz}", soxr.resample(stereo.astype(np.float64), RATE_HZ, rate_hz, "VHQ"), rate_hz)
    middle = ((stereo[:, 0].astype(np.float64) + stereo[:, 1]) / 2).astype(np.float32)
    write("mono", middle)
    write("dual", np.stack([middle, middle], axis=1))
    write("coarse", np.clip(stereo, -1, 1 - 2 ** -15), subtype="PCM_16")
    coarse = paths["coarse"]
    paths["flac"], paths["mp3"] = (os.path.join(folder, "coarse." + kind) for kind in ("flac", "mp3"))
    subprocess.run(["flac", "--silent", "--force", "-o", paths["flac"], coarse], check=True)
    subprocess.run(["lame", "--quiet", "-V2", coarse, paths["mp3"]], check=True)
    del paths["coarse"]
    return paths


PAIRS = [("gain", "base", "louder", GAIN_DB), ("gain", "base", "softer", -GAIN_DB),
         ("rate", "base", "at_48000", 0), ("rate", "base", "at_96000", 0),
         ("mp3", "flac", "mp3", 0), ("mono", "dual", "mono", 0)]


def fingerprints(segue, paths):
    lines = subprocess.run([segue, "analyze", "--no-cache", "--no-gpu", "--log-level", "error",
                            *paths.values()], check=True, capture_output=True, text=True).stdout
    return {name: json.loads(line)["fingerprint"] for name, line in zip(paths, lines.splitlines())}


def share_moved(kind, figure, a, b, gain_db):
    moved = abs(b - a - (gain_db if figure == "lufs" else 0))
    if (kind, figure) in ABSOLUTE:
        return moved
    if (kind, figure) in OF_ITS_VALUE:
        return moved / a if a > 0 else moved
    return moved / RANGES.get(figure, 1)


def goal_of(kind, figure):
    return GOALS[kind].get(figure, GOALS[kind][None])


WITHOUT_TEXT = {"tempo_bpm", "rhythm_stability", "transient_density"}


def measure_by_text(paths, seen, text):
    """Add to `text` what each move of one track over its goal is by the definitions: [(program's, text's)]."""
    over = [(kind, figure, one, other, gain_db, share_moved(kind, figure, value, seen[other][figure], gain_db))
            for kind, one, other, gain_db in PAIRS for figure, value in seen[one].items()
            if figure not in WITHOUT_TEXT]
    over = [move for move in over if move[-1] > goal_of(*move[:2])]
    with_pitch = any(figure == "pitch_stability" for _, figure, *_ in over)
    figures = {}
    for name in {name for _, _, one, other, *_ in over for name in (one, other)}:
        samples, rate_hz = decode(paths[name])
        figures[name] = expected(samples.astype(np.float64), rate_hz, "half-band", with_pitch)
    for kind, figure, one, other, gain_db, move in over:
        by_text = share_moved(kind, figure, figures[one][figure], figures[other][figure], gain_db)
        text.setdefault((kind, figure), []).append((move, by_text))


def show_text(kind, figure, text):
    pairs = text.get((kind, figure))
    if not pairs:
        return ""
    over = sum(by_text > goal_of(kind, figure) for _, by_text in pairs)
    apart = max(abs(move - by_text) for move, by_text in pairs)
    return f" text: {over} of {len(pairs)}, {apart:.0e} apart"


def show(moves, text):
    """Print the table. Returns how many goals are missed."""
    missed = 0
    for kind in GOALS:
        print(f"\n{kind:25} {'largest':>9} {'median':>9} {'goal':>8}  worst track")
        for figure in moves[kind]:
            by_track = moves[kind][figure]
            worst = max(by_track, key=by_track.get)
            goal = goal_of(kind, figure)
            over = sum(move > goal for move in by_track.values())
            missed += over > 0
            print(f"{figure:25} {by_track[worst]:9.1e} {np.median(list(by_track.values())):9.1e} "
                  f"{goal:8.1e}  {worst}" + (f"  OVER ({over})" if over else "") + show_text(kind, figure, text))
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--segue", required=True, help="the program")
    parser.add_argument("--seconds", type=float, default=60, help="of each file; 0: all")
    parser.add_argument("--definition", action="store_true", help="measure moves over a goal by the definitions too")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    moves, text = {kind: {} for kind in GOALS}, {}
    for path in options.files:
        samples, rate_hz = decode(path)
        if options.seconds > 0:
            samples = samples[:int(options.seconds * rate_hz)]
        samples = samples[:, [0, min(1, samples.shape[1] - 1)]]
        if rate_hz != RATE_HZ:
            samples = soxr.resample(samples.astype(np.float64), rate_hz, RATE_HZ, "VHQ")
        with tempfile.TemporaryDirectory() as folder:
            paths = versions(folder, samples.astype(np.float32))
            seen = fingerprints(options.segue, paths)
            if options.definition:
                measure_by_text(paths, seen, text)
        for kind, one, other, gain_db in PAIRS:
            for figure, value in seen[one].items():
                move = share_moved(kind, figure, value, seen[other][figure], gain_db)
                track = moves[kind].setdefault(figure, {})
                name = os.path.basename(path)
                track[name] = max(track.get(name, 0.0), move if math.isfinite(move) else math.inf)
    print(f"{len(options.files)} tracks")
    return 1 if show(moves, text) else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How far each figure of `segue analyze` moves when a track stays the same to the ear.

    invariance.py --segue build/release/bin/segue [--seconds 60] [--gains DB...] [--kinds KIND...] [--definition]
                  -- FILE...

Each file is decoded, brought to 44.1 kHz stereo where it is not that already, cut to its first --seconds
(0: all of it) and measured in these versions:

    gain   12 dB louder and 12 dB softer, or by each of --gains, as floats
    rate   at 48 and at 96 kHz, resampled by soxr (VHQ)
    mp3    as MP3 (lame -V2), against a FLAC file of the same 16-bit samples
    mono   L + R over 2 as a mono file, against the same on both sides of a stereo file

The table shows for each figure and version the largest move as a share of the figure's range, the goal, the
track that moved most, and in brackets how many are over the goal. Loudness is compared in LU, less the gain,
for which it has no goal: -70 LUFS is an absolute gate. Tempo is in BPM for MP3; mono is compared bit by bit.
The exit status is 1 where a goal is missed.

With --definition each move over its goal is measured a second time on the same two files: by what compare_analysis.py
makes of them, in double precision from the text of the definitions, and for the density of onsets, which the text
leaves open in part, by librosa's onsets with the text's times. A line tells both moves. At the end stand the cells, of a
figure and a version, that have a track over; of these those where the definition moves as far in each track, to a
tenth of the goal, and those where the program moves further. Tempo and stability have no such reading.

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

import compare_analysis as text
from compare_analysis import decode

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


def pairs_of(gains):
    """(kind, one version, another, gain between them in dB)"""
    return ([("gain", "base", f"by_{db:+g}_db", db) for db in gains] +
            [("rate", "base", "at_48000", 0), ("rate", "base", "at_96000", 0),
             ("mp3", "flac", "mp3", 0), ("mono", "dual", "mono", 0)])


def versions(folder, stereo, pairs):
    """Write the versions of a track that are compared. Returns {name: path}."""
    paths = {}
    wanted = {name for _, one, other, _ in pairs for name in (one, other)}

    def write(name, samples, rate_hz=RATE_HZ, subtype="FLOAT"):
        paths[name] = os.path.join(folder, name + ".wav")
        soundfile.write(paths[name], samples, rate_hz, subtype=subtype)

    write("base", stereo)
    for kind, _, other, gain_db in pairs:
        if kind == "gain":
            write(other, (stereo.astype(np.float64) * 10 ** (gain_db / 20)).astype(np.float32))
        if kind == "rate":
            rate_hz = int(other[3:])
            write(other, soxr.resample(stereo.astype(np.float64), RATE_HZ, rate_hz, "VHQ"), rate_hz)
    if "mono" in wanted:
        middle = ((stereo[:, 0].astype(np.float64) + stereo[:, 1]) / 2).astype(np.float32)
        write("mono", middle)
        write("dual", np.stack([middle, middle], axis=1))
    if "mp3" in wanted:
        write("coarse", np.clip(stereo, -1, 1 - 2 ** -15), subtype="PCM_16")
        coarse = paths.pop("coarse")
        paths["flac"], paths["mp3"] = (os.path.join(folder, "coarse." + kind) for kind in ("flac", "mp3"))
        subprocess.run(["flac", "--silent", "--force", "-o", paths["flac"], coarse], check=True)
        subprocess.run(["lame", "--quiet", "-V2", coarse, paths["mp3"]], check=True)
    return paths


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


WITHOUT_TEXT = {"tempo_bpm", "rhythm_stability"}
LOW_FIGURES = {"harmonic_ratio", "silence_ratio", "chroma_energy"}
LEVELS = {"crest_db", "dynamic_range_variation", "peak_consistency", "stereo_width", "phase_correlation"}


def onset_density(mono, rate_hz):
    """librosa's log-mel flux, scaled to nepers, and its peaks by the times of the text, each 30 ms wide either side."""
    import librosa
    strength = librosa.onset.onset_strength(y=mono, sr=rate_hz, n_fft=2048, hop_length=512) * math.log(10) / 10
    frames_per_s = rate_hz / 512
    wide, mean = (max(1, round(seconds * frames_per_s)) for seconds in (0.03, 0.1))
    onsets = librosa.util.peak_pick(strength, pre_max=wide, post_max=wide + 1, pre_avg=mean, post_avg=wide + 1,
                                    delta=0.12, wait=wide)
    return min(1.0, len(onsets) * rate_hz / len(mono) / 10)


def by_definition(path, figures):
    """Those of a file's figures, and what comes with them."""
    samples, rate_hz = decode(path)
    x = samples.astype(np.float64)
    left, right = text.mix_to_stereo(x)
    out = {}
    if figures & {"lufs", "loudness_variation_std"}:
        text.loudness(x, rate_hz, out)
    if figures & LEVELS:
        text.levels(left, right, rate_hz, out)
    if any(figure.endswith("_pct") or figure.startswith("spectral") or figure == "bass_mid_ratio" for figure in figures):
        power, bin_hz = text.native_power(left, right, rate_hz)
        text.bands(power, bin_hz, out)
        text.shapes(power, bin_hz, out)
    mono, mono_rate_hz = text.decimate((left + right) / 2, rate_hz, "half-band")
    if figures & LOW_FIGURES:
        text.low_figures(mono, mono_rate_hz, out)
    if "pitch_stability" in figures:
        out["pitch_stability"] = text.pitch_stability(mono, mono_rate_hz)
    if "transient_density" in figures:
        out["transient_density"] = onset_density(mono, mono_rate_hz)
    return out


def measure_by_text(name, paths, seen, pairs, readings):
    """Add what each move of one track over its goal is by the definitions: {(kind, figure): [(program's, text's)]}."""
    over = [(kind, figure, one, other, gain_db, share_moved(kind, figure, value, seen[other][figure], gain_db))
            for kind, one, other, gain_db in pairs for figure, value in seen[one].items()
            if figure not in WITHOUT_TEXT]
    over = [move for move in over if move[-1] > goal_of(*move[:2])]
    figures = {}
    for version in {version for _, _, one, other, *_ in over for version in (one, other)}:
        wanted = {figure for _, figure, one, other, *_ in over if version in (one, other)}
        figures[version] = by_definition(paths[version], wanted)
    for kind, figure, one, other, gain_db, move in over:
        by_text = share_moved(kind, figure, figures[one][figure], figures[other][figure], gain_db)
        readings.setdefault((kind, figure), []).append((move, by_text))
        print(f"{figure} {other} {name}: ours moves {move:.4g}, the definition {by_text:.4g}", flush=True)


def show_readings(moves, readings):
    """How many cells are over, and by whom."""
    cells = [(kind, figure) for kind, figures in moves.items() for figure, by_track in figures.items()
             if max(by_track.values()) > goal_of(kind, figure)]
    ours = [cell for cell in cells
            if any(move > by_text + 0.1 * goal_of(*cell) for move, by_text in readings.get(cell, []))]
    silent = [cell for cell in cells if cell not in readings]
    print(f"\n{len(cells)} cells over; {len(cells) - len(ours) - len(silent)} move as far by the definition")
    for title, some in (("moves further in the program", ours), ("without a reading", silent)):
        if some:
            print(f"{title}: " + ", ".join(f"{figure} ({kind})" for kind, figure in some))


def show(moves):
    """Print the table. Returns how many goals are missed."""
    missed = 0
    for kind in moves:
        print(f"\n{kind:25} {'largest':>9} {'median':>9} {'goal':>8}  worst track")
        for figure in moves[kind]:
            by_track = moves[kind][figure]
            worst = max(by_track, key=by_track.get)
            goal = goal_of(kind, figure)
            over = sum(move > goal for move in by_track.values())
            missed += over > 0
            print(f"{figure:25} {by_track[worst]:9.1e} {np.median(list(by_track.values())):9.1e} "
                  f"{goal:8.1e}  {worst}" + (f"  OVER ({over})" if over else ""))
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--segue", required=True, help="the program")
    parser.add_argument("--seconds", type=float, default=60, help="of each file; 0: all")
    parser.add_argument("--definition", action="store_true", help="measure moves over a goal by the definitions too")
    parser.add_argument("--gains", type=float, nargs="+", default=[12, -12], help="in dB")
    parser.add_argument("--kinds", nargs="+", choices=list(GOALS), default=list(GOALS))
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    pairs = [pair for pair in pairs_of(options.gains) if pair[0] in options.kinds]
    moves, readings = {kind: {} for kind in options.kinds}, {}
    for path in options.files:
        samples, rate_hz = decode(path)
        if options.seconds > 0:
            samples = samples[:int(options.seconds * rate_hz)]
        samples = samples[:, [0, min(1, samples.shape[1] - 1)]]
        if rate_hz != RATE_HZ:
            samples = soxr.resample(samples.astype(np.float64), rate_hz, RATE_HZ, "VHQ")
        name = os.path.basename(path)
        with tempfile.TemporaryDirectory() as folder:
            paths = versions(folder, samples.astype(np.float32), pairs)
            seen = fingerprints(options.segue, paths)
            if options.definition:
                measure_by_text(name, paths, seen, pairs, readings)
        for kind, one, other, gain_db in pairs:
            for figure, value in seen[one].items():
                move = share_moved(kind, figure, value, seen[other][figure], gain_db)
                track = moves[kind].setdefault(figure, {})
                track[name] = max(track.get(name, 0.0), move if math.isfinite(move) else math.inf)
    print(f"{len(options.files)} tracks")
    missed = show(moves)
    if options.definition:
        show_readings(moves, readings)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tempo, beats, stability and key of `segue analyze` against songs whose answer is known, beside other programs.

    compare_songs.py [--segue build/release/bin/segue] [--peers] [--families] [--wrong] FOLDER...

A folder is what make_families.py writes: truth.csv, NAME.wav and, where beats are not a straight line from
first_beat_s, NAME.beats. A line of the table tells of all songs of a folder, of a family with --families:

    tempo      share within 4 % of bpm or of also_bpm, a level that a listener may as well name
    strictly   share within 4 % of bpm
    any level  share within 4 % of bpm times 1, 2, 3, 1/2 or 1/3, or of also_bpm
    error      median of the deviation of those that count under tempo
    beats      mean F-measure at 70 ms (mir_eval, the first 5 s left out) of the better of both levels
    stability  mean distance from the closed form, 1 / (1 + 1.4826 MAD / median) of the true intervals, where the
               level is the true one
    key        mean MIREX weight (mir_eval): 1 the key, .5 a fifth above, .3 the relative, .2 the parallel
    sure       area under the curve of the confidence against `tempo`: the share of pairs of a right and a wrong
               tempo of which the right one has the higher confidence

--peers adds essentia (RhythmExtractor2013 by both methods, KeyExtractor by two profiles), librosa (beat_track) and
aubio (aubiotrack; its tempo is the median interval), where they are installed; answers are kept in
FOLDER/peers.json, as they do not depend on the build. --wrong names every song with a tempo that is wrong.

Needs numpy and mir_eval.
"""
import argparse
import csv
import json
import os
import shutil
import statistics
import subprocess

import mir_eval
import numpy as np

NAMES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
FLATS = {"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#"}
TOLERANCE = 0.04
COLUMNS = ["songs", "tempo", "strictly", "any level", "error", "beats", "stability", "key", "sure"]


def songs_of(folder):
    with open(os.path.join(folder, "truth.csv")) as f:
        rows = list(csv.DictReader(f))
    for row in rows:
        row["path"] = os.path.join(folder, row["name"] + ".wav")
        row["bpm"] = float(row["bpm"])
        row["also_bpm"] = float(row["also_bpm"]) if row["also_bpm"] else None
        listed = os.path.join(folder, row["name"] + ".beats")
        if os.path.exists(listed):
            row["beats"] = np.loadtxt(listed)
        else:
            count = int(float(row["seconds"]) * row["bpm"] / 60)
            row["beats"] = float(row["first_beat_s"]) + np.arange(count) * 60 / row["bpm"]
    return rows


def answers_of_segue(program, songs):
    command = [program, "analyze", "--no-cache", "--log-level", "error"] + [song["path"] for song in songs]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    answers = {}
    for found in map(json.loads, lines):
        tempo, key = found["tempo"], found["key"]
        answers[os.path.basename(found["path"])] = {
            "bpm": tempo["bpm"] or 0, "beats": tempo["beats_s"], "confidence": tempo["confidence"],
            "stability": found["fingerprint"]["rhythm_stability"], "tonic": key["tonic"], "mode": key["mode"]}
    return answers


def peers_on(path):
    answers = {}
    try:
        import essentia
        essentia.log.infoActive = essentia.log.warningActive = False
        import essentia.standard as es
        sound = es.MonoLoader(filename=path, sampleRate=44100)()
        for method, profile in (("multifeature", "bgate"), ("degara", "edma")):
            bpm, beats, *_ = es.RhythmExtractor2013(method=method)(sound)
            tonic, mode, _ = es.KeyExtractor(profileType=profile)(sound)
            answers[f"essentia, {method}, {profile}"] = {
                "bpm": float(bpm), "beats": beats.tolist(), "tonic": FLATS.get(tonic, tonic), "mode": mode}
    except ImportError:
        pass
    try:
        import librosa
        sound, rate = librosa.load(path, sr=22050)
        bpm, beats = librosa.beat.beat_track(y=sound, sr=rate, units="time")
        answers["librosa, beat_track"] = {"bpm": float(np.atleast_1d(bpm)[0]), "beats": beats.tolist()}
    except ImportError:
        pass
    if shutil.which("aubiotrack"):
        printed = subprocess.run(["aubiotrack", path], capture_output=True, text=True).stdout.split()
        beats = [float(word) for word in printed if word.replace(".", "", 1).isdigit()]
        bpm = 60 / statistics.median(np.diff(beats)) if len(beats) > 2 else 0
        answers["aubio, aubiotrack"] = {"bpm": bpm, "beats": beats}
    return answers


def answers_of_peers(folder, songs):
    kept = os.path.join(folder, "peers.json")
    peers = {}
    if os.path.exists(kept):
        with open(kept) as f:
            peers = json.load(f)
    for song in songs:
        name = os.path.basename(song["path"])
        if any(name in answers for answers in peers.values()):
            continue
        for peer, answer in peers_on(song["path"]).items():
            peers.setdefault(peer, {})[name] = answer
        with open(kept, "w") as f:
            json.dump(peers, f)
    return peers


def is_close(bpm, truth):
    return bool(bpm and truth and abs(bpm / truth - 1) <= TOLERANCE)


def at_level(beats, factor):
    """Beats at `factor` times their tempo."""
    if factor < 1:
        return beats[:: round(1 / factor)]
    parts = round(factor)
    return np.interp(np.arange((len(beats) - 1) * parts + 1) / parts, np.arange(len(beats)), beats)


def f_measure(truth, beats):
    truth, beats = (mir_eval.beat.trim_beats(np.asarray(x, dtype=float)) for x in (truth, beats))
    return mir_eval.beat.f_measure(truth, beats) if len(beats) else 0.0


def stability(beats):
    intervals = np.diff(beats)
    middle = np.median(intervals)
    return 1 / (1 + 1.4826 * np.median(np.abs(intervals - middle)) / middle)


def key_weight(song, tonic, mode):
    if song["mode"] not in ("major", "minor"):
        return None
    if tonic not in NAMES:
        return 0.0
    truth = f"{NAMES[int(song['tonic'])]} {song['mode']}"
    return mir_eval.key.weighted_score(truth, f"{tonic} {mode}")


def score(song, answer):
    strictly, bpm = is_close(answer["bpm"], song["bpm"]), answer["bpm"]
    levels = [song["beats"]]
    if song["also_bpm"]:
        levels.append(at_level(song["beats"], song["also_bpm"] / song["bpm"]))
    right = strictly or is_close(bpm, song["also_bpm"])
    meant = song["bpm"] if strictly else song["also_bpm"]
    return {
        "tempo": right,
        "strictly": strictly,
        "any level": right or any(is_close(bpm, song["bpm"] * factor) for factor in (2, 3, 1 / 2, 1 / 3)),
        "error": abs(bpm / meant - 1) if right else None,
        "beats": max(f_measure(level, answer["beats"]) for level in levels),
        "stability": abs(answer["stability"] - stability(song["beats"])) if strictly and "stability" in answer else None,
        "key": key_weight(song, answer["tonic"], answer["mode"]) if "tonic" in answer else None,
        "confidence": answer.get("confidence"),
    }


def share_of_pairs(scores):
    right = [s["confidence"] for s in scores if s["tempo"]]
    wrong = [s["confidence"] for s in scores if not s["tempo"]]
    if not right or not wrong or None in right + wrong:
        return None
    return np.mean([(a > b) + (a == b) / 2 for a in right for b in wrong])


def line(label, scores):
    def over(column, average):
        values = [s[column] for s in scores if s[column] is not None]
        return average(values) if values else None

    cells = [str(len(scores))]
    for column in COLUMNS[1:]:
        if column == "sure":
            value = share_of_pairs(scores)
        else:
            value = over(column, np.median if column == "error" else np.mean)
        cells.append("" if value is None else f"{100 * value:.3f} %" if column == "error" else f"{value:.3f}")
    print("| " + " | ".join([label] + cells) + " |")


def table(label, songs, answers, by_family):
    scores = [(song, score(song, answers[os.path.basename(song["path"])])) for song in songs
              if os.path.basename(song["path"]) in answers]
    line(label, [s for _, s in scores])
    if by_family:
        for family in dict.fromkeys(song["family"] for song in songs):
            line("- " + family, [s for song, s in scores if song["family"] == family])
    return scores


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--segue", default="build/release/bin/segue")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--families", action="store_true")
    parser.add_argument("--wrong", action="store_true")
    args = parser.parse_args()

    print("| | " + " | ".join(COLUMNS) + " |\n| --- |" + " ---: |" * len(COLUMNS))
    for folder in args.folders:
        songs = songs_of(folder)
        name = os.path.basename(os.path.normpath(folder))
        answers = answers_of_segue(args.segue, songs)
        scores = table(f"{name}: Segue", songs, answers, args.families)
        if args.peers:
            for peer, theirs in answers_of_peers(folder, songs).items():
                table(f"{name}: {peer}", songs, theirs, args.families)
        if args.wrong:
            for song, found in scores:
                if not found["tempo"]:
                    bpm = answers[os.path.basename(song["path"])]["bpm"]
                    print(f"{song['path']}: {bpm:.2f} for {song['bpm']:.2f}, confidence {found['confidence']:.2f}")


if __name__ == "__main__":
    main()

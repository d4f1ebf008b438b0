#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fit what dsp/mastering/mastering.c takes for an average track to music, by our own definitions.

    segue analyze --json FOLDER... | bench/fit_balance.py

Prints, for each figure, the corpus' centre and width, the prior and what comes of both. A width is the scale of
a logistic with the corpus' quartiles. The prior is a corpus of 500 tracks that others measured: it counts as 500
tracks where its definition is ours, and as 100 where its bands and its centroid were measured otherwise (on
mono at 22 kHz). Every folder counts alike, as a soundtrack is of one hand; shares are averaged as logarithms.
"""
import json, math, os, sys

SHARES = {"bass": (("sub_bass_pct", "bass_pct"), 0.456), "low_mid": (("low_mid_pct",), 0.101),
          "mid": (("mid_pct",), 0.198), "upper": (("upper_mid_pct", "presence_pct"), 0.103),
          "air": (("air_pct",), 0.006)}
# figure: (prior centre, prior width, tracks that the prior counts as)
PRIORS = {"tilt": (-1.69, 0.50, 100), "centroid": (0.10, 0.024, 100), "crest_db": (13.4, 1.8, 500),
          "variation": (0.97, 0.39, 500), "lufs": (-14.4, 2.8, 500)}
WIDE_RATE_HZ = 40000  # below it there is no air to speak of


def figures(fp):
    """The coordinates' inputs, as dsp/mastering/mastering.c has them."""
    high = fp["upper_mid_pct"] + fp["presence_pct"] + fp["air_pct"]
    low = fp["sub_bass_pct"] + fp["bass_pct"] + fp["low_mid_pct"]
    return {"tilt": math.log((high + 1e-6) / (low + 1e-6)), "centroid": fp["spectral_centroid"],
            "crest_db": fp["crest_db"], "variation": math.log1p(fp["loudness_variation_std"]),
            "lufs": fp["lufs"]}


def read_tracks(lines):
    tracks = []
    for line in lines:
        track = json.loads(line)
        if "error" in track or track["duration_s"] < 30 or track["sample_rate_hz"] < WIDE_RATE_HZ:
            continue
        tracks.append((os.path.dirname(track["path"]), track["fingerprint"]))
    return tracks


def weights_of(tracks):
    """One for each folder, shared by its tracks, but never more than a track of its own is worth."""
    sizes = {}
    for folder, _ in tracks:
        sizes[folder] = sizes.get(folder, 0) + 1
    return [min(1.0, 8.0 / sizes[folder]) for folder, _ in tracks]


def quantile(values, weights, share):
    ordered = sorted(zip(values, weights))
    wanted, seen = share * sum(weights), 0.0
    for value, weight in ordered:
        seen += weight
        if seen >= wanted:
            return value
    return ordered[-1][0]


def main():
    tracks = read_tracks(sys.stdin)
    weights = weights_of(tracks)
    count = sum(weights)
    print(f"tracks={len(tracks)} folders={len({f for f, _ in tracks})} counted_as={count:.0f}")
    for name, (center, width, prior_count) in PRIORS.items():
        values = [figures(fp)[name] for _, fp in tracks]
        ours = quantile(values, weights, 0.5)
        spread = (quantile(values, weights, 0.75) - quantile(values, weights, 0.25)) / (2 * math.log(3))
        trust = count / (count + prior_count)
        print(f"coordinate name={name} center={ours:.3f} width={spread:.3f} prior={center}/{width} "
              f"fitted={center + trust * (ours - center):.3f}/{width + trust * (spread - width):.3f}")
    for name, (members, prior) in SHARES.items():
        values = [math.log(max(1e-6, sum(fp[m] for m in members))) for _, fp in tracks]
        ours = math.fsum(v * w for v, w in zip(values, weights)) / count
        trust = count / (count + 100)
        fitted = math.exp(math.log(prior) + trust * (ours - math.log(prior)))
        print(f"share name={name} ours={math.exp(ours):.4f} prior={prior} fitted={fitted:.4f}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Recompute what `segue analyze` prints, from the definitions alone, and say how far it is off.

Everything here is double precision numpy on the decoded samples, written from the text of the
analysis specification and not from the program's sources: other filters, other transforms, medians by
sorting, pitch by brute force. Tempo, beats and key are left out: they are judged against songs whose
tempo and key are known.

    compare_analysis.py --segue build/release/bin/segue [--seconds 30] [--synthetic] FILE...

Each file is decoded (soundfile, else ffmpeg), cut to its first --seconds (0: all of it) and handed to
segue as a WAV file of 32-bit floats, so that both sides measure the same samples. --synthetic adds
tones, noises, clicks and sweeps at several rates and channel counts. The table shows, for each figure,
the largest deviation in its unit, the share of the figure's range that this is, the goal for that
share, and the file where it happened. The exit status is 1 where a goal is missed.

Needs numpy, scipy and soundfile; uses librosa's chroma filter where librosa is installed.

Readings taken where the specification leaves a choice
  * Between 0.8 and 1.2 of the new Nyquist frequency the response of the filter before M is free. By
    default M is made here by segue's own half-band design, written again, so that what follows M is
    judged alone; --other-filter takes one long linear-phase filter instead and shows what that freedom
    is worth (up to 0.01 of silence_ratio on a sweep that passes 11 kHz).
  * Two true-peak filters of finite length disagree about what lies next to the Nyquist frequency, and
    the specification asks for agreement on music: true peak is compared where less than 1 % of the
    energy lies over 0.8 of it.
  * Powers under 4e-15 of their frame's sum are a transform's rounding, and count as 0 in bands and shapes.
  * A minimum of YIN's curve at an end of the lag range is used as it is: one of the neighbours that a
    parabola needs lies outside the range.
  * A frame whose samples do not differ at all (a constant) is unvoiced, as digital silence is.
  * A frame that sounds but is nothing under its window (one click where Hann's window is 0) has an even
    chroma.
  * The LFE weighs 0 in peaks too: neither sample peak nor true peak hears it. Crest (9) takes the peak
    of L and R after the mix to stereo, as it takes their RMS.
  * Steps of 10 and 100 ms start at the frame nearest to the exact instant.
"""
import argparse
import json
import math
import os
import subprocess
import sys
import tempfile

import numpy as np
import scipy.ndimage
import scipy.signal
import soundfile

BAND_EDGES_HZ = [20, 60, 250, 500, 2000, 4000, 8000, 20000]
BAND_NAMES = ["sub_bass_pct", "bass_pct", "low_mid_pct", "mid_pct", "upper_mid_pct", "presence_pct",
              "air_pct"]

# name: (width of the range, largest share of it that passes)
GOALS = {
    **{name: (1, 1e-4) for name in BAND_NAMES},
    "lufs": (1, 1e-3), "crest_db": (40, 1e-4), "bass_mid_ratio": (120, 1e-4),
    "silence_ratio": (1, 1e-3), "spectral_centroid": (1, 1e-3), "spectral_rolloff": (1, 1e-3),
    "spectral_flatness": (1, 1e-3), "harmonic_ratio": (1, 1e-3), "pitch_stability": (1, 1e-3),
    "chroma_energy": (11 / 12, 1e-3), "dynamic_range_variation": (1, 1e-4),
    "loudness_variation_std": (20, 1e-4), "peak_consistency": (1, 1e-4), "stereo_width": (1, 1e-4),
    "phase_correlation": (2, 1e-4),
    "integrated_lufs": (1, 1e-3), "range_lu": (20, 1e-4), "momentary_max_lufs": (1, 1e-3),
    "short_term_max_lufs": (1, 1e-3), "sample_peak_dbfs": (1, 1e-4), "true_peak_dbtp": (1, 5e-2),
}


def weights_of(channels):
    """Loudness weights in WAVE order; a mono file sounds from both sides."""
    if channels == 1:
        return np.array([2.0])
    fronts = 3 if channels == 3 or channels >= 5 else 2
    weights = np.array([1.0 if c < fronts else 1.41 for c in range(channels)])
    if channels >= 6:
        weights[3] = 0.0
    return weights


def mix_to_stereo(x):
    """L + 0.7071 C + 0.7071 of each left surround, and the mirror image; no LFE."""
    channels = x.shape[1]
    if channels == 1:
        return x[:, 0], x[:, 0]
    left, right = x[:, 0].copy(), x[:, 1].copy()
    rest = list(range(2, channels))
    if channels == 3 or channels >= 5:
        left += math.sqrt(0.5) * x[:, 2]
        right += math.sqrt(0.5) * x[:, 2]
        rest.remove(2)
    if channels >= 6:
        rest.remove(3)
    for place, c in enumerate(rest):
        side = left if place % 2 == 0 else right
        side += math.sqrt(0.5) * x[:, c]
    return left, right


def half_band_taps():
    """63 taps: a Kaiser window of beta 9.3 on the ideal response, unity at 0 Hz."""
    k = np.arange(-31, 32)
    taps = 0.5 * np.sinc(k / 2) * np.i0(9.3 * np.sqrt(1 - (k / 32) ** 2)) / np.i0(9.3)
    odd = k % 2 != 0
    taps[odd] *= 0.5 / taps[odd].sum()
    return taps


def decimate(x, rate_hz, filter_kind):
    """M at the lowest rate_hz / 2^n of at least 22,050 Hz."""
    factor = 1
    while rate_hz / (2 * factor) >= 22050:
        factor *= 2
    if factor == 1:
        return x, rate_hz
    if filter_kind == "half-band":
        for _ in range(factor.bit_length() - 1):
            x = np.convolve(x, half_band_taps())[31:31 + len(x)][::2]
        return x, rate_hz / factor
    half = 64 * factor
    taps = scipy.signal.firwin(2 * half + 1, 1.0 / factor, window=("kaiser", 9.0))
    y = scipy.signal.fftconvolve(x, taps)[half:half + len(x)][::factor]
    return y, rate_hz / factor


def frames_of(x, size, hop, count):
    """The first `count` frames of a signal that is long enough."""
    return np.lib.stride_tricks.sliding_window_view(x, size)[::hop][:count]


def hann(size):
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)


def native_power(left, right, rate_hz):
    """Power of the native STFT, frames by bins, and the distance of its bins."""
    q = 1
    while rate_hz / q > 48000:
        q *= 2
    size, hop = 4096 * q, 2048 * q
    if len(left) < size:
        left, right = (np.pad(side, (0, size - len(side))) for side in (left, right))
    count = 1 + (len(left) - size) // hop
    window = hann(size)
    power = sum(np.abs(np.fft.rfft(frames_of(side, size, hop, count) * window, axis=1)) ** 2
                for side in (left, right))
    power[power < 4e-15 * power.sum(axis=1, keepdims=True)] = 0
    return power, rate_hz / size


def cell_shares(bins, bin_hz, low_hz, high_hz):
    k = np.arange(bins)
    overlap = np.minimum((k + 0.5) * bin_hz, high_hz) - np.maximum((k - 0.5) * bin_hz, low_hz)
    return np.maximum(0.0, overlap) / bin_hz


def bands(power, bin_hz, out):
    """Dimensions 1 to 7 and 10."""
    energy = power.sum(axis=0)
    parts = [float(energy @ cell_shares(len(energy), bin_hz, low, high))
             for low, high in zip(BAND_EDGES_HZ, BAND_EDGES_HZ[1:])]
    total = sum(parts)
    for name, part in zip(BAND_NAMES, parts):
        out[name] = part / total if total > 0 else 0.0
    bass, middle = parts[1], parts[2] + parts[3]
    if bass > 0 and middle > 0:
        out["bass_mid_ratio"] = max(-60.0, min(60.0, 10 * math.log10(bass / middle)))
    else:
        out["bass_mid_ratio"] = 60.0 if bass > 0 else -60.0 if middle > 0 else 0.0


def rolloff_hz(magnitude, shares, bin_hz):
    """Of each frame: where 85 % of the magnitude lies below, linear inside the cell."""
    cells = magnitude * shares
    sums = cells.cumsum(axis=1)
    wanted = 0.85 * sums[:, -1]
    k = (sums < wanted[:, None]).sum(axis=1)
    rows = np.arange(len(k))
    low = np.maximum((k - 0.5) * bin_hz, 20.0)
    high = np.minimum((k + 0.5) * bin_hz, 20000.0)
    inside = (wanted - (sums[rows, k] - cells[rows, k])) / cells[rows, k]
    return low + (high - low) * inside


def shapes(power, bin_hz, out):
    """Dimensions 15, 16, 17: medians over the frames that are not silent."""
    levels = power.sum(axis=1)
    power = power[(levels > 0) & (levels >= 1e-4 * levels.max())]
    out.update(spectral_centroid=0.0, spectral_rolloff=0.0, spectral_flatness=0.0)
    if len(power) == 0:
        return
    hz = np.arange(power.shape[1]) * bin_hz
    shares = cell_shares(len(hz), bin_hz, 20.0, 20000.0)
    magnitude = np.sqrt(power)
    total = magnitude @ shares
    heard = total > 0
    centroid, rolloff = np.zeros(len(power)), np.zeros(len(power))
    centroid[heard] = (magnitude[heard] @ (shares * hz)) / total[heard]
    rolloff[heard] = rolloff_hz(magnitude[heard], shares, bin_hz)
    inside = power[:, (hz >= 20) & (hz <= 20000)]
    means = inside.mean(axis=1, keepdims=True) if inside.shape[1] else np.zeros((len(power), 1))
    flat = np.zeros(len(power))
    sound = means[:, 0] > 0
    floored = np.maximum(inside[sound], 1e-4 * means[sound])
    flat[sound] = np.exp(np.log(floored).mean(axis=1)) / floored.mean(axis=1)
    out["spectral_centroid"] = min(1.0, np.median(centroid) / 8000)
    out["spectral_rolloff"] = min(1.0, np.median(rolloff) / 10000)
    out["spectral_flatness"] = float(np.median(flat))


def medians_along_time(magnitude):
    """Of 31 frames. By sorting where there are few: scipy 1.17 reads beyond so short an axis, another value each time."""
    if magnitude.shape[1] > 62:
        return scipy.ndimage.median_filter(magnitude, size=(1, 31), mode="reflect")
    mirrored = np.pad(magnitude, ((0, 0), (15, 15)), mode="symmetric")
    return np.median(np.lib.stride_tricks.sliding_window_view(mirrored, 31, axis=1), axis=2)


def harmonic_ratio(magnitude):
    """Dimension 18; `magnitude` is bins by frames."""
    along_time = medians_along_time(magnitude)
    along_frequency = scipy.ndimage.median_filter(magnitude, size=(31, 1), mode="reflect")
    h, p = along_time ** 2, along_frequency ** 2
    both = h + p
    mask = np.where(both > 0, h / np.where(both > 0, both, 1.0), 0.5)
    harmonic = float((mask ** 2 * magnitude ** 2).sum())
    percussive = float(((1 - mask) ** 2 * magnitude ** 2).sum())
    return harmonic / (harmonic + percussive) if harmonic + percussive > 0 else 0.0


def chroma_filter(rate_hz):
    try:
        import librosa
        return librosa.filters.chroma(sr=rate_hz, n_fft=2048, tuning=0.0, dtype=np.float64)
    except ImportError:
        pass
    bins = np.arange(1, 2048)
    places = 12 * np.log2(bins * rate_hz / 2048 / 27.5)
    places = np.concatenate([[places[0] - 18], places])
    widths = np.concatenate([np.maximum(np.diff(places), 1.0), [1.0]])
    distance = np.remainder(places[None, :] - np.arange(12)[:, None] + 6 + 120, 12) - 6
    weights = np.exp(-0.5 * (2 * distance / widths) ** 2)
    weights /= np.sqrt((weights ** 2).sum(axis=0))
    weights *= np.exp(-0.5 * ((places / 12 - 5) / 2) ** 2)
    return np.roll(weights, -3, axis=0)[:, :1025]


def low_figures(mono, rate_hz, out):
    """Dimensions 14, 18, 20 from the low STFT."""
    count = 1 + len(mono) // 512
    frames = frames_of(np.pad(mono, 1024), 2048, 512, count)
    rms = np.sqrt((frames ** 2).mean(axis=1))
    power = np.abs(np.fft.rfft(frames * hann(2048), axis=1)) ** 2
    out["harmonic_ratio"] = harmonic_ratio(np.sqrt(power).T)
    if rms.max() <= 0:
        out.update(silence_ratio=1.0, chroma_energy=1 / 12)
        return
    sound = rms >= 0.01 * rms.max()
    out["silence_ratio"] = float(1 - sound.mean())
    chroma = power[sound] @ chroma_filter(rate_hz).T
    sums = chroma.sum(axis=1, keepdims=True)
    heard = sums[:, 0] > 1e-20 * rms[sound] ** 2
    chroma[heard] /= sums[heard]
    chroma[~heard] = 1 / 12
    out["chroma_energy"] = float((chroma ** 2).sum(axis=1).mean())


def normalized_difference(mono, rate_hz):
    """YIN's d', frames by lags from 0 to the last one."""
    last = math.ceil(rate_hz / 65.4)
    count = 1 + len(mono) // 512
    blocks = count + 1
    x = np.pad(mono, (1024, blocks * 512 + last))[:blocks * 512 + last]
    d = np.empty((count, last + 1))
    for lag in range(last + 1):
        square = (x[:blocks * 512] - x[lag:lag + blocks * 512]) ** 2
        sums = square.reshape(blocks, 512).sum(axis=1)
        d[:, lag] = sums[:-1] + sums[1:]
    sums = np.cumsum(d[:, 1:], axis=1)
    curve = np.ones_like(d)
    curve[:, 1:] = np.where(sums > 0, d[:, 1:] * np.arange(1, last + 1) / np.where(sums > 0, sums, 1), 1.0)
    return curve


def period_of(d, first):
    """The first local minimum under 0.1 between `first` and the end; 0 without one."""
    last = len(d) - 1
    if first == last:
        return 0.0
    for lag in np.flatnonzero(d[first:] < 0.1) + first:
        if lag == first:
            if d[lag] < d[lag + 1]:
                return float(lag)
        elif d[lag] < d[lag - 1]:
            if lag == last:
                return float(lag)
            if d[lag] <= d[lag + 1]:
                a, b, c = d[lag - 1:lag + 2]
                return lag + 0.5 * (a - c) / (a - 2 * b + c)
    return 0.0


def pitch_stability(mono, rate_hz):
    """Dimension 19."""
    first = max(1, math.floor(rate_hz / 2093))
    periods = np.array([period_of(d, first) for d in normalized_difference(mono, rate_hz)])
    pairs = (periods[1:] > 0) & (periods[:-1] > 0)
    if not pairs.any():
        return 0.0
    cents = 1200 * np.abs(np.log2(periods[1:][pairs] / periods[:-1][pairs]))
    return float((periods > 0).mean() * math.exp(-np.median(cents) / 100))


def k_weighted(x, rate_hz):
    """BS.1770's two filters, derived from the analogue prototype behind its table."""
    k = math.tan(math.pi * 1681.974450955533 / rate_hz)
    q, vh = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    vb = vh ** 0.4996667741545416
    a0 = 1 + k / q + k * k
    y = scipy.signal.lfilter([(vh + vb * k / q + k * k) / a0, 2 * (k * k - vh) / a0,
                              (vh - vb * k / q + k * k) / a0],
                             [1, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0], x, axis=0)
    k, q = math.tan(math.pi * 38.13547087602444 / rate_hz), 0.5003270373238773
    a0 = 1 + k / q + k * k
    return scipy.signal.lfilter([1, -2, 1], [1, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0], y,
                                axis=0)


def lufs(power):
    return -0.691 + 10 * math.log10(power)


def window_means(energy, rate_hz, per_second, steps, every=1):
    """Mean power of whole windows of `steps` steps, one every `every` steps."""
    count = (2 * len(energy) * per_second // rate_hz + 2) // 2 + 1
    edges = np.floor(np.arange(count + 1) * rate_hz / per_second + 0.5).astype(int)
    edges = edges[edges <= len(energy)]
    sums = np.concatenate([[0.0], np.cumsum(energy)])
    first = np.arange(0, max(0, len(edges) - steps), every)
    return (sums[edges[first + steps]] - sums[edges[first]]) / (edges[first + steps] - edges[first])


def gated(powers, below):
    """The powers over -70 LUFS and over `below` times their mean."""
    absolute = 10 ** ((-70 + 0.691) / 10)
    loud = powers[powers > absolute]
    return loud[loud > below * loud.mean()] if len(loud) else loud


def loudness(x, rate_hz, out):
    """Dimensions 8 and 22, range and maxima."""
    energy = (k_weighted(x, rate_hz) ** 2) @ weights_of(x.shape[1])
    blocks = gated(window_means(energy, rate_hz, 10, 4), 0.1)
    out["lufs"] = out["integrated_lufs"] = lufs(blocks.mean()) if len(blocks) else -70.0
    short = gated(window_means(energy, rate_hz, 10, 30), 0.01)
    in_lufs = np.sort(-0.691 + 10 * np.log10(short))
    out["loudness_variation_std"] = float(in_lufs.std()) if len(short) > 1 else 0.0
    rank = [math.floor((len(short) - 1) * share + 0.5) for share in (0.10, 0.95)]
    out["range_lu"] = float(in_lufs[rank[1]] - in_lufs[rank[0]]) if len(short) else 0.0
    for name, steps in (("momentary_max_lufs", 40), ("short_term_max_lufs", 300)):
        powers = window_means(energy, rate_hz, 100, steps)
        out[name] = lufs(powers.max()) if len(powers) and powers.max() > 0 else None


def decibels(linear):
    return 20 * math.log10(linear) if linear > 0 else None


def peaks(x, rate_hz, out):
    """Sample peak and true peak of the channels that count: a long sinc on the specified grid."""
    factor = 1 if rate_hz >= 192000 else 2 if rate_hz >= 96000 else 4
    heard = x[:, weights_of(x.shape[1]) > 0]
    out["sample_peak_dbfs"] = decibels(np.abs(heard).max())
    half = 128 * factor
    taps = scipy.signal.firwin(2 * half + 1, 1.0 / factor, window=("kaiser", 9.0)) if factor > 1 else [1.0]
    dense = scipy.signal.resample_poly(heard, factor, 1, axis=0, window=taps)
    out["true_peak_dbtp"] = decibels(max(np.abs(dense).max(), np.abs(heard).max()))
    energy = (np.abs(np.fft.rfft(heard, axis=0)) ** 2).sum(axis=1)
    out["true_peak_is_defined"] = energy[int(0.8 * len(energy)):].sum() < 0.01 * energy.sum()


def crest_db(left, right):
    peak = max(np.abs(left).max(), np.abs(right).max())
    rms = math.sqrt(((left ** 2).mean() + (right ** 2).mean()) / 2)
    return 20 * math.log10(peak / rms) if rms > 0 else 0.0


def levels(left, right, rate_hz, out):
    """Dimensions 9, 21, 23, 24, 25."""
    out["crest_db"] = crest_db(left, right)
    starts = range(0, len(left) - rate_hz + 1, rate_hz) or [0]
    blocks = [(left[s:s + rate_hz], right[s:s + rate_hz]) for s in starts]
    crests = np.array([crest_db(*b) for b in blocks if np.any(b[0]) or np.any(b[1])])
    variation = float(crests.std()) if len(crests) else 0.0
    out["dynamic_range_variation"] = variation / (variation + 6)
    block_peaks = np.array([max(np.abs(l).max(), np.abs(r).max()) for l, r in blocks])
    mean = block_peaks.mean()
    out["peak_consistency"] = float(1 / (1 + block_peaks.std() / mean)) if mean > 0 else 1.0
    middle, side = (math.sqrt(((s / 2) ** 2).mean()) for s in (left + right, left - right))
    out["stereo_width"] = side / (middle + side) if side > 0 else 0.0
    steady = [bool((s == s[0]).all()) for s in (left, right)]
    if any(steady):
        out["phase_correlation"] = 1.0 if all(steady) else 0.0
    else:
        a, b = left - left.mean(), right - right.mean()
        out["phase_correlation"] = float(a @ b / math.sqrt((a @ a) * (b @ b)))


def expected(x, rate_hz, filter_kind, with_pitch=True):
    """Every figure of the samples `x`, frames by channels; that of pitch takes longer than all others."""
    out = {}
    x = np.where(np.abs(x) <= 1024, x, 0.0)  # NaN compares false
    left, right = mix_to_stereo(x)
    power, bin_hz = native_power(left, right, rate_hz)
    bands(power, bin_hz, out)
    shapes(power, bin_hz, out)
    levels(left, right, rate_hz, out)
    loudness(x, rate_hz, out)
    peaks(x, rate_hz, out)
    mono, mono_rate_hz = decimate((left + right) / 2, rate_hz, filter_kind)
    low_figures(mono, mono_rate_hz, out)
    if with_pitch:
        out["pitch_stability"] = pitch_stability(mono, mono_rate_hz)
    return out


def decode(path):
    """Samples as frames by channels, and their rate."""
    try:
        return soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError:
        pass
    probe = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "a:0", "-show_entries",
                            "stream=sample_rate,channels", "-of", "csv=p=0", path],
                           check=True, capture_output=True, text=True)
    rate_hz, channels = (int(field) for field in probe.stdout.split(",")[:2])
    raw = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-map", "a:0", "-f", "f32le",
                          "-"], check=True, capture_output=True).stdout
    return np.frombuffer(raw, dtype="<f4").reshape(-1, channels), rate_hz


def measured(segue, path):
    """What segue says about a file."""
    line = subprocess.run([segue, "analyze", "--json", "--no-cache", path], check=True,
                          capture_output=True, text=True).stdout
    report = json.loads(line)
    if "error" in report:
        raise RuntimeError(f"{path}: {report['error']}")
    return {**report["fingerprint"], **report["loudness"]}


def synthetic_signals():
    """(name, samples, rate): signals that reach the corners of the definitions."""
    rng = np.random.default_rng(25)
    for rate_hz in (44100, 48000, 96000):
        t = np.arange(6 * rate_hz) / rate_hz
        noise = rng.uniform(-0.5, 0.5, (len(t), 2))
        yield f"noise_{rate_hz}", noise, rate_hz
        sweep = 0.5 * np.sin(2 * np.pi * 30 * 6 / math.log(500) * (500 ** (t / 6) - 1))
        ends = np.minimum(1, np.minimum(t, t[::-1]) / 0.01)  # an edge has no peak that all filters share
        yield f"sweep_{rate_hz}", (ends * sweep)[:, None], rate_hz
        tones = sum(0.1 * np.sin(2 * np.pi * hz * t) for hz in (65.41, 261.63, 329.63, 392.0))
        vibrato = 0.3 * np.sin(2 * np.pi * 440 * t + 4 * np.sin(2 * np.pi * 5 * t))
        yield f"chord_{rate_hz}", np.stack([tones + vibrato, tones], axis=1), rate_hz
        clicks = np.zeros((len(t), 2))
        clicks[::rate_hz // 4] = (0.9, 0.5)
        clicks[rate_hz // 3::rate_hz // 2] = (0.0, -0.7)
        yield f"clicks_{rate_hz}", clicks, rate_hz
        fade = noise * 10 ** (-t[:, None] * 90 / 6 / 20)
        yield f"fade_{rate_hz}", fade, rate_hz
    t = np.arange(5 * 48000) / 48000
    for channels in (3, 4, 5, 6, 8):
        x = 0.1 * rng.standard_normal((len(t), channels)) * np.linspace(0.2, 1, channels)
        yield f"channels_{channels}", x, 48000
    lfe = np.zeros((len(t), 6))
    lfe[:, 0], lfe[:, 3] = 0.1 * np.sin(2 * np.pi * 300 * t), 0.8 * np.sin(2 * np.pi * 50 * t)
    yield "loud_lfe", lfe, 48000
    yield "silence", np.zeros((48000, 2)), 48000
    yield "constant", np.full((48000, 2), 0.5), 48000
    yield "square", np.sign(np.sin(2 * np.pi * 441 * np.arange(132300) / 44100 + 1e-3))[:, None], 44100
    yield "one_sided", np.stack([noise[:200000, 0], np.zeros(200000)], axis=1), 44100
    yield "dull_8000", scipy.signal.lfilter([0.2], [1, -0.8], noise[:40000, :1], axis=0), 8000
    yield "short", noise[:2205], 44100


class Table:
    """The worst deviation of every figure so far."""

    def __init__(self):
        self.worst = {name: (0.0, "") for name in GOALS}

    def add(self, name, file, ours, theirs):
        if (ours is None) != (theirs is None):
            deviation = math.inf
        else:
            deviation = 0.0 if ours is None else abs(ours - theirs)
        if deviation > self.worst[name][0]:
            self.worst[name] = (deviation, file)

    def show(self):
        """Print it. Returns how many goals are missed."""
        missed = 0
        print(f"{'figure':26} {'deviation':>11} {'share':>9} {'goal':>7}  worst file")
        for name, (width, goal) in GOALS.items():
            deviation, file = self.worst[name]
            over = deviation / width > goal
            missed += over
            print(f"{name:26} {deviation:11.3e} {deviation / width:9.1e} {goal:7.0e}  {file}"
                  + ("  OVER" if over else ""))
        return missed


def compare(options, name, samples, rate_hz, table):
    samples = np.ascontiguousarray(samples, dtype=np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "excerpt.wav")
        soundfile.write(path, samples, rate_hz, subtype="FLOAT")
        theirs = measured(options.segue, path)
    ours = expected(samples.astype(np.float64), rate_hz, options.filter_kind)
    for figure, (width, goal) in GOALS.items():
        if figure == "true_peak_dbtp" and not ours["true_peak_is_defined"] and ours[figure] is not None:
            continue
        table.add(figure, name, ours[figure], theirs[figure])
        if options.verbose and ours[figure] is not None and theirs[figure] is not None:
            over = abs(ours[figure] - theirs[figure]) / width > goal
            if over or options.verbose > 1:
                print(f"  {name} {figure}: expected {ours[figure]:.7g}, is {theirs[figure]:.7g}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--segue", required=True, help="the program")
    parser.add_argument("--seconds", type=float, default=30, help="of each file; 0: all")
    parser.add_argument("--synthetic", action="store_true", help="made signals too")
    parser.add_argument("--other-filter", dest="filter_kind", action="store_const", const="long",
                        default="half-band", help="decimate M in another allowed way")
    parser.add_argument("--verbose", "-v", action="count", default=0, help="what is off, or all (-vv)")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    table = Table()
    count = 0
    if options.synthetic:
        for name, samples, rate_hz in synthetic_signals():
            compare(options, name, samples, rate_hz, table)
            count += 1
    for path in options.files:
        samples, rate_hz = decode(path)
        if options.seconds > 0:
            samples = samples[:int(options.seconds * rate_hz)]
        compare(options, os.path.basename(path), samples, rate_hz, table)
        count += 1
    if count == 0:
        parser.error("nothing to compare")
    print(f"{count} signals")
    return 1 if table.show() else 0


if __name__ == "__main__":
    sys.exit(main())

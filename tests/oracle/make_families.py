#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Render songs of many styles whose beats and key are known, to judge tempo, beats and key against.

    make_families.py OUTDIR [--each 5] [--seed 1] [--seconds 40] [--families bossa,ska,...]
                     [--soundfonts A.sf2,B.sf2,...]

A family is a few rows of text: strokes on a grid, a bass line, how chords are struck and where a melody
may sing. Every song draws its own tempo, tonic, mode, chords, sound font, concert pitch (432 to 448 Hz),
looseness and reverb from the seed, and is rendered at 44.1 kHz by fluidsynth (standard library only).
OUTDIR gets NAME.wav, NAME.beats (seconds, a line a beat) and truth.csv with the columns
    name, family, bpm, also_bpm, beats_per_bar, first_beat_s, tonic (0 = C), mode (major|minor), seconds
also_bpm is a level that a listener may as well name (empty: none). Where the tempo moves (ramp, step,
rubato) bpm is that of the median beat.
"""
import argparse
import csv
import math
import os
import random
import statistics
import struct
import subprocess
import sys

TICKS_PER_S = 10000  # a tenth of a millisecond, whatever the song's own tempo
DELAY_S = 0.002      # of fluidsynth, from an event to its sound
DRUMS = 9
KICK, STICK, SNARE, CLAP, HAT, PEDAL, OPEN, RIDE, CRASH = 36, 37, 38, 39, 42, 44, 46, 51, 49
TOM, BELL, SHAKER, CLAVE, CONGA, TAMB, TRIANGLE = 45, 56, 70, 75, 63, 54, 81

# Chords as (semitones from the tonic, intervals).
TRIADS = {"": (0, 4, 7), "m": (0, 3, 7), "7": (0, 4, 7, 10), "m7": (0, 3, 7, 10), "M7": (0, 4, 7, 11)}
ROOTS = {"1": 0, "b2": 1, "2": 2, "b3": 3, "3": 4, "4": 5, "5": 7, "b6": 8, "6": 9, "b7": 10}
LOOPS = {
    ("plain", "major"): ["1 6m 4 5", "1 4 1 5", "1 5 6m 4", "1 3m 4 5", "1 1 4 5", "1 2m 5 1", "1 4 5 4",
                         "1 b7 4 1"],
    ("plain", "minor"): ["1m 4m 5m 1m", "1m b6 b7 1m", "1m 4m 5 1m", "1m b7 b6 5", "1m b6 4m 5",
                         "1m 1m 4m b7", "1m 5m b6 b7", "1m 4 1m 4", "1m b2 1m b7m"],
    ("jazz", "major"): ["2m7 57 1M7 1M7", "1M7 6m7 2m7 57", "1M7 4M7 2m7 57"],
    ("jazz", "minor"): ["1m7 4m7 57 1m7", "1m7 b6M7 57 1m7", "1m7 1m7 4m7 57"],
    ("blues", "major"): ["17 17 17 17 47 47 17 17 57 47 17 57"],
    ("blues", "minor"): ["1m7 1m7 1m7 1m7 4m7 4m7 1m7 1m7 57 4m7 1m7 57"],
}
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}


def parse_chord(text):
    root = next(r for r in sorted(ROOTS, key=len, reverse=True) if text.startswith(r))
    return ROOTS[root], TRIADS[text[len(root):]]


class Family:
    """What does not change from song to song.

    Rows are strings of `beats * grid` steps (or a multiple: several bars). In a drum row a digit is a
    velocity; in `bass` 1, 3, 5 and 8 are degrees of the chord; in `comp` x strikes the chord, X holds it,
    a digit plays one of its notes; in `lead` a digit is how likely a note starts, in ninths.
    """

    def __init__(self, tempo, beats=4, grid=2, also=None, drums=None, bass="", comp="", lead="",
                 programs=(0, 32, 73), swing=0.5, loops="plain", comp_octave=4, loose_ms=6, motion=None):
        self.tempo, self.beats, self.grid, self.also = tempo, beats, grid, also
        self.drums, self.bass, self.comp, self.lead = drums or {}, bass, comp, lead
        self.programs, self.swing, self.loops = programs, swing, loops
        self.comp_octave, self.loose_ms, self.motion = comp_octave, loose_ms, motion


def slow(factor, below):
    return lambda bpm: factor * bpm if bpm < below else None


def times(factor):
    return lambda bpm: factor * bpm


FAMILIES = {
    # --- Latin
    "bossa": Family((112, 150), grid=2, also=times(0.5), programs=(24, 32, 73), loops="jazz",
                    drums={STICK: "7..7..7...7..7..", HAT: "44444444", KICK: "7..57..5"},
                    bass="1..51..5", comp="x..x..x...x..x..", lead="4.3.5.2."),
    "samba": Family((88, 116), beats=2, grid=4, also=times(2), programs=(24, 33, 71),
                    drums={SHAKER: "73667366", KICK: "5..78..7", CONGA: "..6..66.", TAMB: "4..64.6."},
                    bass="1..15..5", comp="x.x..x.x", lead="5.3.5.23"),
    "salsa": Family((88, 108), grid=4, also=times(2), programs=(0, 32, 56), swing=0.5,
                    drums={BELL: "7.5.7.557.5.7.55", CONGA: "..4...66..4...66", CLAVE: "8.....8.....8.......8...8......."},
                    bass="1.....3...5.....", comp="x.x.xx.x.x.xx.x.", lead="4.2.4.2.5.2.3.2."),
    "tango": Family((108, 132), grid=4, programs=(21, 43, 40), comp="x...x...x...x.x.",
                    bass="1...1...1...5.5.", lead="6.226.2.5.222.3."),
    "cumbia": Family((84, 104), grid=2, also=times(2), programs=(21, 33, 68),
                     drums={SHAKER: "74477447", KICK: "8...8...", CONGA: "..6...66", BELL: "6.6.6.6."},
                     bass="1.35 1.35".replace(" ", ""), comp=".x.x.x.x", lead="5.3.5.33"),
    # --- shuffles and jazz
    "shuffle": Family((84, 140), grid=3, programs=(26, 33, 22), loops="blues",
                      drums={KICK: "8.....8.....", SNARE: "...8.....8..", HAT: "7.57.57.57.5"},
                      bass="1.13.35.58.8", comp="..x..x..x..x", lead="4.25.25.24.2"),
    "bigband": Family((126, 204), grid=3, programs=(61, 32, 66), loops="jazz", also=None,
                      drums={RIDE: "7..7.57..7.5", PEDAL: "...6.....6..", KICK: "4..4..4..4.."},
                      bass="1..3..5..3..", comp=".....x.....x......x.....", lead="3.33.33.33.3"),
    "doowop": Family((58, 84), grid=3, also=times(3), programs=(0, 32, 52),
                     drums={HAT: "655655655655", KICK: "8.....8..5..", SNARE: "...8.....8.."},
                     bass="1..3..5..6..".replace("6", "5"), comp="xxxxxxxxxxxx", lead="4.24.24.24.2"),
    "jazzwaltz": Family((150, 204), beats=3, grid=3, also=times(1 / 3), programs=(0, 32, 65), loops="jazz",
                        drums={RIDE: "7..7.57..", PEDAL: "...6.....", KICK: "5........"},
                        bass="1..3..5..", comp="x....x...", lead="4.23.23.2"),
    "five": Family((140, 184), beats=5, grid=3, programs=(0, 32, 65), loops="plain",
                   drums={RIDE: "7..7.57..7..7.5", PEDAL: "...6.....6.....", SNARE: "........4..5..."},
                   bass="1....51..5..1..", comp="x....x...x..x..", lead="5.25.25..5..5.2"),
    # --- funk, soul, hip hop
    "funk": Family((92, 116), grid=4, programs=(27, 36, 61), swing=0.54,
                   drums={KICK: "8..5..6...7.....", SNARE: "..2.8..3.3..8..2", HAT: "6464646464646464"},
                   bass="1..1..8...1.5.8.", comp=".xx..x..xx...x..", lead="3..3..2.3..2.3.."),
    "boombap": Family((82, 98), grid=4, programs=(4, 33, 11), swing=0.6,
                      drums={KICK: "8......5..8.....", SNARE: "....8.......8..2", HAT: "7.5.7.5.7.5.7.55"},
                      bass="1......1..5.....", comp="X.........X.....", lead="3.....2.3...2..."),
    "trap": Family((128, 156), grid=4, also=times(0.5), programs=(88, 38, 11),
                   drums={KICK: "8.....6.......5.", SNARE: "........9.......", HAT: "6.5.6.5.6.5.6655"},
                   bass="1.....1.......5.", comp="X...............", lead="4...3...4...2..."),
    "slowjam": Family((58, 76), grid=4, also=times(2), programs=(5, 33, 26),
                      drums={KICK: "8.....5.8.......", SNARE: "....8.......8...", HAT: "6565656565656565"},
                      bass="1.....1.5.......", comp="X.......X.......", lead="3...2.3.3...2.2."),
    "motown": Family((108, 132), grid=2, programs=(0, 33, 57),
                     drums={SNARE: "6.6.6.6.", KICK: "8..58..5", TAMB: "..6...6.", HAT: "55555555"},
                     bass="1.158.51", comp="..x...x.", lead="4.3.4.3."),
    # --- electronic
    "dnb": Family((164, 178), grid=2, also=times(0.5), programs=(89, 38, 81),
                  drums={KICK: "8....8..", SNARE: "..8...8.", HAT: "66666666", RIDE: "5.5.5.5."},
                  bass="1....5..", comp="X.......", lead="3.2.3.2."),
    "dubstep": Family((136, 146), grid=4, also=times(0.5), programs=(81, 87, 80),
                      drums={KICK: "9.........5.....", SNARE: "........9.......", HAT: "5...5...5...5.5."},
                      bass="1.1.1...1..1.1..", comp="X...............", lead="2...2...2......."),
    "disco": Family((110, 130), grid=4, programs=(27, 38, 48),
                    drums={KICK: "8...8...8...8...", SNARE: "....8.......8...", OPEN: "..7...7...7...7.", HAT: "5.5.5.5.5.5.5.5."},
                    bass="1.8.1.8.1.8.1.8.", comp="..xx..x...xx..x.", lead="4...4...4...4.2."),
    "trance": Family((130, 144), grid=4, programs=(81, 38, 81),
                     drums={KICK: "9...9...9...9...", OPEN: "..8...8...8...8.", CLAP: "....7.......7..."},
                     bass="..11..11..11..11", comp="1.2.3.1.2.3.1.2.", lead=""),
    "techno": Family((124, 140), grid=4, programs=(90, 39, 88),
                     drums={KICK: "9...9...9...9...", SHAKER: ".5.5.5.5.5.5.5.5", CLAP: "............6..."},
                     bass="..1..1.1..1..1..", comp="...x.....x......", lead=""),
    "breaks": Family((118, 138), grid=4, programs=(81, 38, 4),
                     drums={KICK: "8.6.......8..5..", SNARE: "....8..4.4..8...", HAT: "6.6.6.6.6.6.6.6."},
                     bass="1.1.......1..5..", comp="X.......X.......", lead="3..3..3.3..3..2."),
    "synthwave": Family((80, 118), grid=4, also=slow(2, 90), programs=(90, 38, 81),
                        drums={KICK: "8.......8.......", SNARE: "....9.......9...", HAT: "5.5.5.5.5.5.5.5."},
                        bass="1111111111111111", comp="X...............", lead="4...2...4...2..."),
    "electro8": Family((100, 132), grid=4, programs=(80, 80, 81), loose_ms=0,
                       drums={KICK: "8...8..58...8...", SNARE: "....7.......7...", HAT: "4.4.4.4.4.4.4.44"},
                       bass="1.8.1.8.1.8.1.8.", comp="1212131312121313", lead="5.3.4.3.5.3.4.3."),
    # --- rock, country
    "punk": Family((160, 204), grid=2, also=times(0.5), programs=(30, 34, 30),
                   drums={KICK: "8..88..8", SNARE: "..8...8.", HAT: "77777777"},
                   bass="11111111", comp="xxxxxxxx", lead="", comp_octave=3),
    "metal": Family((100, 146), grid=4, programs=(30, 34, 29),
                    drums={KICK: "8686868686868686", SNARE: "....9.......9...", CRASH: "7..............."},
                    bass="1.111.111.111.11", comp="x.xxx.xxx.xxx.xx", lead="", comp_octave=3),
    "ballad": Family((60, 82), grid=2, also=times(2), programs=(0, 33, 48),
                     drums={KICK: "8...8..5", SNARE: "..8...8.", HAT: "66666666"},
                     bass="1...1..5", comp="x.x.x.x.", lead="4.3.4.3."),
    "train": Family((96, 126), grid=4, also=times(2), programs=(25, 32, 105),
                    drums={SNARE: "4484448444844484", KICK: "7...7...7...7..."},
                    bass="1...5...1...5...", comp="..x...x...x...x.", lead="4.2.4.2.4.2.4.2."),
    "ska": Family((124, 168), grid=2, programs=(27, 33, 56),
                  drums={KICK: "8...8...", SNARE: "..8...8.", HAT: "46464646"},
                  bass="1.3.5.3.", comp=".x.x.x.x", lead="4.3.4.3."),
    "onedrop": Family((66, 86), grid=4, also=times(2), programs=(27, 33, 16),
                      drums={KICK: "........8.......", STICK: "........7.......", HAT: "6.5.6.5.6.5.6.5."},
                      bass="..1.1...3.5.1...", comp="..x...x...x...x.", lead="3...2...3...2..."),
    "march": Family((106, 126), beats=2, grid=4, programs=(61, 58, 56),
                    drums={SNARE: "7.565.5576565656", 35: "9...7...", CRASH: "6......."},
                    bass="1...5...", comp="..x...x.", lead="6.3.6.33"),
    "polka": Family((100, 132), beats=2, grid=2, also=times(2), programs=(21, 58, 71),
                    drums={KICK: "7.7.", SNARE: ".5.5"}, bass="1.5.", comp=".x.x", lead="7575"),
    # --- compound and other metres, without drums for the most
    "jig": Family((96, 128), beats=2, grid=3, programs=(25, 32, 40),
                  drums={}, bass="1..5..", comp="x.xx.x", lead="868868"),
    "sixeight": Family((46, 68), beats=2, grid=3, also=times(3), programs=(0, 33, 52),
                       drums={HAT: "655655", KICK: "8.....", SNARE: "...8.."},
                       bass="1....5", comp="123432", lead="5.24.2"),
    "afro": Family((96, 132), beats=4, grid=3, programs=(26, 33, 56),
                   drums={BELL: "7.7.77.7.7.7", CONGA: "..5.55..5.55", KICK: "7..7..7..7..", SHAKER: "655655655655"},
                   bass="1....5..1.5.", comp="..x.x...x.x.", lead="4.24.24.24.2"),
    "seven": Family((116, 172), beats=7, grid=2, programs=(29, 33, 81),
                    drums={KICK: "8...8...8.....", SNARE: "..8...8...8.8.", HAT: "77777777777777"},
                    bass="1.1.1.1.1.5.5.", comp="x...x...x.x.x.", lead="5.3.5.3.5.3.3."),
    "minuet": Family((104, 144), beats=3, grid=2, programs=(6, 6, 6),
                     bass="1...5.", comp="", lead="846464", comp_octave=4),
    "slowwaltz": Family((72, 104), beats=3, grid=2, programs=(0, 32, 40),
                        bass="1.....", comp="..x.x.", lead="5.3.4."),
    # --- soft attacks and single players
    "quartet": Family((76, 120), grid=2, programs=(48, 42, 40), bass="1...5...", comp="X...X...",
                      lead="7.646.63"),
    "choir": Family((60, 92), grid=1, also=times(0.5), programs=(52, 48, 53), bass="1...", comp="X...",
                    lead="7555"),
    "chorale": Family((62, 96), grid=1, programs=(19, 19, 19), bass="1315", comp="xxxx", lead="8888"),
    "pads": Family((70, 110), grid=2, also=times(0.5), programs=(89, 39, 88), bass="1.......",
                   comp="X.......", lead="5.3.4.3."),
    "pianoballad": Family((58, 88), grid=2, also=times(2), programs=(0, 0, 0), bass="1...5...",
                          comp="12324232", lead="5.3.4.2.", loose_ms=10),
    "picking": Family((88, 132), grid=2, also=slow(2, 100), programs=(24, 24, 24), bass="1.5.1.5.",
                      comp=".32.1323", lead=""),
    "strum": Family((88, 136), grid=2, programs=(25, 32, 73), bass="", comp="x.xx.xxx", lead="4.3.4.3."),
    "drift": Family((68, 108), grid=4, also=times(0.5), programs=(98, 39, 88), bass="1...............",
                    comp="1232423212324232", lead=""),
    "blockpiano": Family((86, 136), grid=2, programs=(0, 0, 0), bass="1.1.5.5.", comp="x.x.x.x.", lead="5.3.5.3."),
    # --- the tempo moves
    "ramp": Family((90, 130), grid=2, programs=(29, 33, 30), motion="ramp",
                   drums={KICK: "8...8...", SNARE: "..8...8.", HAT: "66666666"}, bass="11111111", comp="x..x..x.", lead=""),
    "step": Family((90, 130), grid=2, programs=(29, 33, 30), motion="step",
                   drums={KICK: "8...8...", SNARE: "..8...8.", HAT: "66666666"}, bass="11111111", comp="x..x..x.", lead=""),
    "rubato": Family((60, 90), grid=2, also=times(2), programs=(0, 0, 0), motion="rubato", bass="1...5...",
                     comp="12324232", lead="5.3.4.2.", loose_ms=15),
}
MOVING = [name for name, family in FAMILIES.items() if family.motion]


class Song:
    """One song of a family: what is drawn for it, and its notes in seconds."""

    def __init__(self, family, rng, seconds):
        self.family, self.rng, self.seconds = family, rng, seconds
        self.bpm = round(rng.uniform(*family.tempo), 2)
        self.tonic, self.mode = rng.randrange(12), rng.choice(["major", "minor"])
        loop = rng.choice(LOOPS[(family.loops, self.mode)]).split()
        turn = rng.randrange(len(loop)) if len(loop) == 4 and rng.random() < 0.5 else 0
        self.chords = [parse_chord(c) for c in loop[turn:] + loop[:turn]]
        self.pitch_hz = rng.choice([432, 436, 440, 440, 440, 442, 445, 448])
        self.loose_s = family.loose_ms * rng.uniform(0.3, 1.3) / 1000
        self.room = rng.choice([0.2, 0.2, 0.5, 0.9])
        self.beats = self.lay_beats()
        self.notes = []  # (channel, pitch, velocity, start s, length s)
        self.sung = 4    # the melody's last step of the scale
        for bar in range(len(self.beats) // family.beats):
            self.write_bar(bar)

    def lay_beats(self):
        """Times of the beats, and one more that ends the last."""
        times_s, now = [0.0], 0.0
        while now < self.seconds:
            share = now / self.seconds
            factor = {"ramp": 0.85 + 0.3 * share, "step": 1.0 if share < 0.5 else 1.25,
                      "rubato": self.rng.uniform(0.75, 1.3), None: 1.0}[self.family.motion]
            now += 60 / self.bpm / factor
            times_s.append(now)
        whole = (len(times_s) - 1) // self.family.beats * self.family.beats
        return times_s[:whole + 1]

    def time_of(self, bar, step):
        """Seconds at a step of the grid, swung."""
        beat, part = divmod(step, self.family.grid)
        share = part / self.family.grid
        if self.family.grid in (2, 4) and part % 2:
            share += (2 * self.family.swing - 1) / self.family.grid
        at = bar * self.family.beats + beat
        if at + 1 >= len(self.beats):
            return self.beats[-1]
        return self.beats[at] + share * (self.beats[at + 1] - self.beats[at])

    def play(self, channel, pitch, velocity, start, length):
        start += self.rng.gauss(0, self.loose_s)
        velocity = max(1, min(127, int(velocity + self.rng.gauss(0, 4))))
        self.notes.append((channel, pitch, velocity, max(0.0, start), length))

    def row(self, text, bar):
        """(step, character, steps to the next stroke) of a row in this bar."""
        steps = self.family.beats * self.family.grid
        begin = bar * steps % len(text) if text else 0
        part = text[begin:begin + steps]
        strokes = [i for i, c in enumerate(part) if c != "."]
        for i, step in enumerate(strokes):
            end = strokes[i + 1] if i + 1 < len(strokes) else steps
            yield step, part[step], end - step

    def write_bar(self, bar):
        root, intervals = self.chords[bar % len(self.chords)]
        step_s = (self.time_of(bar, self.family.grid) - self.time_of(bar, 0)) / self.family.grid
        for drum, text in self.family.drums.items():
            for step, stroke, _ in self.row(text, bar):
                self.play(DRUMS, drum, 12 * int(stroke) + 14, self.time_of(bar, step), 0.1)
        for step, degree, span in self.row(self.family.bass, bar):
            up = {"1": 0, "3": intervals[1], "5": 7, "8": 12}[degree]
            low = 28 + (self.tonic + root - 28) % 12
            self.play(1, low + up, 95, self.time_of(bar, step), 0.9 * span * step_s)
        self.write_chords(bar, root, intervals, step_s)
        self.write_melody(bar, root, intervals, step_s)

    def write_chords(self, bar, root, intervals, step_s):
        low = 12 * self.family.comp_octave + 4
        notes = sorted(low + (self.tonic + root + i - low) % 12 for i in intervals)
        for step, stroke, span in self.row(self.family.comp, bar):
            if stroke.isdigit():
                index = int(stroke) - 1
                chosen = [notes[index % len(notes)] + 12 * (index // len(notes))]
            else:
                chosen = notes
            length = span * step_s if stroke != "x" else min(span, 1.2) * step_s
            for pitch in chosen:
                self.play(0, pitch, 76 + 8 * (step == 0), self.time_of(bar, step), 0.95 * length)

    def write_melody(self, bar, root, intervals, step_s):
        scale = SCALES[self.mode]
        chord = {(root + i) % 12 for i in intervals}
        for step, chance, span in self.row(self.family.lead, bar):
            if self.rng.random() * 9 > int(chance):
                continue
            self.sung += self.rng.choice([-2, -1, -1, 1, 1, 2])
            self.sung = max(-2, min(10, self.sung))
            if step % self.family.grid == 0 and scale[self.sung % 7] not in chord:
                near = [s for s in (self.sung - 1, self.sung + 1) if scale[s % 7] in chord]
                self.sung = near[0] if near else self.sung
            pitch = 66 + (self.tonic - 66) % 12 + scale[self.sung % 7] + 12 * (self.sung // 7)
            self.play(2, pitch, 88, self.time_of(bar, step), 0.9 * span * step_s)

    def write_midi(self, path):
        events = []
        cents = 1200 * (0.0 if self.pitch_hz == 440 else math.log2(self.pitch_hz / 440))
        bend = round(8192 + 8192 * cents / 200)  # the wheel spans two semitones
        for channel, program in enumerate(self.family.programs):
            events.append((0, 0, bytes([0xC0 | channel, program])))
            events.append((0, 0, bytes([0xE0 | channel, bend & 127, bend >> 7])))
        for channel, pitch, velocity, start, length in self.notes:
            begin = round(start * TICKS_PER_S)
            end = begin + max(1, round(length * TICKS_PER_S))
            events.append((begin, 2, bytes([0x90 | channel, pitch, velocity])))
            events.append((end, 1, bytes([0x80 | channel, pitch, 0])))
        track, now = b"", 0
        for tick, _, message in sorted(events):
            track += variable_length(tick - now) + message
            now = tick
        track += b"\x00\xff\x2f\x00"
        tempo = b"\x00\xff\x51\x03" + (1000000).to_bytes(3, "big")  # a quarter note is one second
        with open(path, "wb") as f:
            f.write(b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS_PER_S))
            f.write(b"MTrk" + struct.pack(">I", len(tempo + track)) + tempo + track)


def variable_length(value):
    out = [value & 0x7F]
    while value > 0x7F:
        value >>= 7
        out.append(0x80 | value & 0x7F)
    return bytes(reversed(out))


def render(song, base, soundfont):
    song.write_midi(base + ".mid")
    command = ["fluidsynth", "-ni", "-q", "-r", "44100", "-g", "0.5", "-T", "wav", "-O", "s16",
               "-o", f"synth.reverb.room-size={song.room}", "-F", base + ".wav", soundfont, base + ".mid"]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode or not os.path.exists(base + ".wav"):
        sys.exit("fluidsynth failed: " + done.stderr.decode(errors="replace"))
    os.remove(base + ".mid")
    with open(base + ".beats", "w") as f:
        f.writelines(f"{beat + DELAY_S:.4f}\n" for beat in song.beats[:-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("outdir")
    parser.add_argument("--each", type=int, default=5, help="songs a family")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--families", default=",".join(FAMILIES))
    parser.add_argument("--soundfonts", default="/usr/share/sounds/sf2/FluidR3_GM.sf2,"
                                                "/usr/share/sounds/sf2/TimGM6mb.sf2")
    args = parser.parse_args()
    os.makedirs(args.outdir, exist_ok=True)
    rows = []
    for name in args.families.split(","):
        family = FAMILIES[name]
        for i in range(args.each):
            rng = random.Random(f"{args.seed}-{name}-{i}")
            soundfont = rng.choice(args.soundfonts.split(","))
            song = Song(family, rng, args.seconds)
            title = f"{name}-{args.seed}-{i:02d}"
            render(song, os.path.join(args.outdir, title), soundfont)
            gaps = [b - a for a, b in zip(song.beats, song.beats[1:])]
            bpm = round(60 / statistics.median(gaps), 2)
            also = family.also(bpm) if family.also else None
            rows.append([title, name, bpm, round(also, 2) if also else "", family.beats, DELAY_S,
                         song.tonic, song.mode, round(song.beats[-1], 3)])
    with open(os.path.join(args.outdir, "truth.csv"), "w", newline="") as f:
        out = csv.writer(f)
        out.writerow("name family bpm also_bpm beats_per_bar first_beat_s tonic mode seconds".split())
        out.writerows(rows)


if __name__ == "__main__":
    main()

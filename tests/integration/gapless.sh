#!/bin/bash
# A recording that was split is the same recording again when its parts are played one after the other.
source "$(dirname "$(readlink -f "$0")")/common.bash"

# part FILE.wav FROM FRAMES OUT
part() {
    sox -D "$1" "$4" trim "$2"s "$3"s
}

# same FILE FILE WHAT: the second begins with all of the first; silence may follow.
same() {
    local bytes
    bytes=$(stat -c %s "$1")
    if [ "$bytes" -eq 0 ] || ! cmp -n "$bytes" "$1" "$2"; then
        complain "$3: not the recording that was split"
    elif ! tail -c +$((bytes + 1)) "$2" | cmp -s -n $(($(stat -c %s "$2") - bytes)) - /dev/zero; then
        complain "$3: goes on after its end"
    fi
}

# play_split NAME PART...: the parts of `whole.raw` on a WAV file and on a device.
play_split() {
    local name=$1
    shift
    rm -f device.raw
    expect_played $# 30 --no-mastering --device wav:out.wav "$@"
    samples out.wav >out.raw
    cmp whole.raw out.raw || complain "$name, wav: not the recording that was split"
    expect_played $# 30 --no-mastering --device alsa:filetest "$@"
    without_silence device.raw >heard.raw
    without_silence whole.raw >expected.raw
    same expected.raw heard.raw "$name, ALSA's file device"
}

for bits in 16 24; do
    recording whole.wav 4 44100 $bits 2 $bits
    as_f32 whole.wav >whole.raw
    part whole.wav 0 60001 a.wav
    part whole.wav 60001 1 b.wav
    part whole.wav 60002 80003 c.wav
    part whole.wav 140005 36395 d.wav
    flac --totally-silent -f -o a.flac a.wav
    flac --totally-silent -f -o c.flac c.wav
    play_split "$bits bit" a.flac b.wav c.flac d.wav
done

# At another rate the parts are resampled one by one: the frames still add up.
expect_played 4 30 --no-mastering --rate 48000 --device wav:out.wav a.flac b.wav c.flac d.wav
samples out.wav >out.raw
# round(n * 48000 / 44100) of each part, added up
[ "$(frames_of out.raw)" -eq $((65307 + 1 + 87078 + 39614)) ] ||
    complain "at 48 kHz: $(frames_of out.raw) frames, expected 192000"

# expect_lossy NAME RATE A B: 176400 frames in all.
expect_lossy() {
    expect_played 2 30 --no-mastering --rate "$2" --device wav:out.wav "$3" "$4"
    samples out.wav >out.raw
    [ "$(frames_of out.raw)" -eq 176400 ] || complain "$1: $(frames_of out.raw) frames, expected 176400"
}
part whole.wav 60001 116399 rest.wav
for name in a rest; do
    sox -D $name.wav -b 16 16.wav
    lame --quiet -b 128 16.wav $name-cbr.mp3
    lame --quiet -V 3 16.wav $name-vbr.mp3
    oggenc -Q -o $name.ogg 16.wav
    # The same frames, called 48 kHz, which is what Opus codes.
    sox -D -t s16 -r 48000 -c 2 <(samples 16.wav) 48.wav
    opusenc --quiet 48.wav $name.opus
done
expect_lossy 'MP3, constant rate' 44100 a-cbr.mp3 rest-cbr.mp3
expect_lossy 'MP3, variable rate' 44100 a-vbr.mp3 rest-vbr.mp3
expect_lossy Vorbis 44100 a.ogg rest.ogg
expect_lossy Opus 48000 a.opus rest.opus
expect_lossy 'MP3 and Vorbis' 44100 a-vbr.mp3 rest.ogg
finish

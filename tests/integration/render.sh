#!/bin/bash
# What is rendered to files is what is played; a chunk is a part of it; a failure leaves nothing behind.
source "$(dirname "$(readlink -f "$0")")/common.bash"

recording 1.wav 27 44100 16 2 1
recording 2.wav 5 44100 24 2 2
flac --totally-silent -o 2.flac 2.wav
recording 3.wav 6 44100 16 2 3
oggenc -Q -o 3.ogg 3.wav
mkdir out

# render STATUS ARGS...: `segue render ARGS...` ends with that status, saying why if it is not 0.
render() {
    local wanted=$1 status
    shift
    bounded 60 "$segue" render --log-level error "$@" >render.out 2>render.log
    status=$?
    if [ $status -ne "$wanted" ]; then
        complain "segue render $*: status $status, expected $wanted"
        cat render.log
    elif [ "$wanted" -eq 0 ] && grep -q 'nan\|inf' render.out; then
        complain "segue render $*: a figure is no number: $(cat render.out)"
    elif [ "$wanted" -eq 0 ] && { [ "$(wc -l <render.out)" -ne 1 ] || [ -s render.log ]; }; then
        complain "segue render $*: expected one line on standard output alone"
    elif [ "$wanted" -ne 0 ] && { [ -s render.out ] || [ "$(wc -l <render.log)" -ne 1 ]; }; then
        complain "segue render $*: expected one line on standard error alone, got:"
        cat render.out render.log
    fi
}

# quiet_difference A B: they differ by less than -120 dBFS everywhere.
quiet_difference() {
    local level
    level=$(sox -V1 -m -v 1 "$1" -v -1 "$2" -n stats 2>&1 | awk '/^Pk lev dB/ { print $4 }')
    [ "$level" = -inf ] || awk -v level="$level" 'BEGIN { exit !(level < -120) }' ||
        complain "$1 and $2 differ by $level dB"
}

for name in 1.wav 2.flac 3.ogg; do
    render 0 --format f32 $name out/$name.wav
    samples out/$name.wav
done >rendered.raw
expect_played 3 60 --device wav:played.wav 1.wav 2.flac 3.ogg
samples played.wav | cmp rendered.raw - || complain "rendered one by one and played as a queue differ"
[ "$(frames_of rendered.raw)" -eq $((38 * 44100)) ] || complain "rendered: $(frames_of rendered.raw) frames"

for chunk in '0 0 15' '1 15 10' '2 25 2'; do
    read -r number from length <<<"$chunk"
    render 0 --format f32 --chunk "$number" 1.wav out/chunk.wav
    sox -V1 out/1.wav.wav out/part.wav trim "$from" "$length"
    [ "$(soxi -V1 -s out/chunk.wav)" = "$(soxi -V1 -s out/part.wav)" ] || complain "chunk $number: $(soxi -V1 -s out/chunk.wav) frames"
    quiet_difference out/chunk.wav out/part.wav
done

for format in s16 s24 f32; do
    render 0 --format $format 2.flac out/2-$format.wav
done
render 0 --format s16 2.flac out/2-s16.flac
render 0 2.flac out/2.flac
flac -s -t out/2.flac out/2-s16.flac || complain "FLAC output is not sound"
[ "$(soxi -V1 -b out/2-s16.wav out/2-s24.wav out/2-f32.wav out/2-s16.flac out/2.flac | tr '\n' ' ')" = '16 24 32 16 24 ' ] ||
    complain "depths: $(soxi -V1 -b out/2-*.wav out/*.flac | tr '\n' ' ')"
cmp <(sox -V1 -D out/2-s24.wav -t s32 -) <(sox -V1 -D out/2.flac -t s32 -) || complain "FLAC and WAV differ"

# With nothing to do, nothing is done: bit for bit the source.
render 0 --no-mastering 1.wav out/same.wav
cmp <(samples 1.wav) <(samples out/same.wav) || complain "--no-mastering changes samples"
render 0 --no-mastering 2.flac out/same.flac
cmp <(sox -V1 -D 2.wav -t s32 -) <(sox -V1 -D out/same.flac -t s32 -) || complain "--no-mastering changes FLAC samples"

mkdir bad
render 2 1.wav
render 2 1.wav bad/a.mp3
render 2 --format f32 1.wav bad/a.flac
render 2 3.ogg bad/a.flac
render 2 --chunk x 1.wav bad/a.wav
render 1 missing.wav bad/a.wav
render 1 "$BASH_SOURCE" bad/a.wav
render 1 --chunk 3 1.wav bad/a.wav
render 1 1.wav bad/none/a.wav
(
    failures=0
    trap '' XFSZ
    ulimit -f 200
    render 1 1.wav bad/full.wav
    finish
) || complain "no room: failed"
[ -z "$(ls -A bad)" ] || complain "left behind: $(ls -A bad)"

# What cannot be written is said before the analysis, not after it.
sox -V1 1.wav -r 88201 odd.wav
# refused ARGS...: named, nothing is analysed, and nothing is made.
refused() {
    ! bounded 60 "$segue" render --no-cache --log-level debug "$@" 2>render.log &&
        grep -q '^segue: \(bad\|out\)/' render.log && ! grep -q 'timing: ' render.log && [ -z "$(ls -A bad)" ] ||
        complain "segue render $*: not refused at once: $(cat render.log)"
}
sox -V1 1.wav empty.wav trim 0 0
refused odd.wav bad/a.flac
refused 3.ogg bad/a.flac
refused 1.wav bad/none/a.wav
refused 1.wav out/1.wav.wav/new/
render 1 empty.wav bad/a.flac
bounded 60 "$segue" render --no-cache --log-level debug 1.wav out/1.flac >render.out 2>render.log &&
    grep -q '1.wav: timing: ' render.log || complain "no analysis to be seen: $(cat render.log)"

# The mark on what has no loudness is one that is known again: a number stands in it.
sox -V1 -D -n -r 44100 -b 16 -c 2 silence.wav trim 0 1
render 0 --target-lufs asis silence.wav out/silence.flac
[ "$(sox -V1 out/silence.flac -n stat 2>&1 | awk '/^Maximum amplitude/ { print $3 }')" = 0.000000 ] ||
    complain "digital silence is dithered"
metaflac --export-tags-to=- out/silence.flac |
    grep -qx 'SEGUE_MASTERED=version [0-9]*, adaptive, intensity 1, target -[0-9.]* LUFS' ||
    complain "the mark on silence: $(metaflac --export-tags-to=- out/silence.flac)"

echo before >bad/kept.wav
render 1 missing.wav bad/kept.wav
[ "$(cat bad/kept.wav)" = before ] || complain "a failure replaced the file that was there"
finish

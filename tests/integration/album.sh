#!/bin/bash
# Ten tracks of five formats and five rates play to their end on every kind of device.
source "$(dirname "$(readlink -f "$0")")/common.bash"

recording 01.wav 2 44100 16 2 1
recording 02.wav 2 48000 24 2 2
recording 03.wav 2 22050 16 1 3
recording tmp.wav 2 44100 16 2 4 && flac --totally-silent -o 04.flac tmp.wav
recording tmp.wav 2 96000 24 2 5 && flac --totally-silent -o 05.flac tmp.wav
recording tmp.wav 2 44100 16 2 6 && oggenc -Q -q 4 -o 06.ogg tmp.wav
recording tmp.wav 2 48000 16 1 7 && oggenc -Q -q 4 -o 07.ogg tmp.wav
recording tmp.wav 2 44100 16 2 8 && lame --quiet -b 128 tmp.wav 08.mp3
recording tmp.wav 2 32000 16 2 9 && lame --quiet -V 4 tmp.wav 09.mp3
recording tmp.wav 2 48000 16 2 10 && opusenc --quiet tmp.wav 10.opus
album=(0?.* 10.opus)

# A JACK server without a sound card, of this script's own name.
server=segue-$$
jackd -n $server -r -d dummy -r 48000 -p 1024 >jackd.log 2>&1 &
started+=($!)

on_jack() {
    export JACK_DEFAULT_SERVER=$server
    local deadline=$((SECONDS + 15))
    until bounded 10 "$segue" devices 2>/dev/null | grep -q '^jack:system'; do
        if [ $SECONDS -ge $deadline ]; then
            complain "jackd does not run"
            cat ../jackd.log
            return
        fi
    done
    expect_played 10 60 --device jack:system --rate 48000 "${album[@]/#/../}"
}

# Both take as long as the music does, so side by side; each in a folder of its own.
mkdir alsa jack
(cd alsa && expect_played 10 60 --device alsa:filetest "${album[@]/#/../}" && finish) &
alsa=$!
(cd jack && on_jack && finish) &
jack=$!
wait $alsa || complain "on ALSA's file device: failed"
wait $jack || complain "on JACK: failed"

expect_played 10 30 --device null --speed 8 "${album[@]}"
expect_played 10 30 --device null --speed max "${album[@]}"
expect_played 10 30 --device wav:out.wav "${album[@]}"

# Ten times two seconds at the first track's rate, whatever the tracks' own.
samples out.wav >out.raw
[ "$(frames_of out.raw)" -eq $((10 * 2 * 44100)) ] || complain "wav: $(frames_of out.raw) frames, expected 882000"
finish

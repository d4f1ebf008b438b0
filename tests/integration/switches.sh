#!/bin/bash
# Every layer can be switched off, in any mixture, and playback goes on; so does it where io_uring is forbidden.
source "$(dirname "$(readlink -f "$0")")/common.bash"

recording 1.wav 2 44100 16 2 1
recording 2.wav 2 44100 16 2 2
flac --totally-silent -o 2.flac 2.wav

for mix in {0..15}; do
    options=()
    ((mix & 1)) && options+=(--no-uring)
    ((mix & 2)) && options+=(--no-cache)
    ((mix & 4)) && options+=(--no-gpu)
    ((mix & 8)) && options+=(--no-mastering)
    expect_played 2 30 "${options[@]}" --device wav:out.wav 1.wav 2.flac
    samples out.wav >$mix.raw
done

# What is heard is a matter of mastering alone.
for mix in {1..7}; do
    cmp 0.raw "$mix.raw" || complain "mastered, mix $mix sounds different"
    cmp 8.raw $((mix + 8)).raw || complain "not mastered, mix $mix sounds different"
done
cmp -s 0.raw 8.raw && complain "mastering changes nothing"

bounded 30 "$SEGUE_BIN/without_uring" "$segue" play --no-gpu --log-level warn --device wav:out.wav 1.wav 2.flac 2>play.log
status=$?
if [ $status -ne 0 ] || [ "$(grep -c uring play.log)" -ne 1 ] || [ "$(wc -l <play.log)" -ne 2 ]; then
    complain "io_uring forbidden: status $status, expected one warning and the totals, got:"
    cat play.log
fi
samples out.wav | cmp 0.raw - || complain "without io_uring it sounds different"
finish

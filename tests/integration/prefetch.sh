#!/bin/bash
# Each track's analysis is there before the track before it has ended: twenty tracks of 30 s in less than 30 s.
source "$(dirname "$(readlink -f "$0")")/common.bash"

tracks=20
recording long.wav 50 22050 16 1 1
for i in $(seq -w $tracks); do
    sox -D long.wav "$i.wav" trim $((10#$i))s $((30 * 22050))s
done
# At this speed the ring lasts for less than 0.1 s: a busy machine may well miss that, so gaps are not judged here.
bounded 60 "$segue" play --log-level debug --device null --speed 22 [012]?.wav 2>play.log ||
    complain "segue play: status $?"
grep -q "^played $tracks of $tracks tracks, " play.log || complain "not all was played"

[ "$(grep -c ': analysed in ' play.log)" -eq $tracks ] || complain "not every track was analysed once"
for i in $(seq -w 2 $tracks); do
    playing=$(grep -n "^segue: $i.wav: playing, .*, analysis ready" play.log | cut -d: -f1)
    analysed=$(grep -n "^segue: $i.wav: analysed in " play.log | cut -d: -f1)
    if [ -z "$playing" ] || [ -z "$analysed" ] || [ "$analysed" -ge "$playing" ]; then
        complain "$i.wav: analysed in line ${analysed:-none}, playing with it in line ${playing:-none}"
    fi
done
[ $failures -eq 0 ] || cat play.log
finish

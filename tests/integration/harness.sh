#!/bin/bash
# The two harnesses run, and what they say of the player holds: no failure, no gap, and commands that are heard soon
# with a full ring, too.
source "$(dirname "$(readlink -f "$0")")/common.bash"

bounded 120 "$SEGUE_BIN/segue-soak" --hours 0.4 --seed 7 >soak.out 2>soak.log ||
    complain "segue-soak: status $?: $(cat soak.out soak.log)"
grep -q ' checked_tracks=[1-9]' soak.out || complain "segue-soak compared nothing: $(cat soak.out)"

bounded 60 "$SEGUE_BIN/segue-latency" --seconds 6 --json >latency.json 2>latency.log ||
    complain "segue-latency: status $?: $(cat latency.log)"
grep -q '"joins":[1-9][0-9]*,"gap_frames":0,' latency.json ||
    complain "segue-latency: no join, or a gap: $(cut -c 1-300 latency.json)"

# median ROW
median() {
    grep -o "\"name\":\"$1\"[^}]*" latency.json | head -n 1 | sed 's/.*"p50":\([^,]*\),.*/\1/'
}
for command in 'seek full' 'skip full' 'resume full' 'volume full'; do
    awk -v ms="$(median "$command")" 'BEGIN { exit !(ms > 0 && ms < 200) }' ||
        complain "segue-latency: $command takes $(median "$command") ms"
done
# A render thread that sleeps on stale blocks leaves the ring all but empty after every command.
awk -v ms="$(median ring)" 'BEGIN { exit !(ms > 1000) }' || complain "segue-latency: the ring holds $(median ring) ms"
finish

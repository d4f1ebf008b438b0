#!/bin/bash
# What a hit of the memory tier and its release take, in instructions: those of two runs, so that what both begin with
# cancels out. Valgrind counts them, whatever else the machine does.
# usage: instructions.sh
# shellcheck source=tests/integration/common.bash
. "$(dirname "$0")/common.bash"
most=180

if ! command -v valgrind >/dev/null; then
    echo 'skipped: instructions are counted by valgrind'
    exit 0
fi

# count HITS: instructions within the two functions
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=analysis_cache_acquire \
        --toggle-collect=record_unref "$SEGUE_BIN/segue-bench" cache --instructions "$1" 2>&1 |
        sed -n 's/.*Collected : //p'
}

few=$(count 1000)
many=$(count 11000)
each=$(((many - few) / 10000))
echo "a hit and its release: $each instructions"
[ "$each" -ge 50 ] || complain "$each instructions are too few to be true"
[ "$each" -le $most ] || complain "$each instructions are more than $most"
finish

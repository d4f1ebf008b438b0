# What the scripts here share: they source it. SEGUE_BIN is the folder of the binaries. A script runs in a scratch
# folder of its own, which is also the user's home for what it starts, and ends with `finish`.
set -u
segue=${SEGUE_BIN:?}/segue
scratch=$(mktemp -d) || exit 1
started=()
failures=0

clean_up() {
    local pid
    for pid in "${started[@]}"; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    chmod -R u+rwx "$scratch"
    rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

cd "$scratch" || exit 1
export HOME=$scratch XDG_CACHE_HOME=$scratch/.cache XDG_DATA_HOME=$scratch/.data XDG_RUNTIME_DIR=$scratch
export JACK_NO_START_SERVER=1 JACK_DEFAULT_SERVER=none
cat >.asoundrc <<'ASOUND'
pcm.nulltest { type null }
pcm.filetest { type file slave.pcm nulltest file "device.raw" format raw }
pcm.!default { type null }
ctl.!default { type null }
ASOUND

complain() {
    printf '%s\n' "$*"
    failures=$((failures + 1))
}

finish() {
    [ "$failures" -eq 0 ]
    exit
}

# bounded SECONDS COMMAND...: a hang becomes status 124.
bounded() {
    timeout -k 2 "$@" </dev/null
}

# recording FILE SECONDS RATE BITS CHANNELS SEED: a chord under pink noise, the same every time.
recording() {
    sox -R -n -r "$3" -b "$4" -c "$5" "$1" synth "$2" pluck $((110 + 37 * $6)) synth "$2" sine mix $((220 + 91 * $6)) \
        synth "$2" pinknoise mix gain -9
}

# samples FILE.wav: the bytes of its data chunk.
samples() {
    local at
    at=$(LC_ALL=C grep -abo data "$1" | head -n 1 | cut -d: -f1)
    tail -c +$((at + 9)) "$1" | head -c "$(od -An -tu4 -j $((at + 4)) -N 4 "$1")"
}

# as_f32 FILE: an integer WAV or FLAC as the device would get it: 32-bit float stereo.
as_f32() {
    sox -D "$1" -c 2 -t f32 -
}

# without_silence FILE: from its first frame that is not zero on, of 8 bytes a frame.
without_silence() {
    local at
    at=$(cmp -l "$1" /dev/zero 2>/dev/null | head -n 1 | awk '{ print $1 }')
    tail -c +$(((${at:-1} - 1) / 8 * 8 + 1)) "$1"
}

# frames_of FILE.raw: frames of 32-bit float stereo.
frames_of() {
    echo $(($(stat -c %s "$1") / 8))
}

# expect_played COUNT SECONDS ARGS...: `segue play ARGS...` ends in time, with status 0 and no underrun.
expect_played() {
    local count=$1 seconds=$2 status
    shift 2
    bounded "$seconds" "$segue" play "$@" 2>play.log
    status=$?
    if [ $status -ne 0 ] || ! tail -n 1 play.log | grep -q "^played $count of $count tracks, 0 underruns, "; then
        complain "segue play $*: status $status, expected $count tracks played, got:"
        cat play.log
    fi
}

#!/bin/bash
# Any chunk of any format and rate, rendered alone, is the part of the whole that it stands for: within -120 dBFS from its first
# frame on; the same chunk twice is the same file; the last one ends with the track, and past it there is none.
source "$(dirname "$(readlink -f "$0")")/common.bash"

mkdir in
recording long.wav 31.3 44100 16 2 1
flac --totally-silent -o in/44.flac long.wav
lame --quiet -b 160 long.wav in/44.mp3
sox -V1 long.wav -r 48000 -c 1 in/48-mono.wav
opusenc --quiet in/48-mono.wav in/48-mono.opus
sox -V1 -D long.wav -r 96000 -b 24 in/96.wav

render() {
    bounded 120 "$segue" render --log-level error --format f32 "$@" >render.out 2>&1 || complain "segue render $*: $(cat render.out)"
}

# level_of_difference WHOLE FIRST PART: in dBFS, of PART against WHOLE from frame FIRST on.
level_of_difference() {
    sox -V1 "$1" cut.wav trim "${2}s" "$(soxi -V1 -s "$3")s"
    sox -V1 -m -v 1 cut.wav -v -1 "$3" -n stats 2>&1 | awk '/^Pk lev dB/ { print $4 }'
}

for file in in/*; do
    render "$file" whole.wav
    rate=$(soxi -V1 -r whole.wav)
    frames=$(soxi -V1 -s whole.wav)
    for chunk in 0 1 2; do
        first=$((chunk == 0 ? 0 : (10 * chunk + 5) * rate))
        end=$(((10 * chunk + 15) * rate))
        [ $end -le "$frames" ] || end=$frames
        render --chunk $chunk "$file" chunk.wav
        [ "$(soxi -V1 -s chunk.wav)" -eq $((end - first)) ] || {
            complain "$file: chunk $chunk has $(soxi -V1 -s chunk.wav) frames, expected $((end - first))"
            continue
        }
        level=$(level_of_difference whole.wav $first chunk.wav)
        [ "$level" = -inf ] || awk -v level="$level" 'BEGIN { exit !(level < -120) }' ||
            complain "$file: chunk $chunk differs from the whole by $level dBFS"
    done
    render --chunk 2 "$file" again.wav
    cmp chunk.wav again.wav || complain "$file: chunk 2 is not the same twice"
    bounded 120 "$segue" render --log-level error --chunk 3 "$file" past.wav 2>past.log
    [ $? -eq 1 ] && grep -q 'past the end' past.log && [ ! -e past.wav ] || complain "$file: chunk 3: $(cat past.log)"
done
finish

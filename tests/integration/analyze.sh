#!/bin/bash
# `segue analyze` on odd files: every figure defined and finite, the same on every run; broken off, it goes on.
source "$(dirname "$(readlink -f "$0")")/common.bash"

# figure NAME: its value in the line that is in odd.json.
figure() {
    sed -n "s/.*\"$1\":\\([^,}]*\\).*/\\1/p" odd.json
}

# expect_figures FILE [NAME=VALUE]...: one object, no error, no figure that is null, and these values.
runs=0
expect_figures() {
    local file=$1 status wanted
    shift
    runs=$((runs + 1))
    bounded 60 "$segue" analyze --no-cache --log-level error "$file" >odd.json 2>odd.err
    status=$?
    if [ $status -ne 0 ] || [ -s odd.err ] || [ "$(wc -l <odd.json)" -ne 1 ] || grep -qi '"error"\|nan\|inf' odd.json ||
        sed 's/.*"fingerprint":{\([^}]*\)}.*/\1/' odd.json | grep -q null; then
        complain "analyze $file: status $status, expected a whole fingerprint, got:"
        cat odd.json odd.err
    fi
    for wanted; do
        [ "$(figure "${wanted%%=*}")" = "${wanted#*=}" ] ||
            complain "$file: ${wanted%%=*} is $(figure "${wanted%%=*}"), expected ${wanted#*=}"
    done
}

# float_wav: a stereo WAV file around the 32-bit floats that come on standard input.
float_wav() {
    cat >body
    local bytes
    bytes=$(stat -c %s body)
    le() { printf "\\x$(printf %02x $(($1 & 255)))\\x$(printf %02x $(($1 >> 8 & 255)))"; }
    le4() { le $(($1 & 65535)) && le $(($1 >> 16)); }
    printf RIFF && le4 $((36 + bytes)) && printf 'WAVEfmt ' && le4 16 && le 3 && le 2 && le4 44100
    le4 $((44100 * 8)) && le 8 && le 32 && printf data && le4 "$bytes" && cat body
}

silence=(sub_bass_pct=0.0 air_pct=0.0 lufs=-70.0 crest_db=0.0 bass_mid_ratio=0.0 tempo_bpm=0.0 rhythm_stability=0.0
    transient_density=0.0 silence_ratio=1.0 spectral_centroid=0.0 spectral_rolloff=0.0 spectral_flatness=0.0
    harmonic_ratio=0.0 pitch_stability=0.0 chroma_energy=0.083333333333333329 dynamic_range_variation=0.0
    loudness_variation_std=0.0 peak_consistency=1.0 stereo_width=0.0 phase_correlation=1.0 range_lu=0.0
    true_peak_dbtp=null sample_peak_dbfs=null momentary_max_lufs=null short_term_max_lufs=null tonic=null label='"unknown"')
sox -D -n -r 44100 -b 16 -c 2 silence.wav trim 0 5
expect_figures silence.wav "${silence[@]}"
sox -D -n -r 44100 -b 16 -c 2 one.wav trim 0 1s dcshift 0.5
expect_figures one.wav lufs=-70.0 crest_db=0.0 tempo_bpm=0.0 silence_ratio=0.0 momentary_max_lufs=null
sox -R -n -r 44100 -b 16 -c 2 short.wav synth 0.05 noise
expect_figures short.wav lufs=-70.0 short_term_max_lufs=null label='"unknown"'
sox -D -n -r 44100 -b 16 -c 2 constant.wav trim 0 4 dcshift 0.5
expect_figures constant.wav phase_correlation=1.0 label='"unknown"'
sox -R -n -r 44100 -b 16 -c 1 square.wav synth 4 square 441
expect_figures square.wav stereo_width=0.0 phase_correlation=1.0
for rate in 8000 11025 22050 37800 176400 384000; do
    sox -R -n -r $rate -b 24 -c 2 noise.wav synth 2 whitenoise gain -12
    expect_figures noise.wav sample_rate_hz=$rate label='"unknown"'
done
for channels in 1 3 6 8; do
    sox -R -n -r 48000 -b 16 -c $channels noise.wav synth 2 pinknoise gain -12
    expect_figures noise.wav channels=$channels
done
# NaN, infinity, minus infinity and 1e30 are nothing: a file of them is silence.
for ((i = 0; i < 44100; i++)); do printf '\0\0\300\177\0\0\200\177\0\0\200\377\312\362\111\161'; done | float_wav >unsound.wav
expect_figures unsound.wav "${silence[@]}"
[ $runs -eq 16 ] || complain "only $runs odd files were tried"

# Files are named one by one: a folder is scanned at idle priority, which on a busy machine takes its time.
# --- the same bits for any number of jobs, either reader, any order
mkdir -p music/b
for i in 1 2 3 4 5 6; do recording "music/$i.wav" 4 44100 16 2 $i; done
mv music/6.wav music/b/1.flac.wav
flac --totally-silent -o music/b/2.flac music/1.wav
untimed() {
    "$segue" analyze --log-level error --no-cache "$@" music/*.wav music/b/* | sed 's/"timing_ms":{[^}]*},//'
}
untimed --jobs 1 >once
[ "$(wc -l <once)" -eq 7 ] || complain "$(wc -l <once) lines of 7"
untimed --jobs 4 | cmp - once || complain 'another number of jobs gives another result'
untimed --jobs 3 --no-uring | cmp - once || complain 'reading with threads gives another result'
untimed --jobs 4 --unordered | sort | cmp - <(sort once) || complain 'results as they are done are others'

# --- broken off, a scan keeps what it has printed and goes on behind it
for i in 11 12 13 14 15 16; do recording "music/$i.wav" 20 44100 16 2 $i; done
"$segue" analyze --jobs 1 --log-level error music/*.wav music/b/* >lines &
scan=$!
started+=($scan)
deadline=$((SECONDS + 60))
until [ "$(wc -l <lines)" -ge 2 ] || [ $SECONDS -ge $deadline ]; do :; done
kill -TERM $scan
wait $scan
[ $? -eq 143 ] || complain 'the signal did not end the scan'
printed=$(wc -l <lines)
"$segue" analyze --log-level info music/*.wav music/b/* >whole 2>summary
[ "$(wc -l <whole)" -eq 13 ] || complain "$(wc -l <whole) lines of 13"
known=$(grep -c '"source":"sqlite"' whole)
[ "$known" -ge "$printed" ] || complain "$printed were printed, but $known were known"
[ "$known" -lt 13 ] || complain 'the scan was not broken off'
grep -q "^segue: 13 tracks, .* $known known before: .* tracks a second, .* x real time\$" summary ||
    complain "no summary: $(cat summary)"
finish

#!/bin/bash
# Entries that cannot be played, or not whole, each between two good ones: one line says why, the rest plays.
source "$(dirname "$(readlink -f "$0")")/common.bash"

recording first.wav 1 44100 16 2 1
recording last.wav 1 44100 16 2 2
recording music.wav 4 44100 16 2 3
flac --totally-silent -o music.flac music.wav
oggenc -Q -o music.ogg music.wav
lame --quiet music.wav music.mp3
samples first.wav >first.s16
as_f32 first.wav >first.raw
as_f32 last.wav >last.raw
runs=0

# u16 N, u32 N: little-endian bytes.
u16() { printf "\\x$(printf %02x $(($1 & 255)))\\x$(printf %02x $(($1 >> 8 & 255)))"; }
u32() { u16 $(($1 & 65535)) && u16 $(($1 >> 16 & 65535)); }
# header CHANNELS RATE RIFF_BYTES DATA_BYTES: of a 16-bit WAV file.
header() {
    printf RIFF && u32 "$3" && printf 'WAVEfmt ' && u32 16 && u16 1 && u16 "$1" && u32 "$2"
    u32 $(($2 * $1 * 2 & 0xffffffff)) && u16 $(($1 * 2 & 65535)) && u16 16 && printf data && u32 "$4"
}

# hears_good_ones PATH: what was written begins with the first recording and ends with the last.
hears_good_ones() {
    samples out.wav >out.raw
    cmp -s -n "$(stat -c %s first.raw)" first.raw out.raw || complain "$1: the track before it is not whole"
    tail -c "$(stat -c %s last.raw)" out.raw | cmp -s last.raw - || complain "$1: the track after it is not whole"
}

# expect_line PATTERN PATH [SHOWN]: one line `segue: SHOWN: ...PATTERN...`, status 1, the others are heard.
expect_line() {
    local pattern=$1 path=$2 shown=${3:-$2} status
    runs=$((runs + 1))
    bounded 30 "$segue" play --log-level error --no-mastering --device wav:out.wav first.wav "$path" last.wav 2>play.log
    status=$?
    if [ $status -ne 1 ] || [ "$(wc -l <play.log)" -ne 2 ] ||
        ! head -n 1 play.log | grep -F "segue: $shown: " | grep -q "$pattern" ||
        ! tail -n 1 play.log | grep -q '^played [23] of 3 tracks, 0 underruns'; then
        complain "play $shown: status $status, expected one line with \"$pattern\", got:"
        cat play.log
    fi
    hears_good_ones "$shown"
    expect_object "$path" "$shown"
}

# expect_object PATH SHOWN: `analyze` gives one object with an error, and goes on.
expect_object() {
    local status
    bounded 30 "$segue" analyze --log-level error --no-cache "$1" last.wav >analyze.out 2>analyze.log
    status=$?
    if [ $status -ne 1 ] || [ "$(wc -l <analyze.out)" -ne 2 ] ||
        ! head -n 1 analyze.out | grep -q '"error":{"code":"[a-z_]*","message":"[^"]' ||
        tail -n 1 analyze.out | grep -q '"error"'; then
        complain "analyze $2: status $status, expected an object with an error and a sound one, got:"
        cat analyze.out analyze.log
    fi
}

expect_line 'no such file' missing.wav
: >empty.wav
expect_line . empty.wav
mkfifo pipe.wav
expect_line . pipe.wav
ln -s nowhere.wav broken.wav
expect_line 'no such file' broken.wav
echo 'this is no music' >text.wav
expect_line . text.wav
head -c 300000 music.wav >cut.wav
expect_line truncated cut.wav
head -c $(($(stat -c %s music.flac) / 2)) music.flac >cut.flac
expect_line . cut.flac
head -c $(($(stat -c %s music.ogg) / 2)) music.ogg >cut.ogg
expect_line . cut.ogg
head -c $(($(stat -c %s music.mp3) / 2)) music.mp3 >cut.mp3
expect_line . cut.mp3
head -c 100 music.mp3 >first.mp3
expect_line 'within its first frame' first.mp3
{ printf '\xff\xfe' && iconv -t UTF-16LE <<<'A text, whatever it is called, that begins like a frame of sound.'; } >utf16.mp3
expect_line 'not a known audio format' utf16.mp3
lame --quiet --freeformat -b 200 music.wav free.mp3
head -c 50001 free.mp3 >freecut.mp3
expect_line . freecut.mp3
cp music.flac flipped.flac
printf '\xff\x00\xa5' | dd of=flipped.flac bs=1 seek=$(($(stat -c %s music.flac) / 2)) conv=notrunc status=none
expect_line . flipped.flac
head -c 60000 <(samples music.wav) >garbage.mp3
expect_line . garbage.mp3
{ header 2 44100 $((36 + 10000000)) 10000000 && cat first.s16; } >beyond.wav
expect_line truncated beyond.wav
{ header 5000 44100 $((36 + 176400)) 176400 && cat first.s16; } >channels.wav
expect_line . channels.wav
{ header 2 0 $((36 + 176400)) 176400 && cat first.s16; } >rate0.wav
expect_line . rate0.wav
{ header 2 4000000000 $((36 + 176400)) 176400 && cat first.s16; } >rate.wav
expect_line . rate.wav
header 2 44100 $((36 + 176400)) 176400 | head -c 24 >header.wav
expect_line . header.wav
header 2 44100 $((36 + 176400)) 176400 >bare.wav
expect_line . bare.wav
newline=$'new\nline.wav'
echo text >"$newline"
expect_line . "$newline" 'new\nline.wav'
latin=$'caf\xe9.wav'
echo text >"$latin"
expect_line . "$latin" 'caf\xe9.wav'
if [ "$(id -u)" -eq 0 ]; then
    # The superuser reads everything: as nobody, where that user can see the file at all.
    echo "unreadable: not tried as root"
else
    cp music.wav unreadable.wav
    chmod 0 unreadable.wav
    expect_line ermi unreadable.wav
fi

# A folder is walked, and has nothing to play.
mkdir folder
bounded 30 "$segue" play --log-level error --no-mastering --device wav:out.wav first.wav folder last.wav 2>play.log
[ $? -eq 1 ] && [ "$(grep -c '^segue: folder: ' play.log)" -eq 1 ] || complain "folder: $(cat play.log)"
hears_good_ones folder
mkdir folder.wav
expect_object folder.wav folder.wav

# At the usual level of the log too there is one line.
bounded 30 "$segue" play --no-mastering --no-gpu --device null --speed max bare.wav text.wav first.mp3 missing.wav 2>play.log
for path in bare.wav text.wav first.mp3 missing.wav; do
    [ "$(grep -v ': playing, \|: analysed in ' play.log | grep -c "^segue: $path: ")" -eq 1 ] || complain "$path, by the usual log: $(cat play.log)"
done

# Malformed metadata is no damage to the sound: a picture of 20 bytes behind the stream's information.
{ head -c 42 music.flac && printf '\x06\0\0\x14' && head -c 20 /dev/zero && tail -c +43 music.flac; } >picture.flac
expect_played 3 30 --no-mastering --device wav:out.wav first.wav picture.flac last.wav
hears_good_ones picture.flac

# Joined files, each with its tag, play on.
cat music.mp3 music.mp3 >joined.mp3
expect_played 3 30 --no-mastering --device wav:out.wav first.wav joined.mp3 last.wav
hears_good_ones joined.mp3
[ "$(frames_of out.raw)" -eq $((10 * 44100)) ] || complain "joined files: $(frames_of out.raw) frames"

# Sizes that a stream's writer could not know are no damage: what is there plays.
for size in 0 0xffffffff; do
    { header 2 44100 $size $size && cat first.s16; } >stream.wav
    expect_played 3 30 --no-mastering --device wav:out.wav first.wav stream.wav last.wav
    hears_good_ones "a stream of $size bytes"
    [ "$(frames_of out.raw)" -eq $((3 * 44100)) ] || complain "a stream of $size bytes: $(frames_of out.raw) frames"
done

# A file that is cut behind what is loaded of it, while it plays.
recording long.wav 200 44100 16 2 4
bounded 60 "$segue" play --log-level info --device null --speed 40 long.wav last.wav 2>play.log &
player=$!
started+=($player)
deadline=$((SECONDS + 20))
until grep -q ': playing, 1 of 2' play.log 2>/dev/null; do
    [ $SECONDS -lt $deadline ] || break
done
truncate -s 1000000 long.wav
wait $player
status=$?
if [ $status -ne 1 ] || ! grep -q '^played 2 of 2 tracks, 0 underruns' play.log ||
    [ "$(grep -v ': playing, \|: analysed in \|CUDA' play.log | grep -c '^segue: long.wav: ')" -ne 1 ]; then
    complain "cut while playing: status $status, expected one line for it, got:"
    cat play.log
fi

[ $runs -ge 18 ] || complain "only $runs kinds were tried"
finish

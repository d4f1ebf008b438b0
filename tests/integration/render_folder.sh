#!/bin/bash
# Whole folders: names, tags, formats, what is measured only, what is refused, and a file is not mastered twice.
source "$(dirname "$(readlink -f "$0")")/common.bash"

mkdir -p in/sub out
recording tmp.wav 6 44100 16 2 1
flac --totally-silent -T TITLE=One -T "ALBUMARTIST=Vari ous" -T DISCNUMBER=2/3 -T REPLAYGAIN_TRACK_GAIN=-3 \
    -T WAVEFORMATEXTENSIBLE_CHANNEL_MASK=0x063F -T ITUNSMPB=0 -T MP3GAIN_MINMAX=1,2 \
    -o in/1.flac tmp.wav
recording tmp.wav 5 48000 24 2 2
oggenc -Q -t Two -a Somebody -G Folk -N 7 -c "ALBUMARTIST=Vari ous" -o in/sub/2.ogg tmp.wav
recording tmp.wav 5 44100 16 1 3
lame --quiet --id3v2-only --tt Three --ta Else --tn 3/9 --ty 1999 --tc "a note" tmp.wav in/3.mp3
echo "no audio" >in/4.flac
echo text >in/cover.txt

# render STATUS LINES ARGS...: it ends with that status, so many lines on standard output.
render() {
    local wanted=$1 lines=$2 status
    shift 2
    bounded 120 "$segue" render --log-level error "$@" >render.out 2>render.log
    status=$?
    [ $status -eq "$wanted" ] && [ "$(wc -l <render.out)" -eq "$lines" ] && return
    complain "segue render $*: status $status, expected $wanted, and $lines lines:"
    cat render.out render.log
}

tags() {
    metaflac --export-tags-to=- "$1" | sort
}

expect_tags() {
    local file=$1 wanted
    shift
    wanted=$(printf '%s\n' "$@" | sort)
    [ "$(tags "$file" | grep -v ^SEGUE_MASTERED=)" = "$wanted" ] ||
        complain "$file: tags are $(tags "$file"), expected $wanted"
    tags "$file" | grep -q '^SEGUE_MASTERED=version [0-9]*, adaptive, intensity 1, target -14.0 LUFS$' ||
        complain "$file: is not marked as mastered"
}

# A folder of all kinds, one of its files bad: the rest is done.
render 1 3 in made/new
grep -q '^segue: in/4.flac: ' render.log && [ "$(wc -l <render.log)" -eq 1 ] || complain "of 4.flac: $(cat render.log)"
[ "$(cd made/new && find . -type f | sort | tr '\n' ' ')" = './1.flac ./3.flac ./sub/2.flac ' ] ||
    complain "made: $(find made)"
flac -s -t made/new/*.flac made/new/sub/*.flac || complain "what was made is not sound"
[ "$(soxi -V1 -b made/new/1.flac made/new/sub/2.flac made/new/3.flac | tr '\n' ' ')" = '16 24 24 ' ] ||
    complain "depths: $(soxi -V1 -b made/new/*.flac made/new/sub/*.flac | tr '\n' ' ')"
[ "$(soxi -V1 -s in/sub/2.ogg)" = "$(soxi -V1 -s made/new/sub/2.flac)" ] || complain "2: another length"
[ "$(soxi -V1 -c made/new/3.flac)" = 1 ] || complain "3: not mono any more"
expect_tags made/new/1.flac TITLE=One "ALBUMARTIST=Vari ous" DISCNUMBER=2/3
expect_tags made/new/sub/2.flac TITLE=Two ARTIST=Somebody GENRE=Folk TRACKNUMBER=7 "ALBUMARTIST=Vari ous"
expect_tags made/new/3.flac TITLE=Three ARTIST=Else TRACKNUMBER=3/9 DATE=1999 "COMMENT=a note"

# Measuring makes nothing, and says what rendering says; the samples of a FLAC file are the WAV file's.
rm in/4.flac
find . -type f | sort >before
render 0 3 --measure in
find . -type f | grep -v '^./before$' | sort | cmp - <(grep -v '^./before$' before) || complain "--measure made a file"
sed 's/:.*//' render.out | cmp - <(printf 'in/%s\n' 1.flac 3.mp3 sub/2.ogg) || complain "--measure: $(cat render.out)"
cp render.out measured
render 0 3 --type wav in out/
sed 's/ -> [^:]*:/:/' render.out | cmp - measured || complain "measured and rendered differ: $(cat measured render.out)"
cmp <(sox -V1 -D out/1.wav -t s32 -) <(sox -V1 -D made/new/1.flac -t s32 -) || complain "1: WAV and FLAC differ"
[ "$(soxi -V1 -b out/1.wav out/sub/2.wav | tr '\n' ' ')" = '16 32 ' ] || complain "depths in WAV"
LC_ALL=C grep -aq 'ICMT.*SEGUE_MASTERED=' out/1.wav || complain "out/1.wav: no mark in ICMT"
render 0 1 --measure --json in/1.flac
grep -q '"path":"in/1.flac","output":null,"mastered":true,"before":{"integrated_lufs":-' render.out ||
    complain "JSON: $(cat render.out)"

# Mastered once: again, it moves by nothing to speak of, whatever the container; plain, it is what it was.
for file in made/new/1.flac out/1.wav out/sub/2.wav; do
    render 0 1 $file again.wav
    awk -v line="$(cat render.out)" 'BEGIN {
        split(line, word, ": "); split(word[2], figure, " ")
        change = figure[3] - figure[1]
        exit !(change < 0.15 && change > -0.15)
    }' || complain "again: $(cat render.out)"
done

# Several files; folders beside each other keep their own names.
render 0 2 in/1.flac in/3.mp3 several/
[ -f several/1.flac ] && [ -f several/3.flac ] || complain "several: $(ls several)"
cp -r in/sub other
render 0 2 in/sub other beside
[ -f beside/sub/2.flac ] && [ -f beside/other/2.flac ] || complain "beside: $(find beside)"

# What was made within a folder is no input of it.
mkdir -p own/out
cp in/1.flac own
render 0 1 own own/out
render 0 1 own own/out

# Nothing is overwritten: the input itself, another input, another's output.
find in -type f -exec md5sum {} + >sums
render 1 0 in/1.flac in/1.flac
render 1 2 in in
cp in/3.mp3 in/1.mp3
render 1 3 in clash/
grep -q 'of the same name' render.log || complain "clash: $(cat render.log)"
md5sum --quiet -c sums || complain "an input was overwritten"

# Bad usage.
render 2 0 in/1.flac
render 2 0 in/1.flac in/3.mp3 many.wav
render 2 0 in folder.wav
render 2 0 in/1.flac name
render 2 0 --type wav in/1.flac one.wav
render 2 0 --chunk 0 in folder/

# A file that is replaced between its analysis and its turn is named and left out; the others are done.
recording long.wav 200 44100 16 2 5
mkfifo lines
bounded 120 "$segue" render --log-level error in/1.flac long.wav in/3.mp3 changed/ >lines 2>render.log &
{
    read -r line
    cp in/3.mp3 new.mp3 && mv new.mp3 in/3.mp3
    cat >render.out
} <lines
wait $!
[ $? -eq 1 ] && [ "$(cat render.log)" = 'segue: in/3.mp3: the file was changed after its analysis' ] &&
    [ "$(ls -A changed | tr '\n' ' ')" = '1.flac long.flac ' ] ||
    complain "replaced: made $(ls -A changed), said $(cat render.log)"

# An interrupt leaves whole files alone.
mkdir killed
env --default-signal=INT "$segue" render --no-cache --log-level debug long.wav killed/long.wav 2>lines &
started+=($!)
while read -r line; do
    [[ $line != *'after 10 s: '* ]] || kill -INT $!
done <lines
wait $!
[ $? -eq 130 ] && [ -z "$(ls -A killed)" ] || complain "interrupted: left $(ls -A killed)"
finish

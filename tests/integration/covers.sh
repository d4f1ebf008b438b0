#!/bin/bash
# Covers go with the sound: what other programs put into a file, others find in what is rendered of it.
source "$(dirname "$(readlink -f "$0")")/common.bash"

recording 1.wav 2 44100 16 2 1
# The least PNG there is, with a few kilobytes behind it.
{
    printf '\211PNG\r\n\032\n\0\0\0\rIHDR\0\0\0\001\0\0\0\001\b\0\0\0\0:~\233U\0\0\0\nIDATx\234c`\0\0\0\002\0\001H\257\244q\0\0\0\0IEND\256B`\202'
    head -c 9000 1.wav
} >cover.png
flac --totally-silent --picture=cover.png -T TITLE=blue -o 1.flac 1.wav
lame --quiet --tt blue --ti cover.png 1.wav 1.mp3
opusenc --quiet --picture cover.png --title blue 1.wav 1.opus
oggenc -Q -o 1.ogg 1.wav
block=$({
    printf '\0\0\0\003\0\0\0\timage/png\0\0\0\0\0\0\0\001\0\0\0\001\0\0\0\b\0\0\0\0'
    printf "\\\\x%02x" $(($(stat -c %s cover.png) >> 24 & 255)) $(($(stat -c %s cover.png) >> 16 & 255)) \
        $(($(stat -c %s cover.png) >> 8 & 255)) $(($(stat -c %s cover.png) & 255)) | xargs -0 printf
    cat cover.png
} | base64 -w 0)
printf 'TITLE=blue\nMETADATA_BLOCK_PICTURE=%s\n' "$block" >comments
vorbiscomment -R -w -c comments 1.ogg
mkdir out

# covered FILE.flac KIND: it has the cover, as that kind of picture, its title, and sound.
covered() {
    metaflac --export-picture-to=- "$1" | cmp - cover.png || complain "$1: not the cover"
    [ "$(metaflac --list --block-type=PICTURE "$1" | grep -c '^METADATA')" -eq 1 ] || complain "$1: not one picture"
    metaflac --list --block-type=PICTURE "$1" | grep -q "type: $2 " || complain "$1: not of kind $2"
    [ "$(metaflac --show-tag=TITLE "$1")" = TITLE=blue ] || complain "$1: $(metaflac --export-tags-to=- "$1")"
    flac -s -t "$1" || complain "$1: not sound"
    ! metaflac --export-tags-to=- "$1" | grep -q METADATA_BLOCK_PICTURE || complain "$1: the picture is a tag as well"
}

for mastering in '' --no-mastering; do
    for name in 1.flac 1.mp3 1.opus 1.ogg; do
        kind=3
        [ $name != 1.mp3 ] || kind=0 # LAME says what it is not
        bounded 60 "$segue" render --log-level error $mastering --format s16 $name out/a.flac >/dev/null || complain "$name: not rendered"
        covered out/a.flac $kind
        bounded 60 "$segue" render --log-level error $mastering --format s16 $name out/a.wav >/dev/null || complain "$name: not rendered"
        bounded 60 "$segue" render --log-level error --no-mastering out/a.wav out/b.flac >/dev/null || complain "$name.wav: not rendered"
        covered out/b.flac $kind
    done
done

# RIFF's own length counts the chunk of the pictures.
[ "$(od -An -tu4 -j 4 -N 4 out/a.wav)" -eq $(($(stat -c %s out/a.wav) - 8)) ] || complain 'the length in the header is wrong'
sox -V3 out/a.wav -n 2>&1 | grep -i 'warn' && complain 'sox has something to say'
finish

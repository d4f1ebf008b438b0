#!/bin/bash
# An album whose sound runs on from track to track is mastered as one, in play and in render --album alike; tracks
# with silence between them are mastered alone.
source "$(dirname "$(readlink -f "$0")")/common.bash"

recording whole.wav 24 44100 16 2 1
mkdir live studio out alone

# track FILE NUMBER ALBUM: as FLAC, with tags.
track() {
    flac --totally-silent -T "ALBUM=$3" -T ALBUMARTIST=Band -T "TRACKNUMBER=$2/3" -o "${1%.wav}.flac" "$1" && rm "$1"
}

sox whole.wav live/1.wav trim 0 7.3
sox whole.wav live/2.wav trim 7.3 6.9
sox whole.wav live/3.wav trim 14.2
for n in 1 2 3; do
    sox live/$n.wav studio/$n.wav gain -1 pad 0 0.5 # its dither is no sound
done
sox studio/2.wav studio/louder.wav gain -6 && mv studio/louder.wav studio/2.wav
for n in 1 2 3; do
    track live/$n.wav $n Live
    track studio/$n.wav $n Studio
done

# render ARGS...: into render.out.
render() {
    bounded 120 "$segue" render --log-level error "$@" >render.out 2>render.log || {
        complain "segue render $*: status $?"
        cat render.log
    }
}

makeups() {
    grep -o 'makeup [-+0-9.]* dB' render.out | sort -u
}

# Played and rendered are the same bits, of one makeup, and not those of the tracks alone.
render --album --type wav --format f32 live out/
[ "$(makeups | wc -l)" -eq 1 ] || complain "one album, several makeups: $(cat render.out)"
cat <(samples out/1.wav) <(samples out/2.wav) <(samples out/3.wav) >album.raw
[ "$(frames_of album.raw)" -eq $((24 * 44100)) ] || complain "album: $(frames_of album.raw) frames"
expect_played 3 180 --log-level error --device wav:played.wav live
samples played.wav | cmp album.raw - || complain "the album rendered and played differ"
expect_played 3 180 --log-level error --no-cache --no-uring --device wav:played.wav live
samples played.wav | cmp album.raw - || complain "the album played without a cache differs"
render --type wav --format f32 live alone/
cat <(samples alone/1.wav) <(samples alone/2.wav) <(samples alone/3.wav) >alone.raw
! cmp -s album.raw alone.raw || complain "an album is mastered as its tracks alone"

# A join is no worse than any place within a track: second differences there are as large as elsewhere.
sox whole.wav -t f32 whole.raw
for at in $((73 * 4410)) $((142 * 4410)); do
    od -An -v -t f4 -w8 -j $(((at - 2000) * 8)) -N $((4000 * 8)) album.raw | awk '
        { bend = $1 - 2 * last + before; before = last; last = $1
          if (bend < 0) bend = -bend
          if (NR > 3 && NR > 1990 && NR < 2012) { if (bend > join) join = bend }
          else if (NR > 3 && bend > rest) rest = bend }
        END { exit !(NR == 4000 && rest > 0 && join <= 1.05 * rest) }' || complain "a click at frame $at"
done

# The album's loudness is the target's, whatever its tracks' own.
sox -t raw -r 44100 -c 2 -e floating-point -b 32 album.raw -e floating-point -b 32 joined.wav
render --no-mastering joined.wav measured.wav
grep -q -- ': -1[34]\.[90] LUFS' render.out || complain "the album measures $(cat render.out)"

# From the middle of the album on, its makeup is the same.
expect_played 3 180 --log-level info --device null --speed max live
[ "$(grep -c 'through 3 tracks' play.log)" -eq 1 ] || complain "the album was planned anew: $(cat play.log)"

# With silence between them tracks are what they are alone.
rm -rf out alone
render --type wav --format f32 studio alone/
cat <(samples alone/1.wav) <(samples alone/2.wav) <(samples alone/3.wav) >alone.raw
expect_played 3 180 --log-level error --device wav:played.wav studio
samples played.wav | cmp alone.raw - || complain "tracks with silence between them are not played alone"
# But --album was asked for: one makeup, and each track starts fresh.
render --album --type wav --format f32 studio out/
[ "$(makeups | wc -l)" -eq 1 ] || complain "one album, several makeups: $(cat render.out)"

# As one it was asked for: a track without tags belongs to its neighbours, in a folder or as named; tags of another
# album tell apart.
rm -rf out
cp -r live untagged
metaflac --remove-all-tags untagged/2.flac
render --album --type wav --format f32 untagged out/
samples out/1.wav | cat - <(samples out/2.wav) <(samples out/3.wav) | cmp album.raw - ||
    complain "a track without tags splits its album: $(cat render.out)"
metaflac --remove-all-tags untagged/1.flac untagged/3.flac
cp untagged/3.flac 3.flac
render --album --type wav --format f32 untagged/1.flac untagged/2.flac 3.flac out/
samples out/1.wav | cat - <(samples out/2.wav) <(samples out/3.wav) | cmp album.raw - ||
    complain "files named one by one are no album: $(cat render.out)"
cp studio/2.flac 4.flac
render --album --type wav --format f32 live/1.flac untagged/2.flac studio/3.flac 4.flac out/
grep -o 'makeup [-+0-9.]* dB' render.out | uniq -c | awk '{ print $1 }' | xargs | grep -qx '2 2' ||
    complain "tags do not tell albums apart: $(cat render.out)"

# Where the limiter holds an album down, what is missing is the album's, whatever its tracks' own.
rm -rf out
render --album --type wav --format f32 --target-lufs -6 studio out/
missing=$(grep -o 'album [0-9.]* LU below target: limiter' render.out | sort | uniq -c)
sox out/?.wav joined.wav
render --no-mastering joined.wav measured.wav
measured=$(sed 's/.*: \(-[0-9.]*\) LUFS.*/\1/' render.out)
read -r lines _ below _ <<<"$missing"
[ "$(wc -l <<<"$missing")" -eq 1 ] && [ "$lines" -eq 3 ] &&
    awk -v a="$below" -v b="$measured" 'BEGIN { d = -6 - b - a; exit !(a > 0.1 && d < 0.11 && d > -0.11) }' ||
    complain "the album measures $measured LUFS, said to lie below -6: $missing"
finish

#!/bin/bash
# A report is one page that stands alone; what fails is named on it; an interrupted or full disk leaves nothing.
source "$(dirname "$(readlink -f "$0")")/common.bash"

recording 1.wav 12 44100 16 2 1
recording 2.wav 5 48000 24 1 2
mkdir album
flac --totally-silent -o album/2.flac 2.wav
cp 1.wav 'album/<1> & "one".wav'
head -c 3000 /dev/urandom >album/3.flac

# report STATUS ARGS...: `segue report ARGS...` ends with that status.
report() {
    local wanted=$1 status
    shift
    bounded 60 "$segue" report --log-level error "$@" >report.out 2>report.log
    status=$?
    [ $status -eq "$wanted" ] || complain "segue report $*: status $status, expected $wanted: $(cat report.log)"
}

report 0 -o one.html 1.wav
[ "$(cat report.out)" = 'one.html: 1 track' ] && [ ! -s report.log ] || complain "said: $(cat report.out report.log)"
[ "$(grep -c '<img' one.html)" -eq 2 ] || complain "one.html: expected two spectrograms"
! grep -q 'http\|<details\|<script\|[^a-z]nan[^a-z]' one.html || complain "one.html: something foreign"

# The loudness it shows is the loudness that render reaches.
"$segue" render --log-level error 1.wav out.wav >render.out
shown=$(grep -o '[-0-9.]* → [-0-9.]*' one.html | head -n 1 | sed 's/.* //')
measured=$(sed 's/.*-> *\([-0-9.]*\) LUFS.*/\1/' render.out)
awk -v a="$shown" -v b="$measured" 'BEGIN { exit !(a - b < 0.11 && b - a < 0.11) }' ||
    complain "one.html shows $shown LUFS, the render measures $measured"

report 1 -o album.html album
[ "$(grep -c '<details' album.html)" -eq 2 ] || complain "album.html: expected two tracks"
grep -q 'album/&lt;1&gt; &amp; &quot;one&quot;.wav' album.html || complain "album.html: a name is not escaped"
grep -q 'class="failure".*3.flac' album.html || complain "album.html: the damaged file is not named"
[ "$(wc -l <report.log)" -eq 1 ] && grep -q '3.flac' report.log || complain "damaged file: $(cat report.log)"

# Several are called by their album, or counted.
report 0 -o both.html 1.wav album/2.flac
grep -q '<title>2 tracks – Segue' both.html || complain "both.html: $(grep -o '<title>[^<]*' both.html)"

report 0 --no-mastering -o plain.html album/2.flac
[ "$(grep -c '<img' plain.html)" -eq 1 ] || complain "plain.html: expected one spectrogram"

report 2 -o 1.wav 1.wav
report 1 -o none/x.html 1.wav
# An interrupt leaves no half of a page.
recording long.wav 200 44100 16 2 5
mkdir killed
mkfifo lines
env --default-signal=INT "$segue" report --no-cache --log-level debug -o killed/x.html long.wav 2>lines &
started+=($!)
while read -r line; do
    [[ $line != *'after 10 s: '* ]] || kill -INT $!
done <lines
wait $!
[ $? -eq 130 ] || complain 'interrupted: was not'
[ -z "$(ls -A killed)" ] || complain "interrupted: left $(ls -A killed)"

echo before >kept.html
(
    failures=0
    trap '' XFSZ
    ulimit -f 40
    report 1 -o kept.html 1.wav
    finish
) || complain "no room: failed"
[ "$(cat kept.html)" = before ] || complain "a failure replaced the page that was there"
! ls -A | grep -q 'html.*tmp' || complain "left behind: $(ls -A)"
finish

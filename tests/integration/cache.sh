#!/bin/bash
# The persistent tier from outside: what is found again, what is rejected, what is left alone, and that nothing
# that was reported saved is lost when the program is killed. SEGUE_BIN is the folder of the binaries.
# usage: cache.sh [KILLS]   SIGKILLs at random instants; 30 by default
set -u
segue=${SEGUE_BIN:?}/segue
kills=${1:-30}
root=$(mktemp -d) || exit 1
mounted=
# shellcheck disable=SC2317  # runs by the trap
clean_up() {
    [ -z "$mounted" ] || umount "$mounted"
    chmod -R u+w "$root"
    rm -rf "$root"
}
trap clean_up EXIT
export HOME=$root/home XDG_DATA_HOME=$root/data XDG_CACHE_HOME=$root/cache LC_ALL=C
database=$XDG_DATA_HOME/segue/library.db
music=$root/music
out=$root/out err=$root/err
failures=0 checks=0
mkdir -p "$HOME" "$music"

fail() {
    echo "FAILED: $*"
    [ ! -s "$err" ] || sed 's/^/    /' "$err"
    failures=$((failures + 1))
}

# check WHAT COMMAND...: the command must succeed.
check() {
    local what=$1
    shift
    checks=$((checks + 1))
    "$@" || fail "$what"
}

little_endian() { # NUMBER BYTES
    local i text=
    for ((i = 0; i < $2; i++)); do
        text+=$(printf '\\x%02x' $((($1 >> (8 * i)) & 255)))
    done
    printf '%b' "$text"
}

# make_track FILE SEED [FRAMES]: mono, 8 kHz, 16 bits: noise that pulses.
make_track() {
    local frames=${3:-12000}
    {
        printf 'RIFF'
        little_endian $((36 + 2 * frames)) 4
        printf 'WAVEfmt '
        little_endian 16 4
        little_endian 1 2
        little_endian 1 2
        little_endian 8000 4
        little_endian 16000 4
        little_endian 2 2
        little_endian 16 2
        printf 'data'
        little_endian $((2 * frames)) 4
        awk -v seed="$2" -v frames="$frames" 'BEGIN {
            srand(seed)
            for (i = 0; i < frames; i++) {
                printf "%c", 1 + int(rand() * 255)
                printf "%c", 1 + int(rand() * (i % 4000 < 1500 ? 90 : 6))
            }
        }'
    } >"$1"
    touch -d '2 hours ago' "$1"
}

analyze() { # ARGS...: standard output and error go to $out and $err
    "$segue" analyze --no-gpu --log-level warn "$@" >"$out" 2>"$err"
}

# What is the same wherever a record came from.
figures() {
    sed -e 's/"timing_ms":{[^}]*},//' -e 's/"source":"[a-z]*"/"source":""/' "$1"
}

has_source() { # SOURCE COUNT: of the lines in $out
    [ "$(grep -c "\"source\":\"$1\"" "$out")" -eq "$2" ]
}

entries() {
    "$segue" cache stats --json | sed 's/{"entries": \([0-9]*\),.*/\1/'
}

no_warning() {
    [ ! -s "$err" ]
}

one_warning() { # PATTERN
    [ "$(wc -l <"$err")" -eq 1 ] && grep -q -- "$1" "$err"
}

start_over() {
    rm -rf "$XDG_DATA_HOME" "$music"
    mkdir -p "$music/a" "$music/b"
    for i in 1 2 3; do
        make_track "$music/a/$i.wav" "$i"
    done
    make_track "$music/b/4.wav" 4
    sleep 0.03 # past the mark of files that were just written
    analyze "$music"
}

# --- without a database
"$segue" cache stats --json >"$out"
check 'stats without a database are zeros' grep -q '^{"entries": 0, "bytes": 0,' "$out"
"$segue" cache clear >"$out"
check 'clear without a database clears nothing' grep -qx '0 entries cleared' "$out"
check 'verify without a database finds no fault' "$segue" cache verify
check 'nothing of that makes a file' test ! -e "$XDG_DATA_HOME"
make_track "$music/x.wav" 9
analyze --no-cache "$music"
check '--no-cache makes no file' test ! -e "$XDG_DATA_HOME"

# --- found again
start_over
check 'a first scan computes' has_source computed 4
check 'a first scan warns of nothing' no_warning
figures "$out" >"$root/first"
check 'the folder is for its owner alone' test "$(stat -c %a "$XDG_DATA_HOME/segue")" = 700
analyze "$music"
check 'a second scan is from SQLite' has_source sqlite 4
figures "$out" >"$root/second"
check 'a second scan prints the same figures' cmp -s "$root/first" "$root/second"
analyze --preset warm --target-lufs -20 "$music"
check 'other settings cost no analysis' has_source sqlite 4
figures "$out" >"$root/warm"
analyze --no-cache --preset warm --target-lufs -20 "$music"
figures "$out" >"$root/warm-computed"
check 'other settings give the same targets as computed' cmp -s "$root/warm" "$root/warm-computed"
analyze "$music/a/1.wav" "$music/a/1.wav" "$music/a/../a/1.wav"
check 'the memory tier is asked first' has_source memory 2
check 'verify finds no fault in what was saved' "$segue" cache verify --files
cp "$database" "$root/kept.db"
analyze --no-cache "$music"
check '--no-cache reads nothing' has_source computed 4
check '--no-cache writes nothing' cmp -s "$database" "$root/kept.db"

# --- what play finds and leaves
rm -rf "$XDG_DATA_HOME"
"$segue" play --no-gpu --device null --speed max "$music" 2>"$err"
check 'playing saves what it analysed' test "$(entries)" -eq 4
analyze "$music"
check 'and a scan finds it' has_source sqlite 4
"$segue" play --no-gpu --device null --speed max "$music" 2>"$err"
check 'playing finds what is known' test "$(grep -c 'analysis found in sqlite' "$err")" -eq 4
"$segue" render "$music/a/1.wav" "$root/rendered.wav" >"$out" 2>"$err"
check 'rendering finds it, too' grep -q '"sqlite": 9' <("$segue" cache stats --json)

"$segue" play --no-gpu --device null --speed max --log-level debug "$music" 2>"$err"
check 'the log says what each track cost, and whence it came' \
    test "$(grep -c 'timing: sqlite, load [0-9.]* ms, .*, total [0-9.]* ms$' "$err")" -eq 4

# Nothing that is played waits for the database.
"$segue" cache clear >/dev/null
flock "$database.lock" sleep 3 &
"$segue" play --no-gpu --device null "$music/a/1.wav" "$music/b" >"$out" 2>"$err"
check 'playing does not wait for a locked database' grep -q '2 of 2 tracks, 0 underruns' "$err"
wait
check 'and all is saved at the end' test "$(entries)" -eq 2
analyze "$music"

# --- identity
touch "$music/a/1.wav"
sleep 0.03
analyze "$music"
check 'a touched file is found by its contents' has_source sqlite 4
mv "$music/a/2.wav" "$music/b/two.wav"
analyze "$music"
check 'a moved file is found' has_source sqlite 4
check 'a moved file is one entry' test "$(entries)" -eq 4
cp "$music/a/3.wav" "$music/copy" && mv "$music/copy" "$music/a/3.wav"
sleep 0.03
analyze "$music"
check 'a copy in the same place is found' has_source sqlite 4
mv "$music" "$root/elsewhere"
analyze "$root/elsewhere"
check 'a moved folder is found' has_source sqlite 4
mv "$root/elsewhere" "$music"
make_track "$music/a/1.wav" 77
touch -r "$music/a/3.wav" "$music/a/1.wav"
sleep 0.03
analyze "$music"
check 'an edited file of the same size and time is computed' has_source computed 1
check 'and only that one' has_source sqlite 3
make_track "$music/a/1.wav" 78
analyze "$music/a/1.wav"
make_track "$root/other.wav" 79
cat "$root/other.wav" >"$music/a/1.wav" # in place, at once: perhaps within one tick of the clock
analyze "$music/a/1.wav"
check 'an edit right after a scan is seen' has_source computed 1
head -c 9000 "$root/other.wav" >"$music/damaged.wav"
analyze "$music/damaged.wav"
analyze "$music/damaged.wav"
check 'a damaged file is not kept' has_source sqlite 0
rm "$music/damaged.wav"
make_track "$music/changing.wav" 13 100000
known=$(entries)
"$segue" analyze --no-gpu --log-level warn "$music/changing.wav" >"$out" 2>"$err" &
pid=$!
while kill -0 $pid 2>/dev/null; do
    touch "$music/changing.wav"
    sleep 0.01
done
wait $pid
check 'a file that changes while it is analysed is kept in no tier' test "$(entries)" -eq "$known"
rm "$music/changing.wav"

# --- replaced under the player: another file of the same size and time comes in the place of what it plays, of what it
# has prepared and of what it is preparing. Whatever was kept then, the new bytes' own figures are what is found.
rm -rf "$XDG_DATA_HOME" "$music"
mkdir -p "$music"
for i in 1 2 3; do
    make_track "$root/old$i.wav" "$i" 16000
    make_track "$root/new$i.wav" "$((40 + i))" 16000
    cp -p "$root/old$i.wav" "$music/$i.wav"
done
sleep 0.03
"$segue" play --no-gpu --device null --speed 8 --log-level warn "$music" "$music" >/dev/null 2>"$err" &
pid=$!
replaced=0 from=new
while kill -0 $pid 2>/dev/null; do
    for i in 1 2 3; do
        cp -p "$root/$from$i.wav" "$root/next" && mv "$root/next" "$music/$i.wav" &&
            replaced=$((replaced + 1))
        sleep 0.07
    done
    [ $from = new ] && from=old || from=new
done
wait $pid
check 'a player goes on whatever is replaced under it' test $? -eq 0
check 'files are replaced while it plays' test $replaced -ge 12
for from in old new; do
    for i in 1 2 3; do
        cp -p "$root/$from$i.wav" "$root/next" && mv "$root/next" "$music/$i.wav"
    done
    analyze --no-cache "$music"
    figures "$out" >"$root/first"
    analyze "$music"
    figures "$out" >"$root/second"
    check "the $from bytes have the $from figures" cmp -s "$root/first" "$root/second"
done
check 'no record is of other bytes than its file has' "$segue" cache verify --files

# --- clear
start_over
"$segue" cache clear "$music/a/1.wav" "$music/b/" "$music/a/1" "$music/a/1.wa" >"$out"
check 'clear takes a track and a folder, by whole components' grep -qx '2 entries cleared' "$out"
(cd "$music/b" && "$segue" cache clear ../a/2.wav) >"$out"
check 'clear takes relative paths' grep -qx '1 entries cleared' "$out"
rm -r "$music"
"$segue" cache clear "$music" >"$out"
check 'clear takes what is gone' grep -qx '1 entries cleared' "$out"
check 'nothing is left then' test "$(entries)" -eq 0

# --- statistics
start_over
analyze "$music"
"$segue" cache stats --json >"$out"
check 'statistics count over processes' \
    grep -q '"hits": {"memory": 0, "sqlite": 4, "sidecar": 0}, "misses": 4, "hit_rate": 0.500000' "$out"
check 'statistics know back ends and versions' \
    grep -q '"by_backend": {"cpu": 4}, "by_algorithm_version": {"[0-9]*": 4}}$' "$out"
"$segue" cache clear >/dev/null
"$segue" cache stats --json >"$out"
check 'clear begins the totals anew' grep -q '"sidecar": 0}, "misses": 0, "hit_rate": null' "$out"

# --- export and import
start_over
figures "$out" >"$root/first"
analyze --preset punchy "$music/a"
check 'export writes' "$segue" cache export "$root/all.jsonl"
check 'a line for each track and its settings' test "$(wc -l <"$root/all.jsonl")" -eq 7
"$segue" cache clear >/dev/null
check 'import takes all' "$segue" cache import "$root/all.jsonl" >/dev/null
analyze "$music"
check 'what was imported is found' has_source sqlite 4
figures "$out" >"$root/second"
check 'what was imported has the same figures' cmp -s "$root/first" "$root/second"
analyze --no-cache --preset punchy "$music/a"
figures "$out" >"$root/first"
analyze --preset punchy "$music/a"
figures "$out" >"$root/second"
check 'its other targets, too' cmp -s "$root/first" "$root/second"
"$segue" cache export "$root/again.jsonl"
check 'a second export is the same' cmp -s "$root/all.jsonl" "$root/again.jsonl"
"$segue" cache clear >/dev/null
{
    sed -n 1p "$root/all.jsonl"
    sed -n 2p "$root/all.jsonl" | sed 's/"channels":1/"channels":2/'
    echo rubbish
    sed -n '4,$p' "$root/all.jsonl"
} >"$root/bad.jsonl"
"$segue" cache import "$root/bad.jsonl" >"$out" 2>"$err"
check 'import with bad lines fails' test $? -eq 1
check 'import names bad lines' grep -q 'bad.jsonl: line 2 is damaged' "$err"
check 'import takes the rest' grep -qx '5 lines taken' "$out"

"$segue" cache import "$root/all.jsonl" >/dev/null
"$segue" cache export - >"$root/again.jsonl"
check 'export - writes to standard output' cmp -s "$root/all.jsonl" "$root/again.jsonl"
"$segue" cache clear >/dev/null
"$segue" cache import - <"$root/all.jsonl" >"$out"
check 'import - reads standard input' grep -qx '7 lines taken' "$out"
"$segue" cache export /dev/full 2>"$err"
check 'a full disk is what export names' one_warning '/dev/full: No space left on device'
rm -rf "$XDG_DATA_HOME"
"$segue" cache import "$music" 2>"$err"
check 'a folder is what import names' one_warning "$music: Is a directory"
check 'and it makes no database for it' test ! -e "$database"

# An import whose input is long in coming holds up nobody.
"$segue" cache clear >/dev/null
mkfifo "$root/slow.jsonl"
"$segue" cache import "$root/slow.jsonl" >"$root/imported" &
pid=$!
exec 3>"$root/slow.jsonl"
sed -n 1p "$root/all.jsonl" >&3
check 'an idle import holds no lock' timeout 5 "$segue" cache clear "$music/b" >"$out"
sed -n '2,$p' "$root/all.jsonl" >&3
exec 3>&-
wait $pid
check 'and takes all in the end' grep -qx '7 lines taken' "$root/imported"

# --- sidecars
start_over
figures "$out" >"$root/first"
rm -rf "$XDG_DATA_HOME"
analyze --sidecar "$music"
check 'sidecars are written' test "$(find "$music" -name '*.wav.25d' | wc -l)" -eq 4
check 'no temporary is left' test -z "$(find "$music" -name '.segue-*')"
rm -rf "$XDG_DATA_HOME"
analyze "$music"
check 'sidecars are read' has_source sidecar 4
figures "$out" >"$root/second"
check 'sidecars give the same figures' cmp -s "$root/first" "$root/second"
analyze "$music"
check 'and are put into the database' has_source sqlite 4
rm -rf "$XDG_DATA_HOME"
analyze --preset gentle "$music"
check 'a sidecar of other settings costs no analysis' has_source sidecar 4
cp -r "$music" "$root/copied"
rm -rf "$XDG_DATA_HOME"
sleep 0.03
analyze "$root/copied"
check 'sidecars go with copies' has_source sidecar 4
cp "$root/copied/a/1.wav.25d" "$root/copied/a/2.wav.25d"
rm -rf "$XDG_DATA_HOME"
analyze "$root/copied/a/2.wav"
check "another track's sidecar is rejected" has_source computed 1
rm "$music/a/1.wav.25d"
echo broken >"$music/a/2.wav.25d"
cp "$music/a/3.wav.25d" "$root/good.25d"
inode=$(stat -c %i "$music/a/3.wav.25d")
rm -rf "$XDG_DATA_HOME"
analyze "$music"
check 'a broken sidecar is warned of' one_warning '2.wav.25d: damaged'
analyze --sidecar "$music"
check 'sidecars are written whatever the source' has_source sqlite 4
rm -rf "$XDG_DATA_HOME"
analyze "$music"
check 'missing and broken ones are made' has_source sidecar 4
check 'a good one is left alone' test "$(stat -c %i "$music/a/3.wav.25d")" = "$inode"
"$segue" cache clear >/dev/null
check 'clear leaves sidecars' test -e "$music/a/1.wav.25d"
rm "$music/a/1.wav.25d" "$music/a/2.wav.25d" "$music/a/3.wav.25d"
mkfifo "$music/a/1.wav.25d"
mkdir "$music/a/2.wav.25d"
ln -s "$root/good.25d" "$music/a/3.wav.25d"
rm -rf "$XDG_DATA_HOME"
check 'what is no regular file blocks nothing' \
    timeout 60 "$segue" analyze --no-gpu --sidecar --log-level warn "$music/a" >"$out" 2>"$err"
check 'it is not read' has_source computed 3
check 'each is warned of once' test "$(wc -l <"$err")" -eq 3
check 'and left alone' test -p "$music/a/1.wav.25d" -a -d "$music/a/2.wav.25d" -a -L "$music/a/3.wav.25d"
long=$music/$(printf 'x%.0s' {1..246}).wav
make_track "$long" 5
analyze --sidecar "$long"
rm -rf "$XDG_DATA_HOME"
analyze "$long"
check 'a name of 250 bytes has a sidecar' has_source sidecar 1
"$segue" analyze --no-cache --sidecar "$long" >/dev/null 2>&1
check '--no-cache excludes --sidecar' test $? -eq 2

# --- states of the database found
start_over
figures "$out" >"$root/first"
printf 'no database at all, but long enough to be taken for one by a careless reader: %0200d' 0 >"$database"
analyze "$music"
status=$?
check 'a corrupt database changes no exit status' test $status -eq 0
check 'a corrupt database is warned of once' one_warning "library.db: the database is corrupt"
put_aside() {
    find "$XDG_DATA_HOME" -name 'library.db.corrupt-*Z' | wc -l
}
check 'it is kept aside' test "$(put_aside)" -eq 1
touch "$database.corrupt-20200101T000000Z"
analyze "$music"
check 'the run after that hits' has_source sqlite 4
size=$(stat -c %s "$database")
for ((at = 4096; at < size; at += 512)); do
    printf '\xa5\x5a\xa5\x5a' | dd of="$database" bs=1 seek="$at" conv=notrunc status=none
done
rm -f "$database-wal" "$database-shm"
analyze "$music"
figures "$out" >"$root/second"
check 'a database of damaged pages gives no wrong record' cmp -s "$root/first" "$root/second"
analyze "$music"
check 'and is made anew' has_source sqlite 4
check 'of those put aside the newest is kept' test "$(put_aside)" -eq 1 -a ! -e "$database.corrupt-20200101T000000Z"

# A damaged page is met by the first path that is cleared, the second or none: what was cleared before the mending is
# not counted.
start_over
for i in {10..29}; do
    make_track "$music/a/$i.wav" "$i"
    make_track "$music/b/$i.wav" "$((i + 20))"
done
analyze "$music"
"$segue" cache vacuum >/dev/null
cp "$database" "$root/sound.db"
check 'the log is in the main file' test ! -s "$database-wal"
overcounted=0
for ((page = 1; page < $(stat -c %s "$root/sound.db") / 4096; page++)); do
    rm -f "$database"*
    cp "$root/sound.db" "$database"
    dd if=/dev/zero of="$database" bs=4096 seek=$page count=1 conv=notrunc status=none
    "$segue" cache clear "$music/a" "$music/b" >"$out" 2>"$err"
    [ "$(cut -d ' ' -f 1 "$out")" -le 44 ] || overcounted=$((overcounted + 1))
done
check 'what is cleared twice is counted once' test $overcounted -eq 0

# One flipped bit in the schema: no statement of ours fits it.
damage_schema() {
    start_over
    rm -f "$database-wal" "$database-shm"
    sed -i 's/codec TEXT/codeb TEXT/' "$database"
}
damage_schema
"$segue" cache verify >"$out" 2>"$err"
check 'a damaged schema: verify says so' test $? -eq 1
check 'a damaged schema: and what helps' grep -q 'cache vacuum' "$err"
analyze "$music"
check 'a damaged schema: one warning' one_warning 'library.db: the database is corrupt'
analyze "$music"
check 'a damaged schema: the run after that hits' has_source sqlite 4
check 'a damaged schema: and warns of nothing' no_warning
"$segue" cache export "$root/all.jsonl"
damage_schema
"$segue" cache vacuum 2>"$err"
check 'a damaged schema: vacuum keeps what reads' test "$(entries)" -eq 4
analyze "$music"
check 'a damaged schema: which is found' has_source sqlite 4
damage_schema
check 'a damaged schema: clear' "$segue" cache clear >"$out" 2>"$err"
check 'a damaged schema: clear makes a sound one' "$segue" cache verify
damage_schema
check 'a damaged schema: import' "$segue" cache import "$root/all.jsonl" >"$out" 2>"$err"
check 'a damaged schema: import makes a sound one' "$segue" cache verify
analyze "$music"
check 'a damaged schema: with all in it' has_source sqlite 4

# Bits of a record that SQLite takes no notice of.
rm -f "$database-wal" "$database-shm"
sed -i 's/wavcpu/wawcpu/g' "$database" # codec and back end stand side by side
"$segue" cache verify >"$out" 2>"$err"
check 'verify sees a flipped record' test $? -eq 1
check 'verify names it' grep -q 'damaged' "$err"
analyze "$music"
check 'a flipped record is a miss' has_source sqlite 0
figures "$out" >"$root/second"
check 'and what is printed is right' cmp -s "$root/first" "$root/second"
analyze "$music"
check 'and is replaced' has_source sqlite 4

big_endian() {
    printf '%b' "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 >> 24 & 255)) $(($1 >> 16 & 255)) \
        $(($1 >> 8 & 255)) $(($1 & 255)))"
}
for state in 'newer 60 99 newer version' 'foreign 68 1234 another application' \
    'unmarked 68 0 another application'; do
    read -r name offset value words <<<"$state"
    start_over
    rm -f "$database-wal" "$database-shm"
    big_endian "$value" | dd of="$database" bs=1 seek="$offset" conv=notrunc status=none
    rm "$database.lock"
    cp "$database" "$root/kept.db"
    analyze "$music"
    check "$name: the exit status is that of the tracks" test $? -eq 0
    check "$name: nothing is read" has_source computed 4
    check "$name: one warning" one_warning "$words"
    for action in clear vacuum; do
        "$segue" cache $action >/dev/null 2>&1
        check "$name: $action refuses" test $? -eq 1
    done
    check "$name: nothing is written" cmp -s "$database" "$root/kept.db"
    check "$name: nothing is left beside it" \
        test "$(find "$XDG_DATA_HOME/segue" -type f | wc -l)" -eq 1
done

rm -rf "$XDG_DATA_HOME"
mkdir -p "$database"
analyze "$music"
check 'a folder in its place: exit status of the tracks' test $? -eq 0
check 'a folder in its place: one warning' one_warning 'not a regular file'
rm -rf "$XDG_DATA_HOME"
mkdir -p "$XDG_DATA_HOME/segue"
mkfifo "$database"
check 'a FIFO in its place blocks nothing' \
    timeout 60 "$segue" analyze --no-gpu --log-level warn "$music" >"$out" 2>"$err"
check 'a FIFO in its place: one warning' one_warning 'not a regular file'
(
    unset HOME XDG_DATA_HOME
    analyze "$music"
)
check 'no HOME: the tracks are analysed' has_source computed 4
check 'no HOME: one warning' one_warning 'HOME'
XDG_DATA_HOME=relative analyze "$music"
check 'a relative XDG_DATA_HOME is as unset' test -e "$HOME/.local/share/segue/library.db"

# Another process holds the lock for longer than a batch waits, not longer than the run does.
start_over
"$segue" cache clear >/dev/null
flock "$database.lock" sleep 2 &
analyze "$music"
wait
check 'a locked database is waited for' no_warning
check 'and then all is saved' test "$(entries)" -eq 4

# What root may write anywhere, others may not.
read_only_folder() {
    start_over
    chmod a+rX "$root" "$music" "$music"/*
    chmod -R a+rX "$XDG_DATA_HOME"
    chmod a-w "$XDG_DATA_HOME/segue"
    make_track "$music/new.wav" 11
    as_other "$segue" analyze --no-gpu --sidecar --log-level warn "$music" >"$out" 2>"$err"
    check 'read-only: the exit status is that of the tracks' test $? -eq 0
    check 'read-only: hits are served' has_source sqlite 4
    check 'read-only: the rest is computed' has_source computed 1
    check 'read-only: one warning for the database' test "$(grep -c 'library.db: ' "$err")" -eq 1
    check 'read-only: one warning a folder' test "$(grep -c 'sidecars cannot be written' "$err")" -eq 3
    chmod u+w "$XDG_DATA_HOME/segue"
}
if [ "$(id -u)" -ne 0 ]; then
    as_other() { "$@"; }
    chmod_music() { chmod a-w "$music" "$music"/*; }
elif command -v setpriv >/dev/null && setpriv --reuid 65534 --clear-groups test -x "$segue"; then
    as_other() { setpriv --reuid 65534 --clear-groups "$@"; }
fi
if declare -F as_other >/dev/null && [ "$(id -u)" -eq 0 ]; then
    read_only_folder
else
    echo 'skipped: a read-only folder needs root and setpriv'
fi

# --- a full disk
mkdir "$root/small"
if mount -t tmpfs -o size=64k tmpfs "$root/small" 2>/dev/null; then
    mounted=$root/small
    XDG_DATA_HOME=$root/small analyze "$music"
    check 'disk full: the exit status is that of the tracks' test $? -eq 0
    check 'disk full: one warning' one_warning 'the disk is full'
    umount "$mounted" && mount -t tmpfs -o size=1m tmpfs "$root/small"
    XDG_DATA_HOME=$root/small analyze "$music"
    check 'disk not yet full: no warning' no_warning
    cat /dev/zero >"$root/small/filler" 2>/dev/null
    truncate -s -8192 "$root/small/filler"
    for i in {20..39}; do
        make_track "$music/$i.wav" "$i" 8000
    done
    XDG_DATA_HOME=$root/small analyze "$music"
    check 'disk full later: the exit status is that of the tracks' test $? -eq 0
    check 'disk full later: one warning' one_warning 'the disk is full'
    check 'disk full later: hits are served' grep -q '"source":"sqlite"' "$out"
    XDG_DATA_HOME=$root/small "$segue" cache verify >"$out" 2>"$err"
    check 'disk full: the file stays sound' test $? -eq 0
    rm "$root/small/segue/library.db-shm"
    cat /dev/zero >>"$root/small/filler" 2>/dev/null
    XDG_DATA_HOME=$root/small analyze "$music/a"
    check 'disk full, no -shm: hits are served' has_source sqlite 3
    rm -f "$root/small/filler" "$root/small/segue/library.db-shm"
    mount -o remount,ro "$root/small"
    XDG_DATA_HOME=$root/small analyze "$music/a"
    check 'read-only, a -wal and no -shm: hits are served' has_source sqlite 3
    # A page of the main file that a checkpoint was writing when the power went stands whole in the -wal.
    mount -o remount,rw "$root/small"
    dd if=/dev/zero of="$root/small/segue/library.db" bs=4096 seek=2 count=1 conv=notrunc status=none
    mount -o remount,ro "$root/small"
    XDG_DATA_HOME=$root/small analyze "$music/a"
    check 'read-only, torn: the exit status is that of the tracks' test $? -eq 0
    check 'read-only, torn: the log is named' grep -q 'without that its log cannot be read' "$err"
    check 'read-only, torn: it is not called corrupt' test "$(grep -c corrupt "$err")" -eq 0
    mount -o remount,rw "$root/small"
    XDG_DATA_HOME=$root/small analyze "$music/a"
    check 'torn: the log is read again' has_source sqlite 3
    umount "$mounted"
    mounted=
else
    echo 'skipped: a full disk needs a tmpfs'
fi

# --- killed at any instant: the database stays sound, and what an earlier run saved stays. In every other trial a
# player shares it, and in every fourth that is killed, too.
rm -rf "$XDG_DATA_HOME" "$music"
mkdir -p "$music"
for i in {1..30}; do
    make_track "$music/$i.wav" "$i" 8000
done
begun=$(date +%s%N)
analyze --no-cache "$music"
length_us=$((($(date +%s%N) - begun) / 1000))
figures "$out" >"$root/first"
RANDOM=1
killed=0 hindered=0 lost=0 wrong=0 corrupt=0 saved=0 # saved: entries after the trial before
for ((i = 0; i < kills; i++)); do
    [ "$saved" -lt 30 ] || { "$segue" cache clear >/dev/null && saved=0; }
    player=
    if ((i % 2)); then
        "$segue" play --no-gpu --device null --speed max --log-level warn "$music" >/dev/null 2>"$root/played" &
        player=$!
    fi
    "$segue" analyze --no-gpu --log-level warn "$music" >"$out" 2>"$err" &
    pid=$!
    instant_us=$(((RANDOM * 32768 + RANDOM) % length_us))
    sleep "$((instant_us / 1000000)).$(printf '%06d' $((instant_us % 1000000)))"
    kill -KILL $pid 2>/dev/null && killed=$((killed + 1))
    ((i % 4 != 3)) || kill -KILL $player 2>/dev/null
    wait $pid 2>/dev/null && saved=30
    if ((i % 4 == 1)); then
        wait $player && grep -q '30 of 30 tracks, 0 underruns' "$root/played" || hindered=$((hindered + 1))
        saved=30
    elif [ -n "$player" ]; then
        wait $player 2>/dev/null
    fi
    "$segue" cache verify >"$out" 2>"$err" || corrupt=$((corrupt + 1))
    [ "$(entries)" -ge "$saved" ] || lost=$((lost + 1))
    saved=$(entries)
done
analyze "$music"
figures "$out" >"$root/second"
cmp -s "$root/first" "$root/second" || wrong=1
echo "$kills trials, $killed killed: $corrupt corrupt, $lost with losses, $wrong wrong, $hindered players hindered"
check 'kills hit the program' test $killed -gt $((kills / 4))
check 'no kill hinders a player' test $hindered -eq 0
check 'no kill leaves a corrupt database' test $corrupt -eq 0
check 'no kill loses what was saved' test $lost -eq 0
check 'no kill leaves a wrong record' test $wrong -eq 0

# SIGTERM writes first.
"$segue" cache clear >/dev/null
: >"$out"
"$segue" analyze --no-gpu --jobs 1 "$music" >"$out" 2>"$err" &
pid=$!
for ((i = 0; i < 500; i++)); do
    [ "$(wc -l <"$out")" -lt 3 ] || break
    sleep 0.01
done
kill -TERM $pid
wait $pid 2>/dev/null
lines=$(wc -l <"$out")
check 'SIGTERM saves what was printed' test "$(entries)" -ge "$lines"

echo "$checks checks, $failures failed"
[ $failures -eq 0 ]

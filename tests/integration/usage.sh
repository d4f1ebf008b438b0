#!/bin/bash
# The command line's outer behaviour: exit status, one clear line on standard error, help everywhere.
# SEGUE_BIN is the folder of the binaries.
set -u
segue=${SEGUE_BIN:?}/segue
out=$(mktemp) err=$(mktemp)
trap 'rm -f "$out" "$err"' EXIT
failures=0

# expect_refusal PATTERN ARGS...: status 2, nothing on standard output, one line that matches on the other.
expect_refusal() {
    local pattern=$1 status
    shift
    "$segue" "$@" >"$out" 2>"$err" </dev/null
    status=$?
    if [ $status -ne 2 ] || [ -s "$out" ] || [ "$(wc -l <"$err")" -ne 1 ] ||
        ! grep -q -- "$pattern" "$err"; then
        echo "segue $*: status $status, expected 2 and one line with \"$pattern\", got:"
        cat "$out" "$err"
        failures=$((failures + 1))
    fi
}

# expect_page PATTERN ARGS...: status 0, the pattern on standard output, nothing on the other.
expect_page() {
    local pattern=$1 status
    shift
    "$segue" "$@" >"$out" 2>"$err" </dev/null
    status=$?
    if [ $status -ne 0 ] || [ -s "$err" ] || ! grep -q -- "$pattern" "$out"; then
        echo "segue $*: status $status, expected 0 and \"$pattern\" on standard output"
        failures=$((failures + 1))
    fi
}

"$segue" >"$out" 2>"$err" </dev/null
if [ $? -ne 2 ] || [ -s "$out" ] || ! grep -q usage "$err"; then
    echo "segue alone: expected status 2 and its usage on standard error"
    failures=$((failures + 1))
fi

expect_refusal 'unknown command' frobnicate
expect_refusal 'did you mean analyze' analyse x
expect_refusal '--bogus' play --bogus x
expect_refusal '--intensity' play --intensity nan x
expect_refusal '--rate' play --rate 99999999999999999999 x
expect_refusal '--preset' render --preset=loud a.wav b.wav
expect_refusal '--device needs a value' play x --device
expect_refusal '--sidecar' analyze --no-cache --sidecar x
expect_refusal '--format f32' render --format f32 a.wav b.flac
expect_refusal 'needs one of' cache
expect_refusal '\\x1b' play $'--\x1b[2J' x

expect_page '^USAGE' --help
expect_page '^segue [0-9]' --version
for command in play analyze render report cache devices; do
    expect_page "segue $command" $command --help
    expect_page '^segue [0-9]' $command --version
done

[ $failures -eq 0 ]

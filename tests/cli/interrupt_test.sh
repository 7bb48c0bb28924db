# SPDX-License-Identifier: Apache-2.0
#
# Ctrl-C in the middle of ingest and compress: exit code 130, nothing half-written, and the next run finishes with what a run that was left
# alone gives. The moment is waited for, not guessed: the signal goes out when the first things of the work are there.
set -u
shm=/tmp
[ -w /dev/shm ] && shm=/dev/shm
work=$(mktemp -d "$shm/takc-interrupt-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT INT TERM
fail() { echo "FAILED: $*"; cat "$work/err" 2>/dev/null; exit 1; }

mkdir "$work/docs"
awk -v dir="$work/docs" 'BEGIN { for (i = 0; i < 1500; i++) { f = sprintf("%s/d%04d.txt", dir, i)
    for (k = 0; k < 12; k++) printf "The pump %d of hall %d reached %d units in quarter %d.\n", i, k, i * 37 + k * 11, k % 4 + 1 >f
    close(f) } }'
for home in clean cut; do TAKC_HOME=$work/$home "$TAKC" init fin >/dev/null || fail init; done
TAKC_HOME=$work/clean "$TAKC" ingest -t fin "$work/docs" >/dev/null && TAKC_HOME=$work/clean "$TAKC" compress -t fin >/dev/null || fail "the clean run"

export TAKC_HOME=$work/cut
interrupt() { # a pattern of files that tell that work goes on, then the verb
    sign=$1
    shift
    "$TAKC" "$@" >"$work/out" 2>"$work/err" &
    pid=$!
    until ls $sign >/dev/null 2>&1; do
        kill -0 $pid 2>/dev/null || return 1
        sleep 0.01
    done
    kill -INT $pid 2>/dev/null || return 1
    wait $pid
    code=$?
    [ $code = 0 ] && return 1 # it was quicker
    [ $code = 130 ] || fail "$* ends with $code after SIGINT"
    grep -q '^takc: .*stopped on request' "$work/err" || fail "$*: no word about the stop"
    [ -z "$(find "$TAKC_HOME" -name '.takc-tmp-*')" ] || fail "$*: a temporary file stays"
    return 0
}
tries=0 # on a machine that is busy with other things it may be over before it is stopped
until interrupt "$TAKC_HOME/documents/fin/*.json" ingest -t fin "$work/docs"; do
    tries=$((tries + 1))
    [ $tries -lt 5 ] || fail "ingest could not be stopped"
    rm -rf "$TAKC_HOME"
    "$TAKC" init fin >/dev/null || fail init
done
n=$(find "$TAKC_HOME/documents" -name '*.json' | wc -l)
{ [ "$n" -gt 0 ] && [ "$n" -lt 1500 ]; } || fail "$n documents after the stop"
"$TAKC" doctor >/dev/null || fail doctor
"$TAKC" ingest -t fin "$work/docs" >"$work/out" 2>"$work/err" || fail "ingest again"
same=$(sed -n 's/.* \([0-9,]*\) same.*/\1/p' "$work/out" | tr -d ,)
[ "${same:-0}" -ge "$n" ] || fail "$n were accepted, $same were known: $(cat "$work/out")"
tries=0
until interrupt "$TAKC_HOME/artifacts/fin/v1/work.json" compress -t fin; do
    tries=$((tries + 1))
    [ $tries -lt 5 ] || fail "compress could not be stopped"
    rm -rf "$TAKC_HOME/manifests" "$TAKC_HOME/artifacts" "$TAKC_HOME/index"
done
[ ! -e "$TAKC_HOME/manifests/fin.json" ] || fail "a stopped compress made a version"
"$TAKC" compress -t fin >"$work/out" 2>"$work/err" || fail "compress again"
"$TAKC" verify -t fin >"$work/out" 2>"$work/err" || fail "verify: $(cat "$work/out")"
# Ledgers hold durations; settled.json names the manifest, which has their hashes and the time that the version was made.
for folder in artifacts index text blobs raw-data fin; do
    diff -rq -x '*.ledger.json' -x settled.json "$work/clean/$folder" "$TAKC_HOME/$folder" >"$work/out" || fail "$(head -3 "$work/out")"
done
echo "stopped with $n of 1500 documents in; compress stopped, went on and ended as the clean run"

# SPDX-License-Identifier: Apache-2.0
#
# A backup that is taken while a writer runs: it restores to a home that verifies, has the documents that were accepted before it began,
# and can be worked on.
set -u
shm=/tmp
[ -w /dev/shm ] && shm=/dev/shm
work=$(mktemp -d "$shm/takc-backup-XXXXXX") || exit 1
trap 'touch "$work/stop"; wait; rm -rf "$work"' EXIT INT TERM
fail() { echo "FAILED: $*"; exit 1; }
export TAKC_HOME=$work/home
mkdir "$work/docs"

write() { # number, round
    for k in 0 1 2 3 4 5 6 7 8 9; do
        echo "The pump $1 reached $(($1 * 37 + $2 * 101 + k)) units in quarter $k, not more."
    done >"$work/docs/d$1.txt"
}
for i in 1 2 3 4 5 6 7 8; do write $i 0; done
"$TAKC" init fin >/dev/null && "$TAKC" ingest -t fin "$work/docs" >/dev/null && "$TAKC" compress -t fin >/dev/null || fail "the first version"

writer() { # changes, ingests, compresses, forgets until it is told to stop
    round=1
    while [ ! -e "$work/stop" ]; do
        write $((round % 8 + 1)) $round
        "$TAKC" ingest -t fin "$work/docs" >/dev/null 2>"$work/writer.err" || { cat "$work/writer.err" >"$work/writer.failed"; return; }
        "$TAKC" compress -t fin >/dev/null 2>"$work/writer.err" || { cat "$work/writer.err" >"$work/writer.failed"; return; }
        round=$((round + 1))
        echo $round >"$work/rounds"
    done
}
# The writer waits for a backup that holds the task, instead of being told BUSY.
TAKC=$TAKC
writer &
made=0
for i in 1 2 3 4 5 6; do
    sleep 0.1
    "$TAKC" backup "$work/copy$i" >"$work/out" 2>"$work/err"
    code=$?
    [ $code = 4 ] && continue # busy: said so, nothing left behind
    [ $code = 0 ] || fail "backup $i: $code: $(cat "$work/err")"
    made=$((made + 1))
done
touch "$work/stop"
wait
[ ! -e "$work/writer.failed" ] || grep -q 'being changed by another process' "$work/writer.failed" || fail "the writer: $(cat "$work/writer.failed")"
[ $made -gt 2 ] || fail "only $made backups of 6 could be made"
for i in 1 2 3 4 5 6; do
    [ -e "$work/copy$i/home.json" ] || continue
    "$TAKC" --home "$work/back$i" restore "$work/copy$i" >/dev/null || fail "restore $i"
    for version in $("$TAKC" --home "$work/back$i" cache -t fin list --json | sed -n 's/.*"version": "\(.*\)",/\1/p'); do
        "$TAKC" --home "$work/back$i" verify -t fin --version "$version" >"$work/out" 2>&1 || fail "copy $i, version $version: $(cat "$work/out")"
    done
    [ "$(find "$work/back$i/documents/fin" -name '*.json' | wc -l)" = 8 ] || fail "copy $i lacks documents"
    [ -z "$(find "$work/back$i" -name '.takc-tmp-*')" ] || fail "copy $i has temporary files"
    "$TAKC" --home "$work/back$i" ingest -t fin "$work/docs" >/dev/null || fail "ingest into copy $i"
    "$TAKC" --home "$work/back$i" compress -t fin >/dev/null || fail "compress copy $i"
    "$TAKC" --home "$work/back$i" verify -t fin >"$work/out" 2>&1 || fail "copy $i after work: $(cat "$work/out")"
done
echo "$made backups beside a writer of $(cat "$work/rounds") rounds verify after restore"

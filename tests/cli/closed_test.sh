#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Standard files that the caller closed, a reader that leaves early, and a limit on file sizes: nothing that is printed lands in the home, no
# complaint about a reader that has seen enough, and a write that may not be is told.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
HOME=$work TAKC_HOME=$work/home
export HOME TAKC_HOME
fail() { echo "FAILED: $1" >&2; exit 1; }
mkdir "$work/docs"
for i in 1 2 3 4 5 6 7 8; do
    awk -v d=$i 'BEGIN {for (k = 0; k < 300; k++) printf "Valve %d of hall %d opens at %d bar when pump %d runs.\n", k, d, k * 7 % 31, k * d % 97}' >"$work/docs/$i.txt"
done
{ "$TAKC" init -q x && "$TAKC" ingest -q -t x "$work/docs" && "$TAKC" compress -q -t x --rates 1,2; } >/dev/null || fail "set up"
find "$work/home" -type f ! -name 'catalog.sqlite*' -exec sha256sum {} + | sort >"$work/before"

"$TAKC" cache -t x show 1 --rate 1 >&- 2>"$work/err"
[ $? = 8 ] && grep -q 'write to stdout' "$work/err" || fail "a closed stdout: $(cat "$work/err")"
"$TAKC" query -t x --mode whole --context valve >&- 2>&-
[ $? = 8 ] || fail "a closed stdout and stderr"
"$TAKC" query -t x valve <&- >/dev/null || fail "a closed stdin"
find "$work/home" -type f ! -name 'catalog.sqlite*' -exec sha256sum {} + | sort >"$work/after"
cmp -s "$work/before" "$work/after" || fail "what was printed is in the home: $(diff "$work/before" "$work/after")"

"$TAKC" query -t x --mode whole --context valve 2>"$work/err" | head -1 >/dev/null
[ ! -s "$work/err" ] || fail "a reader that left is complained about: $(cat "$work/err")"

for i in 1 2 3 4 5 6 7 8; do sed -i 's/hall/room/' "$work/docs/$i.txt"; done
(ulimit -f 8 && exec "$TAKC" ingest -q -t x "$work/docs") >/dev/null 2>"$work/err"
[ $? = 9 ] && grep -q 'File too large' "$work/err" || fail "a limit on file sizes: $(cat "$work/err")"
find "$work/home" -name '.takc-tmp-*' | grep -q . && fail "temporaries are left"
"$TAKC" doctor >"$work/out" || fail "$(cat "$work/out")"
"$TAKC" verify -t x >"$work/out" || fail "$(cat "$work/out")"
echo "closed and limited files"

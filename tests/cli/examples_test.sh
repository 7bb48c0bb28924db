#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The example that each verb's help prints runs as it is printed, in the order of takc help: a folder reports/ with a q3.txt is all it needs.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
mkdir -p "$work/bin" "$work/here/reports"
ln -s "$TAKC" "$work/bin/takc"
cd "$work/here"
PATH=$work/bin:$PATH HOME=$work TAKC_HOME=$work/home
export PATH HOME TAKC_HOME
for q in 1 2 3 4; do
    printf 'Quarter %s\n\nRevenue of Q%s was 4%s million CHF on 31 March 202%s. The board did not raise the dividend in it.\n' \
        $q $q $q $q >reports/q$q.txt
done

takc help | awk '/^Verbs/ {on = 1; next} /^$/ {on = 0} on {print $1}' >"$work/verbs"
# A server runs until it is told to stop: it must answer, and end well.
serve() {
    sh -c "exec $1" </dev/null >"$work/said" 2>&1 &
    server=$!
    tries=0
    until [ $tries -eq 100 ] || grep -q ^http "$work/said"; do tries=$((tries + 1)); kill -0 $server 2>/dev/null || break; sleep .1; done
    if grep -q 'is in use' "$work/said"; then echo "SKIPPED: $1: $(cat "$work/said")" >&2; return 0; fi
    python3 -c 'import sys, urllib.request as u; u.build_opener(u.ProxyHandler({})).open(sys.argv[1], timeout=20).read()' \
        "$(grep ^http "$work/said")/health" || { kill $server; return 1; }
    kill $server && wait $server
}

ran=0
while read -r verb; do
    example=$(takc help "$verb" | awk '/^Example$/ {getline; sub(/^ */, ""); print; exit}')
    case $example in "takc "*) ;; *) echo "FAILED: $verb has no example" >&2; exit 1 ;; esac
    case $example in "takc serve"*) run=serve ;; *) run="sh -c" ;; esac
    $run "$example" </dev/null >"$work/out" 2>&1 || { echo "FAILED: $example: $(cat "$work/out")" >&2; exit 1; }
    ran=$((ran + 1))
done <"$work/verbs"
[ $ran -ge 15 ] || { echo "FAILED: $ran examples only" >&2; exit 1; }
example=$(takc help | awk '/^Example$/ {getline; sub(/^ */, ""); print; exit}')
TAKC_HOME=$work/other sh -c "$example" >"$work/out" 2>&1 || { echo "FAILED: $example: $(cat "$work/out")" >&2; exit 1; }
echo "$ran examples"

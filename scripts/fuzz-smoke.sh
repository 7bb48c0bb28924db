#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzz target for a few seconds over its seeds: sh scripts/fuzz-smoke.sh [SECONDS]
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-5}
if ! command -v clang >/dev/null 2>&1; then
    echo "SKIPPED: fuzzing needs clang; run: sh scripts/install-parts.sh test" >&2
    exit 0
fi
mkdir -p build
{ cmake --preset fuzz && cmake --build --preset fuzz; } >build/fuzz.log 2>&1 || { tail -40 build/fuzz.log >&2; exit 1; }

run_one() { # one target: its figures, or the end of what it printed
    name=$(basename "$1" _fuzz)
    found=build/fuzz/found/$name
    mkdir -p "$found"
    seeds=
    for folder in "fuzz/corpus/$name" "fuzz/corpus/${name}_fuzz"; do
        [ ! -d "$folder" ] || seeds="$seeds $folder"
    done
    [ -n "$seeds" ] || echo "note: $name has no seeds in fuzz/corpus/${name}_fuzz"
    # shellcheck disable=SC2086
    if "$1" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 -max_len=65536 -print_final_stats=1 -artifact_prefix="$found." \
        "$found" $seeds >"$found.log" 2>&1; then
        echo "ok   $name $(sed -n 's/^stat::number_of_executed_units: *//p' "$found.log") runs"
    else
        echo "FAIL $name"
        tail -30 "$found.log"
        echo "$name" >>build/fuzz/failed
    fi
}

# Two at a time: odd ones in the background, even ones here.
: >build/fuzz/failed
n=0
for target in build/fuzz/fuzz/*_fuzz; do
    n=$((n + 1))
    if [ $((n % 2)) -eq 1 ]; then
        run_one "$target" &
    else
        run_one "$target"
        wait
    fi
done
wait
failed=$(wc -l <build/fuzz/failed)
echo "fuzz targets: $n run, $failed failed"
[ "$failed" -eq 0 ]

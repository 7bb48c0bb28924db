#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds build/release quietly; the log is shown only when it fails: sh scripts/build.sh [TARGET]
set -eu
cd "$(dirname "$0")/.."
log=build/build.log
mkdir -p build
echo "building takc (the first time takes a minute or two) ..." >&2
if ! { cmake --preset release && cmake --build --preset release ${1:+--target "$1"}; } >"$log" 2>&1; then
    tail -40 "$log" >&2
    echo "the build failed; the whole log is $log" >&2
    exit 1
fi

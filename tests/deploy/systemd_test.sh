#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# deploy/systemd/takc.service: systemd reads all of it, and finds little that is left open.
set -eu
command -v systemd-analyze >/dev/null || { echo "SKIPPED: no systemd-analyze: sh scripts/install-parts.sh server" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
unit=$TAKC_SOURCE_DIR/deploy/systemd/takc.service
grep -q '^ExecStart=/usr/local/bin/takc serve$' "$unit" || { echo "FAILED: no ExecStart" >&2; exit 1; }
sed "s|/usr/local/bin/takc|$TAKC|" "$unit" >"$work/takc.service"
systemd-analyze verify "$work/takc.service" 2>"$work/said" || { cat "$work/said" >&2; exit 1; }
if grep -F takc.service "$work/said" >&2; then echo "FAILED: systemd finds fault" >&2; exit 1; fi
echo 'NoSuchSetting=1' >>"$work/takc.service" # would it tell?
systemd-analyze verify "$work/takc.service" 2>&1 | grep -q NoSuchSetting || { echo "FAILED: systemd-analyze does not tell of unknown settings" >&2; exit 1; }
exposure=$(systemd-analyze security --offline=true "$unit" 2>/dev/null | sed -n 's/.*exposure level for takc.service: \([0-9.]*\).*/\1/p')
[ -n "$exposure" ] || { echo "SKIPPED: systemd-analyze cannot judge offline" >&2; exit 77; }
echo "exposure $exposure"
awk -v e="$exposure" 'BEGIN { exit !(e <= 1.5) }' || { echo "FAILED: exposure $exposure" >&2; exit 1; }

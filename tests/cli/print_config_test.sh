#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What takc serve --print-config prints, given back as the configuration file, sets the same; secrets are not in it.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
HOME=$work
export HOME
values() { "$TAKC" --json config show | sed 's/"origin": *"[^"]*"/"origin": ""/g; s/"file": *[^,}]*/"file": ""/'; }
(
    TAKC_HOME="$work/a home: \"odd\"" TAKC_SERVE_PORT=9 TAKC_MODEL_NAME=fake:x OPENAI_API_KEY=canary-1 TAKC_QUERY_ANSWER_CACHE=true TAKC_COST_MAX_USD=2.50
    TAKC_INGEST_MAX_FILE_BYTES=3MiB TAKC_MODEL_PROXY=http://me:canary-2@proxy.example:3128
    export TAKC_MODEL_PROXY TAKC_HOME TAKC_SERVE_PORT TAKC_MODEL_NAME OPENAI_API_KEY TAKC_QUERY_ANSWER_CACHE TAKC_COST_MAX_USD TAKC_INGEST_MAX_FILE_BYTES
    "$TAKC" serve --print-config >"$work/takc.yaml"
    values >"$work/want"
)
if grep -q canary "$work/takc.yaml"; then echo "FAILED: a secret is printed" >&2; exit 1; fi
grep -q '# api_key: is set' "$work/takc.yaml" || { echo "FAILED: nothing says that there is a key" >&2; exit 1; }
grep -q 'port: 9  # environment TAKC_SERVE_PORT' "$work/takc.yaml" || { echo "FAILED: no port" >&2; exit 1; }
grep -q '# proxy: is set, and holds a password: give it by TAKC_MODEL_PROXY' "$work/takc.yaml" || { echo "FAILED: nothing says that there is a proxy" >&2; exit 1; }
OPENAI_API_KEY=canary-1 TAKC_CONFIG=$work/takc.yaml TAKC_MODEL_PROXY=http://me:canary-2@proxy.example:3128
export OPENAI_API_KEY TAKC_CONFIG TAKC_MODEL_PROXY
values >"$work/got"
cmp "$work/want" "$work/got" || { diff "$work/want" "$work/got" >&2; exit 1; }

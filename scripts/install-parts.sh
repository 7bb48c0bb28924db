#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what takc needs from the system's packages: sh scripts/install-parts.sh build|test|run|server|demo [...]
# Installs only what is missing; says exactly what is missing where apt is not there.
set -eu

BUILD="gcc libc6-dev make cmake ninja-build pkg-config libjansson-dev libsqlite3-dev libxml2-dev libzip-dev libcmark-gfm-dev
libcmark-gfm-extensions-dev libcsv-dev libicu-dev libyaml-dev libssl-dev libcurl4-openssl-dev libmicrohttpd-dev libcjose-dev libseccomp-dev zlib1g-dev poppler-utils bubblewrap"
TEST="libcmocka-dev liblzma-dev libbz2-dev python3 openssl zip clang libclang-rt-14-dev clang-tidy clang-format"
# What the program needs to run, built elsewhere (Dockerfile); libraries that it loads when they are wanted are the last line.
RUN="libjansson4 libsqlite3-0 libxml2 libzip4 libcmark-gfm0.29.0.gfm.6 libcmark-gfm-extensions0.29.0.gfm.6 libcsv3 libicu72 libyaml-0-2 libssl3
libseccomp2 zlib1g poppler-utils ca-certificates libcurl4 libmicrohttpd12 libcjose0"
# For tests of what stands in front of the server and around it.
SERVER="nginx-light libnginx-mod-http-modsecurity modsecurity-crs prometheus python3 python3-venv openssl curl systemd"
DEMO="dpkg ca-certificates"

packages=""
for what in "$@"; do
    case "$what" in
    build) packages="$packages $BUILD" ;;
    test) packages="$packages $TEST" ;;
    run) packages="$packages $RUN" ;;
    server) packages="$packages $SERVER" ;;
    demo) packages="$packages $DEMO" ;;
    *) echo "install-parts.sh: '$what' is none of build, test, run, server, demo" >&2; exit 2 ;;
    esac
done

missing=""
for p in $packages; do
    if ! dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'install ok installed'; then
        missing="$missing $p"
    fi
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "takc needs these packages (Debian 12 names), and there is no apt-get here to install them:" >&2
    for p in $missing; do echo "  $p" >&2; done
    exit 1
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "takc needs these packages; run as root, or install sudo:" >&2
        echo "  apt-get install --no-install-recommends$missing" >&2
        exit 1
    fi
    as_root="sudo"
fi
echo "installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq >&2
# shellcheck disable=SC2086
$as_root apt-get install -y -qq --no-install-recommends $missing >&2

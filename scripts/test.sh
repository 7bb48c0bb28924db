#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what the tests need, builds, runs all tests.
set -eu
cd "$(dirname "$0")/.."
sh scripts/install-parts.sh build test
sh scripts/build.sh
ctest --preset release -j3 # two processors are busy then: some tests wait for servers

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The speed figures (make bench): tables on standard output, CSV and the plot of growth under build/. Needs: make.
set -eu
cd "$(dirname "$0")/.."
exec bench/speed --csv build/speed.csv --svg build/growth.svg "$@"

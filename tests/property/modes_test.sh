#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Modes, rates and limits of a query against what the data model says of them, recomputed from the replies of the program (modes_check.py).
set -eu
command -v python3 >/dev/null || { echo "skipped: python3 is not here" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
HOME=$work TAKC_HOME=$work/home TAKC=$TAKC python3 "$TAKC_SOURCE_DIR/tests/property/modes_check.py" "$work"

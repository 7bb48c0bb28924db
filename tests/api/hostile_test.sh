#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What a hostile client may try over a socket: dripping, idling, floods, odd framing, bombs, tricks. Each gets its status, nothing leaks,
# and the server answers on.
set -eu
command -v python3 >/dev/null || { echo "SKIPPED: no python3" >&2; exit 77; }
here=$(cd "$(dirname "$0")" && pwd)
exec timeout 240 python3 "$here/hostile.py"

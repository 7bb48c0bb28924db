#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Quotas, CORS, repeated writes, batches and the small routes over a real socket (limits.py).
command -v python3 >/dev/null || { echo "SKIPPED: python3 is missing, so nobody asked the server"; exit 77; }
exec python3 -B "$(dirname "$0")/limits.py"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Quotas, CORS, repeated writes, batches and the small routes over a real socket.
exec python3 "$(dirname "$0")/limits.py"

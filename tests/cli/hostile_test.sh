# SPDX-License-Identifier: Apache-2.0
#
# Hostile documents in a batch: hostile_batch.py makes them.
command -v python3 >/dev/null || { echo "SKIPPED: python3 is missing, so no hostile documents were made"; exit 77; }
exec python3 "$(dirname "$0")/hostile_batch.py"

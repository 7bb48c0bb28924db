# SPDX-License-Identifier: Apache-2.0
#
# What verify sees on a real home that was changed in one place: mutations.py makes the changes.
command -v python3 >/dev/null || { echo "SKIPPED: python3 is missing, so nothing was changed under verify"; exit 77; }
exec python3 "$(dirname "$0")/mutations.py"

# SPDX-License-Identifier: Apache-2.0
#
# keep_originals: false by somebody else: originals_search.py gives every sentence a word of its own and searches every byte that is kept.
command -v python3 >/dev/null || { echo "SKIPPED: python3 is missing, so nothing searched what is kept without originals"; exit 77; }
exec python3 -B "$(dirname "$0")/originals_search.py"

# SPDX-License-Identifier: Apache-2.0
#
# Odd but harmless input: charsets, names, options, damaged files under --mirror: odd_input.py.
command -v python3 >/dev/null || { echo "SKIPPED: python3 is missing, so no odd documents were made"; exit 77; }
exec python3 "$(dirname "$0")/odd_input.py"

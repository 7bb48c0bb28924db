# SPDX-License-Identifier: Apache-2.0
#
# Locators of every format against the files themselves, and must-keep end to end: cite_check.py.
command -v python3 >/dev/null || { echo "SKIPPED: python3 is missing, so no citation was held against its file"; exit 77; }
exec python3 -B "$(dirname "$0")/cite_check.py"

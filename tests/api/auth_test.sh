# SPDX-License-Identifier: Apache-2.0
#
# Who may do what, at every route that /openapi.json names, with every kind of wrong credential; and that a tenant sees nothing of
# another one's.
command -v python3 >/dev/null || { echo "SKIPPED: python3 is missing" >&2; exit 77; }
exec python3 "$(dirname "$0")/auth.py"

# SPDX-License-Identifier: Apache-2.0
#
# takc serve behind TLS: tls.py.
command -v python3 >/dev/null || { echo "SKIPPED: python3 is missing" >&2; exit 77; }
exec python3 "$(dirname "$0")/tls.py"

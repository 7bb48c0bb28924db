# SPDX-License-Identifier: Apache-2.0
#
# Requests and their exact replies: exchanges/*.http, by exchange.py.
command -v python3 >/dev/null 2>&1 || { echo "SKIPPED: python3 is missing" >&2; exit 77; }
exec python3 "$TAKC_SOURCE_DIR/tests/api/exchange.py"

# SPDX-License-Identifier: Apache-2.0
#
# MCP, both transports, by hand: mcp_wire.py.
command -v python3 >/dev/null 2>&1 || { echo "SKIPPED: python3 is missing" >&2; exit 77; }
exec python3 "$TAKC_SOURCE_DIR/tests/api/mcp_wire.py"

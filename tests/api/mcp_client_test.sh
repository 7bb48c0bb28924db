# SPDX-License-Identifier: Apache-2.0
#
# MCP with the official Python client and the inspector's command line: mcp_client.py.
case $TAKC_BUILD_DIR in */asan | */tsan) echo "SKIPPED: the release build is asked; what a sanitizer would see, api.exchange and api.mixed show it" >&2; exit 77 ;; esac
python=$(sh "$TAKC_SOURCE_DIR/scripts/oracles.sh" python clients) || { echo "SKIPPED: no MCP client" >&2; exit 77; }
modules=$(sh "$TAKC_SOURCE_DIR/scripts/oracles.sh" node clients) || { echo "without the inspector's command line" >&2; modules=; }
exec "$python" "$TAKC_SOURCE_DIR/tests/api/mcp_client.py" ${modules:+"$modules"}

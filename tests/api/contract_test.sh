# SPDX-License-Identifier: Apache-2.0
#
# The server holds what its /openapi.json says: contract.py.
case $TAKC_BUILD_DIR in */asan | */tsan) echo "SKIPPED: the release build is asked; what a sanitizer would see, api.exchange and api.mixed show it" >&2; exit 77 ;; esac
python=$(sh "$TAKC_SOURCE_DIR/scripts/oracles.sh" python contract) || { echo "SKIPPED: no schemathesis" >&2; exit 77; }
modules=$(sh "$TAKC_SOURCE_DIR/scripts/oracles.sh" node contract) || { echo "without redocly" >&2; modules=; }
exec "$python" "$TAKC_SOURCE_DIR/tests/api/contract.py" "$(dirname "$python")" ${modules:+"$modules"}

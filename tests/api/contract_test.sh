# SPDX-License-Identifier: Apache-2.0
#
# The server holds what its /openapi.json says: contract.py.
python=$(sh "$TAKC_SOURCE_DIR/scripts/oracles.sh" python contract) || { echo "SKIPPED: no schemathesis" >&2; exit 77; }
modules=$(sh "$TAKC_SOURCE_DIR/scripts/oracles.sh" node contract) || { echo "without redocly" >&2; modules=; }
case $TAKC_BUILD_DIR in */asan | */tsan) export TAKC_CONTRACT_EXAMPLES="${TAKC_CONTRACT_EXAMPLES:-1}" ;; esac # a sanitized server takes long
exec "$python" "$TAKC_SOURCE_DIR/tests/api/contract.py" "$(dirname "$python")" ${modules:+"$modules"}

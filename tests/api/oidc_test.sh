# SPDX-License-Identifier: Apache-2.0
#
# takc serve whose callers bear tokens of an OIDC issuer: oidc.py, with joserfc and oidc-provider.
python=$(sh "$TAKC_SOURCE_DIR/scripts/oracles.sh" python tokens) || { echo "SKIPPED: nothing to make tokens with"; exit 77; }
exec "$python" "$TAKC_SOURCE_DIR/tests/api/oidc.py" "$(dirname "$python")/../npm"

# SPDX-License-Identifier: Apache-2.0
#
# Fallbacks, disobedience, kills and expired credentials against a stand-in of Bedrock (recovery.py).
python=$(sh "$TAKC_SOURCE_DIR/scripts/oracles.sh" python aws) || exit $?
exec "$python" -B "$(dirname "$0")/recovery.py" bedrock

# SPDX-License-Identifier: Apache-2.0
#
# Every class of error against a model of Bedrock that is asked by InvokeModel (faults.py): whole replies and streams.
python=$(sh "$TAKC_SOURCE_DIR/scripts/oracles.sh" python aws) || exit $?
exec "$python" -B "$(dirname "$0")/faults.py" titan compress: stream:

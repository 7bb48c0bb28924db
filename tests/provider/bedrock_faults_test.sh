# SPDX-License-Identifier: Apache-2.0
#
# Every class of error at every stage, against a Bedrock that checks signatures and shapes with botocore and fails by a script (faults.py).
python=$(sh "$TAKC_SOURCE_DIR/scripts/oracles.sh" python aws) || exit $?
exec "$python" -B "$(dirname "$0")/faults.py" bedrock

# SPDX-License-Identifier: Apache-2.0
#
# takc serve whose callers sign by AWS Signature Version 4: sigv4.py, with botocore.
python=$(sh "$TAKC_SOURCE_DIR/scripts/oracles.sh" python aws) || { echo "SKIPPED: no botocore to sign with"; exit 77; }
exec "$python" "$TAKC_SOURCE_DIR/tests/api/sigv4.py"

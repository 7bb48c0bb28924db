# SPDX-License-Identifier: Apache-2.0
#
# Compression by batch jobs: batch.py against moto's S3 and a stand-in for Bedrock. TAKC_BATCH_EVERY=1 kills before and behind every request.
python=$(sh "$TAKC_SOURCE_DIR/scripts/oracles.sh" python aws) || { echo "SKIPPED: no aws oracle to compare with"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
case $TAKC_BUILD_DIR in */asan | */tsan) echo "SKIPPED: the release build is killed at every request; a sanitized process takes long"; exit 77 ;; esac
"$python" "$TAKC_SOURCE_DIR/tests/oracle/batch.py" "$TAKC" "$work"

# SPDX-License-Identifier: Apache-2.0
#
# Documents out of S3 over a live server: process_s3.py, against moto's S3 with signatures checked.
python=$(sh "$TAKC_SOURCE_DIR/scripts/oracles.sh" python aws) || { echo "SKIPPED: no S3 to fetch from"; exit 77; }
exec "$python" "$TAKC_SOURCE_DIR/tests/api/process_s3.py"

# SPDX-License-Identifier: Apache-2.0
#
# takc serve whose authorizer is a webhook: webhook.py.
command -v python3 >/dev/null 2>&1 || { echo "SKIPPED: python3 is missing"; exit 77; }
exec python3 "$TAKC_SOURCE_DIR/tests/api/webhook.py"

# SPDX-License-Identifier: Apache-2.0
#
# What takc serve tells of itself: metrics, access log, audit trail, traces, and what must stand in none of them. With opentelemetry-proto
# the spans are read as a collector reads them, without it as plain JSON.
command -v python3 >/dev/null 2>&1 || { echo "SKIPPED: python3 is missing"; exit 77; }
python=$(sh "$TAKC_SOURCE_DIR/scripts/oracles.sh" python otel) || python=python3
exec "$python" "$TAKC_SOURCE_DIR/tests/api/observe.py"

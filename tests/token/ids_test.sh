#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# takc's token numbers against PyPI's tokenizers and tiktoken, id by id, on a few thousand lines. More: compare_ids.py --lines 100000.
set -u
python=$(sh "$TAKC_SOURCE_DIR/scripts/oracles.sh" python tokenizers) || exit 77
program=$TAKC_BUILD_DIR/bench/bench_count_tokens
[ -x "$program" ] || { echo "SKIPPED: $program is not built"; exit 77; }
ranks=$(dirname "$(dirname "$python")")/npm/node_modules/gpt-tokenizer/data
exec "$python" "$TAKC_SOURCE_DIR/tests/token/compare_ids.py" "$program" "$ranks" --lines 2000

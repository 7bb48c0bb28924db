# SPDX-License-Identifier: Apache-2.0
#
# OpenAI's clients for Python and Node, and langchain-openai: openai_client.py.
case $TAKC_BUILD_DIR in */asan | */tsan) echo "SKIPPED: the release build is asked; what a sanitizer would see, api.exchange and api.mixed show it" >&2; exit 77 ;; esac
python=$(sh "$TAKC_SOURCE_DIR/scripts/oracles.sh" python clients) || { echo "SKIPPED: no client of OpenAI" >&2; exit 77; }
modules=$(sh "$TAKC_SOURCE_DIR/scripts/oracles.sh" node clients) || { echo "without the Node client" >&2; modules=; }
exec "$python" "$TAKC_SOURCE_DIR/tests/api/openai_client.py" ${modules:+"$modules"}

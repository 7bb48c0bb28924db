# SPDX-License-Identifier: Apache-2.0
#
# Fallbacks, disobedience, kills against a stand-in of an OpenAI-compatible endpoint (recovery.py).
command -v python3 >/dev/null || { echo "SKIPPED: python3 is missing, so nobody stood in for an endpoint"; exit 77; }
exec python3 -B "$(dirname "$0")/recovery.py" openai

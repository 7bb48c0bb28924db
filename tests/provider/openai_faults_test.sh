# SPDX-License-Identifier: Apache-2.0
#
# Every class of error at every stage, against an OpenAI-compatible endpoint that fails by a script (faults.py).
command -v python3 >/dev/null || { echo "SKIPPED: python3 is missing, so nobody stood in for an endpoint"; exit 77; }
exec python3 -B "$(dirname "$0")/faults.py" openai

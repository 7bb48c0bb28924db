# SPDX-License-Identifier: Apache-2.0
#
# forget's proof by somebody else: forget_search.py plants sentences and searches every byte that is kept.
command -v python3 >/dev/null || { echo "SKIPPED: python3 is missing, so nothing searched what forget leaves"; exit 77; }
exec python3 -B "$(dirname "$0")/forget_search.py"

# SPDX-License-Identifier: Apache-2.0
#
# Many clients of three tenants at once, everything the server can do: mixed.py. The place where ThreadSanitizer sees it all.
command -v python3 >/dev/null || { echo "SKIPPED: python3 is missing, so nobody asked the server" >&2; exit 77; }
exec python3 -B "$(dirname "$0")/mixed.py"

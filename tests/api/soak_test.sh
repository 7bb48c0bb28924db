# SPDX-License-Identifier: Apache-2.0
#
# Does a server that works all the time grow? soak.py: memory, descriptors and threads under a mixed load. TAKC_SOAK_S=600 for a long one.
command -v python3 >/dev/null || { echo "SKIPPED: python3 is missing, so nobody asked the server" >&2; exit 77; }
[ -r /proc/self/status ] || { echo "SKIPPED: no /proc to read memory from" >&2; exit 77; }
exec python3 -B "$(dirname "$0")/soak.py"

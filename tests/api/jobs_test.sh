# SPDX-License-Identifier: Apache-2.0
#
# Documents in, compress and jobs over a live server: jobs.py. curl is one of the clients, where it is there.
command -v python3 >/dev/null || { echo "SKIPPED: no python3"; exit 77; }
exec python3 "$TAKC_SOURCE_DIR/tests/api/jobs.py"

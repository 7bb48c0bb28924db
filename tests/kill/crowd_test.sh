# SPDX-License-Identifier: Apache-2.0
#
# Several processes at one home: crowd.py starts them and looks at what they leave.
command -v python3 >/dev/null || { echo "SKIPPED: python3 is missing, so nobody made a crowd"; exit 77; }
exec python3 "$(dirname "$0")/crowd.py"

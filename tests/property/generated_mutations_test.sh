# SPDX-License-Identifier: Apache-2.0
#
# Which changes of a line that a model wrote verify sees: generated_mutations.py makes them.
command -v python3 >/dev/null || { echo "SKIPPED: python3 is missing, so no line was changed under verify"; exit 77; }
exec python3 "$(dirname "$0")/generated_mutations.py"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Levels S, M, A and X of verify stand on base and outside libraries alone: their object files need no function of the readers, the cleaner,
# the cutter or the tokenizers. Only level T (again.c) may call readers, and nothing but these.
set -eu
build=${TAKC_BUILD_DIR:?} source=${TAKC_SOURCE_DIR:?}
objects=$build/CMakeFiles/takc_objects.dir/src
command -v nm >/dev/null || { echo "skipped: nm is not here" >&2; exit 77; }
[ -f "$objects/verify/line.c.o" ] || { echo "skipped: no object files under $objects" >&2; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

nm --defined-only "$objects"/base/*.o "$objects"/verify/*.o | awk 'NF == 3 && $3 ~ /^takc_/ {print $3}' | sort -u >"$tmp/allowed"
grep -q '^takc_str_cmp$' "$tmp/allowed" && grep -q '^takc_verify_map$' "$tmp/allowed" || { echo "nm shows no symbols" >&2; exit 1; }
for o in "$objects"/verify/*.o; do
    nm -u "$o" | awk '$NF ~ /^takc_/ {print $NF}' | sort -u >"$tmp/needed"
    case $o in
    */again.c.o) printf '%s\n' takc_doc_clear takc_doc_init takc_reader_find takc_reader_read | sort -m "$tmp/allowed" - | sort -u >"$tmp/may" ;;
    *) cp "$tmp/allowed" "$tmp/may" ;;
    esac
    comm -23 "$tmp/needed" "$tmp/may" >"$tmp/over"
    if [ -s "$tmp/over" ]; then
        echo "$(basename "$o") needs $(tr '\n' ' ' <"$tmp/over")" >&2
        failed=1
    fi
done

# Nor may code come in by a header: only these are included.
for f in "$source"/src/verify/*.[ch]; do
    case $f in *_test.c) continue ;; esac
    bad=$(sed -n 's/^#include "\(.*\)"/\1/p' "$f" | grep -v -e '^base/' -e '^takc/' -e '^verify/' -e '^doc/doc\.h$' -e '^compress/artifact\.h$' || :)
    case $f in */again.c) bad=$(printf '%s\n' "$bad" | grep -v '^doc/reader\.h$' || :) ;; esac
    if [ -n "$bad" ]; then
        echo "$(basename "$f") includes $bad" >&2
        failed=1
    fi
done
exit $failed

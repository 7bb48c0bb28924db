# SPDX-License-Identifier: Apache-2.0
#
# Installs into a folder of its own and uses what is there as a stranger would: pkg-config (shared and static), CMake, man page, completion.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
fail() { echo "FAILED: $*"; exit 1; }
case $(grep '^TAKC_SANITIZE' "$TAKC_BUILD_DIR/CMakeCache.txt") in *=?*) echo "skipped: a sanitized library cannot be linked plainly"; exit 77 ;; esac

DESTDIR=$work/root cmake --install "$TAKC_BUILD_DIR" >"$work/log" 2>&1 || { cat "$work/log"; fail "install"; }
prefix=$work/root$(sed -n 's/^CMAKE_INSTALL_PREFIX:PATH=//p' "$TAKC_BUILD_DIR/CMakeCache.txt")
lib=$(dirname "$(find "$prefix" -name libtakc.a)")
export PKG_CONFIG_PATH="$lib/pkgconfig"
pc() { pkg-config "$@" takc; } # the file knows its prefix from where it stands

# The main job through the public headers alone: a home, a task, a document, a version, an answer with its citation.
printf 'The pump must not exceed 12 bar.\n\nThe valve is rated for 9 bar.\n' >"$work/plant.txt"
cat >"$work/use.c" <<'C'
#include <stdio.h>
#include <takc/cache.h>
#include <takc/call.h>
#include <takc/compress.h>
#include <takc/forget.h>
#include <takc/home.h>
#include <takc/ingest.h>
#include <takc/query.h>
#include <takc/verify.h>
int main(int argc, char **argv)
{
    struct takc_home *home = NULL;
    struct takc_err err = {0};
    struct takc_call call;
    struct takc_ingest_report in;
    struct takc_compress_report made;
    struct takc_query_result r = {0};
    struct takc_str task = takc_str("plant"), question = takc_str("What must the pump not exceed?");
    const char *paths[] = {argv[argc - 1]};
    takc_call_init(&call);
    enum takc_status st = takc_open(&home, argv[1], true, &err);
    if (!st)
        st = takc_task_write(home, task, takc_str("description: limits of machines\n"), true, &err);
    if (!st)
        st = takc_ingest(home, &call, paths, 1, &(struct takc_ingest_options){.task = task}, &in, &err);
    if (!st)
        st = takc_compress(home, &call, &(struct takc_compress_options){.task = task}, &made, &err);
    if (!st)
        st = takc_query(home, &call, &(struct takc_query_options){.task = task, .question = question}, &r, &err);
    if (st)
        printf("%s: %s\n", takc_status_text(st), err.msg);
    else if (r.n_citations)
        printf("%.*s line %u: %.*s\n", TAKC_STR_ARG(r.citations[0].document), r.citations[0].line, TAKC_STR_ARG(r.citations[0].quote));
    takc_query_result_free(&r);
    takc_close(home);
    return st != TAKC_OK;
}
C
says='plant.txt line 1: The pump must not exceed 12 bar.'

# shellcheck disable=SC2046 # flags are words
cc -Wall -Werror $(pc --cflags) "$work/use.c" -o "$work/shared" $(pc --libs)
[ "$(LD_LIBRARY_PATH=$lib "$work/shared" "$work/h1" "$work/plant.txt")" = "$says" ] || fail "shared"
ldd "$work/shared" | grep -q 'libtakc\.so\.0' || fail "not linked to the shared library"

# shellcheck disable=SC2046
cc $(pc --cflags) "$work/use.c" -o "$work/static" $(pc --static --libs | sed 's/-ltakc /-l:libtakc.a /')
[ "$("$work/static" "$work/h2" "$work/plant.txt")" = "$says" ] || fail "static"
ldd "$work/static" | grep -q libtakc && fail "linked to the shared library"

mkdir "$work/cmake"
cat >"$work/cmake/CMakeLists.txt" <<C
cmake_minimum_required(VERSION 3.25)
project(use C)
find_package(takc 0.1 REQUIRED)
add_executable(a ../use.c)
target_link_libraries(a takc::takc)
add_executable(b ../use.c)
target_link_libraries(b takc::takc_static)
C
cmake -S "$work/cmake" -B "$work/cmake/build" -DCMAKE_PREFIX_PATH="$prefix" >"$work/log" 2>&1 || { cat "$work/log"; fail "find_package"; }
cmake --build "$work/cmake/build" >"$work/log" 2>&1 || { cat "$work/log"; fail "build with the CMake package"; }
for program in a b; do
    [ "$("$work/cmake/build/$program" "$work/h-$program" "$work/plant.txt")" = "$says" ] || fail "CMake $program"
done

[ "$("$prefix/bin/takc" version)" = "takc $(pc --modversion)" ] || fail "version"
man=$prefix/share/man/man1/takc.1
for verb in init ingest plan compress query chat explain verify forget cache backup restore doctor config version help; do
    grep -q "^\.SS takc $verb" "$man" || fail "$verb is not in the manual"
done
if command -v groff >/dev/null; then
    [ -z "$(groff -man -Tutf8 -ww "$man" 2>&1 >/dev/null)" ] || fail "groff complains about the manual"
fi
grep -q 'complete .*takc' "$prefix/share/bash-completion/completions/takc" || fail "completion"
nm -D --defined-only "$lib/libtakc.so" | awk '$2 == "T" || $2 == "D" {print $3}' | grep -v '^takc_' && fail "a name without takc_ is exported"
echo "installed, linked and run: shared, static, CMake"

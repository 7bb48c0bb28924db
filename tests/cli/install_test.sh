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
pc() { pkg-config --define-variable=prefix="$prefix" "$@" takc; }

cat >"$work/use.c" <<'C'
#include <stdio.h>
#include <takc/str.h>
int main(void)
{
    struct takc_str s = takc_str_trim(takc_str("  linked "));
    return printf("%.*s: %s\n", TAKC_STR_ARG(s), takc_status_text(TAKC_CORRUPT)) < 0;
}
C
says='linked: damaged data'

# shellcheck disable=SC2046 # flags are words
cc -Wall -Werror $(pc --cflags) "$work/use.c" -o "$work/shared" $(pc --libs)
[ "$(LD_LIBRARY_PATH=$lib "$work/shared")" = "$says" ] || fail "shared"
ldd "$work/shared" | grep -q 'libtakc\.so\.0' || fail "not linked to the shared library"

# shellcheck disable=SC2046
cc $(pc --cflags) "$work/use.c" -o "$work/static" $(pc --static --libs | sed 's/-ltakc /-l:libtakc.a /')
[ "$("$work/static")" = "$says" ] || fail "static"
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
    [ "$("$work/cmake/build/$program")" = "$says" ] || fail "CMake $program"
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

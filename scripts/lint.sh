# SPDX-License-Identifier: Apache-2.0
#
# Checks the looks: clang-format and clang-tidy where they are installed, and the shapes that need only sh, awk and grep:
#   layers: a module of src/ includes itself and those above it in the list below (docs/ARCHITECTURE.md), nothing else of src/
#   calls:  nothing that writes without a bound or allocates around base/alloc.h
#   heads:  every C file opens with the licence line and says what it is
# TAKC_LINT=shape runs only those three; TAKC_LINT_BUILD is a build folder with compile_commands.json; TAKC_LINT_NODES is how many states of
# a function clang's analyzer looks at before it gives up: its own 225000 take twice as long for a few long functions.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${TAKC_LINT_BUILD:-build/release}
nodes=${TAKC_LINT_NODES:-75000}
bad=0
files=$(git ls-files '*.c' '*.h')

# Top to bottom; src/cli may include all.
layers="base config metrics net aws object token source doc unit model task compress rank verify cache catalog auth job pipeline schema reply mcp http cli"

check_layers() {
    # shellcheck disable=SC2086 # names of files hold no blanks
    grep -nH '^#include "' $(echo "$files" | tr ' ' '\n' | grep '^src/') | awk -v order="$layers" '
        BEGIN { n = split(order, a, " "); for (i = 1; i <= n; i++) rank[a[i]] = i }
        {
            split($0, at, ":"); split(at[1], path, "/"); from = path[2]
            match($0, /"[^"]*"/); to = substr($0, RSTART + 1, RLENGTH - 2); split(to, part, "/"); to_module = part[1]
            if (to_module == "takc") next
            if (to !~ /\// && to ~ /\.inc$/) next # made by the build (cmake/embed.cmake)
            if (at[1] ~ /_test\.c$/ && to ~ /^\.\.\/\.\.\/tests\//) next # fixtures that several tests share
            if (!(from in rank)) { print at[1] ": module " from " is not in the list of scripts/lint.sh"; wrong = 1; next }
            if (!(to_module in rank)) { print at[1] ":" at[2] ": includes " to ", which is in no module"; wrong = 1; next }
            if (rank[to_module] > rank[from]) { print at[1] ":" at[2] ": " from " includes " to ", a module below it"; wrong = 1 }
        }
        END { exit wrong }'
}

check_calls() {
    found=0
    # shellcheck disable=SC2086
    grep -nHE '(^|[^[:alnum:]_])(gets|strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atof|alloca|system|popen|tmpnam|mktemp|rand)[[:space:]]*\(' $sources && found=1
    # shellcheck disable=SC2086
    grep -nHE '(^|[^[:alnum:]_])(malloc|calloc|realloc|strdup|strndup|asprintf|vasprintf)[[:space:]]*\(' $(echo $sources | tr ' ' '\n' | grep -v '^src/base/alloc\.c$') && found=1
    return $found
}

check_heads() {
    found=0
    for f in $files; do
        head -1 "$f" | grep -q '^/\* SPDX-License-Identifier: Apache-2.0' || { echo "$f: no licence line"; found=1; }
        case $f in
        *_test.c | *.inc) ;;
        *) sed -n 3p "$f" | grep -q '^ \* .' || { echo "$f: does not open with what it is for"; found=1; } ;;
        esac
    done
    return $found
}

sources=$(echo "$files" | tr ' ' '\n' | grep '^src/' | grep -v -e '_test\.c$' -e 'fixture\.h$') # what is built, not what tests it
for check in layers calls heads; do
    if "check_$check"; then echo "lint: $check good"; else echo "lint: $check BAD"; bad=1; fi
done
[ "${TAKC_LINT:-all}" = shape ] && exit $bad

if command -v clang-format >/dev/null; then
    # shellcheck disable=SC2086
    if clang-format --dry-run -Werror $files; then echo "lint: format good"; else echo "lint: format BAD"; bad=1; fi
else
    echo "lint: clang-format is missing, not checked"
fi
if ! command -v clang-tidy >/dev/null; then
    echo "lint: clang-tidy is missing, not checked"
elif [ ! -f "$build/compile_commands.json" ]; then
    echo "lint: $build/compile_commands.json is missing: build first (make)"
    bad=1
elif echo "$sources" | grep '\.c$' | xargs -n 1 -P 2 clang-tidy --quiet --extra-arg=-Wno-unknown-warning-option --extra-arg=-Xclang \
    --extra-arg=-analyzer-config --extra-arg=-Xclang --extra-arg=max-nodes="$nodes" -p "$build" 2>/dev/null; then
    echo "lint: tidy good"
else
    echo "lint: tidy BAD"
    bad=1
fi
if command -v clang >/dev/null; then
    guarded=$(grep -l 'takc_mutex_lock(' $sources | grep '\.c$')
    if echo "$guarded" | xargs -n 1 clang -std=gnu17 -D_GNU_SOURCE -Isrc -Iinclude -DTAKC_VERSION_TEXT='"0"' -Wthread-safety -Werror=thread-safety -fsyntax-only; then
        echo "lint: locks good"
    else
        echo "lint: locks BAD"
        bad=1
    fi
else
    echo "lint: clang is missing, locks not checked"
fi
exit $bad

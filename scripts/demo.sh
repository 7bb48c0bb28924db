#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The main job on real documents: the Debian Policy Manual (HTML) and the Developer's Reference (PDF).
# Installs what is missing, builds, then ingests, compresses, answers, proves. A second run does no work twice.
set -eu
cd "$(dirname "$0")/.."
sh scripts/install-parts.sh build demo
sh scripts/build.sh takc

takc=$PWD/build/release/takc
demo=$PWD/build/demo
TAKC_HOME=$demo/home
export TAKC_HOME
mkdir -p "$demo/packages" "$demo/docs"

say() { printf '\n\033[1m%s\033[0m\n' "$*" | if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then cat; else sed 's/\x1b\[[0-9]*m//g'; fi; }
run() {
    printf '$ takc'
    for a in "$@"; do case "$a" in *[!A-Za-z0-9._/-]*) printf " '%s'" "$a" ;; *) printf ' %s' "$a" ;; esac; done
    printf '\n'
    "$takc" "$@"
}

# --- documents: from the packages, since slim systems leave documentation out on install
if [ ! -e "$demo/docs/developers-reference.pdf" ]; then
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "demo.sh: the manuals come from the Debian packages debian-policy and developers-reference, and there is no apt-get here." >&2
        echo "         Put HTML or PDF files of your own into $demo/docs and run it again." >&2
        exit 1
    fi
    echo "fetching the Debian Policy Manual and the Developer's Reference ..." >&2
    fetch() { (cd "$demo/packages" && apt-get download -qq debian-policy developers-reference 2>/dev/null); }
    fetch || { [ "$(id -u)" -ne 0 ] || apt-get update -qq >&2; fetch; } || # lists of packages may be missing or old
        { echo "demo.sh: apt-get download debian-policy developers-reference failed; is the network there? (apt-get update)" >&2; exit 1; }
    for deb in "$demo"/packages/*.deb; do dpkg-deb -x "$deb" "$demo/packages/x"; done
    mkdir -p "$demo/docs/policy"
    cp "$demo"/packages/x/usr/share/doc/debian-policy/policy.html/[ac][hp]-*.html "$demo/docs/policy/"
    cp "$demo"/packages/x/usr/share/doc/debian-policy/policy.html/upgrading-checklist.html "$demo/docs/policy/"
    cp "$demo/packages/x/usr/share/developers-reference/developers-reference.pdf" "$demo/docs/"
fi

task=debian
say "1. A task, and its documents"
[ -e "$TAKC_HOME/tasks/$task.yaml" ] || run init "$task" --description \
    'Debian packaging: what packages must, should and may do; fields of control files, file locations, versions, dates, procedures and who is responsible'
run ingest -t $task "$demo/docs"

say "2. Compressed once, at 64x, 32x, 16x and 8x: the ledger"
run compress -t $task

say "3. Three questions, with sources"
run query -t $task 'How long may the single line synopsis be?'
run query -t $task 'How long do I have to wait before doing an NMU for a porter bug?'
run query -t $task 'What must the clean target of debian/rules do?'

say "4. A task-wide prompt gets the artifact (its first lines)"
printf "$ takc query -t %s 'Review the packaging rules'\n" $task
"$takc" query -t $task 'Review the packaging rules' >"$demo/review.txt"
head -12 "$demo/review.txt"
echo "..."
tail -1 "$demo/review.txt"

say "5. Every line proved"
run verify -t $task

say "6. Ten questions that the manuals answer, and ten that they do not"
# Columns are counted in characters, not bytes.
LC_ALL=C.UTF-8
export LC_ALL
fit() { printf '%s' "$1" | sed -E "s/^(.{$2}).*/\\1/" | awk -v w="$2" -v n="$(printf '%s' "$1" | sed -E "s/^(.{$2}).*/\\1/" | wc -m)" '{ printf "%s", $0; for (i = n; i < w; i++) printf " " }'; }
row() { printf '%-3s  %s  %s  %s  %s\n' "$1" "$(fit "$2" 58)" "$(fit "$3" 56)" "$(fit "$4" 33)" "$5"; }
ask() {
    "$takc" query -t $task "$2" >"$demo/answer.txt" 2>/dev/null || true
    first=$(head -1 "$demo/answer.txt")
    case "$first" in "not in this knowledge base"*) first="not in this knowledge base"; place="-" ;; *)
        place=$(sed -n 's/^  \[1\] //p' "$demo/answer.txt" | head -1 | sed 's/, section.*//') ;; esac
    row "$1" "$2" "$first" "$place" "$(sed -n 's/.*confidence \([0-9.]*\).*/\1/p' "$demo/answer.txt" | tail -1)"
}
row 'in?' question 'what takc said' where confidence
row --- ---------------------------------------------------------- -------------------------------------------------------- --------------------------------- ----------
ask yes 'What is the maximum length of the synopsis line?'
ask yes 'Which file lists the configuration files of a package?'
ask yes 'Where must manual pages be installed?'
ask yes 'What does the postinst script do when called with configure?'
ask yes 'Which shell do maintainer scripts run under by default?'
ask yes 'What is the format of an epoch in a version number?'
ask yes 'What are the DFSG criteria for a license?'
ask yes 'How do I orphan a package?'
ask yes 'What is the delayed queue for an NMU upload?'
ask yes 'Which UID range is reserved for dynamically allocated system users?'
ask no 'Who won the football world cup in 1998?'
ask no 'What is the boiling point of ethanol?'
ask no 'How many moons does Jupiter have?'
ask no 'Which vitamin prevents scurvy?'
ask no 'What was the revenue of Apple in 2021?'
ask no 'How do I bake sourdough bread?'
ask no 'Who painted the Sistine Chapel ceiling?'
ask no 'What is the capital of Mongolia?'
ask no 'When did the Berlin Wall fall?'
ask no 'What does the RPM spec file %post section do on Fedora?'
say "The home is build/demo/home. Ask it yourself:"
echo "  TAKC_HOME=build/demo/home build/release/takc chat -t $task"

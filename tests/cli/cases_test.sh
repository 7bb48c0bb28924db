# SPDX-License-Identifier: Apache-2.0
#
# Runs tests/cli/cases/*.case, each in a fresh folder with a fresh TAKC_HOME, and compares exactly. A case is a file of sections:
#   # NAME: says what it shows       first line, free text
#   == needs FILE                    skips the case where the source tree has no such file
#   == file PATH                     makes a file in the folder; lines up to the next section
#   == run COMMAND                   a shell line; "takc" is the program under test. Several runs share the folder
#   == stdin                         lines for the last run
#   == stdout                        what it must print, exactly; left out: nothing
#   == stderr PATTERN                an extended regular expression that its stderr must match; left out: stderr must be empty
#   == exit N                        left out: 0
# In stdout {HOME} stands for the home's path, {DIR} for the folder, {MS} for a duration, {TIME} for a time of day. TAKC_CASE=name runs one
# case.
set -u
here=$(dirname "$0")
: "${TAKC_SOURCE_DIR:=$here/../..}"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT INT TERM
# What a developer's own shell may set and a case must not see.
foreign='SSL_CERT_FILE OPENAI_API_KEY OPENAI_BASE_URL OPENAI_API_BASE AWS_REGION AWS_DEFAULT_REGION AWS_PROFILE AWS_BEARER_TOKEN_BEDROCK AWS_ENDPOINT_URL'
failed=0 ran=0
mkdir "$work/bin" && ln -s "$(readlink -f "$TAKC")" "$work/bin/takc"

check_run() { # case, number
    [ -n "$run" ] || return 0
    ran=$((ran + 1))
    ( unset TAKC_CASE $foreign; cd "$dir" && PATH="$work/bin:$PATH" HOME=$dir TAKC_HOME=$dir/home LC_ALL=C TERM=dumb sh -c "$run" \
        <"$work/stdin" >"$work/got.out" 2>"$work/got.err" )
    code=$?
    sed "s|{HOME}|$dir/home|g; s|{DIR}|$dir|g" "$work/want.out" >"$work/want.full"
    sed -E -i 's/[0-9]+ ms\)/{MS} ms)/; s/"(processing_time_ms|ms)": [0-9.]+/"\1": {MS}/
        s/20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z/{TIME}/g' "$work/got.out"
    problem=
    [ "$code" = "$exit" ] || problem="exit code $code, expected $exit"
    cmp -s "$work/want.full" "$work/got.out" || problem="$problem${problem:+; }stdout differs"
    if [ -n "$pattern" ]; then
        tr '\n' ' ' <"$work/got.err" | grep -Eq -- "$pattern" || problem="$problem${problem:+; }stderr does not match: $pattern"
    else
        [ -s "$work/got.err" ] && problem="$problem${problem:+; }stderr is not empty"
    fi
    [ -n "$problem" ] || return 0
    failed=$((failed + 1))
    echo "FAILED $1: $run: $problem"
    diff "$work/want.full" "$work/got.out" | head -40
    sed 's/^/stderr: /' "$work/got.err" | head -10
}

fresh() { # forgets the last run
    run='' pattern='' exit=0
    : >"$work/stdin"
    : >"$work/want.out"
}

for case in "$here"/cases/${TAKC_CASE:-*}.case; do
    [ -e "$case" ] || { echo "no case $case"; exit 1; }
    name=$(basename "$case" .case)
    dir=$work/$name
    mkdir -p "$dir"
    fresh
    to=/dev/null
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in
        "== needs "*) [ -e "$TAKC_SOURCE_DIR/${line#"== needs "}" ] || { echo "skipped $name: ${line#"== needs "} is not there"; break; } ;;
        "== file "*) to=$dir/${line#"== file "}; mkdir -p "$(dirname "$to")"; : >"$to" ;;
        "== run "*) check_run "$name"; fresh; run=${line#"== run "}; to=/dev/null ;;
        "== stdin") to=$work/stdin ;;
        "== stdout") to=$work/want.out ;;
        "== stderr "*) pattern=${line#"== stderr "}; to=/dev/null ;;
        "== exit "*) exit=${line#"== exit "}; to=/dev/null ;;
        "== "*) echo "FAILED $name: unknown section: $line"; failed=$((failed + 1)) ;;
        *) printf '%s\n' "$line" >>"$to" ;;
        esac
    done <"$case"
    check_run "$name"
done
echo "$ran runs, $failed failed"
[ "$ran" -gt 0 ] && [ "$failed" = 0 ]

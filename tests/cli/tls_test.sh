# SPDX-License-Identifier: Apache-2.0
#
# A model behind a certificate that is not trusted, has run out or is another host's: asked once, told with the setting that helps, and the
# next model of the chain has its turn. With the right authority the same server answers.
set -u
command -v python3 >/dev/null && command -v openssl >/dev/null || { echo "SKIPPED: needs python3 and openssl"; exit 77; }
python3 -c 'import ssl' 2>/dev/null || { echo "SKIPPED: needs python3 with ssl"; exit 77; }
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT INT TERM
python3 "$TAKC_SOURCE_DIR/tests/fake/tls.py" "$work" >"$work/ports" 2>"$work/server-err" &
server=$!
tries=0
until [ -s "$work/ports" ]; do
    tries=$((tries + 1))
    [ $tries -lt 500 ] || { echo "FAILED: no server"; cat "$work/server-err"; exit 1; }
    sleep 0.02
done
read -r good expired self <"$work/ports"
unset AWS_PROFILE SSL_CERT_FILE OPENAI_API_BASE OPENAI_API_KEY https_proxy HTTPS_PROXY all_proxy ALL_PROXY
export HOME="$work" TAKC_HOME="$work/home" no_proxy='*'
"$TAKC" init fin >/dev/null || exit 1

fail() {
    echo "FAILED $*"
    cat "$work/out" "$work/err" "$work/log"
    exit 1
}
connections() { grep -c "^$1$" "$work/log" 2>/dev/null; }
refused() { # host:port, name in the log, what is said, CA file or nothing
    before=$(connections "$2")
    OPENAI_BASE_URL="https://$1/v1" TAKC_MODEL_CA_FILE="${4:-}" "$TAKC" doctor -q -t fin --online --model openai:m >"$work/out" 2>"$work/err"
    code=$?
    [ $code = 1 ] || fail "$1: exit code $code"
    grep -q "WRONG model: .*$3.*model.ca_file" "$work/out" || fail "$1: not said: $3"
    ! grep -q 'tries' "$work/out" || fail "$1: tried again"
    [ "$(connections "$2")" = $((${before:-0} + 1)) ] || fail "$1: not one connection"
}
refused "localhost:$self" self 'self.signed'
refused "localhost:$good" good 'certificate'
refused "localhost:$expired" expired 'expired' "$work/ca.pem"
refused "127.0.0.1:$good" good '127.0.0.1' "$work/ca.pem"
! grep -q asked "$work/log" || fail "a request went to who is not trusted"

OPENAI_BASE_URL="https://localhost:$self/v1" TAKC_MODEL_FALLBACKS=fake:obedient "$TAKC" doctor -q -t fin --online --model openai:m \
    >"$work/out" 2>"$work/err" || fail "the fallback had no turn"
grep -q 'fallback to fake obedient' "$work/out" || fail "the fallback is not said"
OPENAI_BASE_URL="https://localhost:$good/v1" TAKC_MODEL_CA_FILE="$work/ca.pem" "$TAKC" doctor -q -t fin --online --model openai:m \
    >"$work/out" 2>"$work/err" || fail "the trusted server"
[ "$(connections 'good asked')" = 1 ] || fail "the trusted server was not asked"
"$TAKC" usage --by model >"$work/out" 2>"$work/err" || fail usage
grep -q '^openai:m  *6  *5  *0 ' "$work/out" || fail "usage: five failed, one answered"

# A question says it the same way, and is never answered with lines instead.
printf 'The pump costs 12 dollars.\n' >"$work/a.txt"
"$TAKC" -q ingest -t fin "$work/a.txt" >/dev/null 2>&1 && "$TAKC" -q compress -t fin >/dev/null 2>&1 || fail "a small task"
OPENAI_BASE_URL="https://localhost:$self/v1" "$TAKC" --json query -t fin -m select --model openai:m 'What does the pump cost?' >"$work/out" 2>"$work/err"
code=$?
[ $code = 18 ] || fail "query: exit code $code"
grep -q '"code": "UNTRUSTED"' "$work/out" && grep -q 'model.ca_file' "$work/err" || fail "query: not said"
! grep -q 'ask again later' "$work/err" || fail "query: asking again cannot help"
echo "untrusted: $(connections self) and $(connections expired) connections, one a question"

# SPDX-License-Identifier: Apache-2.0
#
# Models over HTTP, from settings to the ledger: a key out of Secrets Manager, more headers, a key that goes to its provider only, fallback from
# one provider to another, money by tokens that a service tells, and a run that is killed while it waits for its reply.
set -u
command -v python3 >/dev/null || { echo "SKIPPED: needs python3"; exit 77; }
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT INT TERM
python3 "$TAKC_SOURCE_DIR/tests/fake/model_key.py" "$work" >"$work/port" &
server=$!
tries=0
until [ -s "$work/port" ]; do
    tries=$((tries + 1))
    [ $tries -lt 500 ] || { echo "FAILED: no server"; exit 1; }
    sleep 0.02
done
url=http://127.0.0.1:$(cat "$work/port")
unset AWS_PROFILE AWS_DEFAULT_REGION AWS_SESSION_TOKEN AWS_BEARER_TOKEN_BEDROCK OPENAI_API_KEY OPENAI_API_BASE SSL_CERT_FILE
export HOME="$work" TAKC_HOME="$work/home" AWS_ACCESS_KEY_ID=AKIAEXAMPLE AWS_SECRET_ACCESS_KEY=qqsecret AWS_REGION=eu-west-1
export AWS_ENDPOINT_URL="$url" OPENAI_BASE_URL="$url/v1" no_proxy=127.0.0.1
export TAKC_MODEL_API_KEY='arn:aws:secretsmanager:eu-west-1:1:secret:takc-x#key' TAKC_MODEL_HEADERS='X-Team: pumps' TAKC_MODEL_RETRIES=0
bedrock=bedrock:anthropic.claude-3-haiku-20240307-v1:0

fail() {
    echo "FAILED $*"
    cat "$work/out" "$work/err" "$work/log"
    exit 1
}
ask() { # model, exit code, what is printed
    "$TAKC" doctor -q -t fin --online --model "$1" >"$work/out" 2>"$work/err"
    code=$?
    [ $code = "$2" ] || fail "$1: exit code $code"
    grep -q -- "$3" "$work/out" || fail "$1: not said: $3"
    ! grep -q 'sk-from\|qqsecret\|pumps' "$work/out" "$work/err" || fail "$1: a secret is shown"
}
"$TAKC" init fin >/dev/null || exit 1

ask openai:gpt-4o-mini 0 '^online .*2000 tokens in, 50 out, \$0.000330'
grep -q '^/v1/chat/completions Bearer sk-from-the-secret$' "$work/log" || fail "the key of the secret did not come"
TAKC_MODEL_HEADERS='X-Team: other' ask openai:gpt-4o-mini 1 'WRONG model: .*wrong key or team'
TAKC_MODEL_API_KEY=arn:aws:secretsmanager:eu-west-1:1:secret:other ask openai:gpt-4o-mini 1 'WRONG model: .*secret arn:aws:secretsmanager'

# From one provider to another; the key stays where it belongs.
TAKC_MODEL_FALLBACKS=$bedrock ask openai:down 0 '^online .*1000 tokens in, 100 out'
TAKC_MODEL_FALLBACKS=openai:gpt-4o-mini ask $bedrock 0 '^online .*1000 tokens in, 100 out, \$0.000375'
grep -q '^/model/.* AWS4-HMAC-SHA256$' "$work/log" || fail "Bedrock was not asked with a signature"
! grep -q '^/model/.*Bearer' "$work/log" || fail "Bedrock got a key that is not its own"

# Killed while it waits: lost, and counted at its most.
asked=$(wc -l <"$work/log")
"$TAKC" doctor -t fin --online --model openai:hang >/dev/null 2>&1 &
pid=$!
tries=0
until [ "$(grep -c '^/v1/chat' "$work/log")" -gt "$(head -"$asked" "$work/log" | grep -c '^/v1/chat')" ]; do
    tries=$((tries + 1))
    [ $tries -lt 500 ] || fail "hang was not asked"
    sleep 0.02
done
kill -KILL $pid
wait $pid 2>/dev/null
"$TAKC" usage --by model >"$work/out" 2>"$work/err" || fail "usage"
# model, calls, failed, lost, unpriced
grep -q '^bedrock:anthropic.claude-3-haiku-20240307-v1:0  *2  *0  *0  *0 ' "$work/out" || fail "usage: Bedrock"
grep -q '^openai:gpt-4o-mini  *2  *1  *0  *0 ' "$work/out" || fail "usage: OpenAI"
grep -q '^openai:down  *1  *1  *0  *1 ' "$work/out" || fail "usage: down"
grep -q '^openai:hang  *1  *0  *1  *1 ' "$work/out" || fail "usage: lost"
grep -q '^1 lost: ' "$work/out" || fail "usage does not name what is lost"
grep -q '^sum  *6  *2  *1  *2  .*\$0.00108$' "$work/out" || fail "usage: sum"
echo "asked, refused, fallen back, lost: $(grep '^sum' "$work/out")"

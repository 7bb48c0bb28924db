# SPDX-License-Identifier: Apache-2.0
#
# What keeps takc serve from starting: each stops it at once with an exit code of its own and one line that names the setting and helps on.
# What is told without a home and without a socket stops --print-config, too.
set -u
command -v python3 >/dev/null || { echo "SKIPPED: needs python3, to hold a port" >&2; exit 77; }
work=$(mktemp -d)
holder=
trap '[ -z "$holder" ] || kill "$holder" 2>/dev/null; chmod -R u+rwx "$work"; rm -rf "$work"' EXIT INT TERM
export HOME="$work" TAKC_HOME="$work/home" TAKC_SERVE_PORT=0
unset TAKC_CONFIG

fail() {
    echo "FAILED $*"
    cat "$work/out" "$work/err"
    exit 1
}
# Runs takc serve, which should end by itself; a minute is for machines that are busy.
try() { timeout 60 env "$@" >"$work/out" 2>"$work/err"; }
said() { # what, exit code, exit code wanted, words that must be there...
    what=$1 code=$2 wanted=$3
    shift 3
    [ "$code" = "$wanted" ] || fail "$what: exit code $code, not $wanted"
    [ ! -s "$work/out" ] || fail "$what: something is printed"
    for word in "$@"; do
        grep -q -e "$word" "$work/err" || fail "$what: '$word' is not said"
    done
    [ "$(grep -c '^takc: ' "$work/err")" = 1 ] || fail "$what: not one line of what is wrong"
}
starts_not() { # variables of env, then --, exit code, words: at the start alone
    vars=
    while [ "$1" != -- ]; do vars="$vars $1"; shift; done
    shift
    try $vars "$TAKC" serve
    said "$vars" $? "$@"
}
bad() { # the same, and with --print-config
    starts_not "$@"
    try $vars "$TAKC" serve --print-config
    code=$?
    while [ "$1" != -- ]; do shift; done
    shift
    said "$vars --print-config" $code "$@"
}

# What a setting may be at all.
bad TAKC_SERVE_QUOTA_PER_S=-1 -- 2 TAKC_SERVE_QUOTA_PER_S
bad TAKC_SERVE_QUOTA_PER_S=99999999999999 -- 2 TAKC_SERVE_QUOTA_PER_S 'is not within'
bad TAKC_SERVE_QUOTA_USD_PER_DAY=much -- 2 TAKC_SERVE_QUOTA_USD_PER_DAY dollars
bad TAKC_SERVE_PORT=70000 -- 2 TAKC_SERVE_PORT 'is not within 0 to 65535'
bad TAKC_SERVE_POTR=80 -- 2 TAKC_SERVE_POTR "did you mean 'TAKC_SERVE_PORT'"
bad TAKC_SERVE_JWT_TOKEN_USE=both -- 2 TAKC_SERVE_JWT_TOKEN_USE
bad TAKC_SERVE_ACCESS_LOG=perhaps -- 2 TAKC_SERVE_ACCESS_LOG 'true or false'

# Whom to let in.
bad TAKC_SERVE_AUTH=kye -- 2 serve.auth "'kye' is none of" "did you mean 'key'"
bad TAKC_SERVE_AUTH=key,none -- 2 serve.auth none
bad TAKC_SERVE_AUTH=key,key -- 2 serve.auth twice
bad TAKC_SERVE_ADDRESS=0.0.0.0 -- 2 serve.address serve.auth 'takc key create' 127.0.0.1
bad TAKC_SERVE_AUTH=jwt -- 2 serve.jwt_issuer 'not set'
bad TAKC_SERVE_AUTH=jwt TAKC_SERVE_JWT_ISSUER=https://idp.example.com -- 2 serve.jwt_audience 'not set'
bad TAKC_SERVE_AUTH=jwt TAKC_SERVE_JWT_ISSUER=http://idp.example.com TAKC_SERVE_JWT_AUDIENCE=x -- 2 serve.jwt_issuer https
bad TAKC_SERVE_AUTH=sigv4 TAKC_SERVE_SIGV4_REGION=eu-west-1 -- 2 serve.sigv4_keys 'not set'
bad TAKC_SERVE_AUTH=sigv4 TAKC_SERVE_SIGV4_REGION=eu-west-1 TAKC_SERVE_SIGV4_KEYS="$work/none" -- 3 serve.sigv4_keys "$work/none"
printf 'keys:\n  - access_key_id: AKIAEXAMPLE00000001\n    secret: abcdefghijklmnopqrstuvwxyz\n    may: [query]\n' >"$work/keys.yaml"
chmod 644 "$work/keys.yaml"
bad TAKC_SERVE_AUTH=sigv4 TAKC_SERVE_SIGV4_REGION=eu-west-1 TAKC_SERVE_SIGV4_KEYS="$work/keys.yaml" -- 2 serve.sigv4_keys 'mode 644' 'chmod 600'
chmod 600 "$work/keys.yaml"
bad TAKC_SERVE_AUTH=sigv4 TAKC_SERVE_SIGV4_KEYS="$work/keys.yaml" -- 2 serve.sigv4_region 'not set'
printf 'keys: 7\n' >"$work/keys.yaml"
bad TAKC_SERVE_AUTH=sigv4 TAKC_SERVE_SIGV4_REGION=eu-west-1 TAKC_SERVE_SIGV4_KEYS="$work/keys.yaml" -- 2 serve.sigv4_keys 'keys.yaml:1'
bad TAKC_SERVE_AUTH=webhook -- 2 serve.webhook_url serve.webhook_command 'not set'
bad TAKC_SERVE_AUTH=webhook TAKC_SERVE_WEBHOOK_URL=http://a.example.com/ -- 2 serve.webhook_url https serve.webhook_allow_private
bad TAKC_SERVE_AUTH=webhook TAKC_SERVE_WEBHOOK_COMMAND=no-such-command-here -- 3 serve.webhook_command no-such-command-here
bad TAKC_SERVE_CORS_ORIGINS=example.com -- 2 serve.cors_origins "'example.com' is no origin" https://
bad TAKC_SERVE_CORS_ORIGINS='https://a.example.com,*' -- 2 serve.cors_origins 'stands alone'
bad TAKC_SERVE_TRUSTED_PROXIES=10.0.0.0/33 -- 2 serve.trusted_proxies 10.0.0.0/33 10.0.0.0/8
bad TAKC_SERVE_TRUSTED_PROXIES=proxy.local -- 2 serve.trusted_proxies proxy.local

# Files and folders that are not there.
mkdir "$work/docs"
: >"$work/file"
bad TAKC_SERVE_SOURCES="$work/docs,$work/gone" -- 3 serve.sources "$work/gone" 'take it out'
bad TAKC_SERVE_SOURCES="$work/file" -- 2 serve.sources "$work/file" 'no folder'
bad TAKC_SERVE_SOURCES=docs -- 2 serve.sources 'absolute path'
bad TAKC_SERVE_SOURCES="$work/docs,s3://Bad_Bucket/x" -- 2 serve.sources 's3://Bad_Bucket/x' bucket
bad TAKC_SERVE_SOURCES="s3://bucket/docs/../x" -- 2 serve.sources 's3://bucket/docs/../x' '".."'
bad TAKC_SERVE_SOURCES="s3:/bucket" -- 2 serve.sources 'absolute path'
bad TAKC_SERVE_TLS_CERT="$work/cert.pem" -- 2 serve.tls_key 'not set' serve.tls_cert
bad TAKC_SERVE_TLS_KEY="$work/key.pem" -- 2 serve.tls_cert 'not set' serve.tls_key
bad TAKC_SERVE_TLS_CERT="$work/gone.pem" TAKC_SERVE_TLS_KEY="$work/gone.pem" -- 3 serve.tls_cert "$work/gone.pem"
starts_not TAKC_SERVE_TLS_CERT="$work/file" TAKC_SERVE_TLS_KEY="$work/file" -- 2 serve.tls_cert 'is no PEM'
if command -v openssl >/dev/null; then
    for n in 1 2; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -keyout "$work/key$n.pem" -out "$work/cert$n.pem" 2>/dev/null ||
            fail "openssl"
    done
    starts_not TAKC_SERVE_TLS_CERT="$work/cert1.pem" TAKC_SERVE_TLS_KEY="$work/key2.pem" -- 2 serve.tls_key "$work/key2.pem" "$work/cert1.pem"
    if [ "$(id -u)" != 0 ]; then
        chmod 000 "$work/cert1.pem"
        bad TAKC_SERVE_TLS_CERT="$work/cert1.pem" TAKC_SERVE_TLS_KEY="$work/key1.pem" -- 15 serve.tls_cert "$work/cert1.pem"
    fi
else
    echo "no openssl: keys of other certificates are left out"
fi

# Where to listen.
python3 -c 'import socket, sys, time
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen()
print(s.getsockname()[1], flush=True)
time.sleep(600)' >"$work/port" &
holder=$!
tries=0
until [ -s "$work/port" ]; do
    tries=$((tries + 1))
    [ $tries -lt 500 ] || fail "nobody holds a port"
    sleep 0.02
done
starts_not TAKC_SERVE_PORT="$(cat "$work/port")" -- 4 serve.port "$(cat "$work/port")" 'is in use' 'choose another'
starts_not TAKC_SERVE_ADDRESS=192.0.2.1 TAKC_SERVE_AUTH=key -- 2 serve.address 192.0.2.1 'no address of this machine'
starts_not TAKC_SERVE_ADDRESS=nowhere TAKC_SERVE_AUTH=key -- 2 serve.address "'nowhere' is no address"
if [ "$(id -u)" != 0 ] && [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start 2>/dev/null || echo 1024)" -gt 80 ]; then
    starts_not TAKC_SERVE_PORT=80 -- 15 serve.port 80 'from 1024 on'
fi

# What is no home.
mkdir "$work/other" && : >"$work/other/letter.txt"
starts_not TAKC_HOME="$work/other" -- 2 "$work/other" 'neither empty nor a takc home' '--home'
[ "$(ls "$work/other")" = letter.txt ] || fail "a folder of something else: it was changed"
"$TAKC" --home "$work/damaged" init fin >/dev/null || fail init
echo '{"takc_home": ' >"$work/damaged/home.json"
starts_not TAKC_HOME="$work/damaged" -- 6 "$work/damaged/home.json is damaged" backup
echo '{"takc_home": 99}' >"$work/damaged/home.json"
starts_not TAKC_HOME="$work/damaged" -- 10 "$work/damaged" 'schema 99' 'upgrade takc'
starts_not TAKC_HOME="$work/file" -- 8 "$work/file"

# And it starts when nothing is wrong.
try TAKC_SERVE_SOURCES="$work/docs" TAKC_SERVE_AUTH=key TAKC_SERVE_CORS_ORIGINS=https://a.example.com "$TAKC" serve --print-config || fail "a good configuration"
grep -q 'auth: key' "$work/out" || grep -q 'auth: "key"' "$work/out" || fail "a good configuration is not printed"
echo "serve: what is wrong is named"

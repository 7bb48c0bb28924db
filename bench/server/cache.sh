#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# GET /cache/{task}/{rate} of takc serve against nginx serving a file of the same bytes, in one run on one machine: requests a second and p99 of
# both, taken in turns, their medians' ratio (goal: 0.6 or more), and the server's CPU a request, which a busy machine disturbs less.
#
#   bench/server/cache.sh [-b BYTES] [-s SECONDS] [-c CONNECTIONS] [-n ROUNDS] [-r "RATES"] [-l LEVEL]
#
# BYTES of text in the task (10 MB), RATES to read (ultra high medium light), LEVEL for log.level (warn: as takc serve starts; info writes the
# access log). nginx: one worker an io thread of takc (2), no access log, sendfile, open_file_cache. wrk: one thread, keep-alive. Everything
# shares the machine's cores, as it does for both. Needs: build/release with takc and bench_make_text, nginx, wrk, curl.
set -eu
cd "$(dirname "$0")/../.."
bytes=10000000 seconds=4 connections=32 rounds=3 rates="ultra high medium light" level=warn
while getopts b:s:c:n:r:l: o; do
    case $o in
    b) bytes=$OPTARG ;; s) seconds=$OPTARG ;; c) connections=$OPTARG ;; n) rounds=$OPTARG ;; r) rates=$OPTARG ;; l) level=$OPTARG ;;
    *) exit 2 ;;
    esac
done
bin=${TAKC_BUILD_DIR:-build/release}
for need in nginx wrk curl; do
    command -v $need >/dev/null || { echo "cache.sh: $need is missing (Debian: apt-get install nginx-light wrk curl)" >&2; exit 77; }
done
work=$(mktemp -d)
pids=
end() {
    for p in $pids; do kill "$p" 2>/dev/null || true; done
    for p in $pids; do wait "$p" 2>/dev/null || true; done
    rm -rf "$work"
}
trap end EXIT
trap 'exit 1' INT TERM

export TAKC_HOME="$work/home" TAKC_SERVE_QUOTA_PER_S=0 # quotas off
"$bin/bench/bench_make_text" --bytes "$bytes" --out "$work/text" >/dev/null
"$bin/takc" init bench >/dev/null
"$bin/takc" ingest -t bench "$work/text" >/dev/null
"$bin/takc" compress -t bench >/dev/null
"$bin/takc" serve --port 0 --log-level "$level" >"$work/url" 2>"$work/takc.log" &
takc=$!
pids="$pids $takc"
until grep -q ^http "$work/url"; do sleep 0.05; done
url=$(cat "$work/url")

mkdir -p "$work/www/cache/bench" "$work/tmp"
port=$(python3 -c 'import socket;s=socket.socket();s.bind(("127.0.0.1",0));print(s.getsockname()[1])')
cat >"$work/nginx.conf" <<CONF
daemon off; worker_processes 2; pid $work/nginx.pid; error_log $work/nginx.log;
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; default_type application/json;
  open_file_cache max=100 inactive=60s; open_file_cache_valid 10s;
  client_body_temp_path $work/tmp; proxy_temp_path $work/tmp; fastcgi_temp_path $work/tmp; uwsgi_temp_path $work/tmp; scgi_temp_path $work/tmp;
  server { listen 127.0.0.1:$port reuseport; root $work/www; }
}
CONF
for rate in $rates; do curl -sf -o "$work/www/cache/bench/$rate" "$url/cache/bench/$rate"; done
chmod -R a+rX "$work"
nginx -c "$work/nginx.conf" &
nginx=$!
pids="$pids $nginx"
until curl -sf -o /dev/null "http://127.0.0.1:$port/cache/bench/${rates%% *}"; do sleep 0.05; done

# microseconds of CPU that a process and its children have used
cpu_us() { for p in "$1" $(pgrep -P "$1" || true); do cut -d' ' -f14,15 "/proc/$p/stat"; done | awk -v hz="$(getconf CLK_TCK)" '{ n += $1 + $2 } END { printf "%d", n * 1000000 / hz }'; }
# requests a second, p99, other replies than 200, and CPU microseconds a request, of one run: URL, process
measure() {
    before=$(cpu_us "$2")
    wrk -t1 -c"$connections" -d"${seconds}s" --latency "$1" >"$work/wrk"
    awk -v us="$(($(cpu_us "$2") - before))" '/99%/ { p99 = $2 } /requests in/ { n = $1 } /Requests\/sec/ { rps = $2 } /Non-2xx/ { bad = $NF } END { print rps, p99, bad + 0, us / n }' "$work/wrk"
}
middle() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

line() { printf '%-8s %9s %12s %9s %8s %12s %9s %8s %7s\n' "$@"; }
pick() { awk -v v="$1" -v at="$2" '$1 == v { print $at; exit }' "$3"; }
line rate bytes "takc req/s" p99 "CPU us" "nginx req/s" p99 "CPU us" ratio
for rate in $rates; do
    : >"$work/t"; : >"$work/n"
    for i in $(seq "$rounds"); do # in turns, so that what else the machine does falls on both
        measure "$url/cache/bench/$rate" "$takc" >>"$work/t"
        measure "http://127.0.0.1:$port/cache/bench/$rate" "$nginx" >>"$work/n"
    done
    if awk '$3 > 0 { bad = 1 } END { exit !bad }' "$work/t" "$work/n"; then echo "cache.sh: replies other than 200" >&2; exit 1; fi
    t=$(middle <"$work/t") n=$(middle <"$work/n")
    line "$rate" "$(wc -c <"$work/www/cache/bench/$rate")" "$t" "$(pick "$t" 2 "$work/t")" "$(pick "$t" 4 "$work/t")" \
        "$n" "$(pick "$n" 2 "$work/n")" "$(pick "$n" 4 "$work/n")" "$(awk -v t="$t" -v n="$n" 'BEGIN { printf "%.2f", t / n }')"
done

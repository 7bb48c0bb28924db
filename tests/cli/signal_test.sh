# SPDX-License-Identifier: Apache-2.0
#
# A signal stops the program cleanly: exit code 130 and a message. It is caught while it waits to write into a full pipe.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
mkfifo "$work/pipe"
exec 3<>"$work/pipe"
while dd if=/dev/zero bs=4096 count=1 of="$work/pipe" conv=notrunc oflag=nonblock 2>/dev/null; do :; done # until it is full

for signal in TERM INT HUP; do
    HOME=$work "$TAKC" version >&3 2>"$work/err" &
    pid=$!
    tries=0 # the state S says that it waits; it has nothing else to wait for
    until grep -q '^State:.S' "/proc/$pid/status" 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -lt 500 ] || { echo "FAILED: it never waited"; exit 1; }
        sleep 0.02
    done
    kill -$signal $pid
    wait $pid
    code=$?
    [ $code = 130 ] && grep -q '^takc: stopped on request' "$work/err" || { echo "FAILED $signal: exit code $code: $(cat "$work/err")"; exit 1; }
done
echo "stopped by TERM, INT and HUP"

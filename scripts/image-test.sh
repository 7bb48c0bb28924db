#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Builds the Dockerfile for real and runs what it makes, without a Docker daemon and without a registry: buildah, over a base image made by
# mmdebstrap. As root; needs both and some minutes: TAKC_BARE_DIR=/var/tmp/bare sh scripts/image-test.sh
set -eu
cd "$(dirname "$0")/.."
bare=${TAKC_BARE_DIR:-/var/tmp/takc-bare}
for tool in buildah mmdebstrap; do
    command -v $tool >/dev/null || { echo "image-test.sh: no $tool: apt-get install $tool" >&2; exit 1; }
done
mkdir -p "$bare"
[ -e "$bare/base.tar" ] || mmdebstrap --variant=minbase bookworm "$bare/base.tar"
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
work=$(mktemp -d "$bare/image.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$work/policy.json"
root="--root $work/root --runroot $work/run"
policy="--signature-policy $work/policy.json"
# shellcheck disable=SC2086 # options, none with a blank
{
    c=$(buildah $root from $policy scratch)
    buildah $root add -q "$c" "$bare/base.tar" /
    buildah $root commit -q $policy "$c" docker.io/library/debian:12-slim
    buildah $root bud $policy --pull-never --isolation chroot --network host -t takc:test .
    c=$(buildah $root from $policy --pull-never localhost/takc:test)
    run="buildah $root run --isolation chroot $c"
    $run takc version
    [ "$($run id -u)" = 10001 ] || { echo "FAILED: it does not run as a user of its own" >&2; exit 1; }
    $run sh -c 'takc key create me --may query,ingest,admin --json >/tmp/key &&
        (timeout -s TERM 20 takc serve & echo $! >/tmp/pid) && for i in 1 2 3 4 5 6 7 8 9 10; do
            exec 3<>/dev/null; bash -c "exec 3<>/dev/tcp/127.0.0.1/8080" 2>/dev/null && break; sleep .3; done
        bash -c "exec 3<>/dev/tcp/127.0.0.1/8080; printf \"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n\" >&3; cat <&3" | tee /tmp/said
        grep -q "200 OK" /tmp/said && grep -q healthy /tmp/said; good=$?; kill $(cat /tmp/pid); exit $good'
    echo "size: $(buildah $root images --format '{{.Size}}' localhost/takc:test)"
}
echo "the image builds, runs as its own user, and serves"

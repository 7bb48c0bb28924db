#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Proves the README's two commands on a bare Debian 12 that has git, sh and apt and nothing else: sh scripts/bare-machine.sh [demo|test ...]
# Needs root, and mmdebstrap or debootstrap. The root is made once under build/bare and used again; the checkout is cloned into it.
set -eu
cd "$(dirname "$0")/.."
commands=${*:-demo test}
top=$PWD
bare=${TAKC_BARE_DIR:-$top/build/bare}
[ "$(id -u)" -eq 0 ] || { echo "bare-machine.sh: needs root (chroot)" >&2; exit 1; }
mkdir -p "$bare"
if [ ! -e "$bare/base.tar" ]; then
    echo "making a bare Debian 12 ..." >&2
    if command -v mmdebstrap >/dev/null 2>&1; then
        mmdebstrap --variant=minbase --include=git,ca-certificates bookworm "$bare/base.tar.new"
    elif command -v debootstrap >/dev/null 2>&1; then
        debootstrap --variant=minbase --include=git,ca-certificates bookworm "$bare/base.root"
        tar -C "$bare/base.root" -cf "$bare/base.tar.new" .
        rm -rf "$bare/base.root"
    else
        echo "bare-machine.sh: install mmdebstrap or debootstrap" >&2
        exit 1
    fi
    mv "$bare/base.tar.new" "$bare/base.tar"
fi
root=$bare/root
leave() {
    for m in dev/pts dev proc sys; do umount -l "$root/$m" 2>/dev/null || true; done
}
trap leave EXIT
leave
rm -rf "$root"
mkdir -p "$root"
tar -C "$root" -xf "$bare/base.tar"
cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
# The machine's own package sources and proxies, so that apt works inside as it does outside.
rm -rf "$root/etc/apt/sources.list" "$root/etc/apt/sources.list.d" "$root/etc/apt/apt.conf.d"
cp -a /etc/apt/sources.list "$root/etc/apt/" 2>/dev/null || true
cp -a /etc/apt/sources.list.d /etc/apt/apt.conf.d "$root/etc/apt/"
cp -a /etc/apt/trusted.gpg.d /etc/apt/keyrings "$root/etc/apt/" 2>/dev/null || true
cp -a /etc/ssl/certs "$root/etc/ssl/" 2>/dev/null || true
cp -a /usr/local/share/ca-certificates "$root/usr/local/share/" 2>/dev/null || true
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t sysfs sysfs "$root/sys" 2>/dev/null || true
git clone -q --no-hardlinks "$top" "$root/takc"
for c in $commands; do
    echo "=== sh scripts/$c.sh on a bare root" >&2
    chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/home LANG=C.UTF-8 \
        http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" sh -c "cd /takc && sh scripts/$c.sh"
done
echo "bare machine: $commands passed" >&2

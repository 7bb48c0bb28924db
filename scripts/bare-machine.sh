#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Proves the README's two commands on a bare Debian 12 that has git, sh and apt and nothing else: sh scripts/bare-machine.sh [demo|test ...]
# Needs root, and mmdebstrap or debootstrap. Every command gets a new root from one base, and a clone of what is committed. The base and the
# packages are kept in TAKC_BARE_DIR (~/.cache/takc-bare). Package sources and proxies are those of this machine.
set -eu
cd "$(dirname "$0")/.."
[ "$(id -u)" -eq 0 ] || { echo "bare-machine.sh: needs root (chroot)" >&2; exit 1; }
# In a mount namespace of its own: what is mounted below goes away with it, however this ends.
[ -n "${TAKC_BARE_ALONE:-}" ] || exec unshare --mount --propagation slave env TAKC_BARE_ALONE=1 sh scripts/bare-machine.sh "$@"
commands=${*:-demo test}
top=$PWD
bare=${TAKC_BARE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/takc-bare}
base=$bare/base.tar
root=$bare/root
proxies="http_proxy=${http_proxy:-} https_proxy=${https_proxy:-} no_proxy=${no_proxy:-}"
is_bookworm=false
! grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release || is_bookworm=true

make_base() {
    echo "making a bare Debian 12 ..." >&2
    rm -rf "$bare/new.tar" "$bare/new"
    # How this machine reaches its packages (proxies, timeouts, checks of dates); its other settings stay outside.
    apt-config dump 2>/dev/null | grep '^Acquire::[^ ]* "..*";' >"$bare/acquire.conf" || true
    sources=
    if $is_bookworm; then sources=$(find /etc/apt -name sources.list -o -path '*/sources.list.d/*.list' -o -path '*/sources.list.d/*.sources'); fi
    if command -v mmdebstrap >/dev/null 2>&1; then
        # shellcheck disable=SC2086 # names of sources hold no blanks
        mmdebstrap --variant=minbase --include=git,ca-certificates --aptopt="$bare/acquire.conf" bookworm "$bare/new.tar" $sources
    elif command -v debootstrap >/dev/null 2>&1; then
        debootstrap --variant=minbase --include=git,ca-certificates bookworm "$bare/new"
        tar -C "$bare/new" -cf "$bare/new.tar" .
        rm -rf "$bare/new"
    else
        echo "bare-machine.sh: install mmdebstrap or debootstrap" >&2
        exit 1
    fi
    mv "$bare/new.tar" "$base"
}

make_root() {
    rm -rf "$root"
    mkdir -p "$root" "$bare/archives/partial"
    tar -C "$root" -xf "$base"
    cp -L /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
    if $is_bookworm; then
        rm -rf "$root/etc/apt/sources.list" "$root/etc/apt/sources.list.d"
        for f in sources.list sources.list.d trusted.gpg.d keyrings auth.conf.d; do
            [ ! -e "/etc/apt/$f" ] || cp -a "/etc/apt/$f" "$root/etc/apt/"
        done
        cp -an /usr/share/keyrings/. "$root/usr/share/keyrings/"
    fi
    cp "$bare/acquire.conf" "$root/etc/apt/apt.conf.d/80acquire"
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/" 2>/dev/null || true
    git clone -q --no-hardlinks "$top" "$root/takc"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t sysfs sysfs "$root/sys" 2>/dev/null || true
    mount --bind "$bare/archives" "$root/var/cache/apt/archives"
}

drop_root() {
    for m in var/cache/apt/archives sys dev proc; do umount -l "$root/$m" 2>/dev/null || true; done
}

mkdir -p "$bare"
[ -z "$(git status --porcelain)" ] || echo "bare-machine.sh: note: changes that are not committed are not in the clone" >&2
[ -e "$base" ] || make_base
for c in $commands; do
    make_root
    echo "=== sh scripts/$c.sh on a bare root" >&2
    # shellcheck disable=SC2086 # three words, each an assignment
    chroot "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root $proxies \
        sh -c "cd /takc && sh scripts/$c.sh"
    drop_root
done
rm -rf "$root"
echo "bare machine: $commands passed" >&2

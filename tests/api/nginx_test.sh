#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# deploy/nginx in front of takc serve, with real nginx, ModSecurity and the Core Rule Set: what is prose passes, what is an attack does not.
set -eu
case $TAKC_BUILD_DIR in */asan | */tsan) echo "SKIPPED: the release build is asked; what a sanitizer would see, api.exchange and api.mixed show it" >&2; exit 77 ;; esac
command -v python3 >/dev/null || { echo "SKIPPED: no python3" >&2; exit 77; }
PATH=$PATH:/usr/sbin
command -v nginx >/dev/null || { echo "SKIPPED: no nginx: sh scripts/install-parts.sh server" >&2; exit 77; }
for file in /usr/lib/nginx/modules/ngx_http_modsecurity_module.so /etc/modsecurity/crs/crs-setup.conf; do
    [ -e $file ] || { echo "SKIPPED: no $file: sh scripts/install-parts.sh server" >&2; exit 77; }
done
here=$(cd "$(dirname "$0")" && pwd)
exec timeout 240 python3 "$here/nginx.py"

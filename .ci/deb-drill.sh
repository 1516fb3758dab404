#!/usr/bin/env bash
# Installs, starts, upgrades, removes and purges a Debian package in a fresh Debian 12 that systemd boots.
#
#   usage: .ci/deb-drill.sh PACKAGE.deb          as root; takes some two minutes, and downloads 60 MB
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/nspawn.sh"
[ "$(id -u)" -eq 0 ] || { echo "deb-drill: run it as root" >&2; exit 1; }
package="$(realpath "$1")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
root="$work/root"
fresh_debian "$root"
cp "$package" "$root/shoal.deb"

cat >"$root/drill.sh" <<'DRILL'
#!/bin/bash
set -euxo pipefail
dpkg -i /shoal.deb
test "$(systemctl is-enabled shoal || true)" = disabled
test "$(stat -c '%U:%G %a' /etc/shoal/shoal.toml)" = "root:shoal 640"
systemctl start shoal || { journalctl --no-pager --unit shoal; exit 1; }
test "$(systemctl is-active shoal)" = active
test "$(ps -o user= -C shoal)" = shoal
# There is no bitcoind: the node says what it waits for, and has no work.
systemctl show --property=StatusText shoal | grep "the node waits for its bitcoind"
status=0; env -u HOME shoal status || status=$?; test "$status" = 3
test "$(stat -c '%U %a' /var/lib/shoal)" = "shoal 700"
key="$(sha256sum /var/lib/shoal/identity.key)"
systemctl reload shoal
test "$(systemctl is-active shoal)" = active
echo '# mine' >>/etc/shoal/shoal.toml
dpkg -i /shoal.deb
grep '# mine' /etc/shoal/shoal.toml
test "$(systemctl is-active shoal)" = active
test "$(sha256sum /var/lib/shoal/identity.key)" = "$key"
dpkg --remove shoal
test "$(systemctl is-active shoal || true)" != active
test -e /var/lib/shoal/identity.key
test -e /etc/shoal/shoal.toml
dpkg --purge shoal
test ! -e /var/lib/shoal
test ! -e /etc/shoal/shoal.toml
test -z "$(getent passwd shoal)"
echo passed >/result
DRILL
boot_and_drill "$root"
echo "deb-drill: installed, started, reloaded, upgraded, removed and purged"

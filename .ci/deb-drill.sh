#!/usr/bin/env bash
# Installs, starts, upgrades, removes and purges a Debian package in a fresh Debian 12 that systemd boots.
#
#   usage: .ci/deb-drill.sh PACKAGE.deb          as root; takes some two minutes, and downloads 60 MB
set -euo pipefail
[ "$(id -u)" -eq 0 ] || { echo "deb-drill: run it as root" >&2; exit 1; }
package="$(realpath "$1")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
root="$work/root"
mirror="$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | sed -n 1p)"
debootstrap --variant=minbase --include=systemd-sysv,dbus,adduser,libstdc++6,procps bookworm "$root" "$mirror" >"$work/debootstrap.log" \
    || { tail -n 20 "$work/debootstrap.log" >&2; exit 1; }
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
status=0; HOME=/root shoal status || status=$?; test "$status" = 3
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
chmod +x "$root/drill.sh"
cat >"$root/etc/systemd/system/drill.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/drill.sh
StandardOutput=file:/drill.log
StandardError=file:/drill.log
ExecStopPost=/bin/systemctl poweroff --no-block
UNIT
mkdir -p "$root/etc/systemd/system/default.target.wants"
ln -s ../drill.service "$root/etc/systemd/system/default.target.wants/drill.service"
timeout 300 systemd-nspawn --quiet --register=no --keep-unit --private-network --directory="$root" --boot \
    >"$work/boot.log" 2>&1 </dev/null || true
if [ "$(cat "$root/result" 2>/dev/null)" != passed ]; then
    tail -n 30 "$work/boot.log" "$root/drill.log" >&2 || true
    exit 1
fi
echo "deb-drill: installed, started, reloaded, upgraded, removed and purged"

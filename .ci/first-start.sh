#!/usr/bin/env bash
# Counts how long it takes from a Debian package to the first credited share, on a fresh Debian 12 that has a bitcoind and nothing else.
#
#   usage: .ci/first-start.sh PACKAGE.deb TESTNET          as root; takes some two minutes, and downloads 60 MB
#
# bitcoind is a real one on regtest. TESTNET is the program shoal-testnet, whose miner computes real hashes on one core. The steps are
# those of node/docs/install.md and bitcoind.md, typed by a script. It prints the seconds of each, and the minutes of all.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/nspawn.sh"
[ "$(id -u)" -eq 0 ] || { echo "first-start: run it as root" >&2; exit 1; }
package="$(realpath "$1")"
miner="$(realpath "$2")"
bitcoind="$("$(dirname "$0")/../testnet/get-bitcoind.sh")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
root="$work/root"
fresh_debian "$root"
cp "$package" "$root/shoal.deb"
install -m 755 "$miner" "$root/usr/local/bin/shoal-testnet"
cp -r "$(dirname "$bitcoind")" "$root/opt/bitcoind"

# The machine before: a bitcoind whose newest block is from now, with a log-in for the node.
mkdir -p "$root/opt/bitcoin"
python3 - >"$root/opt/bitcoin/bitcoin.conf" <<'PYTHON'
import hashlib, hmac
print("regtest=1\nserver=1\ndisablewallet=1\nlisten=0\ndnsseed=0")
print("rpcauth=shoal:5a17$" + hmac.new(b"5a17", b"a password of this drill", hashlib.sha256).hexdigest())
PYTHON
cat >"$root/etc/systemd/system/bitcoind.service" <<'UNIT'
[Service]
ExecStart=/opt/bitcoind/bitcoind -datadir=/opt/bitcoin
[Install]
WantedBy=multi-user.target
UNIT
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -s ../bitcoind.service "$root/etc/systemd/system/multi-user.target.wants/bitcoind.service"

cat >"$root/drill.sh" <<'DRILL'
#!/bin/bash
set -euo pipefail
readonly ADDRESS=bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080
lib=(/opt/bitcoind/root/usr/lib/*-linux-gnu)
cli() { "$lib"/ld-linux*.so.* --library-path "$lib" /opt/bitcoind/root/usr/bin/bitcoin-cli -datadir=/opt/bitcoin "$@"; }
# A fresh Debian has no curl.
get() {
    exec 3<>/dev/tcp/127.0.0.1/3380 || return 1
    printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$1" >&3
    cat <&3
    exec 3>&-
} 2>/dev/null
# Waits until a page of the node says what matches, 120 s at most.
until_page() {
    for _ in $(seq 1200); do
        ! get "$1" | grep -E "$2" >/dev/null || return 0
        sleep 0.1
    done
    echo "$1 never said $2:"; get "$1"
    journalctl --no-pager --unit shoal | tail -n 20
    return 1
}
now() { date +%s%N; }
since() { awk -v what="$1" -v ns="$(($(now) - $2))" 'BEGIN { printf "first-start: %6.2f s  %s\n", ns / 1e9, what }' >>/counted; }

cli -rpcwait -rpcwaittimeout=60 generatetoaddress 1 "$ADDRESS"

all="$(now)"
start="$all"
dpkg -i /shoal.deb
since "apt install shoal" "$start"

start="$(now)"
sed -i -e 's/^network = .*/network = "regtest"/' -e 's/^new_pool = .*/new_pool = true/' \
    -e 's/^# user = .*/user = "shoal"/' -e 's/^# password = .*/password = "a password of this drill"/' /etc/shoal/shoal.toml
systemctl enable --now shoal
until_page /ready ' 200 '
since "settings, start, and until miners get work" "$start"

start="$(now)"
shoal-testnet miner --server 127.0.0.1:3333 --user "$ADDRESS.cpu" --hashrate 50000 --delay-ms 0 --journal /journal &
until_page "/api/v1/miners/$ADDRESS" '"shares":[1-9]'
since "a CPU miner, until its first share is credited" "$start"

whole="$(($(now) - all))"
since "all: from the package to the first credited share" "$all"
awk -v ns="$whole" 'BEGIN { printf "first-start: %.2f minutes\n", ns / 6e10 }' >>/counted
# On regtest each share is a block: bitcoind took it.
[ "$(cli getblockcount)" -ge 2 ]
[ "$whole" -le 300000000000 ]
kill %1
echo passed >/result
DRILL
boot_and_drill "$root"
cat "$root/counted"

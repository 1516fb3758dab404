#!/usr/bin/env bash
# Unpacks a real bitcoind into a cache folder and prints the path of a script that runs it.
#
# It comes from Debian's own packages (bitcoin-knots, suite trixie-backports) together with the
# libraries of that suite, so it runs on Debian 12 and installs nothing: no root, no change to the
# system's package state. The packages' signatures are checked by apt as always. The mirror is the
# one this machine's apt is set up for.
#
#   usage: get-bitcoind.sh            prints the path of the runner; fetches only if it is missing
#
# The cache is ${XDG_CACHE_HOME:-$HOME/.cache}/shoal/bitcoind; delete it to fetch anew.
set -euo pipefail

readonly CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/shoal/bitcoind"
readonly RUNNER="$CACHE/bitcoind"
readonly SUITE=trixie
readonly PACKAGES=(
    bitcoin-knots
    libc6 libstdc++6 libgcc-s1
    libevent-core-2.1-7t64 libevent-extra-2.1-7t64 libevent-pthreads-2.1-7t64
    libsqlite3-0
    libzmq5 libsodium23 libpgm-5.3-0t64 libnorm1t64 libbsd0 libmd0
    libgssapi-krb5-2 libkrb5-3 libk5crypto3 libkrb5support0 libcom-err2 libkeyutils1
)

say() { echo "get-bitcoind: $*" >&2; }
die() {
    say "$*"
    say "a bitcoind of your own works too: set BITCOIND to its path"
    exit 1
}

# The address of the Debian archive in this machine's apt sources, in either of their formats.
find_mirror() {
    local files=(/etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list)
    # Not all of these files exist everywhere.
    { cat "${files[@]}" 2>/dev/null || true; } | awk '
        /^[[:space:]]*#/ { next }
        $1 == "URIs:" || $1 == "deb" {
            for (i = 2; i <= NF; i++)
                if ($i ~ /\/debian\/?$/) { sub(/\/$/, "", $i); if (!found++) print $i }
        }'
}

# Runs an apt tool on a package state of our own under the given folder.
own_apt() {
    local state="$1" tool="$2"
    shift 2
    "$tool" -q \
        -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=- \
        -o Dir::State="$state" -o Dir::State::Lists="$state/lists" \
        -o Dir::State::status="$state/status" \
        -o Dir::Cache="$state/cache" \
        -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none -o Acquire::Retries=2 \
        "$@"
}

fetch_packages() {
    local work="$1" mirror arch
    mirror="$(find_mirror)"
    [ -n "$mirror" ] || die "found no Debian archive in /etc/apt to fetch bitcoind from"
    arch="$(dpkg --print-architecture)"
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -r "$keyring" ] || die "Debian's archive keys are missing: install debian-archive-keyring"

    local state="$work/apt"
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$work/deb"
    : >"$state/status"
    printf "deb [arch=$arch signed-by=$keyring] $mirror %s main\n" "$SUITE" "$SUITE-backports" \
        >"$state/sources.list"

    say "fetching Debian's package lists for $SUITE"
    own_apt "$state" apt-get update >"$work/log" 2>&1 \
        || { tail -n 5 "$work/log" >&2; die "apt-get update failed"; }
    say "fetching ${#PACKAGES[@]} packages"
    local wanted=("${PACKAGES[@]}")
    wanted[0]="bitcoin-knots/$SUITE-backports"
    (cd "$work/deb" && own_apt "$state" apt-get download "${wanted[@]}") >"$work/log" 2>&1 \
        || { tail -n 5 "$work/log" >&2; die "apt-get download failed"; }
}

unpack() {
    local work="$1" deb
    mkdir -p "$work/root"
    for deb in "$work"/deb/*.deb; do
        dpkg -x "$deb" "$work/root" || die "cannot unpack ${deb##*/}"
    done
    rm -rf "$work/deb" "$work/apt" "$work/log"
}

# The runner uses the unpacked suite's own dynamic linker and libraries, wherever the cache lies.
write_runner() {
    local work="$1" binary loader libraries
    binary="$(cd "$work/root" && find . -type f -name bitcoind -perm -u+x | head -n 1)"
    loader="$(cd "$work/root" && find . -name 'ld-linux*.so*' | head -n 1)"
    [ -n "$binary" ] && [ -n "$loader" ] || die "the packages hold no bitcoind or no dynamic linker"
    libraries="$(cd "$work/root" && find . -path './usr/lib/*' -name '*.so.*' -exec dirname {} + | sort -u \
        | sed 's|^\.|$here/root|' | paste -sd:)"
    cat >"$work/bitcoind" <<RUNNER
#!/bin/sh
# Made by get-bitcoind.sh.
here=\$(dirname -- "\$(readlink -f -- "\$0")")
exec "\$here/root/${loader#./}" --library-path "$libraries" "\$here/root/${binary#./}" "\$@"
RUNNER
    chmod +x "$work/bitcoind"
}

main() {
    if [ -x "$RUNNER" ] && "$RUNNER" -version >/dev/null 2>&1; then
        echo "$RUNNER"
        return
    fi
    local tool
    for tool in apt-get dpkg awk flock; do
        command -v "$tool" >/dev/null || die "needs '$tool', so a Debian-like system"
    done
    mkdir -p "$CACHE"
    # Two callers at once: the second waits, then finds the work done.
    exec 9>"$CACHE/lock"
    flock 9
    if ! { [ -x "$RUNNER" ] && "$RUNNER" -version >/dev/null 2>&1; }; then
        local work="$CACHE/new"
        rm -rf "$work"
        mkdir -p "$work"
        fetch_packages "$work"
        unpack "$work"
        write_runner "$work"
        "$work/bitcoind" -version >/dev/null || die "the unpacked bitcoind does not run here"
        rm -rf "$CACHE/root" "$RUNNER"
        mv "$work/root" "$CACHE/root"
        mv "$work/bitcoind" "$RUNNER"
        rmdir "$work"
        say "ready: $("$RUNNER" -version | head -n 1)"
    fi
    echo "$RUNNER"
}

main "$@"

#!/usr/bin/env bash
# Sees to it that this machine has what Shoal is built with.
#
#   usage: .ci/deps.sh [sim] [build] [kernel] [test] [pages] [dist] [oci] [lint]      without words: all but oci
#
#   sim     a Rust toolchain alone
#   build   what `shoal` is built with, RocksDB included
#   oci     what container images are made with
#   kernel  what Bitcoin Core's engine, in the test network, is built with
#
# It looks for the things themselves, not for packages. On Debian it says which packages are
# missing and installs them, with sudo unless it is root. Elsewhere it names what is missing and
# stops. It prints nothing when nothing is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# What `make test` runs the tests with; built from the registry when it is missing.
readonly NEXTEST_VERSION=0.9.143

say() { echo "deps: $*" >&2; }
die() {
    say "$*"
    exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

# Missing things: Debian's package, and words for everyone else.
packages=()
names=()
need() {
    packages+=("$1")
    names+=("$2")
}

has_boost() { echo '#include <boost/multi_index_container.hpp>' | c++ -E -x c++ - >/dev/null 2>&1; }

# bindgen loads libclang when it runs; its headers (stddef.h and so on) come in a package of their own.
has_libclang() {
    [ -n "${LIBCLANG_PATH:-}" ] && return
    compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' >/dev/null \
        && compgen -G '/usr/lib/llvm-*/lib/clang/*/include/stddef.h' >/dev/null && return
    # Systems that keep clang elsewhere.
    has clang && [ -e "$(clang -print-resource-dir)/include/stddef.h" ] \
        && compgen -G "$(clang -print-resource-dir)/../../libclang.*" >/dev/null
}

look_for_sim() {
    has make || need make "make"
    has cc || need gcc "a linker (cc)"
}

look_for_build() {
    look_for_sim
    has c++ || need g++ "a C++20 compiler (c++)"
    has python3 || need python3 "Python 3.11 or newer"
    has flock || need util-linux "flock"
    has_libclang || need libclang-dev "libclang with its headers (or LIBCLANG_PATH)"
}

look_for_kernel() {
    has cmake || need cmake "cmake 3.22 or newer"
    has_boost || need libboost-dev "Boost's headers, 1.73 or newer"
}

look_for_test() {
    has python3 || need python3 "Python 3.11 or newer"
    has flock || need util-linux "flock"
    has ip || need iproute2 "ip, for network namespaces"
    has node || need nodejs "Node.js 18 or newer, for the tests of the web pages"
    has dnsmasq || [ -x /usr/sbin/dnsmasq ] || need dnsmasq-base "dnsmasq, a name server for the test of DNS seeds"
    python3 -c 'import aiosmtpd' 2>/dev/null || /usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null \
        || need python3-aiosmtpd "aiosmtpd for Python, a mail server for the test of notifications"
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || [ -n "${POSTGRES_BIN:-}" ] \
        || need postgresql "PostgreSQL 15 or newer: initdb in PATH, or POSTGRES_BIN=/path/to/its/bin"
    has setpriv || need util-linux "setpriv"
    has script || need bsdutils "script, for a node in a terminal"
    has openssl || need openssl "openssl, for that server's certificate"
    has socat || need socat "socat, a proxy in front of bitcoind"
    compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null || need libfaketime "libfaketime, for nodes with a wrong clock"
    # Tests in network namespaces: routers, and a private Tor network.
    has unshare && has nsenter || need util-linux "unshare and nsenter"
    has nft || need nftables "nft (nftables)"
    has miniupnpd || need miniupnpd-nftables "miniupnpd, built for nftables"
    has tor && has tor-gencert || need tor "tor and tor-gencert"
    # Tests on a real bitcoind unpack Debian's unless there is one.
    [ -n "${BITCOIND:-}" ] || has bitcoind || has apt-get \
        || need bitcoin-knots "bitcoind in PATH, or BITCOIND=/path/to/bitcoind"
}

look_for_venv() {
    has python3 || need python3 "Python 3.11 or newer"
    python3 -c 'import ensurepip' 2>/dev/null || need python3-venv "Python's venv and pip"
}

look_for_pages() {
    look_for_venv
    has chromium || need chromium "Chromium"
    has nginx || [ -x /usr/sbin/nginx ] || need nginx-light "nginx, a reverse proxy in front of explorers"
    has chromedriver || need chromium-driver "chromedriver, of the same version as Chromium"
}

look_for_dist() {
    has git || need git "git"
    has strip || need binutils "strip"
    has xz || need xz-utils "xz"
    has dpkg-deb || need dpkg "dpkg-deb"
    has dpkg-shlibdeps || need dpkg-dev "dpkg-shlibdeps"
    has minisign || need minisign "minisign"
    has lintian || need lintian "lintian"
}

look_for_oci() {
    has python3 || need python3 "Python 3.11 or newer"
    has buildah || need buildah "buildah"
    has readelf || need binutils "readelf and strip"
    has xz || need xz-utils "xz"
    [ -d /usr/share/ca-certificates/mozilla ] || need ca-certificates "Debian's ca-certificates"
}

look_for_lint() {
    look_for_venv
    if ! python3 -c 'import jsonschema, yaml' 2>/dev/null && ! /usr/bin/python3 -c 'import jsonschema, yaml' 2>/dev/null; then
        need python3-yaml "PyYAML"
        need python3-jsonschema "jsonschema for Python"
    fi
}

is_debian() { [ -r /etc/os-release ] && (. /etc/os-release && [ "${ID:-}" = debian ]) && has apt-get; }

install_missing() {
    [ "${#packages[@]}" -gt 0 ] || return 0
    if ! is_debian; then
        say "missing on this system:"
        printf 'deps:   %s\n' "${names[@]}" >&2
        die "install them, then run make again (in Debian's words: ${packages[*]})"
    fi
    say "these Debian packages are missing and are installed now: ${packages[*]}"
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        has sudo || die "neither root nor sudo: run 'apt-get install ${packages[*]}' as root, then make again"
        as_root=(sudo)
    fi
    "${as_root[@]}" apt-get -q update
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q install -y --no-install-recommends "${packages[@]}"
}

# Debian 12's own cargo is years too old, and a half-hour build should not be how one learns it.
check_cargo() {
    local wanted found
    wanted="$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)"
    has cargo || die "cargo is missing: install Rust $wanted or newer with rustup"
    found="$(cargo --version | cut -d ' ' -f 2)"
    [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1)" = "$wanted" ] \
        || die "cargo $found is too old: install Rust $wanted or newer with rustup"
}

# Only where cargo is told to link it: with neither variable the crate builds its own copy, in 25 CPU minutes.
build_rocksdb() {
    [ -z "${ROCKSDB_LIB_DIR:-}" ] || .ci/rocksdb.sh "$ROCKSDB_LIB_DIR"
}

check_nextest() {
    cargo nextest --version >/dev/null 2>&1 && return
    say "cargo-nextest, which runs the tests, is missing and is built now; this takes some minutes"
    # Its own target folder: that of Shoal stays as it is.
    CARGO_TARGET_DIR="$(mktemp -d)" cargo install --locked --version "$NEXTEST_VERSION" \
        --no-default-features --features default-no-update cargo-nextest
}

check_components() {
    cargo fmt --version >/dev/null 2>&1 || die "rustfmt is missing: rustup component add rustfmt"
    cargo clippy --version >/dev/null 2>&1 || die "clippy is missing: rustup component add clippy"
}

main() {
    [ "$#" -gt 0 ] || set -- build kernel test pages dist lint
    local group
    for group in "$@"; do
        case "$group" in
            sim | build | kernel | test | pages | dist | oci | lint) "look_for_$group" ;;
            *) die "unknown word '$group': sim, build, kernel, test, pages, dist, oci or lint" ;;
        esac
    done
    check_cargo
    install_missing
    case " $* " in *" build "*) build_rocksdb ;; esac
    case " $* " in *" test "*) check_nextest ;; esac
    case " $* " in *" lint "*) check_components ;; esac
}

main "$@"

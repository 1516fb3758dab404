#!/usr/bin/env bash
# Packages: a tarball, a Debian package, on demand a container image, a list of what is in them (SBOM), checksums, and a signature.
#
#   usage: .ci/dist.sh OUT [BINARY]
#
# OUT gets the files. Without BINARY, the program is built for the release: without traces of this machine's folders, and
# with the list of its crates inside (`cargo audit bin` reads it). SHOAL_SIGN_KEY names the secret key of minisign that
# signs the checksums; without it, nothing is signed. With SHOAL_DIST_IMAGE, .ci/oci.sh adds a container image. SHOAL_DIST_FAST
# compresses little, for tests. The same commit gives the same bytes, wherever it is built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out="$(mkdir -p "$1" && cd "$1" && pwd)"
target="${CARGO_TARGET_DIR:-$PWD/target}"

version="$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)"
fast="${SHOAL_DIST_FAST:+0}"
# Everything that has a time gets that of the commit.
SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"
# An archive of the source has no commit.
commit="$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)"
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
name="shoal-$version-$(uname -m)-linux"

# Compilers write the folders of sources into the program. They become the same everywhere: FROM=TO for each of them, the last
# that fits counts. cargo names the folders below registry/src by where it downloads from.
folders() {
    local home="${CARGO_HOME:-$HOME/.cargo}" registry
    printf '%s\n' "$PWD=/shoal" "$home=/cargo" "$target=/target"
    for registry in "$home"/registry/src/*/; do echo "${registry%/}=/cargo/registry/src"; done
}

# A library of RocksDB without this machine's folders, beside the one that all other builds share: four minutes more, once. .ci/rocksdb.sh
# stays as it is, since a change of it would build the shared library anew everywhere.
rocksdb() {
    { echo '#!/bin/sh' && printf 'exec %q' "${CXX:-c++}" && printf ' -ffile-prefix-map=%q' $(folders) && echo ' "$@"'; } >"$target/dist/c++"
    chmod +x "$target/dist/c++"
    CXX="$target/dist/c++" .ci/rocksdb.sh "$target/dist/rocksdb"
    export ROCKSDB_LIB_DIR="$target/dist/rocksdb" ROCKSDB_STATIC=1
}

build() {
    mkdir -p "$target/dist"
    # It unpacks the sources, whose folders are named below.
    cargo fetch --locked --quiet
    rocksdb
    local remap
    remap="$(printf -- '--remap-path-prefix=%s ' $(folders))"
    CARGO_INCREMENTAL=0 SHOAL_VERSION="$version ($commit)" RUSTFLAGS="$remap" \
        CARGO_TARGET_DIR="$target/dist" cargo auditable build --release --locked --package node --bin shoal
}

# cargo-deb and tar take what is in here. The name is the one in node/Cargo.toml.
stage() {
    rm -rf "$target/release/stage"
    mkdir -p "$target/release/stage"
    cd "$target/release/stage"
    install -m 755 "$binary" shoal
    strip --strip-all shoal
    "$binary" manual man
    # cargo-deb packs manual pages; gzip without a name and a time.
    gzip -9 --no-name man/*.1
    mkdir completions
    for shell in bash zsh fish; do "$binary" completions "$shell" >"completions/shoal.$shell"; done
    cd - >/dev/null
}

tarball() {
    local folder="$target/release/$name"
    rm -rf "$folder"
    cp -r "$target/release/stage" "$folder"
    cp -r README.md CHANGELOG.md SECURITY.md LICENSE-APACHE LICENSE-MIT node/shoal.example.toml node/ops/shoal.service node/docs \
        node/packages/compose "$folder/"
    find "$folder" -type d -exec chmod 755 {} + -o -type f -exec chmod u=rwX,go=rX {} +
    tar --directory "$target/release" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
        --format=gnu --create "$name" | xz "-${fast:-6}" --threads=1 >"$out/$name.tar.xz"
    rm -rf "$folder"
}

debian() {
    CARGO_TARGET_DIR="$target" cargo-deb --package node --no-build --no-strip ${fast:+--fast} --output "$out/" --quiet
}

sbom() {
    (cd node && cargo-cyclonedx cyclonedx --format json --spec-version 1.5 \
        --override-filename shoal-sbom --quiet)
    # References to our crates hold the folder of this checkout.
    sed "s#file://$PWD/#file:///shoal/#g" node/shoal-sbom.json >"$out/$name.sbom.json"
    # It writes beside each manifest of the workspace.
    find . -name shoal-sbom.json -not -path './target/*' -delete
}

image() { [ -z "${SHOAL_DIST_IMAGE:-}" ] || .ci/oci.sh "$out" "$target/release/stage/shoal"; }

sums() {
    cd "$out"
    rm -f SHA256SUMS SHA256SUMS.minisig
    sha256sum -- *.tar.xz *.deb *.sbom.json >SHA256SUMS
    [ -z "${SHOAL_SIGN_KEY:-}" ] || minisign -S -q -s "$SHOAL_SIGN_KEY" -m SHA256SUMS -t "shoal $version ($commit)"
}

binary="${2:-}"
if [ -z "$binary" ]; then
    build
    binary="$target/dist/release/shoal"
fi
binary="$(realpath "$binary")"
stage
tarball
debian
sbom
image
sums

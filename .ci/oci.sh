#!/usr/bin/env bash
# A container image of one program and the files that it needs, and nothing else: no shell, no package manager.
#
#   usage: .ci/oci.sh OUT PROGRAM
#
# OUT gets shoal-VERSION-MACHINE-image.tar.xz, for `docker load`, `podman load` and `buildah pull`. buildah makes it without a
# daemon and runs nothing in it. The same commit, program and Debian packages give the same bytes. The machine is that of the
# program: one for arm64 is packed wherever arm64's libraries are (node/packages/oci/README.md). SHOAL_DIST_FAST compresses
# little, for tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[ "$#" -eq 2 ] || { echo "usage: .ci/oci.sh OUT PROGRAM" >&2; exit 2; }
out="$(mkdir -p "$1" && cd "$1" && pwd)"
program="$(realpath "$2")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
fast="${SHOAL_DIST_FAST:+0}"

version="$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)"
# Everything that has a time gets that of the commit.
SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"
commit="$(git rev-parse HEAD 2>/dev/null || echo unknown)"
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
# The user in the image: a number that no user of the host has, so that none of them owns the volume.
readonly ID=13381

case "$(readelf --file-header "$program" | sed -n 's/^ *Machine: *//p')" in
    *X86-64) machine=x86_64 arch=amd64 loader=/lib64/ld-linux-x86-64.so.2 ;;
    AArch64) machine=aarch64 arch=arm64 loader=/lib/ld-linux-aarch64.so.1 ;;
    *) echo "oci: $program is for another machine than x86_64 or aarch64" >&2; exit 1 ;;
esac
# Debian's folders of libraries: those of this machine, and of its cross compilers' packages.
readonly FOLDERS=("/lib/$machine-linux-gnu" "/usr/lib/$machine-linux-gnu" "/usr/$machine-linux-gnu/lib")
root="$work/root"
packages=()

needs() { readelf --dynamic "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p'; }

# Copies a library to where the loader looks for it, and then those that it needs.
library() {
    local name="$1" to="$root/lib/$machine-linux-gnu/$1" folder needed
    [ "$name" != "${loader##*/}" ] || to="$root$loader"
    [ ! -e "$to" ] || return 0
    for folder in "${FOLDERS[@]}"; do
        [ -e "$folder/$name" ] || continue
        install -D -m 755 "$folder/$name" "$to"
        package_of "$folder/$name"
        for needed in $(needs "$to"); do library "$needed"; done
        return 0
    done
    echo "oci: the library $name for $machine is in none of ${FOLDERS[*]}" >&2
    exit 1
}

# The Debian package of a file: its licence goes into the image, its version into a label. dpkg knows a file by one of its names.
package_of() {
    local file found
    for file in "$1" "$(realpath "$1")" "/usr$1" "/usr$(realpath "$1")"; do
        found="$({ dpkg-query --search "$file" 2>/dev/null || true; } | sed -n '1s/: .*//p')"
        [ -z "$found" ] || break
    done
    [ -n "$found" ] || { echo "oci: $1 is of no Debian package" >&2; exit 1; }
    packages+=("$(dpkg-query --show --showformat='${Package} ${Version}' "$found")")
    install -D -m 644 "/usr/share/doc/${found%%:*}/copyright" "$root/usr/share/doc/${found%%:*}/copyright"
}

files() {
    install -D -m 755 "$program" "$root/usr/bin/shoal"
    # Another machine's program is stripped where it was built.
    [ "$machine" != "$(uname -m)" ] || strip --strip-all "$root/usr/bin/shoal"
    local name
    for name in $(needs "$root/usr/bin/shoal"); do library "$name"; done
    mkdir -p "$root/etc/ssl/certs" "$root/etc/shoal" "$root/var/lib/shoal" "$root/tmp"
    # The authorities of Debian's package, without those that this machine trusts besides.
    find /usr/share/ca-certificates/mozilla -name '*.crt' | sort | xargs cat >"$root/etc/ssl/certs/ca-certificates.crt"
    package_of /usr/share/ca-certificates/mozilla
    printf 'root:x:0:0::/:/\nshoal:x:%s:%s::/var/lib/shoal:/\n' $ID $ID >"$root/etc/passwd"
    printf 'root:x:0:\nshoal:x:%s:\n' $ID >"$root/etc/group"
    echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
    install -m 644 node/shoal.example.toml "$root/etc/shoal/shoal.toml"
    install -D -m 644 -t "$root/usr/share/doc/shoal" LICENSE-APACHE LICENSE-MIT
    find "$root" -type d -exec chmod 755 {} +
    chmod 1777 "$root/tmp"
    chmod 700 "$root/var/lib/shoal"
}

# One layer, whose owners tar sets, so that this needs no root.
layer() {
    local same=(--directory "$root" --mtime="@$SOURCE_DATE_EPOCH" --sort=name --format=gnu --numeric-owner --file "$work/layer.tar")
    tar "${same[@]}" --owner=0 --group=0 --exclude=./var/lib/shoal --create .
    tar "${same[@]}" --owner=$ID --group=$ID --append ./var/lib/shoal
}

box() { buildah --storage-driver vfs --root "$work/storage" --runroot "$work/run" "$@"; }

image() {
    local made
    made="$(box from --arch "$arch" scratch)"
    box add --quiet "$made" "$work/layer.tar" / >/dev/null
    box config --arch "$arch" --os linux --author "The Shoal developers" \
        --user shoal --workingdir /var/lib/shoal --volume /var/lib/shoal \
        --env PATH=/usr/bin --env HOME=/var/lib/shoal --env SHOAL_CONFIG=/etc/shoal/shoal.toml --env SHOAL_DATA_DIR=/var/lib/shoal \
        --entrypoint '["/usr/bin/shoal"]' --cmd run --stop-signal SIGTERM \
        --port 3333/tcp --port 3380/tcp --port 3381/tcp --port 3381/udp \
        --label org.opencontainers.image.title=Shoal \
        --label "org.opencontainers.image.description=Bitcoin mining pool without an operator: the node" \
        --label "org.opencontainers.image.version=$version" --label "org.opencontainers.image.revision=$commit" \
        --label "org.opencontainers.image.licenses=MIT OR Apache-2.0" --label "shoal.debian-packages=$contents" "$made"
    box commit --quiet --format oci --disable-compression --timestamp "$SOURCE_DATE_EPOCH" "$made" "oci:$work/layout:$version" >/dev/null
}

contents_of() { printf '%s\n' "${packages[@]}" | sort -u | paste -sd, | sed 's/,/, /g'; }

files
contents="$(contents_of)"
layer
image
python3 .ci/oci_finish.py "$work/layout" "localhost/shoal:$version"
tar --directory "$work/layout" --mtime="@$SOURCE_DATE_EPOCH" --sort=name --format=gnu --owner=0 --group=0 --numeric-owner --create . \
    | xz "-${fast:-6}" --threads=1 >"$out/shoal-$version-$machine-image.tar.xz"
echo "oci: for $arch, with $contents"

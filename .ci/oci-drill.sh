#!/usr/bin/env bash
# Starts a container of an image with the settings of compose.yaml, but without a bitcoind, asks it how it is, and stops it.
#
#   usage: .ci/oci-drill.sh IMAGE.tar.xz          as root; takes some 20 seconds
set -euo pipefail
[ "$(id -u)" -eq 0 ] || { echo "oci-drill: run it as root" >&2; exit 1; }
# A network of its own: the ports are those of a node that may run here.
if [ "${SHOAL_DRILL_INSIDE:-}" != yes ]; then
    exec unshare --net env SHOAL_DRILL_INSIDE=yes bash -c 'ip link set lo up && exec "$0" "$@"' "$(realpath "$0")" "$(realpath "$1")"
fi
unset SHOAL_DRILL_INSIDE
work="$(mktemp -d)"
# The node of this drill: in its network, by the image's user.
node() { pgrep --ns $$ --nslist net --uid 13381 --exact shoal; }
finish() {
    node | xargs --no-run-if-empty kill -KILL || true
    # buildah tidies up after the node.
    wait
    rm -rf "$work"
}
trap finish EXIT
box() { buildah --storage-driver vfs --root "$work/storage" --runroot "$work/run" "$@"; }
settings="$(dirname "$0")/../node/packages/compose/shoal.toml"
# chroot isolation needs no cgroups, no seccomp and no runtime beside buildah.
inside() { box run --isolation chroot --volume "$(realpath "$settings"):/etc/shoal/shoal.toml:ro" "$made" -- "$@"; }
fail() {
    echo "oci-drill: $*" >&2
    tail -n 20 "$work/log" >&2 || true
    exit 1
}
get() { python3 -c 'import sys, urllib.request as r; print(r.urlopen(sys.argv[1], timeout=5).read().decode())' "$@" 2>/dev/null; }

xz --decompress --stdout "$1" >"$work/image.tar"
made="$(box from --quiet "oci-archive:$work/image.tar")"
test "$(box inspect --format '{{.OCIv1.Config.User}}' "$made")" = shoal || fail "the image's user is not shoal"
# Without a command of its own, a container does this. buildah runs only what it is told.
inside /usr/bin/shoal run >"$work/log" 2>&1 &
for _ in $(seq 60); do
    ! get http://127.0.0.1:3380/health >"$work/health" || break
    sleep 0.5
done
grep . "$work/health" >/dev/null || fail "it does not answer /health within 30 s"
node >/dev/null || fail "no process shoal of the image's user"
status=0
inside /usr/bin/shoal status >"$work/status" 2>>"$work/log" || status=$?
[ "$status" -eq 3 ] || fail "without a bitcoind, the health command exits with $status, not 3: $(cat "$work/status")"
grep bitcoind "$work/status" >/dev/null || fail "the status does not say that the node waits for its bitcoind"
! inside /bin/sh -c true 2>/dev/null || fail "there is a shell"
root="$(box mount "$made")"
! find "$root" -xdev -type f -perm /6000 | grep . || fail "a program of the image runs as another user"
kill -TERM "$(node)"
for _ in $(seq 40); do
    node >/dev/null || break
    sleep 0.5
done
! node >/dev/null || fail "it does not stop within 20 s"
grep -i panic "$work/log" && fail "it panicked"
echo "oci-drill: started as its own user, answered /health, waited for a bitcoind, and stopped"

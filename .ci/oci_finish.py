"""Finishes an OCI image layout that buildah wrote: python3 .ci/oci_finish.py LAYOUT NAME

- The health command: OCI's format has no place for one. Docker reads it from the image's configuration, where Docker's own
  builder writes it too; Podman ignores it there.
- The label with buildah's version goes: another version would be another digest.
- manifest.json, which `docker load` reads before version 25, names the same files.
"""

import hashlib
import json
import sys
from pathlib import Path

SECOND = 1_000_000_000
# Healthy: miners have work. Restarting a node that waits for its bitcoind gains nothing, and loses nothing.
HEALTH = {
    "Test": ["CMD", "/usr/bin/shoal", "status"],
    "Interval": 30 * SECOND,
    "Timeout": 10 * SECOND,
    "StartPeriod": 120 * SECOND,
    "Retries": 3,
}


def blob(layout: Path, digest: str) -> Path:
    return layout / "blobs" / digest.replace(":", "/")


def replace(layout: Path, descriptor: dict, value: dict) -> None:
    """Puts a changed object in the place of the one that a descriptor names."""
    blob(layout, descriptor["digest"]).unlink()
    body = json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
    descriptor["digest"] = "sha256:" + hashlib.sha256(body).hexdigest()
    descriptor["size"] = len(body)
    blob(layout, descriptor["digest"]).write_bytes(body)


def main() -> None:
    layout, name = Path(sys.argv[1]), sys.argv[2]
    index = json.loads((layout / "index.json").read_text())
    (entry,) = index["manifests"]
    manifest = json.loads(blob(layout, entry["digest"]).read_text())
    config = json.loads(blob(layout, manifest["config"]["digest"]).read_text())
    config["config"]["Healthcheck"] = HEALTH
    del config["config"]["Labels"]["io.buildah.version"]
    replace(layout, manifest["config"], config)
    replace(layout, entry, manifest)
    # The first is the whole name, for containerd; the second the tag alone, as OCI has it.
    entry["annotations"] = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.rpartition(":")[2]}
    (layout / "index.json").write_text(json.dumps(index, sort_keys=True))
    path = lambda descriptor: "blobs/" + descriptor["digest"].replace(":", "/")
    docker = [{"Config": path(manifest["config"]), "RepoTags": [name], "Layers": [path(row) for row in manifest["layers"]]}]
    (layout / "manifest.json").write_text(json.dumps(docker))
    print(f"oci: {name} is {entry['digest']}, with the configuration {manifest['config']['digest']}")


main()

"""The running test network: its nodes, their answers, and what can be done to it."""

import json
import subprocess
import time
import tomllib
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

# Seconds for one answer. The node itself gives up after ten.
ANSWER_S = 15
# Pause between two looks at something that should happen, seconds.
PAUSE_S = 0.1


class Node:
    """One node, as its configuration says."""

    def __init__(self, folder):
        config = tomllib.loads((folder / "shoal.toml").read_text())
        self.name = folder.name.removeprefix("node-")
        self.url = "http://" + config["api"]["listen"]
        self.stratum = config["stratum"]["listen"]
        self.token_file = Path(config["data_dir"]) / "api-token"

    def token(self):
        return self.token_file.read_text().strip()

    def get(self, path, headers=None):
        """The answer to a path below /api/v1; an error of HTTP is raised."""
        request = urllib.request.Request(f"{self.url}/api/v1{path}", headers=headers or {})
        with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
            return json.load(answer)


class Network:
    """`folder` is that of `shoal-testnet up`, `program` is shoal-testnet."""

    def __init__(self, folder, program):
        self.folder = Path(folder)
        self.program = program
        self.nodes = [Node(path.parent) for path in sorted(self.folder.glob("node-*/shoal.toml"))]
        if len(self.nodes) < 3:
            raise SystemExit(f"{folder} holds {len(self.nodes)} nodes, and the tests of the pages need three")

    def command(self, *words):
        subprocess.run([self.program, *words, "--dir", self.folder], check=True, capture_output=True, text=True)


def eventually(what, test, limit_s=20):
    """Waits until `test()` gives something true, and returns it. What it raises meanwhile counts as not yet."""
    end = time.monotonic() + limit_s
    said = Counter()
    while True:
        try:
            found = test()
            if found:
                return found
        except (AssertionError, KeyError, IndexError, OSError, ValueError) as error:
            said[f"{type(error).__name__}: {error}" if not isinstance(error, AssertionError) else str(error)] += 1
        if time.monotonic() > end:
            # What stood in the way most often is no coincidence of one moment.
            raise AssertionError(f"{what}: not within {limit_s} s; {said.most_common(1)[0][0] if said else 'no error'}")
        time.sleep(PAUSE_S)

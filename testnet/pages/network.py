"""The running test network: its nodes, their answers, and what can be done to it."""

import http.client
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
# How long something may take that takes a moment, seconds: where others work beside the tests, a page's request may time out
# once (15 s) and be made again.
LIMIT_S = 45
# Looks at the least, however long each takes.
LOOKS_MIN = 3
# Characters of what was seen that a failure repeats.
SEEN_MAX = 600
# What a look meets while the thing is not there yet: null of the page's scripts is a TypeError in a comparison.
NOT_YET = (AssertionError, KeyError, IndexError, TypeError, OSError, ValueError, http.client.HTTPException)


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


def eventually(what, test, limit_s=LIMIT_S):
    """Waits until `test()` gives something true, and returns it. What it raises meanwhile counts as not yet."""
    end = time.monotonic() + limit_s
    said = Counter()
    while True:
        try:
            found = test()
            if found:
                return found
            seen = f"it gave {found!r}"
        except NOT_YET as error:
            seen = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
        said[seen[:SEEN_MAX]] += 1
        if time.monotonic() > end and said.total() >= LOOKS_MIN:
            # What stood in the way most often is no coincidence of one moment.
            often = said.most_common(1)[0][0]
            last = "" if seen[:SEEN_MAX] == often else f"; at last: {seen[:SEEN_MAX]}"
            raise AssertionError(f"{what}: not within {limit_s} s; {often}{last}")
        time.sleep(PAUSE_S)


def becomes(what, read, wanted, limit_s=LIMIT_S):
    """Waits until `read()` gives just what is wanted: whatever follows an action takes a moment."""
    def look():
        seen = read()
        assert seen == wanted, f"wanted {wanted!r}, seen {seen!r}"
        return True

    eventually(what, look, limit_s)

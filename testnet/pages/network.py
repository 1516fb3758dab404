"""The running test network: its nodes, their API, and the commands of `shoal-testnet`."""

import http.client
import json
import secrets
import subprocess
import time
import tomllib
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

# Seconds for one answer. The node itself times out after ten.
ANSWER_S = 15
# Seconds between two polls of an expected event.
PAUSE_S = 0.1
# Seconds for an event that usually takes a moment. On a busy machine, a page's request may time out once (15 s) and be
# repeated.
LIMIT_S = 45
# Least number of polls, however long each takes.
LOOKS_MIN = 3
# Largest length of an observation in a failure message, in characters.
SEEN_MAX = 600
# Errors of a poll that count as "not yet". A null from the page's scripts causes a TypeError in a comparison.
NOT_YET = (AssertionError, KeyError, IndexError, TypeError, OSError, ValueError, http.client.HTTPException)


class Node:
    """One node, from its configuration."""

    def __init__(self, folder):
        config = tomllib.loads((folder / "shoal.toml").read_text())
        self.name = folder.name.removeprefix("node-")
        self.url = "http://" + config["api"]["listen"]
        self.stratum = config["stratum"]["listen"]
        self.token_file = Path(config["data_dir"]) / "api-token"

    def token(self):
        return self.token_file.read_text().strip()

    def pairing_code(self):
        """Makes a code as `shoal pair` does."""
        code = secrets.token_hex(16)
        self.token_file.with_name("pairing-code").write_text(f"{code} {int(time.time()) + 600}\n")
        return code

    def post(self, path, headers):
        request = urllib.request.Request(f"{self.url}/api/v1{path}", headers=headers, method="POST")
        with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
            return json.load(answer)

    def get(self, path, headers=None):
        """Returns the answer to a path below /api/v1. Raises HTTP errors."""
        request = urllib.request.Request(f"{self.url}/api/v1{path}", headers=headers or {})
        with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
            return json.load(answer)


class Explorer:
    """Explorers behind one address."""

    name = "explorer"

    def __init__(self, url):
        self.url = url

    def get(self, path, headers=None):
        return Node.get(self, path, headers)


class Network:
    """The network in the folder of `shoal-testnet up`. `program` is the path of shoal-testnet."""

    def __init__(self, folder, program):
        self.folder = Path(folder)
        self.program = program
        self.nodes = [Node(path.parent) for path in sorted(self.folder.glob("node-*/shoal.toml"))]
        if len(self.nodes) < 3:
            raise SystemExit(f"{folder} holds {len(self.nodes)} nodes, and the tests of the pages need three")

    def command(self, *words):
        subprocess.run([self.program, *words, "--dir", self.folder], check=True, capture_output=True, text=True)


def eventually(what, test, limit_s=LIMIT_S):
    """Waits until `test()` returns a true value, and returns it. Errors in the meantime count as "not yet"."""
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
            # The most frequent observation is the likely cause, unlike the last one.
            often = said.most_common(1)[0][0]
            last = "" if seen[:SEEN_MAX] == often else f"; at last: {seen[:SEEN_MAX]}"
            raise AssertionError(f"{what}: not within {limit_s} s; {often}{last}")
        time.sleep(PAUSE_S)


def becomes(what, read, wanted, limit_s=LIMIT_S):
    """Waits until `read()` returns `wanted`, because the effect of an action takes a moment."""
    def look():
        seen = read()
        assert seen == wanted, f"wanted {wanted!r}, seen {seen!r}"
        return True

    eventually(what, look, limit_s)

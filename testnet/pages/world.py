"""Shared by all tests: the network, one browser, and the objects of the share-chain that pages show."""

import atexit
import os
import subprocess
import sys
import unittest
from functools import cache
from pathlib import Path

from browser import Browser
from network import LIMIT_S, Explorer, Network, becomes, eventually
from proxy import Proxy

HERE = Path(__file__).resolve().parent
# The requests are always the same, take a minute, and stay below a node's rate limit per address.
FUZZ = ("run", "--seed", "5", "--max-examples", "10", "--rate-limit", "90/s", "--exclude-path", "/api/v1/events", "--checks",
        "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance",
        "--phases", "examples,coverage,fuzzing", "--request-timeout", "15", "--no-color", "--report", "ndjson")

# Number of links on top of one after which its branch no longer changes here.
SETTLED_LINKS = 5

# An id that no share has.
UNKNOWN_ID = "00000000" + "12345678" * 7


@cache
def network():
    return Network(os.environ["SHOAL_PAGES_NETWORK"], os.environ["SHOAL_PAGES_PROGRAM"])


@cache
def out():
    return Path(os.environ["SHOAL_PAGES_OUT"])


@cache
def browser():
    started = Browser()
    atexit.register(started.quit)
    return started


def node():
    """Returns the node whose pages are tested, or the explorers."""
    url = os.environ.get("SHOAL_PAGES_EXPLORER")
    return Explorer(url) if url else network().nodes[0]


# All sites that were opened. A page may still send requests to its own site after the browser leaves it.
SITES = set()


def site(of, alter=None):
    """Returns the URL of a node's pages: the node, or a proxy with pages from a folder or with altered answers."""
    web = os.environ.get("SHOAL_PAGES_WEB")
    url = Proxy(of.url, web=web, alter=alter).url if web or alter else of.url
    SITES.add(url)
    return url


@cache
def home():
    return site(node())


# Finding a Bitcoin block takes that miner some ten seconds on average, and longer on a busy machine.
REFUSAL_S = 180


@cache
def refusal():
    """Starts a process that makes node B reject a share, and prints its id."""
    return start("refused-share", sys.executable, str(HERE / "bad_miner.py"), network().nodes[1].stratum)


@cache
def fuzzing():
    """Starts schemathesis on a node without other clients, because requests are limited per address."""
    node = network().nodes[2]
    report = out() / "schemathesis"
    return start("schemathesis", str(Path(sys.executable).parent / "schemathesis"), *FUZZ, "--report-dir", str(report),
                 f"{node.url}/api/v1/openapi.json")


def start(name, *words):
    """Starts a process. Its output goes to a file with its name, in the folder where it runs."""
    file = out() / f"{name}.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(words, cwd=file.parent, stdout=file.open("w"), stderr=subprocess.STDOUT)
    process.log = file
    atexit.register(process.kill)
    return process


@cache
def things():
    """Returns one object of each kind that a page shows, once all of them exist."""
    return eventually("the network has blocks, shares and links", find_things, 90)


def find_things():
    graph = node().get("/graph?links=200")
    tip = graph["to"]
    listed = [share for share in graph["shares"] if share["listed_in"]]
    blocks = node().get("/blocks?limit=500")["blocks"]
    shared = [block for block in blocks if block["outputs_count"] > 1 and block["confirmations"] > 0]
    settled = [link for link in graph["links"] if link["is_main"] and SETTLED_LINKS < tip - link["height"] and link["shares_count"] > 1]
    if not (listed and shared and settled):
        return None
    address = node().get("/window?limit=1")["earned"][0]["address"]
    return {"link": settled[0], "listed": listed[0]["id"], "block": shared[0], "address": address}


def lost_link():
    """Returns a link that lost for good, or None if no link lost. One near the tip may still win."""
    def find():
        graph = node().get("/graph?links=200")
        lost = [link for link in graph["links"] if not link["is_main"]]
        settled = [link for link in lost if SETTLED_LINKS < graph["to"] - link["height"]]
        assert settled or not lost, f"links that lost are all near the tip: {[link['height'] for link in lost]} of {graph['to']}"
        return [*settled, None]

    return eventually("a link that lost lies deep", find)[0]


class PageTest(unittest.TestCase):
    """Tests of pages. `tolerated` lists words of console messages that a test may cause."""

    tolerated = ()

    def setUp(self):
        self.browser = browser()
        self.browser.look(1280, "light")
        self.tolerated = ()
        self.site = home()
        # The page of the previous test still gets updates, and would log messages in this one.
        self.browser.leave()
        list(self.browser.traffic())
        self.browser.complaints()

    def tearDown(self):
        complaints = [line for line in self.browser.complaints() if not any(word in line for word in self.tolerated)]
        self.none(complaints, "the console complains")
        self.none(self.browser.foreign(SITES), "it asks others than its own node")

    def open(self, path):
        self.browser.open(self.site + path)

    def all_there(self):
        """Waits until the page has loaded all its data."""
        self.becomes("everything is there", lambda: self.browser.read()["loading"], False)

    def focus(self, selector):
        """Waits until an element exists and has the focus."""
        focus = "const e = document.querySelector(arguments[0]); e?.focus(); return e !== null && document.activeElement === e"
        self.eventually(f"{selector} has the focus", lambda: self.browser.js(focus, selector))

    def none(self, found, what):
        """Fails with the page and its picture if `found` is not empty."""
        if found:
            self.fail(f"{self.where()}: {what}: {found}")

    def where(self):
        """Returns the page and the path of its picture, for a failure message."""
        file = out() / "failures" / f"{self.id().split('.', 1)[-1]}.png"
        self.browser.picture(file)
        return f"{self.browser.path()} (picture: {file})"

    def eventually(self, what, test, limit_s=LIMIT_S):
        return self.pictured(eventually, what, test, limit_s)

    def becomes(self, what, read, wanted, limit_s=LIMIT_S):
        self.pictured(becomes, what, read, wanted, limit_s)

    def nothing(self, what, look, limit_s=LIMIT_S):
        """Waits until `look()` finds nothing, because a page needs a moment to follow a change."""
        def found_nothing():
            found = look()
            assert not found, f"there is {found}"
            return True

        self.eventually(what, found_nothing, limit_s)

    def pictured(self, wait, *asked):
        """Returns the result of a wait. A failure message names the page and its picture."""
        try:
            return wait(*asked)
        except AssertionError as error:
            raise self.failureException(f"{self.where()}: {error}") from None

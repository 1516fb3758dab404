"""What all tests share: the network, one browser, and the things of the share-chain that pages are about."""

import atexit
import os
import subprocess
import sys
import unittest
from functools import cache
from pathlib import Path

from browser import Browser
from network import Network, eventually
from proxy import Proxy

HERE = Path(__file__).resolve().parent
# Always the same requests, a minute of them, and slower than what a node allows one address.
FUZZ = ("run", "--seed", "5", "--max-examples", "10", "--rate-limit", "90/s", "--exclude-path", "/api/v1/events", "--checks",
        "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance",
        "--phases", "examples,coverage,fuzzing", "--request-timeout", "15", "--no-color", "--report", "ndjson")

# Characters of an id that no share has.
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
    """The node that pages are looked at of."""
    return network().nodes[0]


# All sites that were opened: a page that is left may still ask its own.
SITES = set()


def site(of, alter=None):
    """Where a node's pages are: at the node, or at a proxy with pages from a folder, or with altered answers."""
    web = os.environ.get("SHOAL_PAGES_WEB")
    url = Proxy(of.url, web=web, alter=alter).url if web or alter else of.url
    SITES.add(url)
    return url


@cache
def home():
    return site(node())


@cache
def refusal():
    """A process that makes node B refuse a share, and prints its id."""
    return start("refused-share", sys.executable, str(HERE / "bad_miner.py"), network().nodes[1].stratum)


@cache
def fuzzing():
    """Schemathesis on a node that nobody else asks, since requests of one address are counted."""
    node = network().nodes[2]
    report = out() / "schemathesis"
    return start("schemathesis", str(Path(sys.executable).parent / "schemathesis"), *FUZZ, "--report-dir", str(report),
                 f"{node.url}/api/v1/openapi.json")


def start(name, *words):
    """Starts a process whose output is kept under its name; whatever else it writes is kept there, too."""
    file = out() / f"{name}.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(words, cwd=file.parent, stdout=file.open("w"), stderr=subprocess.STDOUT)
    process.log = file
    atexit.register(process.kill)
    return process


@cache
def things():
    """One of each kind that a page is about, chosen once all of them exist."""
    return eventually("the network has blocks, shares, and a link that lost", find_things, 90)


def find_things():
    graph = node().get("/graph?links=200")
    tip = graph["to"]
    listed = [share for share in graph["shares"] if share["listed_in"]]
    blocks = node().get("/blocks?limit=500")["blocks"]
    shared = [block for block in blocks if block["outputs_count"] > 1 and block["confirmations"] > 0]
    settled = [link for link in graph["links"] if link["is_main"] and 5 < tip - link["height"] and link["shares_count"] > 1]
    lost = [link for link in graph["links"] if not link["is_main"]]
    if not (listed and shared and settled):
        return None
    address = node().get("/window?limit=1")["earned"][0]["address"]
    return {"link": settled[0], "lost": lost[0] if lost else None, "listed": listed[0]["id"], "block": shared[0], "address": address}


class PageTest(unittest.TestCase):
    """Tests on pages. What a test may leave in the console is named in `tolerated`."""

    tolerated = ()

    def setUp(self):
        self.browser = browser()
        self.browser.look(1280, "light")
        self.tolerated = ()
        self.site = home()
        list(self.browser.traffic())
        self.browser.complaints()

    def tearDown(self):
        complaints = [line for line in self.browser.complaints() if not any(word in line for word in self.tolerated)]
        self.none(complaints, "the console complains")
        self.none(self.browser.foreign(SITES), "it asks others than its own node")

    def open(self, path):
        self.browser.open(self.site + path)

    def none(self, found, what):
        """Fails with the page and its picture if there is something."""
        if found:
            self.fail(f"{self.where()}: {what}: {found}")

    def where(self):
        """The page and a picture of it, for the words of a failure."""
        file = out() / "failures" / f"{self.id().split('.', 1)[-1]}.png"
        self.browser.picture(file)
        return f"{self.browser.path()} (picture: {file})"

    def eventually(self, what, test, limit_s=20):
        try:
            return eventually(what, test, limit_s)
        except AssertionError as error:
            raise self.failureException(f"{self.where()}: {error}") from None

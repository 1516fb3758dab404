#!/usr/bin/env python3
"""Makes the pictures of node/README.md anew from a running test network: cuts the network for half a minute, waits until its
chain is one again, and takes each picture in a real Chromium.

    pictures.py --network FOLDER --program shoal-testnet --out node/pictures

FOLDER is the one of `shoal-testnet up`, with at least three nodes; let it find some Bitcoin blocks first.
"""

import argparse
import os
import sys
import time
from pathlib import Path

# Seconds that a part of the network is cut off, and that the chain of the whole has after it.
CUT_S = 30
HEALED_S = 20
# Links above the fork that the picture of the chain ends with.
FORK_LINKS = 17
# Width of a wide picture, pixels; the browser's window is 1280 wide. The tallest picture.
WIDTH = 1000
HEIGHT_MAX = 1200
NARROW = 390
NARROW_HEIGHT_MAX = 1400


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", type=Path, required=True)
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--web", type=Path, help="serve the pages from this folder instead of the program's own")
    asked = parser.parse_args()
    os.environ |= {"SHOAL_PAGES_NETWORK": str(asked.network), "SHOAL_PAGES_PROGRAM": str(asked.program), "SHOAL_PAGES_OUT": str(asked.out)}
    if asked.web:
        os.environ["SHOAL_PAGES_WEB"] = str(asked.web)
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from world import browser, home, network, node, things

    names = [one.name for one in network().nodes]
    things()
    network().command("partition", ",".join(names[:2]))
    time.sleep(CUT_S)
    network().command("heal")
    time.sleep(HEALED_S)
    earned = [row["address"] for row in node().get("/window?limit=100")["earned"]]
    address = next(address for address in earned if node().get(f"/miners/{address}")["last_submit_unix_s"] is not None)
    turns = [turn for one in network().nodes for turn in one.get("/reorganisations")["reorganisations"]]
    fork = max(turns, key=lambda turn: turn["depth"])["fork_height"]
    block = next(row for row in node().get("/blocks?limit=20")["blocks"] if row["confirmations"] > 0)
    take = Pictures(browser(), home(), asked.out, address)
    take.whole("home", "/")
    take.whole("miner", f"/miners/{address}")
    take.part("who", "/", "spread")
    take.part("proof", f"/blocks/{block['hash']}", "proof")
    take.whole("chain", f"/chain?to={fork + FORK_LINKS}", ".picture")
    take.whole("phone", "/", width=NARROW)
    print(f"pictures: {asked.out}")


class Pictures:
    """Takes pictures of the pages for somebody with this address."""

    def __init__(self, browser, site, out, address):
        self.browser, self.site, self.out = browser, site, out
        browser.open(site + "/")
        browser.js("localStorage.setItem('shoal.address', arguments[0])", address)

    def open(self, path, width):
        from network import eventually

        self.browser.look(width, "dark" if width == NARROW else "light")
        self.browser.open(self.site + path)
        eventually("nothing is loading", lambda: self.browser.js("return document.querySelector('[aria-busy=true], progress') === null"))
        # Charts take their size a moment later.
        time.sleep(3)

    def whole(self, name, path, until=None, width=1280):
        """The top of a page, down to the end of an element if one is named."""
        self.open(path, width)
        end = "return Math.ceil(arguments[0] ? document.querySelector(arguments[0]).getBoundingClientRect().bottom + 16 : document.documentElement.scrollHeight)"
        narrow = width == NARROW
        scale = 1 if narrow else WIDTH / width
        height = min(self.browser.js(end, until), NARROW_HEIGHT_MAX if narrow else HEIGHT_MAX / scale)
        self.browser.picture(self.out / f"{name}.png", {"x": 0, "y": 0, "width": width, "height": height, "scale": scale})

    def part(self, name, path, card):
        """One card of a page."""
        self.open(path, 1280)
        box = "const r = document.getElementById(arguments[0]).closest('section').getBoundingClientRect(); return [r.x + scrollX, r.y + scrollY, r.width, r.height]"
        x, y, width, height = self.browser.js(box, card)
        scale = WIDTH / width
        self.browser.picture(self.out / f"{name}.png", {"x": x, "y": y, "width": width, "height": min(height, HEIGHT_MAX / scale), "scale": scale})


if __name__ == "__main__":
    main()

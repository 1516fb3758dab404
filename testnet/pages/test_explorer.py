"""Pages of explorers: they leave out what only a node has, and say so if a reader asks for it."""

import os
import statistics
import unittest

from words import says
from world import PageTest, network, node, things

MENU = "return [...document.querySelectorAll('#menu a')].map((e) => e.getAttribute('href'))"


@unittest.skipUnless("SHOAL_PAGES_EXPLORER" in os.environ, "these are the pages of a node")
class Explorer(PageTest):
    def test_what_only_a_node_has_is_left_out(self):
        self.open("/")
        self.eventually("the menu is that of an explorer", lambda: "/peers" not in self.browser.js(MENU))
        self.assertEqual([path for path in self.browser.js(MENU) if path in ("/peers", "/log")], [])
        page = self.browser.read()
        self.assertNotIn("Miners at this node", page["facts"])
        says(page, "The archive receives new data")
        self.assertIn("from an archive", self.browser.js("return document.querySelector('footer').innerText"))

    def test_efforts_are_those_of_a_node(self):
        """A block's header may be far ahead of the time at which its work was done."""
        efforts = [{block["hash"]: block["effort"] for block in one.get("/blocks?limit=50")["blocks"]} for one in (network().nodes[0], node())]
        off = [abs(effort - efforts[1][hash]) for hash, effort in efforts[0].items() if effort is not None and efforts[1].get(hash) is not None]
        self.assertGreater(len(off), 3, "both know some blocks")
        self.assertLess(statistics.median(off), 0.1, f"they differ by {off}")

    def test_whoever_asks_for_it_is_told(self):
        self.tolerated = ("404",)
        for path, what in (("/peers", "peers"), ("/log", "event log"), ("/job", "job")):
            self.open(path)
            self.eventually(f"{path} says why it is empty", lambda: says(self.browser.read(), f"This is an explorer, which has no {what}") or True)

    def test_an_address_has_its_shares_and_payments(self):
        address = things()["address"]
        paid = node().get(f"/miners/{address}/payments?limit=10")["payments"]
        self.open(f"/miners/{address}")
        self.eventually("its payments are there", lambda: len(self.browser.read()["tables"]["Payments, newest first"]) >= min(1, len(paid)))
        self.eventually("its shares are there", lambda: says(self.browser.read(), "shares, newest first") or True)
        page = self.browser.read()
        self.assertNotIn("You earn per day", page["facts"])
        self.assertNotIn("Workers at this node", page["text"])


if __name__ == "__main__":
    unittest.main()

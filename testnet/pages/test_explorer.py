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
        pairs = [(effort, efforts[1][hash]) for hash, effort in efforts[0].items() if effort is not None and efforts[1].get(hash) is not None]
        self.assertGreater(len(pairs), 3, "both know some blocks")
        # An explorer counts by whole seconds, and a round has ten of them: what one block lacks, the next one has.
        self.assertLess(statistics.median(abs(one - other) for one, other in pairs), 0.3, f"they differ: {pairs}")
        sums = [sum(of) for of in zip(*pairs)]
        self.assertLess(abs(sums[0] - sums[1]) / sums[0], 0.2, f"their sums differ: {pairs}")

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

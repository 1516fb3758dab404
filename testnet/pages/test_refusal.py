"""The page explains a rejected share."""

import json

from network import eventually
from words import says
from world import REFUSAL_S, PageTest, network, refusal, site


class Refused(PageTest):
    def test_a_refused_share_is_explained(self):
        miner, judge = refusal(), network().nodes[1]
        eventually("a miner whose clock is ahead finds a block", lambda: miner.poll() is not None, REFUSAL_S)
        self.assertEqual(miner.returncode, 0, miner.log.read_text())
        id = json.loads(miner.log.read_text())["id"]
        share = eventually("the node refused it", lambda: (one := judge.get(f"/shares/{id}"))["fate"] == "refused" and one)
        self.assertEqual(share["refusal"]["rule"], "SC-205")
        self.site = site(judge)
        self.open(f"/shares/{id}")
        self.eventually("the page says why", lambda: says(
            self.browser.read(), "It does not count", "Rule SC-205", "more than two hours apart", share["explanation"], "a miner of this node") or True)
        self.open("/log")

        def leads_there():
            if f"/shares/{id}" in self.browser.read()["links"]:
                return True
            # Newer entries may have moved it farther down.
            self.browser.js("[...document.querySelectorAll('main button')].find((e) => e.textContent === 'Show more')?.click()")
            return False

        self.eventually("the log leads there", leads_there)

"""Listing and credit against slow ways that follow the words of the rules, on made-up chains."""

import unittest
from unittest import mock

from shoal_model import chain as chain_module
from shoal_model import lists, targets, window
from shoal_model.made_chain import EASY, START_TIME, Made, Odds, random_chain
from shoal_model.replayer import replay_lines
from shoal_model.verdict import Broken, Unlistable


def branch(link):
    """All links from genesis to `link`."""
    found = []
    while link is not None:
        found.append(link)
        link = link.parent
    return found[::-1]


def broken_by_words(params, link, node):
    """The first rule of SC-403 to SC-405 that listing `node` alone in `link` breaks."""
    below = branch(link.parent)
    listed = {id_ for earlier in below for id_ in earlier.listed}
    ids = {earlier.id for earlier in below}
    if node.anchor not in below or link.height - node.anchor.height > params.listing_depth:
        return "SC-403"
    if node.parent.id not in ids | listed:
        return "SC-404"
    return "SC-405" if node.id in ids | listed else None


def broken(params, link, node):
    try:
        lists.check_entry(params, link, node, set())
    except Broken as reason:
        return reason.rule
    return None


class Lists(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.chains = [random_chain(seed, 110, Odds(old_parent=0.4, late=0.3)).chain for seed in (21, 22)]

    def test_every_proof_in_every_list(self):
        for chain in self.chains:
            nodes = [node for node in chain.nodes.values() if node.height]
            seen = set()
            for link in (node for node in nodes if node.is_link):
                for node in nodes:
                    expected = broken_by_words(EASY, link, node)
                    seen.add(expected)
                    self.assertEqual(broken(EASY, link, node), expected)
            self.assertEqual(seen, {None, "SC-403", "SC-404", "SC-405"})

    def test_credits(self):
        """Each link's rows, summed up in the words of SC-410 and SC-411."""
        worthless = 0
        for chain in self.chains:
            for link in branch(chain.tip)[1:]:
                below = branch(link.parent)
                total = targets.share_weight(EASY, link.share_target, link.proof.bits)
                total += targets.link_bonus(EASY, link.link_target, link.proof.bits)
                for node in map(chain.nodes.get, link.ids):
                    later = [other.height for other in below if other.bitcoin_height > node.bitcoin_height]
                    stale = bool(later) and link.height - min(later) > EASY.stale_depth
                    if stale or link.height - node.anchor.height > EASY.credit_depth:
                        worthless += 1
                        continue
                    total += targets.share_weight(EASY, node.share_target, node.proof.bits)
                self.assertEqual(sum(weight for weight, _ in link.rows.values()), total)
                self.assertEqual(sum(proofs for _, proofs in link.rows.values()), len(link.ids) + 1)
        self.assertGreater(worthless, 0)

    def test_snapshots(self):
        for chain in self.chains:
            for anchor in branch(chain.tip):
                for block in chain.headers.by_hash.values():
                    goal = min(max(0, block.height - EASY.snapshot_bitcoin_depth), anchor.bitcoin_height)
                    first = next(link for link in branch(anchor) if link.bitcoin_height >= goal)
                    expected = branch(anchor)[max(0, first.height - EASY.snapshot_burial)]
                    self.assertIs(window.snapshot(EASY, anchor, block), expected)


class MemoryDepth(unittest.TestCase):
    def test_nothing_deep_is_judged(self):
        """A link on genesis, found when the tip is at the memory depth and when it is one above."""
        made = Made()
        for _ in range(EASY.start_height + 1):
            made.block()
        rival = made.add(link=True).proof
        lines = [value for value in made.lines if "proof" not in value]
        made = Made.of(replay_lines(lines).chain)
        made.add(link=True, time=START_TIME + 1)
        with mock.patch.object(chain_module, "MEMORY_DEPTH", 3):
            while made.chain.tip.height < 3:
                made.add(link=True)
            self.assertEqual(made.chain.insert(rival.encode()).height, 1)
            del made.chain.nodes[rival.id]
            made.add(link=True)
            with self.assertRaisesRegex(Unlistable, "memory depth"):
                made.chain.insert(rival.encode())


if __name__ == "__main__":
    unittest.main()

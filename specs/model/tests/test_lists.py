"""Listing, credit, snapshots and states against slow ways that follow the words of the rules, on made-up chains."""

import unittest
from dataclasses import replace
from unittest import mock

from shoal_model import chain as chain_module
from shoal_model import lists, miner, state, targets, window
from shoal_model.made_chain import EASY, SCRIPTS, START_TIME, Made, Odds, forked_chain, random_chain
from shoal_model.node import PENDING
from shoal_model.sha256 import tagged
from shoal_model.sum_tree import HISTORY
from shoal_model.verdict import Broken, Held, Unlistable

FORKED_SEEDS = (3, 13, 24, 28, 34, 37)


def branch(link):
    """All links from genesis to `link`."""
    found = []
    while link is not None:
        found.append(link)
        link = link.parent
    return found[::-1]


def bitcoin_work(node):
    """Bitcoin's chain work up to the node's previous block, added up block by block."""
    work, block = 0, node.previous
    while block is not None:
        work += targets.work(targets.expand(block.bits))
        block = block.previous
    return work


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
        lists.check_entry(params, link.parent, node, set())
    except Broken as reason:
        return reason.rule
    return None


class Lists(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.chains = [random_chain(seed, 110, Odds(old_parent=0.4, late=0.3)).chain for seed in (21, 22)]
        cls.forked = [forked_chain(seed, 110).chain for seed in FORKED_SEEDS]

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

    def test_bitcoin_moves_to_shorter_branches(self):
        """What the other tests are about: heights fall along the chains, and work does not."""
        falls = 0
        for chain in self.forked:
            links = branch(chain.tip)[1:]
            for before, after in zip(links, links[1:]):
                falls += before.previous.height > after.previous.height
                self.assertLessEqual(bitcoin_work(before), bitcoin_work(after))
        self.assertGreater(falls, 3)

    def test_credits(self):
        """Each link's rows, summed up in the words of SC-410 and SC-411."""
        for chains in (self.chains, self.forked):
            self.assertGreater(sum(map(self.check_credits, chains)), 0)

    def check_credits(self, chain):
        """Returns how many proofs earn nothing because they are stale."""
        params, count = chain.params, 0
        for link in branch(chain.tip)[1:]:
            below = branch(link.parent)
            total = targets.share_weight(params, link.share_target, link.proof.bits)
            total += targets.link_bonus(params, link.link_target, link.proof.bits)
            for node in map(chain.nodes.get, link.ids):
                later = [other.height for other in below if bitcoin_work(other) > bitcoin_work(node)]
                stale = bool(later) and link.height - min(later) > params.stale_depth
                count += stale
                if not stale and link.height - node.anchor.height <= params.credit_depth:
                    total += targets.share_weight(params, node.share_target, node.proof.bits)
            self.assertEqual(sum(weight for weight, _ in link.rows.values()), total)
            self.assertEqual(sum(proofs for _, proofs in link.rows.values()), len(link.ids) + 1)
        return count

    def test_snapshots(self):
        """Of all proofs on the Bitcoin blocks that they could have, in the words of SC-302."""
        held_up = 0
        for chain in self.chains + self.forked:
            params, links = chain.params, branch(chain.tip)
            for parent in links:
                place = parent.position(params)
                for block in chain.headers.by_hash.values():
                    expected = unbounded_snapshot(params, links, place.anchor, block)
                    if parent.height and expected < parent.snapshot.height:
                        held_up += block.chain_work > parent.bitcoin_work
                        expected = parent.snapshot.height
                    self.assertEqual(window.snapshot(params, place, block).height, expected)
        self.assertGreater(held_up, 0)

    def test_snapshots_never_fall(self):
        for chain in self.chains + self.forked:
            for node in chain.nodes.values():
                if node.height:
                    self.assertGreaterEqual(node.snapshot.height, node.parent.snapshot.height)
                    self.assertLessEqual(node.snapshot.height, node.anchor.height)
                    self.assertIs(node.ancestor(node.snapshot.height), node.snapshot)


def unbounded_snapshot(params, links, anchor, block):
    """Height of the snapshot of a proof with this anchor, but for the bound that its parent sets."""
    deep = block
    for _ in range(params.snapshot_bitcoin_depth):
        deep = deep.previous or deep
    least = min(deep.chain_work, bitcoin_work(anchor))
    first = next(link.height for link in links if bitcoin_work(link) >= least)
    return max(0, first - params.snapshot_burial)


class States(unittest.TestCase):
    def test_every_link_commits_to_what_its_branch_has_come_to(self):
        """Each state root, made anew from all that a link's branch holds."""
        paid = 0
        for chain in (random_chain(23, 110).chain, forked_chain(12, 110).chain):
            for link in (node for node in chain.nodes.values() if node.is_link and node.height):
                window_, order = self.window_of(chain, link)
                paid += len(order) > 0
                credits = self.credits_of(chain, link)
                leaves = [leaf_of(each) for each in branch(link.parent)[1:]]
                history, below = HISTORY.commitment(leaves), signals_by_words(branch(link.parent)[1:])
                self.assertEqual(sum(sum_ for _, sum_ in leaves), link.parent.chain_work)
                root = state.state_root(window_, state.window_commitment(credits), history, below)
                self.assertEqual(link.proof.share.state_root, root)
        self.assertGreater(paid, 20)

    def window_of(self, chain, link):
        selection = chain.selection(link.parent.position(chain.params), link.previous)
        order = selection.order if selection else ()
        if selection:
            sums = chain.window(link.snapshot).sums
            self.assertEqual(dict(order), {script: weight for script, (weight, _) in sums.items() if weight})
            paid = [script for script, _ in selection.outputs]
            self.assertEqual(paid, [script for script, _ in order if script in paid])
        return state.window_commitment(order), order

    def credits_of(self, chain, link):
        """What the link credits less its own credit, by script; the own row is left out if nothing else is in it."""
        own = targets.share_weight(chain.params, link.share_target, link.proof.bits)
        own += targets.link_bonus(chain.params, link.link_target, link.proof.bits)
        rows = dict(link.rows)
        weight, proofs = rows.pop(link.proof.share.payout)
        if proofs > 1:
            rows[link.proof.share.payout] = weight - own, proofs - 1
        return [(script, weight) for script, (weight, _) in sorted(rows.items())]


def signals_by_words(links):
    """What commits to the signals of links of which there are fewer than a period has."""
    encoded = b""
    for bit in range(32):
        count = sum(link.proof.share.signals >> bit & 1 for link in links)
        if count:
            encoded += bytes([bit]) + bytes(1 + 4 + 2 + 4 + 24) + count.to_bytes(2, "little")
    return tagged("shoal/signals", encoded)


def leaf_of(link):
    """The leaf of a link in the history, its numbers counted anew."""
    below = branch(link)[1:]
    return state.history_leaf(
        link.height,
        link.id,
        link.link_target,
        link.proof.share.time,
        sum(targets.work(each.link_target) for each in below),
        sum(len(each.ids) + 1 for each in below),
        link.snapshot.height,
    )


class Depths(unittest.TestCase):
    def setUp(self):
        """A chain of five links, and what a node that has not forgotten anything would judge."""
        self.made = Made()
        for _ in range(EASY.start_height + 1):
            self.made.block()
        self.rivals = []
        for height in range(5):
            parent = self.made.chain.tip
            rival = self.made.mine(self.work(parent, START_TIME - 1), parent, True)
            self.made.add(link=True, time=START_TIME + height)
            self.rivals.append(rival)

    def work(self, parent, time):
        return miner.work_on(self.made.chain, parent, self.made.best_block, SCRIPTS[1], time)

    def test_low_proofs_are_forgotten(self):
        """Rival number n has height n + 1. The tip is at height 5."""
        with self.depths(memory=3):
            for height, rival in enumerate(self.rivals, 1):
                if height <= 2:
                    self.assert_forgotten(rival)
                else:
                    self.assertEqual(self.made.chain.insert(rival.encode()).height, height)

    def test_branches_that_leave_the_main_chain_deep_are_forgotten(self):
        """What counts is where the branch leaves the main chain, not how high the proof is."""
        low = self.made.chain.insert(self.rivals[2].encode())
        high = self.made.mine(self.work(low, START_TIME), low, True)
        with self.depths(state=3):
            self.assert_forgotten(high)
        with self.depths(state=4):
            self.assertEqual(self.made.chain.insert(high.encode()).height, 4)

    def test_old_proofs_are_not_held_for_their_parents(self):
        """What counts is the Bitcoin work at the link at the state depth, which is on the best block."""
        chain, best = self.made.chain, self.made.best_block
        old, new = (self.orphan(previous) for previous in (best.previous, best))
        with self.depths(state=4), self.assertRaisesRegex(Unlistable, "too old"):
            chain.insert(old)
        for proof, state in ((new, 4), (old, 5)):
            with self.depths(state=state), self.assertRaises(Held):
                chain.insert(proof)

    def orphan(self, previous):
        """A share on a parent that nobody knows, and on a Bitcoin block."""
        work = self.work(self.made.chain.tip, START_TIME).with_share(parent=bytes(32))
        return self.made.mine(replace(work, previous=previous.hash), self.made.chain.tip, False).encode()

    def test_low_proofs_that_a_list_names_are_not_forgotten(self):
        chain, tip = self.made.chain, self.made.chain.tip
        ids = (self.rivals[1].id,)
        work = miner.work_on(chain, tip, self.made.best_block, SCRIPTS[1], START_TIME + 9, ids)
        link = self.made.mine(work, tip, True)
        with self.depths(memory=3):
            self.assert_forgotten(self.rivals[1])
            chain.insert(link.encode())
            chain.insert_list(link.id, ids)
            self.assertEqual(chain.insert(self.rivals[1].encode()).height, 2)

    def test_it_applies_from_a_height_on(self):
        with self.depths(memory=3, memory_from=5):
            self.assertEqual(self.made.chain.insert(self.rivals[0].encode()).height, 1)

    def depths(self, memory=99, memory_from=0, state=99):
        depths = {"MEMORY_DEPTH": memory, "MEMORY_FROM": memory_from - EASY.listing_depth, "STATE_DEPTH": state}
        return mock.patch.multiple(chain_module, **depths)

    def assert_forgotten(self, proof):
        with self.assertRaisesRegex(Unlistable, "too deep"):
            self.made.chain.insert(proof.encode())

    def test_a_forgotten_link_does_not_become_complete(self):
        """Its list comes when its branch is too deep."""
        chain, tip = self.made.chain, self.made.chain.tip
        listed = self.made.add(tip.ancestor(2), time=START_TIME + 9, link=False)
        work = miner.work_on(chain, tip.ancestor(2), self.made.best_block, SCRIPTS[1], START_TIME + 9, (listed.id,))
        link = chain.insert(self.made.mine(work, tip.ancestor(2), True).encode())
        with self.depths(memory=2):
            chain.insert_list(link.id, (listed.id,))
            self.assertEqual(link.state, PENDING)


if __name__ == "__main__":
    unittest.main()

"""A valid proof in its place in the tree, or genesis."""

from . import header
from .signals import Signals
from .sum_tree import HISTORY, Growing

PENDING, COMPLETE, VOID = "pending", "complete", "void"


class Node:
    """Everything about a proof that follows from it and the branch below it. Links have a list; shares have none."""

    def __init__(self, proof, parent, place, previous, snapshot):
        self.id, self.proof, self.parent = proof.id, proof, parent
        self.height, self.anchor = place.height, place.anchor
        self.share_target, self.link_target = place.share_target, place.link_target
        self.is_link = place.meets_link_target(proof)
        self.previous, self.snapshot = previous, snapshot  # the Bitcoin header that it builds on, the link it pays by
        self.time, self.bitcoin_work = proof.share.time, previous.chain_work
        self.chain_work = parent.chain_work + place.link_work
        self.ids = None  # of its list, in order, once it is known; a link's *body*
        self.listed = frozenset()
        self.state, self.void_rule = PENDING, None
        self.signals = parent.signals.after(self.height, proof.share.signals) if self.is_link else None
        # Of complete links: what it credits; how many proofs the links from genesis to it credit; those links as a
        # tree.
        self.rows, self.credited, self.history = {}, 0, None
        self._position = None

    def ancestor(self, height):
        """The link at `height` on this branch, or this link itself."""
        node = self
        while node.height > height:
            node = node.parent
        return node

    def position(self, params):
        """Of its children."""
        if self._position is None:
            self._position = header.position(params, self)
        return self._position


class Genesis(Node):
    """Height 0, no list, no work, no time, Bitcoin work 0. It is complete, and its own target is the first one."""

    def __init__(self, params):
        self.id, self.proof, self.parent = params.consensus_id, None, None
        self.height, self.anchor = 0, self
        self.share_target, self.link_target = None, params.first_link_target
        self.is_link = True
        self.previous, self.snapshot = None, self
        self.time, self.bitcoin_work, self.chain_work = None, 0, 0
        self.ids, self.listed = (), frozenset()
        self.state, self.void_rule = COMPLETE, None
        self.signals = Signals()
        self.rows, self.credited, self.history = {}, 0, Growing(HISTORY)
        self._position = None

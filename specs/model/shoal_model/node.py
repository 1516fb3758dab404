"""A valid proof in its place in the tree, or genesis."""

from . import header
from .signals import Signals

PENDING, COMPLETE, VOID = "pending", "complete", "void"


class Node:
    """Everything about a proof that follows from it and the branch below it. Links have a list; shares have none."""

    def __init__(self, proof, parent, place, previous, is_link):
        self.id, self.proof, self.parent = proof.id, proof, parent
        self.height, self.anchor = place.height, place.anchor
        self.share_target, self.link_target = place.share_target, place.link_target
        self.previous, self.is_link = previous, is_link  # the Bitcoin header that it builds on
        self.time, self.bitcoin_height = proof.share.time, proof.share.bitcoin_height
        self.greatest_bitcoin_height = max(self.bitcoin_height, parent.greatest_bitcoin_height)
        self.chain_work = parent.chain_work + place.link_work
        self.ids = None  # of its list, in order, once it is known; a link's *body*
        self.listed = frozenset()
        self.state, self.void_rule = PENDING, None
        self.rows, self.credited = {}, 0  # of complete links: what it credits; how many are credited from genesis to it
        self.signals = None  # of complete links: counts of upgrades
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
    """Height 0, no list, no work, no time, Bitcoin height 0. It is complete, and its own target is the first one."""

    def __init__(self, params):
        self.id, self.proof, self.parent = params.consensus_id, None, None
        self.height, self.anchor = 0, self
        self.share_target, self.link_target = None, params.first_link_target
        self.previous, self.is_link = None, True
        self.time, self.bitcoin_height, self.greatest_bitcoin_height, self.chain_work = None, 0, 0, 0
        self.ids, self.listed = (), frozenset()
        self.state, self.void_rule = COMPLETE, None
        self.rows, self.credited, self.signals = {}, 0, Signals()
        self._position = None

"""The tree of proofs: judgement, what is held, which links are complete, and the fork choice (section 11).

Whatever can be missing has a key. A held proof waits for one key at a time, a list for its proofs and for the parent's
list; both are judged again when it comes.
"""

from collections import deque

from . import coinbase, lists, payout, window
from .bitcoin import BadHeader, subsidy
from .encoding import check_list_length, decode_proof
from .header import check_header
from .node import COMPLETE, PENDING, VOID, Genesis, Node
from .targets import number
from .verdict import CONDEMNING, Broken, Held, Unlistable, need

AHEAD_S = 30  # how far a proof's time may be ahead of the clock
BITCOIN_AHEAD_S = 7200  # how far a Bitcoin header's time may be
MEMORY_DEPTH = 2000  # links below the highest tip so far, from which on nothing is judged (local policy)


class Chain:
    """What one node knows. Not bounded in memory, and no work is ever evicted: it is for recordings of known length."""

    def __init__(self, params, headers):
        self.params, self.headers = params, headers
        self.genesis = Genesis(params)
        self.nodes = {self.genesis.id: self.genesis}  # valid proofs by id
        self.invalid = {}  # condemned ids and the rule that each breaks
        self.held = {}  # id -> its versions
        self.lists = {}  # id of a proof that is not valid yet -> lists for it
        self.naming = {}  # id -> the links in whose lists it is
        self.tip, self.highest = self.genesis, 0
        self.now = None  # the clock, in seconds; without one nothing is too early
        self.easiest_plausible = params.easiest_share_target
        self._waiting = {}  # key -> what to call when it comes
        self._came = deque()
        self._windows, self._selections = {}, {}

    # --- What comes in ---

    def insert(self, data):
        """Judges an encoded proof: returns its node, or raises `Broken`, `Held` or `Unlistable`."""
        proof = decode_proof(data)
        if proof.id in self.nodes:
            return self.nodes[proof.id]
        if proof.id in self.invalid:
            raise Broken(self.invalid[proof.id], "judged before")
        coinbase.check_binding(self.params, proof, self.easiest_plausible)
        try:
            node = self._judge_new(proof)
        finally:
            self._settle()
        return node

    def insert_list(self, id_, ids):
        """Takes the list of a proof, which need not be known yet. Returns whether it is of use: shares need none.

        Raises `Broken` if it is not the list that the proof commits to.
        """
        check_list_length(len(ids))
        node = self.nodes.get(id_)
        if id_ in self.invalid or node is not None and not node.is_link:
            return False
        if node is None:
            for proof in self.held.get(id_, ()):
                lists.check_root(proof.share, ids)
            self.lists.setdefault(id_, []).append(tuple(ids))
            return True
        lists.check_root(node.proof.share, ids)
        self._set_list(node, ids)
        self._settle()
        return True

    def add_header(self, raw):
        """Takes a Bitcoin header; returns False if it waits for its previous one or for the clock. Raises `BadHeader`."""
        key = self._missing_for(raw)
        if key:
            self._wait(key, lambda: self._add_waiting_header(raw))
            return False
        header = self.headers.add(raw)
        self._come(("header", header.hash))
        self._settle()
        return True

    def _missing_for(self, raw):
        """What a header waits for: the key of its previous one, or of the clock, or None."""
        previous = raw[4:36]
        if self.headers.get(previous) is None:
            return ("header", previous)
        time = int.from_bytes(raw[68:72], "little")
        return ("time", b"") if self.now is not None and time > self.now + BITCOIN_AHEAD_S else None

    def _add_waiting_header(self, raw):
        try:
            self.add_header(raw)
        except BadHeader:
            pass  # known to be of no use now; the proofs on it stay held

    def set_clock(self, now):
        self.now = now
        self._come(("time", b""))
        self._settle()

    # --- Waiting ---

    def _wait(self, key, call):
        self._waiting.setdefault(key, []).append(call)

    def _come(self, key):
        self._came.append(key)

    def _settle(self):
        while self._came:
            for call in self._waiting.pop(self._came.popleft(), ()):
                call()

    # --- Judgement of proofs ---

    def _judge_new(self, proof):
        """Judges a bound proof; keeps it when it has to wait."""
        try:
            node = self._judge(proof)
        except Held as held:
            versions = self.held.setdefault(proof.id, [])
            if proof not in versions:
                versions.append(proof)
                self._wait((held.kind, held.key), lambda: self._judge_again(proof))
            raise
        except Broken as broken:
            if broken.rule in CONDEMNING:
                self.invalid[proof.id] = broken.rule
                self._forget(proof.id)
                self._come(("proof", proof.id))
            raise
        self._add(node)
        return node

    def _judge_again(self, proof):
        """Judges a held version once more, unless its id has been settled meanwhile."""
        versions = self.held.get(proof.id, [])
        if proof not in versions:
            return
        versions.remove(proof)
        if not versions:
            del self.held[proof.id]
        try:
            self._judge_new(proof)
        except (Broken, Held, Unlistable):
            pass  # a version that is not valid is dropped, and one that has to wait was kept

    def _judge(self, proof):
        """The order of checks of section 11, for a proof whose binding was checked."""
        parent = self.nodes.get(proof.share.parent)
        if parent is None:
            # SC-212: The parent is not invalid.
            need(proof.share.parent not in self.invalid, "SC-212", "the parent is invalid")
            raise Held("proof", proof.share.parent)
        # SC-201: The parent is genesis or meets the link target of its own position.
        need(parent.is_link, "SC-201", "the parent is a share")
        place = parent.position(self.params)
        if place.height <= self.highest - MEMORY_DEPTH:
            raise Unlistable("at or below the memory depth")
        previous = self.headers.get(proof.previous_block)
        if previous is None:
            raise Held("header", proof.previous_block)
        check_header(self.params, proof, place, previous)
        self._check_clock(proof)
        node = Node(proof, parent, place, previous, number(proof.id) <= place.link_target)
        self._check_of_use(node)
        share = proof.share
        payouts = self.payouts(node.anchor, previous, share.payout, share.coinbase_value)
        coinbase.check_payout(proof, payouts)
        return node

    def _check_clock(self, proof):
        if self.now is None:
            return
        if proof.share.time > self.now + AHEAD_S or proof.bitcoin_time > self.now + BITCOIN_AHEAD_S:
            raise Held("time")

    def _check_of_use(self, node):
        """Whether the anchor's history is known and valid, and a share can still be listed."""
        too_deep = node.anchor.height < self.tip.height + 1 - self.params.listing_depth
        named = any(link.state == PENDING for link in self.naming.get(node.id, ()))
        if too_deep and not node.is_link and not named:
            raise Unlistable("too old for any link to come to list it")
        if node.anchor.state == VOID:
            raise Unlistable("the anchor's list is invalid")
        if node.anchor.state == PENDING:
            raise Held("list", node.anchor.id)

    def _add(self, node):
        self._forget(node.id, keep_lists=True)
        self.nodes[node.id] = node
        self._come(("proof", node.id))
        for ids in self.lists.pop(node.id, ()):
            if node.is_link:
                try:
                    lists.check_root(node.proof.share, ids)
                except Broken:
                    continue  # came before the proof, from whoever sent it
                self._set_list(node, ids)
        if node.is_link:
            self._wait(("list", node.parent.id), lambda: self._complete(node))
            self._complete(node)
            self._take_empty_list(node)

    def _take_empty_list(self, link):
        """Nobody need send an empty list: the header says that it is."""
        try:
            lists.check_root(link.proof.share, ())
        except Broken:
            return
        self._set_list(link, ())

    def _forget(self, id_, keep_lists=False):
        """Drops the held versions of a proof that has been settled, and the lists for it."""
        self.held.pop(id_, None)
        if not keep_lists:
            self.lists.pop(id_, None)

    # --- Lists ---

    def _set_list(self, link, ids):
        if link.ids is not None:
            return
        link.ids, link.listed = tuple(ids), frozenset(ids)
        for id_ in link.ids:
            self.naming.setdefault(id_, []).append(link)
            if id_ not in self.nodes:
                self._wait(("proof", id_), lambda: self._complete(link))
        self._complete(link)

    def _complete(self, link):
        """Makes a link complete when all is there, or void when a rule says so."""
        if link.state != PENDING or link.height <= self.highest - MEMORY_DEPTH:
            return
        try:
            listed = self._listed(link)
            if listed is None:
                return
            lists.check_list(self.params, link, listed)
        except Broken as broken:
            link.state, link.void_rule = VOID, broken
        else:
            link.rows = lists.credits(self.params, link, listed)
            signalled = [(node.proof.share.signals, earned) for node, earned in lists.weights(self.params, link, listed)]
            link.signals = link.parent.signals.after(link.height, signalled)
            link.credited = link.parent.credited + len(listed) + 1
            link.state = COMPLETE
            self._choose(link)
        self._come(("list", link.id))

    def _listed(self, link):
        """The nodes that a link lists, in order; None while one is missing or the parent is not complete."""
        # SC-407: The parent's list is valid.
        need(link.parent.state != VOID, "SC-407", "the parent's list is invalid")
        for id_ in link.ids or ():
            # SC-406: No listed proof is invalid.
            need(id_ not in self.invalid, "SC-406", lambda: f"{id_.hex()} is invalid")
        if link.ids is None or link.parent.state == PENDING or link.listed - self.nodes.keys():
            return None
        return [self.nodes[id_] for id_ in link.ids]

    def _choose(self, link):
        """SC-501: The main chain ends in the complete link with the most cumulative link work; on a tie the one that
        was complete first. (That a link which leaves something out loses ties is policy, and not followed here.)"""
        if link.chain_work > self.tip.chain_work:
            self.tip = link
            self.highest = max(self.highest, link.height)

    # --- Payouts ---

    def snapshot(self, anchor, previous):
        return window.snapshot(self.params, anchor, previous)

    def created(self, previous):
        """Subsidy of the block after `previous`, in satoshi."""
        return subsidy(self.params, previous.height + 1)

    def window(self, newest):
        """The window whose snapshot is `newest`, a complete link."""
        if newest.id not in self._windows:
            self._windows[newest.id] = window.window(self.params, newest)
        return self._windows[newest.id]

    def selection(self, anchor, previous):
        """Who is paid by a proof with this anchor on this Bitcoin block; None when the finder is paid alone."""
        snapshot, seed = self.snapshot(anchor, previous), window.seed(self.params, previous)
        created = self.created(previous)
        key = snapshot.id, seed, created
        if key not in self._selections:
            dues = window.dues(self.params, snapshot, self.window(snapshot))
            self._selections[key] = payout.select(self.params, dues, seed, created) if dues else None
        return self._selections[key]

    def payouts(self, anchor, previous, finder, value):
        """What a proof with this anchor, on this Bitcoin block, pays: (script, satoshi). The anchor is complete;
        `finder` is the proof's own script, and `value` its coinbase value."""
        selection = self.selection(anchor, previous)
        return payout.amounts(selection, value) if selection else [(finder, value)]

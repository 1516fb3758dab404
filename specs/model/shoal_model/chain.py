"""The tree of proofs: judgment, what is held, which links are complete, and the fork choice (section 11).

Whatever can be missing has a key. A held proof waits for one key at a time, a list for its proofs and for the parent's
list; both are judged again when it comes.
"""

from collections import deque

from . import coinbase, lists, payout, state, window
from .bitcoin import BadHeader, subsidy
from .encoding import check_list_length, decode_proof
from .header import check_header
from .node import COMPLETE, PENDING, VOID, Genesis, Node
from .verdict import CONDEMNING, Broken, Held, Unlistable, need

AHEAD_S = 30  # how far a proof's time may be ahead of the clock
BITCOIN_AHEAD_S = 7200  # how far a Bitcoin header's time may be
# Local policy. Nothing is judged so many links or more below the highest tip so far, once that tip is above the second
# number and the listing depth; and nothing on branches that leave the main chain so many links or more below the tip.
MEMORY_DEPTH, MEMORY_FROM = 2880, 2882
STATE_DEPTH = 8640


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
        self._snapshots, self._windows, self._selections = {}, {}, {}

    def begin_with(self, links):
        """Starts from links whose lists are gone, each complete, the lowest first. See `base`."""
        if links[0].parent is not self.genesis:
            del self.nodes[self.genesis.id]
        for link in links:
            self.nodes[link.id] = link
            for id_ in link.ids or ():
                self.naming.setdefault(id_, []).append(link)
        self.tip, self.highest = links[-1], links[-1].height

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
        if id_ in self.invalid or node is self.genesis or node is not None and not node.is_link:
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
        """Takes a Bitcoin header; returns False if it waits for its previous one or for the clock. Raises
        `BadHeader`."""
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

    # --- Judgment of proofs ---

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
            if self._is_too_old(proof):
                raise Unlistable("too old for any branch with it to be judged")
            raise Held("proof", proof.share.parent)
        # SC-201: The parent is genesis or meets the link target of its own position.
        need(parent.is_link, "SC-201", "the parent is a share")
        place = parent.position(self.params)
        too_low = self._is_forgotten(place.height) and not self._is_awaited(proof.id)
        if too_low or self._leaves_too_deep(parent):
            raise Unlistable("too deep below the tip")
        previous = self.headers.get(proof.previous_block)
        if previous is None:
            raise Held("header", proof.previous_block)
        check_header(self.params, proof, place, previous)
        self._check_clock(proof)
        node = Node(proof, parent, place, previous, self.snapshot(place, previous))
        self._check_of_use(node)
        share = proof.share
        coinbase.check_payout(proof, self.payouts(place, previous, share.payout, share.coinbase_value))
        return node

    def _is_forgotten(self, height):
        """Whether a height is at or below the memory depth."""
        applies = self.highest > MEMORY_FROM + self.params.listing_depth
        return applies and height <= self.highest - MEMORY_DEPTH

    def _is_awaited(self, id_):
        """Whether a link that may still become complete lists the proof."""
        return any(link.state == PENDING and not self._is_forgotten(link.height) for link in self.naming.get(id_, ()))

    def _is_too_old(self, proof):
        """Whether a proof whose parent is unknown has less Bitcoin work than the main chain's link at the state depth."""
        deepest, previous = self.highest - STATE_DEPTH, self.headers.get(proof.previous_block)
        if deepest <= 0 or previous is None:
            return False
        return previous.chain_work < self.tip.ancestor(deepest).bitcoin_work

    def _leaves_too_deep(self, link):
        """Whether the branch of what builds on `link` leaves the main chain at or below the state depth."""
        main, deepest = self.tip, self.highest - STATE_DEPTH
        if deepest <= 0:
            return False
        while link is not main:
            if link.height > main.height:
                link = link.parent
            else:
                main = main.parent
        return link.height <= deepest

    def _check_clock(self, proof):
        if self.now is None:
            return
        if proof.share.time > self.now + AHEAD_S or proof.bitcoin_time > self.now + BITCOIN_AHEAD_S:
            raise Held("time")

    def _check_of_use(self, node):
        """Whether the anchor's history is known and valid, and a share can still be listed."""
        too_deep = node.anchor.height < self.tip.height + 1 - self.params.listing_depth
        if too_deep and not node.is_link and not self._is_awaited(node.id):
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
                    continue  # came before the proof, from any peer
                self._set_list(node, ids)
        if node.is_link:
            self._wait(("list", node.parent.id), lambda: self._complete(node))
            self._complete(node)
            self._take_empty_list(node)

    def _take_empty_list(self, link):
        """An empty list is known without being sent: the header commits to it."""
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

    def is_proof(self, id_):
        """Whether a list that names this id finds a valid proof. Genesis is none."""
        return id_ in self.nodes and id_ != self.genesis.id

    def _set_list(self, link, ids):
        if link.ids is not None:
            return
        link.ids, link.listed = tuple(ids), frozenset(ids)
        for id_ in link.ids:
            self.naming.setdefault(id_, []).append(link)
            if not self.is_proof(id_):
                self._wait(("proof", id_), lambda: self._complete(link))
        self._complete(link)

    def _complete(self, link):
        """Makes a link complete when everything is there, or void when a rule says so."""
        if link.state != PENDING or self._is_forgotten(link.height):
            return
        try:
            listed = self._listed(link)
            if listed is None:
                return
            self._credit(link, listed)
        except Broken as broken:
            link.state, link.void_rule = VOID, broken
        else:
            link.state = COMPLETE
            self._choose(link)
        self._come(("list", link.id))

    def _credit(self, link, listed):
        """The rules for a list whose proofs are valid and whose link has a complete parent, and what it gives."""
        lists.check_list(self.params, link.parent, listed)
        list_rows = lists.list_credits(self.params, link.parent, listed)
        state.check_root(link, self.state_root(link.parent, link.previous, list_rows))
        link.rows = lists.credits(self.params, link, list_rows)
        link.credited = link.parent.credited + len(listed) + 1
        link.history = state.history_with(link)

    def _listed(self, link):
        """The nodes that a link lists, in order; None while one is missing or the parent is not complete."""
        # SC-407: The parent's list is valid.
        need(link.parent.state != VOID, "SC-407", "the parent's list is invalid")
        for id_ in link.ids or ():
            # SC-406: No listed proof is invalid.
            need(id_ not in self.invalid, "SC-406", lambda: f"{id_.hex()} is invalid")
        if link.ids is None or link.parent.state == PENDING or not all(map(self.is_proof, link.ids)):
            return None
        return [self.nodes[id_] for id_ in link.ids]

    def _choose(self, link):
        """SC-501: The main chain ends in the complete link with the most cumulative link work; on a tie, a link that
        leaves nothing out (policy), then the one that became complete first. The model does not follow that policy."""
        if link.chain_work > self.tip.chain_work:
            self.tip = link
            self.highest = max(self.highest, link.height)

    # --- Payouts and the state ---

    def created(self, previous):
        """Subsidy of the block after `previous`, in satoshi."""
        return subsidy(self.params, previous.height + 1)

    def snapshot(self, place, previous):
        """By which link a proof at this position, on this Bitcoin block, pays."""
        key = place.anchor.id, place.least_snapshot.id, previous.hash
        if key not in self._snapshots:
            self._snapshots[key] = window.snapshot(self.params, place, previous)
        return self._snapshots[key]

    def window(self, newest):
        """The window whose snapshot is `newest`, a complete link."""
        if newest.id not in self._windows:
            self._windows[newest.id] = window.window(self.params, newest)
        return self._windows[newest.id]

    def selection(self, place, previous):
        """Who is paid by a proof at this position on this Bitcoin block; None if only the finder is paid."""
        snapshot, created = self.snapshot(place, previous), self.created(previous)
        seed = window.seed(self.params, previous)
        key = snapshot.id, seed, created
        if key not in self._selections:
            dues = window.dues(self.params, snapshot, self.window(snapshot))
            self._selections[key] = payout.select(self.params, dues, seed, created) if dues else None
        return self._selections[key]

    def payouts(self, place, previous, finder, value):
        """What a proof at this position, on this Bitcoin block, pays: (script, satoshi). The anchor is complete;
        `finder` is the proof's own script, and `value` its coinbase value."""
        selection = self.selection(place, previous)
        return payout.amounts(selection, value) if selection else [(finder, value)]

    def state_root(self, parent, previous, list_rows):
        """The state root of a link on `parent`, a complete link, whose list gives these rows."""
        selection = self.selection(parent.position(self.params), previous)
        return state.state_root(
            state.window_commitment(selection.order if selection else ()),
            state.credits_commitment(list_rows),
            parent.history.commitment(),
            parent.signals.commitment(),
        )

    def state_root_for(self, parent, previous, ids):
        """The state root of a link on `parent` with this list. Raises `Broken` if the list breaks a rule, and `Held` if
        a listed proof is not valid."""
        for id_ in ids:
            if not self.is_proof(id_):
                raise Held("proof", id_)
        listed = [self.nodes[id_] for id_ in ids]
        lists.check_list(self.params, parent, listed)
        return self.state_root(parent, previous, lists.list_credits(self.params, parent, listed))

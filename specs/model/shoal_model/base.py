"""What the share-chain of a pruned node begins with: links whose lists are gone (`specs/recording.md`).

Links are judged by their headers, and what they credited by state roots: each root commits to what is below it, so the
last link is confirmed by the one above it.
"""

import hashlib
from dataclasses import dataclass

from . import coinbase, lists, state, targets
from .bitcoin import period_bits
from .encoding import Reader, check_list_length, decode_proof, is_payout
from .header import check_header
from .node import COMPLETE, Node
from .signals import FEW_PERIODS, Bit, Signals
from .sum_tree import HISTORY, Growing
from .verdict import need

CHUNK_VERSION = 1
RECENT_MAX = 256
LINKS_MAX = 512  # of a chunk
AHEAD_S, BITCOIN_AHEAD_S = 30, 7200


class BadBase(Exception):
    """The base is not what its links committed to."""


def require(holds, problem):
    if not holds:
        raise BadBase(problem)


class Below(Node):
    """A link below the base: what is told of it. No link of the base goes further down."""

    def __init__(self, parent, height, id_=b"", link_target=0, time=0, chain_work=0, credited=0, snapshot=0):
        self.id, self.proof, self.parent, self.height = id_, None, parent, height
        self.anchor, self.share_target, self.link_target, self.is_link = None, None, link_target, True
        self.previous, self.snapshot = None, None if snapshot is None else far_below(snapshot)
        self.time, self.bitcoin_work, self.chain_work = time, 0, chain_work
        self.ids, self.listed, self.state, self.void_rule = None, frozenset(), COMPLETE, None
        self.signals, self.rows, self.credited, self.history = Signals(), {}, credited, None
        self._position = None


def far_below(height):
    """A link of which nothing is known but its height."""
    return Below(None, height, height.to_bytes(32, "big"), snapshot=None)


@dataclass(frozen=True)
class Row:
    """A link of a chunk, as far as its own proof does not show it."""

    id: bytes
    snapshot: int
    window: bytes
    rows: dict  # script -> (weight, proofs)


def read_history(reader):
    count = reader.number(4)
    peaks = [(reader.take(32), reader.number(32)) for bit in range(32) if count >> bit & 1]
    return Growing(HISTORY, count, tuple(reversed(peaks)))


def read_signals(reader):
    counts, bits = {}, {}
    for _ in range(reader.number(1)):
        bit, found, height, run, sum_ = (reader.number(size) for size in (1, 1, 4, 2, 4))
        last = tuple(reader.number(2) for _ in range(FEW_PERIODS))
        count = reader.number(2)
        known = Bit(found, height, run, sum_, last[FEW_PERIODS - min(run, FEW_PERIODS) :])
        if known != Bit():
            bits[bit] = known
        if count:
            counts[bit] = count
    return Signals(counts, bits)


def read_beginning(genesis, data):
    """The link below the first one, with history and signals, and the links below it that targets and times follow
    from."""
    reader = Reader(data)
    history, link = read_history(reader), None
    for _ in range(_bounded(reader.number(2), RECENT_MAX)):
        height, id_, target, time, chain_work, proofs, snapshot = (
            reader.number(4), reader.take(32), *map(reader.number, (32, 4, 32, 8, 4))
        )
        require(link is None or height == link.height + 1, "begins: its links do not follow each other")
        parent = link or (genesis if height == 1 else None)
        link = Below(parent, height, id_, target, time, chain_work, proofs, snapshot)
        history = history.with_leaf(state.history_leaf(height, id_, target, time, chain_work, proofs, snapshot))
    signals = read_signals(reader)
    reader.end()
    if link is None:
        return genesis
    link.history, link.signals = history, signals
    return link


def read_chunk(data):
    """The rows of a chunk. What its links continue is known from what came before."""
    require(len(data) > 32 and hashlib.sha256(data[:-32]).digest() == data[-32:], "base_rows: the checksum does not match")
    reader = Reader(data[:-32])
    require(reader.number(1) == CHUNK_VERSION, "base_rows: unknown version")
    reader.take(4 + 32 + 4 + 32 + 8)
    read_history(reader)
    read_signals(reader)
    scripts = [reader.take(reader.number(1)) for _ in range(reader.number(4))]
    require(all(map(is_payout, scripts)), "base_rows: a script that nobody can be paid by")
    found = [_read_link(reader, scripts) for _ in range(_bounded(reader.number(4), LINKS_MAX))]
    reader.end()
    return found


def _bounded(count, most):
    require(count <= most, f"{count} links, at most {most} are allowed")
    return count


def _read_link(reader, scripts):
    id_ = reader.take(32)
    reader.take(4 + 4 + 32 + 32 + 4 + 32)  # which the link's own proof shows
    snapshot, window = reader.number(4), reader.take(52)
    reader.take(4)
    rows, last = {}, b""
    for _ in range(reader.number(2)):
        number, proofs, weight = reader.number(4), reader.number(2), reader.number(10)
        require(number < len(scripts) and scripts[number] > last and proofs, "base_rows: rows out of order")
        last = scripts[number]
        rows[last] = weight, proofs
    return Row(id_, snapshot, window, rows)


class Base:
    """Links without lists, verified as they come."""

    def __init__(self, chain, begins):
        self.chain, self.below = chain, read_beginning(chain.genesis, begins)
        self.links = []  # ascending
        self.with_rows = 0  # how many of them

    def link(self, data, ids):
        """Takes the next link's proof."""
        params, proof = self.chain.params, decode_proof(data)
        parent = self.links[-1] if self.links else self.below
        require(proof.share.parent == parent.id, "base_link: does not extend the last link")
        place = parent.position(params)
        coinbase.check_binding(params, proof, place.share_target)
        previous = self.chain.headers.get(proof.previous_block)
        require(previous is not None, "base_link: its Bitcoin block is not known")
        check_header(params, proof, place, previous)
        require(place.meets_link_target(proof), "base_link: is a share")
        now = self.chain.now
        early = now is not None and (proof.share.time > now + AHEAD_S or proof.bitcoin_time > now + BITCOIN_AHEAD_S)
        require(not early, "base_link: its time is too far ahead")
        link = Node(proof, parent, place, previous, None)
        self.links.append(link)
        if ids is not None:
            self._set_list(link, ids)

    @staticmethod
    def _set_list(link, ids):
        check_list_length(len(ids))
        lists.check_root(link.proof.share, ids)
        link.ids, link.listed = tuple(ids), frozenset(ids)

    def rows(self, data):
        """Takes what the next links credited."""
        for row in read_chunk(data):
            require(self.with_rows < len(self.links), "base_rows: more rows than links")
            self._row(self.links[self.with_rows], row)
            self.with_rows += 1

    def _row(self, link, row):
        require(row.id == link.id, f"base_rows: another link at height {link.height}")
        parent = link.parent
        listed = self._without_own(link, row.rows)
        expected = state.state_root(
            row.window, state.credits_commitment(listed), parent.history.commitment(), parent.signals.commitment()
        )
        state.check_root(link, expected)
        require(row.snapshot < link.height, f"base_rows: snapshot {row.snapshot} of height {link.height}")
        link.snapshot = self._at(row.snapshot)
        link.rows, link.credited = row.rows, parent.credited + link.proof.share.shares_count + 1
        link.history, link.state = state.history_with(link), COMPLETE
        link._position = None  # had no snapshot

    def _at(self, height):
        """The link at a height, which may lie below the base."""
        if not self.links or height < self.links[0].height:
            return self.chain.genesis if height == 0 else far_below(height)
        return self.links[height - self.links[0].height]

    def _without_own(self, link, rows):
        """The rows that the link's list gave."""
        params, script = self.chain.params, link.proof.share.payout
        bits = period_bits(params, link.previous)
        own = lists.own_weight(params, link) + targets.link_bonus(params, link.link_target, bits)
        weight, proofs = rows.get(script, (0, 0))
        require(weight >= own and proofs, f"base_rows: height {link.height} credits less than the link earns")
        whole = sum(count for _, count in rows.values()) == link.proof.share.shares_count + 1
        require(whole and (proofs > 1 or weight == own), f"base_rows: height {link.height} credits other proofs")
        rest = {script: (weight - own, proofs - 1)} if proofs > 1 else {}
        return {**{other: row for other, row in rows.items() if other != script}, **rest}

    def end(self, last):
        """Puts the links up to height `last` into the chain."""
        chain, first = self.chain, self.below.height + 1
        require(first <= last and self.with_rows == last + 2 - first, "base: the rows do not end with the link above")
        kept = self.links[: last + 1 - first]
        for link in kept:
            if link.height >= last - chain.params.listing_depth - 2 and link.ids is None:
                need(not link.proof.share.shares_count, "SC-401", f"the list at height {link.height} is missing")
                self._set_list(link, ())
        chain.begin_with(kept)

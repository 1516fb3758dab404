"""Makes work and mines it: for tests, vectors and made-up chains. Only on networks whose targets are easy."""

import struct
from dataclasses import dataclass, replace
from typing import Optional

from . import bitcoin, coinbase
from .encoding import IDS_MAX, Proof, ShareHeader, shares_root
from .lists import check_entry, list_credits
from .node import COMPLETE, Node
from .sha256 import double, midstate
from .targets import expand, number
from .verdict import Broken

BLOCK_VERSION = struct.pack("<I", 0x20000000)


def grind(header, fits):
    """The 80-byte header with the first nonce whose hash, as a number, `fits`."""
    for nonce in range(1 << 32):
        header = header[:76] + struct.pack("<I", nonce)
        if fits(number(double(header))):
            return header
    raise ValueError("no nonce fits")


def bitcoin_header(params, previous, time, root=bytes(32), version=BLOCK_VERSION):
    """A mined Bitcoin header after `previous`, a `bitcoin.Header`, or a genesis header when that is None."""
    bits = params.pow_limit_bits if previous is None else bitcoin.expected_bits(params, previous, time)
    before = bytes(32) if previous is None else previous.hash
    target = expand(bits)
    return grind(version + before + root + struct.pack("<III", time, bits, 0), lambda hash_: hash_ <= target)


@dataclass(frozen=True)
class Work:
    """What a proof is made from, before it is mined."""

    share: ShareHeader
    payouts: tuple  # (script, satoshi)
    previous: bytes  # hash of the Bitcoin block below
    bits: int
    bitcoin_time: int
    extranonce: bytes = bytes(16)
    witness: bytes = bytes([0x77]) * 32
    branch: tuple = ()
    prefix: Optional[bytes] = None  # a coinbase of another form, up to its last output
    version: bytes = BLOCK_VERSION  # of the Bitcoin header

    def mine(self, params, fits):
        """The proof whose id, as a number, `fits`."""
        prefix = self.prefix or coinbase.prefix(self.share, self.extranonce, self.witness, self.payouts)
        root = coinbase.fold(double(prefix + coinbase.suffix(params, self.share)), self.branch)
        header = self.version + self.previous + root + struct.pack("<III", self.bitcoin_time, self.bits, 0)
        tail = prefix[len(prefix) - len(prefix) % 64 :]
        return Proof(
            header=grind(header, fits),
            share=self.share,
            extranonce=self.extranonce,
            witness=self.witness,
            branch=self.branch,
            midstate=midstate(prefix),
            prefix_length=len(prefix),
            tail=tail,
        )

    def with_share(self, **fields):
        return replace(self, share=replace(self.share, **fields))


def work_on(chain, parent, previous, payout, time, ids=(), value_over_subsidy=0, branch=(), unseen=()):
    """Honest work on `parent` (a node with a complete anchor) and the Bitcoin header `previous`, listing `ids`."""
    params, place = chain.params, parent.position(chain.params)
    height = previous.height + 1
    share = ShareHeader(
        parent=parent.id,
        anchor=place.anchor.id,
        shares_root=shares_root(ids),
        shares_count=len(ids),
        state_root=state_root(chain, parent, previous, ids, unseen),
        payout=payout,
        time=max(time, place.least_time + 1),
        bitcoin_height=height,
        coinbase_value=bitcoin.subsidy(params, height) + value_over_subsidy,
    )
    payouts = tuple(chain.payouts(place, previous, payout, share.coinbase_value))
    bitcoin_time = max(share.time, bitcoin.least_time(params, previous))
    bits = bitcoin.expected_bits(params, previous, bitcoin_time)
    return Work(share, payouts, previous.hash, bits, bitcoin_time, branch=branch)


def state_root(chain, parent, previous, ids, unseen=()):
    """The state root of a link that lists `ids`, whether it may or not; zeros while something is missing. `unseen` are
    valid proofs that the chain does not know."""
    unknown = {proof.id: node_of(chain, proof) for proof in unseen}
    if parent.state != COMPLETE or not all(id_ in unknown or chain.is_proof(id_) for id_ in ids):
        return bytes(32)
    rows = list_credits(chain.params, parent, [unknown.get(id_) or chain.nodes[id_] for id_ in ids])
    return chain.state_root(parent, previous, rows)


def node_of(chain, proof):
    """The node that a valid proof on a known link becomes."""
    parent, previous = chain.nodes[proof.share.parent], chain.headers.get(proof.previous_block)
    place = parent.position(chain.params)
    return Node(proof, parent, place, previous, chain.snapshot(place, previous))


def listable(chain, parent):
    """The ids that a link on `parent` can list: all that are allowed, ascending, the lowest when they are too many."""
    chosen, ids = [], set()
    for node in sorted(chain.nodes.values(), key=lambda node: (node.height, node.id)):
        if node.height and len(chosen) < IDS_MAX:
            try:
                check_entry(chain.params, parent, node, ids)
            except Broken:
                continue
            chosen.append(node.id)
            ids.add(node.id)
    return tuple(chosen)

"""A link's position, which its children have, and what their headers must satisfy (sections 6 and 7)."""

from dataclasses import dataclass
from typing import Any

from . import bitcoin, targets
from .verdict import differ, need


@dataclass(frozen=True)
class Position:
    """What a link determines for its children."""

    height: int
    anchor: Any  # a `node.Node`
    share_target: int
    link_target: int
    least_time: int  # seconds; a child's time is above it. -1: any time will do
    least_bitcoin_work: int  # the link's Bitcoin work
    least_snapshot: Any  # the `node.Node` that is the snapshot by which the link pays

    def meets_link_target(self, proof):
        return targets.number(proof.id) <= self.link_target

    @property
    def link_work(self):
        """What a link at this position adds to the chain work."""
        return targets.work(self.link_target)


def position(params, link):
    """The position of the children of `link`, a `node.Node`."""
    anchor = link.ancestor(max(0, link.height - params.anchor_depth))
    share = targets.share_target(params, anchor.link_target)
    if link.height <= 1:
        target = min(params.first_link_target, share)
    else:
        target = targets.next_link_target(params, link.link_target, link.time - link.parent.time, share)
    least_time = _least_time(params, link)
    return Position(link.height + 1, anchor, share, target, least_time, link.bitcoin_work, link.snapshot)


def _least_time(params, link):
    """The median of the times of a link and its ancestors, genesis left out; of an even number the later middle one."""
    times = []
    while len(times) < params.median_span and link.height:
        times.append(link.time)
        link = link.parent
    return sorted(times)[len(times) // 2] if times else -1


def check_header(params, proof, place, previous):
    """Rules SC-202 to SC-211, SC-213 and SC-214, in this order, for a proof at position `place` on the Bitcoin
    block `previous`."""
    share = proof.share
    # SC-202: The anchor is the ancestor exactly `anchor_depth` links below the parent; genesis if the chain is shorter
    # than that.
    need(share.anchor == place.anchor.id, "SC-202", lambda: differ("anchor", share.anchor, place.anchor.id))
    # SC-203: `time` is above the median of the times of the parent and its last ancestors, 11 links in total or as many
    # as exist.
    need(share.time > place.least_time, "SC-203", lambda: f"time {share.time} is not above {place.least_time}")
    # SC-204: The Bitcoin header's time is above the median time past of its previous block. If `timewarp_s` is not 0, the
    # first block of a period is at most that much earlier than its previous block.
    least = bitcoin.least_time(params, previous)
    need(proof.bitcoin_time >= least, "SC-204", lambda: f"Bitcoin time {proof.bitcoin_time} is before {least}")
    # SC-205: The two times are at most 7,200 s apart.
    apart = abs(proof.bitcoin_time - share.time)
    need(apart <= params.times_apart_s, "SC-205", lambda: f"times are {apart} s apart")
    # SC-206: `bitcoin_height` is one above the height of the previous block.
    height = previous.height + 1
    need(share.bitcoin_height == height, "SC-206", lambda: differ("bitcoin_height", share.bitcoin_height, height))
    # SC-207: nBits is the value that Bitcoin expects after the previous block in a header with this time.
    bits = bitcoin.expected_bits(params, previous, proof.bitcoin_time)
    need(proof.bits == bits, "SC-207", lambda: f"nBits is {proof.bits:08x}, expected {bits:08x}")
    # SC-208: Bitcoin's chain work at the previous block is not below that at the parent's previous block.
    fell = previous.chain_work < place.least_bitcoin_work
    need(not fell, "SC-208", lambda: f"chain work {previous.chain_work:x} is below {place.least_bitcoin_work:x}")
    # SC-209: The hash is not above the share target of the position.
    hash_ = targets.number(proof.id)
    need(hash_ <= place.share_target, "SC-209", lambda: f"hash {hash_:064x} is above {place.share_target:064x}")
    # SC-210: Subsidy <= `coinbase_value` <= 21 million bitcoin.
    value, subsidy = share.coinbase_value, bitcoin.subsidy(params, share.bitcoin_height)
    need(
        subsidy <= value <= bitcoin.MAX_MONEY_SAT,
        "SC-210",
        lambda: f"coinbase_value {value} is not from {subsidy} to {bitcoin.MAX_MONEY_SAT}",
    )
    # SC-211: `bitcoin_height` is not below `start_height`.
    start = params.start_height
    need(share.bitcoin_height >= start, "SC-211", lambda: f"bitcoin_height {share.bitcoin_height} is below {start}")
    # SC-213: The version of the Bitcoin header, as a signed number, is at least 4.
    need(proof.version >= bitcoin.VERSION_LEAST, "SC-213", lambda: f"version {proof.version}")
    # SC-214: The coinbase before its last output has at most `prefix_bytes_max` bytes.
    length, most = proof.prefix_length, params.prefix_bytes_max
    need(length <= most, "SC-214", lambda: f"{length} bytes before the last output, at most {most} are allowed")

"""What a link commits its branch to (section 15). Rule SC-408."""

from .sha256 import tagged
from .sum_tree import WEIGHTS
from .targets import work
from .verdict import differ, need


def state_root(window, credits, history, signals):
    """The root over the four commitments."""
    return tagged("shoal/state", window + credits + history + signals)


def window_commitment(dues):
    """Commits to the dues of a window, (script, weight) in the order of the coinbase; none if only the finder is
    paid."""
    return WEIGHTS.commitment(weight_leaf(script, weight) for script, weight in dues)


def credits_commitment(rows):
    """Commits to what a link's list gives: script -> (weight, proofs). The link's own credit is no part of it."""
    return WEIGHTS.commitment(weight_leaf(script, weight) for script, (weight, _) in sorted(rows.items()))


def weight_leaf(script, weight):
    return tagged("shoal/leaf", weight.to_bytes(16, "little") + bytes([len(script)]) + script), weight


def history_with(link):
    """The history of a complete link's children: that of the link, and the link."""
    leaf = history_leaf(
        link.height, link.id, link.link_target, link.time, link.chain_work, link.credited, link.snapshot.height
    )
    return link.parent.history.with_leaf(leaf)


def history_leaf(height, id_, link_target, time, chain_work, proofs, snapshot_height):
    """The leaf of a link. Its sum is the work of the link's own target, so that all sums add up to the chain work."""
    numbers = ((link_target, 32), (time, 4), (chain_work, 32), (proofs, 8), (snapshot_height, 4))
    data = height.to_bytes(4, "little") + id_ + b"".join(value.to_bytes(size, "little") for value, size in numbers)
    return tagged("shoal/link", data), work(link_target)


def check_root(link, expected):
    """SC-408: The state root is the one that follows from the window that the link pays by, the credits of its list,
    and the links and signals below it."""
    found = link.proof.share.state_root
    need(found == expected, "SC-408", lambda: differ("state root", found, expected))

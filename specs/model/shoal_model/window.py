"""By which past links a proof pays, and with which seed (section 9). Rules SC-302 to SC-304."""

from dataclasses import dataclass


def snapshot(params, place, previous):
    """SC-302: The snapshot and the seed follow from the anchor, the previous block and the parent's snapshot, which the
    snapshot is never below. This is the snapshot of a proof at position `place`."""
    work = previous.ancestor(max(0, previous.height - params.snapshot_bitcoin_depth)).chain_work
    first = _first_at_least(place.anchor, min(work, place.anchor.bitcoin_work))
    found = first.ancestor(max(0, first.height - params.snapshot_burial))
    return max(found, place.least_snapshot, key=lambda link: link.height)


def _first_at_least(link, bitcoin_work):
    """The lowest link from genesis to `link` with at least this Bitcoin work, which never falls along a branch. `link`
    itself has that much."""
    while link.parent is not None and link.parent.bitcoin_work >= bitcoin_work:
        link = link.parent
    return link


def seed(params, previous):
    """SC-302: the hash of the previous block's ancestor at height h - `seed_depth`."""
    return previous.ancestor(max(0, previous.height - params.seed_depth)).hash


@dataclass(frozen=True)
class Window:
    """The links from height `oldest` to `newest`, the proofs that they credit, and the sums of each script."""

    oldest: int
    newest: int
    proofs: int
    total: int  # weight of all sums, in units of 2^-64 block
    sums: dict  # script -> (weight, proofs)


def window(params, newest):
    """SC-303: The window consists of whole links, from the snapshot back until their weights reach `window_weight` or
    their proofs reach `window_proofs`; the link that reaches either bound belongs to the window. Genesis has no
    rows."""
    link, oldest, proofs, total, sums = newest, newest.height, 0, 0, {}
    while link.height and total < params.window_weight and proofs < params.window_proofs:
        oldest = link.height
        for script, (weight, count) in link.rows.items():
            before, counted = sums.get(script, (0, 0))
            sums[script] = (before + weight, counted + count)
            total += weight
        proofs += link.credited - link.parent.credited
        link = link.parent
    return Window(oldest, newest.height, proofs, total, sums)


def dues(params, newest, whole):
    """The weight above 0 of each script in the window `whole` up to `newest`; empty if only the finder is paid.

    SC-304: Only the finder is paid until `listed_before_payouts` proofs are credited up to the snapshot, and whenever
    the window is empty. """
    if newest.credited < params.listed_before_payouts:
        return {}
    return {script: weight for script, (weight, _) in whole.sums.items() if weight}

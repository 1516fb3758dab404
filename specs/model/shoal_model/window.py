"""Which settled history a proof pays by, and with which seed (section 9). Rules SC-302 to SC-304."""

from dataclasses import dataclass


def snapshot(params, anchor, previous):
    """SC-302: the newest link of the window of a proof with this anchor and previous block."""
    goal = min(max(0, previous.height - params.snapshot_bitcoin_depth), anchor.bitcoin_height)
    first = _first_at_least(anchor, goal)
    return first.ancestor(max(0, first.height - params.snapshot_burial))


def _first_at_least(link, bitcoin_height):
    """The lowest link from genesis to `link` whose Bitcoin height is at least this; `link` itself has that much."""
    while link.parent is not None and link.parent.greatest_bitcoin_height >= bitcoin_height:
        link = link.parent
    return link


def seed(params, previous):
    """SC-302: the hash of the previous block's ancestor at height h - `seed_depth`."""
    return previous.ancestor(max(0, previous.height - params.seed_depth)).hash


@dataclass(frozen=True)
class Window:
    """The links from height `oldest` to `newest`, their rows and the sums of each script."""

    oldest: int
    newest: int
    rows: int
    total: int  # weight of all sums, in units of 2^-64 block
    sums: dict  # script -> (weight, proofs)


def window(params, newest):
    """SC-303: whole links back from the snapshot until their weights reach `window_weight` or their rows `window_rows`;
    the link that reaches it belongs to the window. Genesis has no rows. A window of genesis alone is empty."""
    link, oldest, rows, total, sums = newest, newest.height, 0, 0, {}
    while link.height and total < params.window_weight and rows < params.window_rows:
        oldest = link.height
        for script, (weight, proofs) in link.rows.items():
            sum_, count = sums.get(script, (0, 0))
            sums[script] = (sum_ + weight, count + proofs)
            total += weight
        rows += len(link.rows)
        link = link.parent
    return Window(oldest, newest.height, rows, total, sums)


def dues(params, newest, whole):
    """The weight above 0 of each script in the window `whole` up to `newest`; empty when the finder is paid alone.

    SC-304: Until `listed_before_payouts` proofs are credited up to the snapshot, and whenever the window is empty, the
    finder is paid alone.
    """
    if newest.credited < params.listed_before_payouts:
        return {}
    return {script: weight for script, (weight, _) in whole.sums.items() if weight}

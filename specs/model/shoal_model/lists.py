"""What a link may list, and what the listed proofs earn (section 8). Rules SC-401 to SC-405, SC-410 and SC-411."""

from . import targets
from .bitcoin import period_bits
from .encoding import check_list_length, shares_root
from .verdict import differ, need


def check_root(share, ids):
    """SC-401: The list is the one to which the share header commits by root and count."""
    check_list_length(len(ids))
    need(len(ids) == share.shares_count, "SC-401", lambda: differ("number of ids", len(ids), share.shares_count))
    root = shares_root(ids)
    need(root == share.shares_root, "SC-401", lambda: differ("root of the list", root, share.shares_root))


def check_list(params, parent, listed):
    """Rules SC-402 to SC-405, for each id in turn, for the list of a link on the complete link `parent`. `listed` are
    nodes in its order."""
    before, earlier_in_list = (0, b""), set()
    for node in listed:
        key = (node.height, node.id)
        # SC-402: The list is strictly ascending by (height, id).
        need(before < key, "SC-402", lambda: f"{node.id.hex()} is not above the id before it")
        check_entry(params, parent, node, earlier_in_list)
        before = key
        earlier_in_list.add(node.id)


def check_entry(params, parent, node, earlier_in_list):
    """Whether a link on `parent` may list `node`. Walks down the branch to the node's anchor.

    That is far enough. The node and its parent were made with the anchor's hash in them, or are the anchor: neither the
    anchor nor a link below it can list them.
    """
    deepest = parent.height + 1 - params.listing_depth
    # SC-403: Each listed proof's anchor is on the link's chain and at most `listing_depth` links below the link.
    need(node.anchor.height >= deepest, "SC-403", lambda: f"anchor of {node.id.hex()} is too deep")
    parent_found, repeated = node.parent.id in earlier_in_list, False
    below = parent
    while below.height > node.anchor.height:
        parent_found |= node.parent.id == below.id or node.parent.id in below.listed
        repeated |= node.id == below.id or node.id in below.listed
        below = below.parent
    need(below is node.anchor, "SC-403", lambda: f"anchor of {node.id.hex()} is not on the chain")
    parent_found |= node.parent.id == below.id
    # SC-404: Each listed proof's parent is on the branch, was listed by an earlier link, or comes earlier in the list.
    need(parent_found, "SC-404", lambda: f"parent of {node.id.hex()} is not on the branch")
    # SC-405: No earlier link of the branch lists the proof or is the proof itself.
    need(not repeated, "SC-405", lambda: f"{node.id.hex()} is already listed")


def earns(params, parent, node):
    """SC-410: A listed proof earns its weight when its anchor is at most `credit_depth` links below the listing link
    and at most `stale_depth` links have passed since the first link with more Bitcoin work; otherwise it earns 0.

    The listing link is one on `parent`.
    """
    height = parent.height + 1
    if height - node.anchor.height > params.credit_depth:
        return False
    first = first_above(parent, node.bitcoin_work)
    return first is None or height - first <= params.stale_depth


def first_above(link, bitcoin_work):
    """Height of the lowest link from genesis to `link` with more Bitcoin work; None if there is none."""
    found = None
    while link is not None and link.bitcoin_work > bitcoin_work:
        found = link.height
        link = link.parent
    return found


def list_credits(params, parent, listed):
    """The rows that the list of a link on `parent` gives, those of weight 0 included: script -> (weight, proofs)."""
    rows = {}
    for node in listed:
        weight = own_weight(params, node) if earns(params, parent, node) else 0
        _add(rows, node.proof.share.payout, weight)
    return rows


def credits(params, link, list_rows):
    """All that `link` credits: the rows that its list gives, and its own credit."""
    rows = dict(list_rows)
    # SC-411: A link earns its own weight plus the weight of SC-113.
    bits = period_bits(params, link.previous)
    weight = own_weight(params, link) + targets.link_bonus(params, link.link_target, bits)
    _add(rows, link.proof.share.payout, weight)
    return rows


def _add(rows, script, weight):
    before, proofs = rows.get(script, (0, 0))
    rows[script] = (before + weight, proofs + 1)


def own_weight(params, node):
    return targets.share_weight(params, node.share_target, period_bits(params, node.previous))

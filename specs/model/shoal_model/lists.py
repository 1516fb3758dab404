"""What a link may list, and what the listed proofs earn (section 8). Rules SC-401 to SC-405, SC-410 and SC-411."""

from . import targets
from .encoding import check_list_length, shares_root
from .verdict import differ, need


def check_root(share, ids):
    """SC-401: The list is the one that the share header commits to by root and count."""
    check_list_length(len(ids))
    need(len(ids) == share.shares_count, "SC-401", lambda: differ("number of ids", len(ids), share.shares_count))
    root = shares_root(ids)
    need(root == share.shares_root, "SC-401", lambda: differ("root of the list", root, share.shares_root))


def check_list(params, link, listed):
    """Rules SC-402 to SC-405 for the list of `link`, whose parent is complete. `listed` are nodes in its order."""
    keys = [(node.height, node.id) for node in listed]
    for before, after in zip(keys, keys[1:]):
        # SC-402: The list is strictly ascending by (height, id).
        need(before < after, "SC-402", lambda: f"{after[1].hex()} stands after {before[1].hex()}")
    earlier_in_list = set()
    for node in listed:
        check_entry(params, link, node, earlier_in_list)
        earlier_in_list.add(node.id)


def check_entry(params, link, node, earlier_in_list):
    """Whether `link` may list `node`. Walks down the branch to the node's anchor.

    That is far enough. The node and its parent were made with the anchor's hash in them, or are the anchor: neither the
    anchor nor a link below it can list them.
    """
    deepest = link.height - params.listing_depth
    # SC-403: Each listed proof's anchor is on the link's chain and at most `listing_depth` links below the link.
    need(node.anchor.height >= deepest, "SC-403", lambda: f"anchor of {node.id.hex()} is too deep")
    parent_found, repeated = node.parent.id in earlier_in_list, False
    below = link.parent
    while below.height > node.anchor.height:
        parent_found |= node.parent.id == below.id or node.parent.id in below.listed
        repeated |= node.id == below.id or node.id in below.listed
        below = below.parent
    need(below is node.anchor, "SC-403", lambda: f"anchor of {node.id.hex()} is not on the chain")
    parent_found |= node.parent.id == below.id
    # SC-404: Each listed proof's parent is on the branch, was listed by an earlier link, or stands earlier in the list.
    need(parent_found, "SC-404", lambda: f"parent of {node.id.hex()} is not on the branch")
    # SC-405: No earlier link of the branch lists the proof or is it.
    need(not repeated, "SC-405", lambda: f"{node.id.hex()} is already listed")


def earns(params, link, node):
    """SC-410: A listed proof earns its weight when its anchor is at most `credit_depth` links below the listing link
    and at most `stale_depth` links have passed since the first with a greater Bitcoin height; otherwise 0."""
    if link.height - node.anchor.height > params.credit_depth:
        return False
    first = first_above(link.parent, node.proof.share.bitcoin_height)
    return first is None or link.height - first <= params.stale_depth


def first_above(link, bitcoin_height):
    """Height of the lowest link from genesis to `link` whose Bitcoin height is greater; None if there is none."""
    found = None
    while link is not None and link.greatest_bitcoin_height > bitcoin_height:
        found = link.height
        link = link.parent
    return found


def credits(params, link, listed):
    """The row of each script that `link` credits, be it with weight 0: script -> (weight, proofs)."""
    rows = {}
    for node, weight in weights(params, link, listed):
        script = node.proof.share.payout
        before, proofs = rows.get(script, (0, 0))
        rows[script] = (before + weight, proofs + 1)
    return rows


def weights(params, link, listed):
    """What each proof that `link` credits earns, the link itself last: (node, weight)."""
    earned = [(node, own_weight(params, node) if earns(params, link, node) else 0) for node in listed]
    # SC-411: A link earns its own weight and that of SC-113.
    bonus = targets.link_bonus(params, link.link_target, link.proof.bits)
    return [*earned, (link, own_weight(params, link) + bonus)]


def own_weight(params, node):
    return targets.share_weight(params, node.share_target, node.proof.bits)


"""SC-110 and SC-111: the targets after links that came late or early. Both show in what SC-201 and SC-209 say."""

from shoal_model.made_chain import SCRIPTS

from .base import LINK_TIME, line, mined, work_on_tip
from .proofs import child_of

LATE_S, EARLY_S = 60, -20  # seconds after the link before


def add_to(book):
    _after_a_link(book, "late", LATE_S)
    _after_a_link(book, "early", EARLY_S)
    _first_links(book)
    _share_targets(book)


def _link(made, seconds=LINK_TIME):
    """A link on the tip, so many seconds after it."""
    tip = made.chain.tip
    return made.add(payout=SCRIPTS[1], time=(tip.time or made.best_block.time) + seconds, ids=(), link=True)


def _target(made):
    return made.chain.tip.position(made.params).link_target


def _add(book, name, setup, made, above, most, is_link):
    """Whether a proof on the tip with such a hash is a link shows in the verdict of its child."""
    proof = work_on_tip(made).mine(made.params, lambda hash_: above < hash_ <= most)
    child = child_of(made, work_on_tip(made), proof)
    lines = [line(proof, ids=()) if is_link else line(proof), line(child, "valid" if is_link else "SC-201")]
    book.add("SC-110", name, setup, [*made.lines, *lines])


def _after_a_link(book, name, seconds):
    made = book.open("chain")
    before = _target(made)
    _link(made, seconds)
    after = _target(made)
    low, high = sorted((before, after))
    where = f"after a link that came {name}, a hash"
    _add(book, f"{where} that only one of the two targets allows", "chain", made, low, high, after > before)
    _add(book, f"{where} that both targets allow", "chain", made, low * 3 // 4, low, True)
    _add(book, f"{where} that no target allows", "chain", made, high, high * 5 // 4, False)


def _first_links(book):
    """No interval is before the first link: its children have the target that it had."""
    made = book.open("start")
    _link(made)
    first, where = _target(made), "on the first link, a hash"
    _add(book, f"{where} that the first target allows", "start", made, first * 3 // 4, first, True)
    _add(book, f"{where} above the first target", "start", made, first, first * 5 // 4, False)
    _link(made, LATE_S)
    later, where = _target(made), "on the second link, which came late, a hash"
    _add(book, f"{where} above the first target", "start", made, first, later, True)
    _add(book, f"{where} above its target", "start", made, later, later * 5 // 4, False)


def _share_targets(book):
    """The share target follows from the anchor's link target: not from the link below it, nor from the one above."""
    made = book.open("chain")
    usual = made.chain.tip.position(made.params).share_target
    _link(made, LATE_S)
    for links in range(made.params.anchor_depth + 1):
        if links >= made.params.anchor_depth - 1:
            _shares(book, made, usual, f"a late link {links} links below the tip")
        _link(made)
    _shares(book, made, usual, f"a late link {made.params.anchor_depth + 1} links below the tip")


def _shares(book, made, usual, where):
    target = made.chain.tip.position(made.params).share_target
    most = max(usual, target)
    for name, above, to, verdict in (
        ("at its share target", target * 7 // 8, target, "valid"),
        ("above its share target", target, most * 9 // 8, "SC-209"),
    ):
        proof = work_on_tip(made).mine(made.params, lambda hash_: above < hash_ <= to)
        book.add("SC-111", f"{where}, a share {name}", "chain", [*made.lines, line(proof, verdict)])

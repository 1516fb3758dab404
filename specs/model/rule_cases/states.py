"""Rule SC-501, and what is held, known or unlistable (section 11 of the protocol)."""

import struct
from dataclasses import replace

from shoal_model import chain, miner
from shoal_model.made_chain import SCRIPTS

from .base import LINK_TIME, line, list_line, mined, state_line, tip_line
from .lists import Scene

HELD, UNLISTABLE = "held", "unlistable"


def add_to(book):
    _fork_choice(book)
    _missing(book)
    _too_early(book)
    _too_old(book)
    _void_anchor(book)


def _fork_choice(book):
    scene = Scene(book)
    tip = scene.tip
    fork = scene.at(tip.height - 2)
    listed = (scene.share(fork).id,)
    rivals = [scene.link(fork, listed)]
    for _ in range(3):
        rivals.append(scene.link(rivals[-1]))
    told, lines = scene.lines[:1], scene.lines[1:]
    before = next(number for number, link in enumerate(rivals) if link.chain_work > tip.chain_work)
    book.add("SC-501", "less or the same work leaves the tip", "chain", told + lines[:before] + [tip_line(tip)])
    moved = told + lines[: before + 1] + [tip_line(rivals[before])]
    book.add("SC-501", "more work moves it", "chain", moved)
    without = {key: value for key, value in lines[0].items() if not key.startswith("list")}
    late = told + [without] + [{**value, "list_verdict": HELD} for value in lines[1:]]
    book.add("SC-501", "a branch with a list missing does not count", "chain", late + [tip_line(tip)])
    last = late + [list_line(rivals[0].id, listed, "complete"), tip_line(rivals[-1])]
    book.add("SC-501", "a missing list that comes last", "chain", last)
    back = [{**value, "verdict": HELD, "list_verdict": HELD} for value in lines[:0:-1]]
    book.add("SC-501", "a branch from its end", "chain", told + back + lines[:1] + [tip_line(rivals[-1])])


def _missing(book):
    scene = Scene(book)
    tip = scene.tip
    link = scene.proof(tip, link=True)
    node = scene.tell(link, ())
    share = scene.proof(node)
    lines = [line(share, HELD), line(link, ids=()), state_line(share.id, "valid")]
    book.add(HELD, "the parent comes after its child", "chain", lines)
    block = scene.made.block()
    later = scene.proof(tip, previous=block)
    header = {"header": block.raw.hex(), "verdict": "valid"}
    book.add(HELD, "the Bitcoin header comes late", "chain", [line(later, HELD), header, state_line(later.id, "valid")])
    next_block = scene.made.block()
    above = {"header": next_block.raw.hex(), "verdict": HELD}
    book.add(HELD, "a Bitcoin header before its previous one", "chain", [above, header, {**above, "verdict": "valid"}])
    bad = miner.bitcoin_header(scene.made.params, block, block.median_time())
    book.add(HELD, "a Bitcoin header that is too old", "chain", [header, {"header": bad.hex(), "verdict": "invalid"}])
    for version, verdict in ((4, "valid"), (3, "invalid"), (-1, "invalid")):
        bad = miner.bitcoin_header(scene.made.params, block, block.time + 1, version=struct.pack("<i", version))
        lines = [header, {"header": bad.hex(), "verdict": verdict}]
        book.add(HELD, f"a Bitcoin header of version {version}", "chain", lines)
    clock = block.time - chain.BITCOIN_AHEAD_S
    book.add(HELD, "a Bitcoin header as far ahead as it may be", "chain", [{"now": clock}, header])
    lines = [{"now": clock - 1}, {**header, "verdict": HELD}, {"now": clock}, header]
    book.add(HELD, "a Bitcoin header a second too far ahead", "chain", lines)
    lines = [line(link), line(link, "known"), line(share), line(share, "known")]
    book.add(HELD, "a proof that is known", "chain", lines)
    _genesis_listed(book)
    _missing_anchor(book)


def _genesis_listed(book):
    """Genesis is a link but no proof: a list that names its id waits forever, and it has no list."""
    scene = Scene(book)
    genesis = scene.made.chain.genesis.id
    link = scene.proof(scene.tip, ids=(genesis,), link=True)
    lines = [line(link, ids=(genesis,), list_verdict=HELD), tip_line(scene.tip)]
    book.add(HELD, "a list that names genesis", "chain", lines)
    book.add(HELD, "a list of genesis", "chain", [list_line(genesis, (), "ignored")])


def _missing_anchor(book):
    """Links whose lists are missing, up to the one whose child has the first of them as its anchor."""
    scene = Scene(book)
    listed = (scene.share(scene.tip).id,)
    told = scene.lines[:1]
    links = [scene.link(scene.tip, listed)]
    for _ in range(scene.made.params.anchor_depth):
        links.append(scene.link(links[-1]))
    share = scene.proof(links[-1])
    bare = told + [line(link.proof) for link in links]
    given = list_line(links[0].id, listed, "complete")
    lines = bare + [line(share, HELD), given, state_line(share.id, "valid")]
    book.add(HELD, "the anchor's list is missing", "chain", lines)
    wrong = replace(share, extranonce=b"\1" * 16)
    lines = bare + [line(wrong, HELD), line(share, HELD), given, state_line(share.id, "valid")]
    book.add(HELD, "an altered copy is held beside the original", "chain", lines)
    lines = bare + [line(wrong, HELD), given, state_line(share.id, UNLISTABLE), line(share)]
    book.add(HELD, "an altered copy is held without the original", "chain", lines)


def _too_early(book):
    scene = Scene(book)
    work = miner.work_on(scene.made.chain, scene.tip, scene.made.best_block, SCRIPTS[3], scene.tip.time + LINK_TIME)
    proof, time = mined(scene.made, work), work.share.time
    late = work.bitcoin_time + scene.made.params.times_apart_s
    ahead = mined(scene.made, replace(work, bitcoin_time=late))
    cases = (
        ("time", proof, time - chain.AHEAD_S),
        ("Bitcoin time", ahead, late - chain.BITCOIN_AHEAD_S),
    )
    for name, early, now in cases:
        book.add(HELD, f"{name} as far ahead as it may be", "chain", [{"now": now}, line(early)])
        lines = [{"now": now - 1}, line(early, HELD), {"now": now}, state_line(early.id, "valid")]
        book.add(HELD, f"{name} a second too far ahead", "chain", lines)


def _too_old(book):
    scene = Scene(book)
    params = scene.made.params
    for depth, verdict in ((params.listing_depth, "valid"), (params.listing_depth + 1, UNLISTABLE)):
        parent = scene.at(scene.tip.height + 1 - depth + params.anchor_depth)
        share, link = scene.proof(parent), scene.proof(parent, link=True)
        book.add(UNLISTABLE, f"a share with its anchor {depth} links deep", "chain", [line(share, verdict)])
        book.add(UNLISTABLE, f"a link with its anchor {depth} links deep", "chain", [line(link)])


def _void_anchor(book):
    scene = Scene(book)
    void_ids = (scene.tip.id,)
    links = [scene.proof(scene.tip, ids=void_ids, link=True)]
    scene.made.chain.insert(links[0].encode())
    for _ in range(scene.made.params.anchor_depth):
        links.append(scene.proof(scene.made.chain.nodes[links[-1].id], link=True))
        scene.made.chain.insert(links[-1].encode())
    place = scene.made.chain.nodes[links[-1].id].position(scene.made.params)
    work = miner.work_on(scene.made.chain, scene.tip, scene.made.best_block, SCRIPTS[3], scene.tip.time + 100)
    work = work.with_share(parent=links[-1].id, anchor=place.anchor.id)
    share = scene.made.mine(work, scene.made.chain.nodes[links[-1].id], False)
    bare = [line(link) for link in links]
    given = list_line(links[0].id, void_ids, "SC-405")
    book.add(UNLISTABLE, "the anchor's list is void", "chain", bare + [given, line(share, UNLISTABLE)])
    lines = bare + [line(share, HELD), given, state_line(share.id, UNLISTABLE)]
    book.add(UNLISTABLE, "the anchor's list turns out to be void", "chain", lines)

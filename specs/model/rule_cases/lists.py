"""Rules 4xx: what links may list, and what they credit."""

from dataclasses import replace

from shoal_model import miner
from shoal_model.made_chain import SCRIPTS, link_claim

from .base import LINK_TIME, in_order, line, list_line, mined, rival_blocks, state_line


def add_to(book):
    _empty(book)
    _root(book)
    _order(book)
    _first_broken(book)
    _anchor_depth(book)
    _anchor_off_chain(book)
    _parents(book)
    _repeats(book)
    _invalid(book)
    _void_parent(book)
    _credit(book)
    _credit_by_work(book)
    _own_credit(book)


class Scene:
    """A chain at a setup's end, and the lines of a case in the making."""

    def __init__(self, book, setup="chain"):
        self.book, self.setup, self.made, self.lines = book, setup, book.open(setup), []
        self.tip = self.made.chain.tip

    def at(self, height):
        """The main chain's link at a height."""
        return self.tip.ancestor(height)

    def proof(self, parent, payout=SCRIPTS[3], ids=(), link=False, previous=None, unseen=()):
        """A proof on `parent` that the chain does not know yet. `unseen` are others, which it lists."""
        chain, time = self.made.chain, parent.time + LINK_TIME
        block = previous or self.made.best_block
        return mined(self.made, miner.work_on(chain, parent, block, payout, time, ids, unseen=unseen), parent, link)

    def tell(self, proof, ids=None):
        """Tells of a valid proof; returns its node."""
        node = self.made.chain.insert(proof.encode())
        list_verdict = None
        if ids is not None:
            self.made.chain.insert_list(proof.id, ids)
            list_verdict = "complete"
        self.lines.append(line(proof, "valid", ids, list_verdict))
        return node

    def share(self, parent, **options):
        return self.tell(self.proof(parent, **options))

    def link(self, parent, ids=(), **options):
        return self.tell(self.proof(parent, ids=ids, link=True, **options), ids)

    def lists(self, rule, name, ids, verdict, parent=None):
        """A case: a link on `parent` with this list, and how that is judged."""
        proof = self.proof(parent or self.tip, ids=ids, link=True)
        self.book.add(rule, name, self.setup, self.lines + [line(proof, "valid", ids, verdict)])

    def credits(self, rule, name, ids, parent=None, previous=None):
        """A case: what a link on `parent` with this list credits."""
        lines, self.lines = self.lines, list(self.lines)
        node = self.link(parent or self.tip, ids, previous=previous)
        self.book.add(rule, name, self.setup, [*self.lines, link_claim(node)])
        self.lines = lines


def _empty(book):
    """An empty list need not come: the header says that it is. Without an id there is no other list."""
    scene = Scene(book)
    link = scene.proof(scene.tip, link=True)
    lines = [line(link), state_line(link.id, "valid", "complete")]
    book.add("SC-401", "an empty list that nobody sends", "chain", lines)
    work = miner.work_on(scene.made.chain, scene.tip, scene.made.best_block, SCRIPTS[3], scene.tip.time + LINK_TIME)
    odd = mined(scene.made, work.with_share(shares_root=bytes(32)), link=True)
    lines = [line(odd), state_line(odd.id, "valid", "held"), list_line(odd.id, (), "SC-401")]
    book.add("SC-401", "no ids, and a root that no list of none has", "chain", lines)
    one = mined(scene.made, work.with_share(shares_count=1), link=True)
    lines = [line(one), state_line(one.id, "valid", "held"), list_line(one.id, (), "SC-401")]
    book.add("SC-401", "the root of the empty list, and one id", "chain", lines)


def _root(book):
    scene = Scene(book)
    shares = [scene.share(scene.tip, payout=SCRIPTS[number]) for number in (1, 2)]
    ids = in_order(*shares)
    link = scene.proof(scene.tip, ids=ids, link=True)
    wrong = {
        "an id less": ids[:1],
        "an id more": ids + (bytes(32),),
        "another order": ids[::-1],
        "another id": (ids[0], bytes(32)),
        "no ids": (),
    }
    for name, other in wrong.items():
        lines = [line(link, ids=other, list_verdict="SC-401"), list_line(link.id, ids, "complete")]
        book.add("SC-401", f"{name}, then the right list", "chain", scene.lines + lines)
    lines = [list_line(link.id, ids, "held"), line(link), state_line(link.id, "valid", "complete")]
    book.add("SC-401", "the right list, before its link", "chain", scene.lines + lines)
    lines = [list_line(link.id, ids[:1], "held"), line(link), list_line(link.id, ids, "complete")]
    book.add("SC-401", "a wrong list, before its link", "chain", scene.lines + lines)


def _order(book):
    scene = Scene(book)
    low = scene.share(scene.at(scene.tip.height - 1))
    a, b = sorted((scene.share(scene.tip, payout=SCRIPTS[number]) for number in (1, 2)), key=lambda node: node.id)
    scene.lists("SC-402", "ascending by height, then id", (low.id, a.id, b.id), "complete")
    scene.lists("SC-402", "ids of one height swapped", (low.id, b.id, a.id), "SC-402")
    scene.lists("SC-402", "a height after a greater one", (a.id, low.id, b.id), "SC-402")
    scene.lists("SC-402", "an id twice", (low.id, a.id, a.id), "SC-402")


def _first_broken(book):
    """The rules are checked for each id in turn, so the first id that breaks one decides."""
    scene = Scene(book)
    fork = scene.at(scene.tip.height - 2)
    unlisted = scene.share(scene.link(fork))
    listed = scene.tip.ids[0]
    a, b = sorted((scene.share(scene.tip, payout=SCRIPTS[number]) for number in (1, 2)), key=lambda node: node.id)
    scene.lists("SC-402", "two ids swapped, then one that is already listed", (b.id, a.id, listed), "SC-402")
    scene.lists("SC-405", "an id that is already listed, then two swapped", (listed, b.id, a.id), "SC-405")
    scene.lists("SC-404", "an id without its parent, then two swapped", (unlisted.id, b.id, a.id), "SC-404")
    scene.lists("SC-402", "an id that is too low and already listed", (a.id, listed), "SC-402")
    scene.lists("SC-402", "an id that is too low and without its parent", (a.id, unlisted.id), "SC-402")
    _off_chain_first(book)


def _off_chain_first(book):
    scene = Scene(book)
    rivals = [scene.link(scene.at(scene.tip.height - scene.made.params.anchor_depth - 1))]
    for _ in range(scene.made.params.anchor_depth):
        rivals.append(scene.link(rivals[-1]))
    deep = scene.share(rivals[-1])
    a, b = sorted((scene.share(scene.tip, payout=SCRIPTS[number]) for number in (1, 2)), key=lambda node: node.id)
    scene.lists("SC-403", "an id with its anchor elsewhere, then two swapped", (deep.id, b.id, a.id), "SC-403")
    scene.lists("SC-402", "two ids swapped, then one with its anchor elsewhere", (b.id, a.id, deep.id), "SC-402")


def _anchor_depth(book):
    """The link that lists the share comes first: nobody keeps a share that no link can list."""
    scene = Scene(book)
    params = scene.made.params
    for depth, verdict in ((params.listing_depth, "complete"), (params.listing_depth + 1, "SC-403")):
        share = scene.proof(scene.at(scene.tip.height + 1 - depth + params.anchor_depth))
        link = scene.proof(scene.tip, ids=(share.id,), link=True, unseen=(share,))
        lines = [line(link, ids=(share.id,), list_verdict="held"), line(share), state_line(link.id, "valid", verdict)]
        book.add("SC-403", f"anchor {depth} links below the link", "chain", lines)


def _anchor_off_chain(book):
    """A rival branch one link longer than the anchor is deep."""
    scene = Scene(book)
    fork = scene.tip.height - scene.made.params.anchor_depth - 1
    rivals = [scene.link(scene.at(fork))]
    for _ in range(scene.made.params.anchor_depth):
        rivals.append(scene.link(rivals[-1]))
    share = scene.share(rivals[-1])
    scene.lists("SC-403", "links of a rival branch, anchors below the fork", in_order(*rivals), "complete")
    scene.lists("SC-403", "an anchor on a rival branch", in_order(*rivals, share), "SC-403")


def _parents(book):
    scene = Scene(book)
    below = scene.at(scene.tip.height - 1)
    rival = scene.link(below)
    share = scene.share(rival)
    scene.lists("SC-404", "the parent is not listed", (share.id,), "SC-404")
    scene.lists("SC-404", "the parent stands earlier in the list", (rival.id, share.id), "complete")
    scene.lists("SC-404", "the parent is on the branch", (share.id,), "complete", parent=rival)
    lister = scene.link(scene.tip, ids=(rival.id,))
    scene.lists("SC-404", "the parent was listed by an earlier link", (share.id,), "complete", parent=lister)


def _repeats(book):
    scene = Scene(book)
    listed = scene.tip.ids[0]
    share = scene.share(scene.at(scene.tip.height - 1))
    scene.lists("SC-405", "listed by nobody", (share.id,), "complete")
    scene.lists("SC-405", "listed by the parent", (listed,), "SC-405")
    scene.lists("SC-405", "listed by an earlier link", (scene.at(scene.tip.height - 3).ids[0],), "SC-405")
    scene.lists("SC-405", "the parent itself", (scene.tip.id,), "SC-405")
    scene.lists("SC-405", "an earlier link itself", (scene.at(scene.tip.height - 3).id,), "SC-405")
    rival = scene.link(scene.at(scene.tip.height - 1), ids=(share.id,))
    scene.lists("SC-405", "listed on a rival branch only", in_order(share, rival), "complete")
    scene.lists("SC-405", "listed by a rival that is the parent", (share.id,), "SC-405", parent=rival)


def _invalid(book):
    scene = Scene(book)
    work = miner.work_on(scene.made.chain, scene.tip, scene.made.best_block, SCRIPTS[3], scene.tip.time + LINK_TIME)
    bad = mined(scene.made, work.with_share(bitcoin_height=1))
    good = mined(scene.made, work)
    link = scene.proof(scene.tip, ids=(bad.id,), link=True)
    lines = [line(bad, "SC-206"), line(link, ids=(bad.id,), list_verdict="SC-406")]
    book.add("SC-406", "a listed proof is invalid", "chain", lines)
    lines = [line(link, ids=(bad.id,), list_verdict="held"), line(bad, "SC-206")]
    lines.append(state_line(link.id, "valid", "SC-406"))
    book.add("SC-406", "a listed proof turns out to be invalid", "chain", lines)
    _one_of_two(book, scene, good, bad)
    scene.made.chain.insert(good.encode())
    scene.lines = [line(good)]
    scene.lists("SC-406", "a listed proof is valid", (good.id,), "complete")
    _altered(book)


def _one_of_two(book, scene, good, bad):
    """What makes a list void is told before what it waits for."""
    ids = tuple(sorted((good.id, bad.id)))
    link = scene.proof(scene.tip, ids=ids, link=True)
    lines = [line(bad, "SC-206"), line(link, ids=ids, list_verdict="SC-406"), line(good)]
    book.add("SC-406", "one of two listed proofs is invalid, the other has not come", "chain", lines)
    lines = [line(link, ids=ids, list_verdict="held"), line(bad, "SC-206"), state_line(link.id, "valid", "SC-406")]
    book.add("SC-406", "one of two listed proofs turns out to be invalid, the other has not come", "chain", lines)


def _altered(book):
    """A copy that breaks only SC-301 does not condemn what is listed."""
    scene = Scene(book)
    share = scene.proof(scene.tip)
    copy = replace(share, extranonce=b"\1" * 16)
    link = scene.proof(scene.tip, ids=(share.id,), link=True, unseen=(share,))
    lines = [line(copy, "SC-301"), line(link, ids=(share.id,), list_verdict="held"), line(share)]
    lines.append(state_line(link.id, "valid", "complete"))
    book.add("SC-406", "an altered copy of a listed proof", "chain", lines)


def _void_parent(book):
    scene = Scene(book)
    void_ids = (scene.tip.id,)
    void = scene.proof(scene.tip, ids=void_ids, link=True)
    scene.made.chain.insert(void.encode())
    scene.made.chain.insert_list(void.id, void_ids)
    scene.lines = [line(void, "valid", void_ids, "SC-405")]
    node = scene.made.chain.nodes[void.id]
    scene.lists("SC-407", "the parent's list is void", (), "SC-407", parent=node)
    scene.lists("SC-407", "beside the void list", (), "complete")
    scene.lists("SC-407", "a link with a void list is listed as a share", (void.id,), "complete")
    child = scene.proof(node, link=True)
    lines = [line(void), line(child, ids=(), list_verdict="held"), list_line(void.id, void_ids, "SC-405")]
    lines.append(state_line(child.id, "valid", "SC-407"))
    book.add("SC-407", "the parent's list turns out to be void", "chain", lines)
    unsent = scene.proof(node, ids=(bytes(32),), link=True)
    lines = scene.lines + [line(unsent), state_line(unsent.id, "valid", "SC-407")]
    book.add("SC-407", "the parent's list is void, the own one has not come", "chain", lines)
    lines = [line(void), line(unsent), list_line(void.id, void_ids, "SC-405"), state_line(unsent.id, "valid", "SC-407")]
    book.add("SC-407", "the parent's list turns out to be void, the own one has not come", "chain", lines)


def _credit(book):
    """The listing link is at height 15. New Bitcoin blocks came with links 8 to 12."""
    scene = Scene(book)
    params, next_height = scene.made.params, scene.tip.height + 1
    for depth, verdict in ((params.credit_depth, "earns"), (params.credit_depth + 1, "earns nothing")):
        parent = scene.at(next_height - depth + params.anchor_depth)
        share = scene.share(parent, payout=SCRIPTS[5], previous=scene.tip.previous)
        scene.credits("SC-410", f"anchor {depth} links below the link: {verdict}", (share.id,))
    parent = scene.at(next_height - params.credit_depth + params.anchor_depth)
    for passed, verdict in ((params.stale_depth, "earns"), (params.stale_depth + 1, "earns nothing")):
        first = scene.at(next_height - passed)
        share = scene.share(parent, payout=SCRIPTS[6], previous=first.previous.previous)
        scene.credits("SC-410", f"{passed} links since a later Bitcoin block: {verdict}", (share.id,))


def _credit_by_work(book):
    """Bitcoin's height falls from link 16 to link 17, and its work rises."""
    scene = Scene(book, "forked")
    params, tip = scene.made.params, scene.tip
    late = scene.share(tip, payout=SCRIPTS[8])
    end = rival_blocks(scene.made, 3)
    scene.lines += scene.made.lines
    branch = [tip]
    for _ in range(params.stale_depth):
        branch.append(scene.link(branch[-1], previous=end))
    more = f"on a higher Bitcoin block with less work than that of link {tip.height + 1}"
    scene.credits("SC-410", f"{more}, listed 3 links later: earns", (late.id,), branch[-1], end)
    branch.append(scene.link(branch[-1], previous=end))
    scene.credits("SC-410", f"{more}, listed 4 links later: earns nothing", (late.id,), branch[-1], end)
    scene = Scene(book, "forked")
    end = rival_blocks(scene.made, 3)
    scene.lines += scene.made.lines
    share = scene.share(scene.tip, payout=SCRIPTS[8], previous=end)
    name = "on a lower Bitcoin block with more work than that of any link: earns"
    scene.credits("SC-410", name, (share.id,), previous=scene.tip.previous)


def _own_credit(book):
    scene = Scene(book)
    scene.credits("SC-411", "a link that lists nothing", ())
    other = scene.link(scene.at(scene.tip.height - 1), payout=SCRIPTS[2])
    shares = [scene.share(scene.tip, payout=SCRIPTS[number]) for number in (2, 4)]
    scene.credits("SC-411", "a rival link earns as a share, and one script has one row", in_order(other, *shares))

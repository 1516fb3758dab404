"""Rules 3xx: what a coinbase must pay. A wrong payout of any kind breaks SC-301."""

from dataclasses import replace

from shoal_model import bitcoin, coinbase, miner, payout, window
from shoal_model.made_chain import SCRIPTS, window_claim

from .base import FORK_HEIGHT, LINK_TIME, in_order, late_shares, line, mined, rival_blocks, state_line, work_on_tip


def add_to(book):
    _moved(book)
    _malleable(book)
    _layout(book)
    _null_data(book)
    _other_history(book)
    _snapshots(book)
    _window_bounds(book)
    _other_selection(book)
    _other_amounts(book)
    _alone(book)
    _claims(book)


def _pays(book, rule, name, payouts, verdict="SC-301", setup="chain"):
    """Honest work on the tip that pays something else."""
    made = book.open(setup)
    proof = mined(made, replace(work_on_tip(made), payouts=tuple(payouts)))
    book.add(rule, name, setup, [line(proof, verdict)])


def _honest(book, setup="chain"):
    made = book.open(setup)
    return made, list(work_on_tip(made).payouts)


def _moved(book):
    _, payouts = _honest(book)
    _pays(book, "SC-301", "what is due", payouts, "valid")
    (first, sat), (second, other) = payouts[:2]
    _pays(book, "SC-301", "a satoshi moved", [(first, sat - 1), (second, other + 1)] + payouts[2:])
    _pays(book, "SC-301", "a satoshi kept from everybody", [(first, sat - 1)] + payouts[1:])
    _pays(book, "SC-301", "a satoshi too much", [(first, sat + 1)] + payouts[1:])
    _pays(book, "SC-301", "two outputs swapped", [payouts[1], payouts[0]] + payouts[2:])
    _pays(book, "SC-301", "the last output left out", payouts[:-1])
    _pays(book, "SC-301", "an output of nothing more", payouts + [(SCRIPTS[7], 0)])
    _pays(book, "SC-301", "the finder alone", [(SCRIPTS[3], sum(amount for _, amount in payouts))])
    _pays(book, "SC-301", "an output to another script", payouts[:-1] + [(b"\0\x14" + bytes(20), payouts[-1][1])])


def _malleable(book):
    """Extranonce and witness commitment are not bound by the header: altered copies must not hurt the original."""
    made = book.open("chain")
    proof = mined(made, work_on_tip(made), link=True)
    without = mined(made, replace(work_on_tip(made), witness=None), link=True)
    copies = {
        "extranonce altered": (replace(proof, extranonce=b"\1" * 16), proof),
        "witness commitment altered": (replace(proof, witness=bytes(32)), proof),
        "witness commitment left out": (replace(proof, witness=None), proof),
        "witness commitment added": (replace(without, witness=bytes(32)), without),
    }
    for name, (copy, original) in copies.items():
        lines = [line(copy, "SC-301"), line(original), line(copy, "known")]
        lines.append(state_line(original.id, "valid", "complete"))
        book.add("SC-301", f"{name}, then the original", "chain", lines)


def _layout(book):
    """Coinbases that pay what is due in another form."""
    made = book.open("chain")
    work = work_on_tip(made)
    prefix = coinbase.prefix(work.share, work.extranonce, work.witness, work.payouts)
    extranonce_at = prefix.index(work.extranonce, 50)
    forms = {
        "version 1": b"\1" + prefix[1:],
        "another outpoint": prefix[:5] + b"\1" + prefix[6:],
        "another tag": prefix.replace(b"/shoal/", b"/shoaL/"),
        "final sequence": prefix.replace(coinbase.SEQUENCE, b"\xff" * 4, 1),
        "extranonce cut short": prefix[: extranonce_at - 1] + b"\x0f" + prefix[extranonce_at:],
        "a byte after the extranonce": prefix[:41]
        + bytes([prefix[41] + 1])
        + prefix[42 : extranonce_at + 16]
        + b"\0"
        + prefix[extranonce_at + 16 :],
        "one output more in the count": _count(prefix, extranonce_at, 1),
    }
    for name, form in forms.items():
        proof = mined(made, replace(work, prefix=form))
        book.add("SC-301", f"coinbase: {name}", "chain", [line(proof, "SC-301")])
    book.add("SC-301", "coinbase: as it must be", "chain", [line(mined(made, replace(work, prefix=prefix)))])


def _count(prefix, extranonce_at, more):
    at = extranonce_at + 16 + 4
    return prefix[:at] + bytes([prefix[at] + more]) + prefix[at + 1 :]


def _null_data(book):
    """The output that a share header may add, in the wrong place, with a wrong value or not at all."""
    made = book.open("chain")
    script = bytes.fromhex("6a04deadbeef")
    work = work_on_tip(made).with_share(null_data=script)
    with_it = coinbase.prefix(work.share, work.extranonce, work.witness, work.payouts)
    added = coinbase.output(0, script)
    at = with_it.index(added)
    before, after, paid = with_it[:at], with_it[at + len(added) :], coinbase.output(1, script)
    first = before.index(coinbase.SEQUENCE) + 5  # where the outputs begin
    forms = {
        "as it must be": (before + added + after, "valid"),
        "left out": (_count(before + after, first - 21, -1), "SC-301"),
        "after the witness commitment": (before + after + added, "SC-301"),
        "before the payouts": (before[:first] + added + before[first:] + after, "SC-301"),
        "with a satoshi": (before + paid + after, "SC-301"),
        "with another byte": (before + added[:-1] + b"\0" + after, "SC-301"),
        "twice": (_count(before + added + added + after, first - 21, 1), "SC-301"),
    }
    for name, (form, verdict) in forms.items():
        proof = mined(made, replace(work, prefix=form))
        book.add("SC-301", f"null data: {name}", "chain", [line(proof, verdict)])
    bare = work_on_tip(made)
    proof = mined(made, replace(bare, prefix=with_it))
    book.add("SC-301", "null data: none in the share header", "chain", [line(proof, "SC-301")])


def _with(made, **constants):
    """What the tip's children would pay if the network had other constants, and if no snapshot were bounded by
    another."""
    params, work = replace(made.params, **constants), work_on_tip(made)
    place = replace(made.chain.tip.position(made.params), least_snapshot=made.chain.genesis)
    block = made.best_block
    return _paid_by(params, window.snapshot(params, place, block), block, work.share.coinbase_value)


def _paid_by(params, newest, block, value):
    """What is paid by the window up to a link on a Bitcoin block."""
    dues, seed = window.dues(params, newest, window.window(params, newest)), window.seed(params, block)
    return payout.amounts(payout.select(params, dues, seed, bitcoin.subsidy(params, block.height + 1)), value)


def _differently(book, rule, name, **constants):
    made, due = _honest(book)
    payouts = _with(made, **constants)
    if payouts == due:
        raise AssertionError(f"{name}: pays what is due")
    _pays(book, rule, name, payouts)


def _other_history(book):
    made, due = _honest(book)
    params = made.params
    for by in (-1, 1):
        _differently(book, "SC-302", f"snapshot buried {by:+} link", snapshot_burial=params.snapshot_burial + by)
        _differently(book, "SC-302", f"seed {by:+} block deep", seed_depth=params.seed_depth + by)
    _differently(book, "SC-302", "snapshot at a later Bitcoin block", snapshot_bitcoin_depth=0)
    chain = made.chain
    whole = chain.window(chain.snapshot(chain.tip.position(params), made.best_block))
    oldest = chain.tip.ancestor(whole.oldest)
    if whole.proofs != params.window_proofs:
        raise AssertionError("the window does not reach its bound exactly")
    less = whole.proofs - (oldest.credited - oldest.parent.credited)
    _differently(book, "SC-303", "a window of a link less", window_proofs=less)
    _differently(book, "SC-303", "a window of a proof more, and so of a link more", window_proofs=whole.proofs + 1)
    _differently(book, "SC-303", "a window of less weight", window_weight=whole.total // 2)
    for rule in ("SC-302", "SC-303"):
        _pays(book, rule, "what is due", due, "valid")


def _snapshots(book):
    """Where the snapshot lies after Bitcoin has moved to a branch that is shorter and has more work."""
    made = book.open("forked")
    tip, end = made.chain.tip, made.best_block
    _pays_by(book, made, "before the fork: the first link with the work 3 blocks below", tip, end, (6, 7, 8))
    block = rival_blocks(made, 3)
    height = block.height - made.params.snapshot_bitcoin_depth
    if not (block.chain_work > end.chain_work and height < FORK_HEIGHT + 1):
        raise AssertionError("the work 3 blocks below does not fall while that of the tip rises")
    _pays_by(book, made, "the work 3 blocks below falls: the parent's snapshot", tip, block, (3, 6, 7, 8))
    block = made.block(block, block.median_time() + 1)
    _pays_by(book, made, "the work 3 blocks below is still less: the parent's snapshot", tip, block, (5, 6, 7, 8))
    block = made.block(block, block.median_time() + 1)
    _pays_by(book, made, "the work 3 blocks below is more than the anchor's: that counts", tip, block, (8, 9, 10))
    _inherited(book)
    _first_blocks(book)


def _first_blocks(book):
    """The block after Bitcoin's third: the work 3 blocks below it is that of the first, which all links have."""
    made = book.open("early")
    chain, tip, work = made.chain, made.chain.tip, work_on_tip(made)
    above = next(height for height in range(1, tip.height) if tip.ancestor(height).previous.height)
    wrong = tip.ancestor(above - made.params.snapshot_burial)
    paid = tuple(_paid_by(made.params, wrong, made.best_block, work.share.coinbase_value))
    if chain.snapshot(tip.position(made.params), made.best_block) is not chain.genesis or paid == work.payouts:
        raise AssertionError("the snapshot is not genesis, or another one pays the same")
    for by, payouts, verdict in (("genesis", work.payouts, "valid"), (f"link {wrong.height}", paid, "SC-301")):
        proof = mined(made, replace(work, payouts=payouts))
        book.add("SC-302", f"two blocks above Bitcoin's first (pays by {by})", "early", [line(proof, verdict)])


def _inherited(book):
    """The parent of the proof is already on the other branch, and has its snapshot from its own parent."""
    made = book.open("forked")
    block = rival_blocks(made, 3)
    work = miner.work_on(made.chain, made.chain.tip, block, SCRIPTS[3], made.chain.tip.time + LINK_TIME)
    proof = mined(made, work, link=True)
    link = made.tell(proof, ())
    _pays_by(book, made, "the snapshot of the parent's parent", link, block, (3, 6, 7, 8))


def _pays_by(book, made, name, parent, block, heights):
    """A case for each height of a snapshot: the right one, and others."""
    chain, params = made.chain, made.params
    right = chain.snapshot(parent.position(params), block).height
    work = miner.work_on(chain, parent, block, SCRIPTS[3], parent.time + LINK_TIME)
    if right not in heights:
        raise AssertionError(f"{name}: the snapshot is {right}")
    for height in heights:
        paid = tuple(_paid_by(params, parent.ancestor(height), block, work.share.coinbase_value))
        if height != right and paid == work.payouts:
            raise AssertionError(f"{name}: pays what is due by {height}")
        verdict = "valid" if height == right else "SC-301"
        proof = mined(made, replace(work, payouts=paid), parent)
        book.add("SC-302", f"{name} (pays by link {height})", "forked", made.lines + [line(proof, verdict)])


def _window_bounds(book):
    """A link that lists shares without weight: their number decides, not how many scripts they have."""
    bound = book.open("chain").params.window_proofs
    _window_of(book, f"{bound} proofs in five links: no link more", [SCRIPTS[1]] * 9, 5)
    _window_of(book, f"{bound - 1} proofs in five links: a link more", [SCRIPTS[1]] * 8, 6)
    _window_of(book, f"{bound - 1} proofs of eight scripts more in five links: a link more", SCRIPTS[1:9], 6)
    _exact_weight(book)


def _exact_weight(book):
    """A window whose links weigh just as much as a window must, and one that weighs more."""
    made = book.open("chain")
    for name, is_exact in (("just the weight of a window", True), ("more than that, with another link on top", False)):
        link = made.add(ids=(), link=True, time=made.chain.tip.time + LINK_TIME)
        found = made.chain.window(link)
        if (found.total == made.params.window_weight) != is_exact or found.proofs >= made.params.window_proofs:
            raise AssertionError(f"{name}: {found}")
        book.add("SC-303", f"{name}: no link more", "chain", [*made.lines, window_claim(link, found)])


def _window_of(book, name, scripts, links):
    """A case: the window up to a new link that lists a late share of each script."""
    made = book.open("chain")
    parent = made.chain.tip
    shares = late_shares(made, scripts, parent.ancestor(10))
    link = made.add(ids=in_order(*shares), link=True, time=parent.time + LINK_TIME)
    found = made.chain.window(link)
    if any(link.rows[script][0] for script in scripts) or found.newest - found.oldest + 1 != links:
        raise AssertionError(f"{name}: the shares earn, or the window has other links")
    book.add("SC-303", name, "chain", made.lines + [window_claim(link, found)])


def _other_selection(book):
    _, due = _honest(book)
    _differently(book, "SC-305", "an output more than outputs_max", outputs_max=5)
    _differently(book, "SC-305", "an output less than outputs_max", outputs_max=3)
    _differently(book, "SC-305", "fewer outputs by another floor", output_floor_sat=10**9)
    _pays(book, "SC-305", "as many outputs as outputs_max", due, "valid")
    tail = due[-1][1]
    (first, sat), (script, amount) = due[0], due[1]
    cut = [(first, tail), (script, amount + sat - tail)] + due[2:]
    _pays(book, "SC-306", "the largest due is cut to the even payment", cut)
    _pays(book, "SC-306", "the largest due is paid proportionally", due, "valid")
    undrawn = next(script for script in SCRIPTS if script not in dict(due))
    _pays(book, "SC-307", "a script that was not drawn", due[:-1] + [(undrawn, tail)])
    _pays(book, "SC-307", "drawn scripts in another order", due[:-2] + [(due[-1][0], due[-2][1]), (due[-2][0], tail)])
    _pays(book, "SC-307", "the drawn scripts", due, "valid")


def _other_amounts(book):
    made, due = _honest(book)
    total = sum(amount for _, amount in due)
    selection = made.chain.selection(made.chain.tip.position(made.params), made.best_block)
    floors = [(script, total * weight // selection.total) for script, weight in selection.outputs]
    left = total - sum(amount for _, amount in floors)
    if not left:
        raise AssertionError("nothing is left over")
    last_script, last = floors[-1]
    _pays(book, "SC-308", "what is left over goes to the last", floors[:-1] + [(last_script, last + left)])
    _pays(book, "SC-308", "what is left over goes to nobody", floors)
    _pays(book, "SC-308", "what is left over goes to the first", due, "valid")


def _alone(book):
    """Before payouts are shared, only the finder is paid."""
    made, due = _honest(book, "start")
    _pays(book, "SC-304", "the finder alone", due, "valid", "start")
    script, value = due[0]
    _pays(book, "SC-304", "somebody else alone", [(SCRIPTS[1], value)], setup="start")
    _pays(book, "SC-304", "the finder and somebody else", [(script, value - 1), (SCRIPTS[1], 1)], setup="start")
    made, due = _honest(book)
    _pays(book, "SC-304", "the finder alone, after enough is listed", [(SCRIPTS[3], sum(sat for _, sat in due))])
    _first_shared(book)


def _first_shared(book):
    """The last snapshot that credits too few, and the first that credits enough, as claims on the chain's own links."""
    made = book.open("chain")
    params, tip, blocks = made.params, made.chain.tip, made.blocks
    found = {}
    for parent in (tip.ancestor(height) for height in range(tip.height + 1)):
        for block in blocks:
            place = parent.position(params)
            newest = window.snapshot(params, place, block)
            alone = made.chain.selection(place, block) is None
            found.setdefault((newest.credited, alone), (parent, block))
    below = max(count for count, alone in found if alone)
    enough = min(count for count, alone in found if not alone)
    if not below < params.listed_before_payouts <= enough:
        raise AssertionError("the count does not decide")
    for count, alone in ((below, True), (enough, False)):
        name = f"{count} credited up to the snapshot: {'alone' if alone else 'shared'}"
        book.add("SC-304", name, "chain", [made.outputs_claim(*found[count, alone], SCRIPTS[3])])


def _claims(book):
    """The numbers: windows of every length, and outputs on every link and Bitcoin block of both branches."""
    made = book.open("chain")
    tip = made.chain.tip
    links = [tip.ancestor(height) for height in range(tip.height + 1)]
    windows = [window_claim(link, made.chain.window(link)) for link in links]
    book.add("SC-303", "the windows of all links", "chain", windows)
    outputs = [made.outputs_claim(link, made.best_block, SCRIPTS[3]) for link in links]
    book.add("SC-302", "the outputs on all links", "chain", outputs)
    made = book.open("forked")
    rival_blocks(made, 5)
    blocks = [block for block in made.blocks if block.height >= FORK_HEIGHT]
    parents = [made.chain.tip.ancestor(height) for height in (8, 12, 16)]
    outputs = [made.outputs_claim(parent, block, SCRIPTS[3]) for parent in parents for block in blocks]
    book.add("SC-302", "the outputs on both branches of Bitcoin", "forked", made.lines + outputs)

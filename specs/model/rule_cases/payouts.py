"""Rules 3xx: what a coinbase must pay. A wrong payout of any kind breaks SC-301."""

from dataclasses import replace

from shoal_model import bitcoin, coinbase, payout, window
from shoal_model.made_chain import SCRIPTS, window_claim

from .base import line, mined, state_line, work_on_tip


def add_to(book):
    _moved(book)
    _malleable(book)
    _layout(book)
    _other_history(book)
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
        lines = [line(copy, "SC-301"), line(original), line(copy, "known"), state_line(original.id, "valid", "complete")]
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


def _with(made, **constants):
    """What the tip's children would pay if the network had other constants."""
    params, work = replace(made.params, **constants), work_on_tip(made)
    anchor, block = made.chain.tip.position(made.params).anchor, made.best_block
    newest, seed = window.snapshot(params, anchor, block), window.seed(params, block)
    dues = window.dues(params, newest, window.window(params, newest))
    selection = payout.select(params, dues, seed, bitcoin.subsidy(params, block.height + 1))
    return payout.amounts(selection, work.share.coinbase_value)


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
    anchor = chain.tip.position(params).anchor
    whole = chain.window(chain.snapshot(anchor, made.best_block))
    oldest = chain.tip.ancestor(whole.oldest)
    _differently(book, "SC-303", "a window of a link less", window_rows=whole.rows - len(oldest.rows))
    _differently(book, "SC-303", "a window of a link more", window_rows=whole.rows + 1)
    _differently(book, "SC-303", "a window of less weight", window_weight=whole.total // 2)
    for rule in ("SC-302", "SC-303"):
        _pays(book, rule, "what is due", due, "valid")


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
    _pays(book, "SC-306", "the largest due is paid exactly", due, "valid")
    undrawn = next(script for script in SCRIPTS if script not in dict(due))
    _pays(book, "SC-307", "a script that was not drawn", due[:-1] + [(undrawn, tail)])
    _pays(book, "SC-307", "drawn scripts in another order", due[:-2] + [(due[-1][0], due[-2][1]), (due[-2][0], tail)])
    _pays(book, "SC-307", "the drawn scripts", due, "valid")


def _other_amounts(book):
    made, due = _honest(book)
    total = sum(amount for _, amount in due)
    selection = made.chain.selection(made.chain.tip.position(made.params).anchor, made.best_block)
    floors = [(script, total * weight // selection.total) for script, weight in selection.outputs]
    left = total - sum(amount for _, amount in floors)
    if not left:
        raise AssertionError("nothing is left over")
    last_script, last = floors[-1]
    _pays(book, "SC-308", "what is left over goes to the last", floors[:-1] + [(last_script, last + left)])
    _pays(book, "SC-308", "what is left over goes to nobody", floors)
    _pays(book, "SC-308", "what is left over goes to the first", due, "valid")


def _alone(book):
    """Before payouts are shared the finder is paid alone."""
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
    for anchor in (tip.ancestor(height) for height in range(tip.height + 1)):
        for block in blocks:
            newest = window.snapshot(params, anchor, block)
            alone = made.chain.selection(anchor, block) is None
            found.setdefault((newest.credited, alone), (anchor, block))
    below = max(count for count, alone in found if alone)
    enough = min(count for count, alone in found if not alone)
    if not below < params.listed_before_payouts <= enough:
        raise AssertionError("the count does not decide")
    for count, alone in ((below, True), (enough, False)):
        name = f"{count} credited up to the snapshot: {'alone' if alone else 'shared'}"
        book.add("SC-304", name, "chain", [outputs_claim(made, *found[count, alone])])


def outputs_claim(made, anchor, block, finder=SCRIPTS[3]):
    value = made.chain.created(block)
    paid = made.chain.payouts(anchor, block, finder, value)
    return {
        "claim": "outputs",
        "anchor": anchor.id.hex(),
        "previous_block": block.hash.hex(),
        "payout": finder.hex(),
        "coinbase_value": value,
        "outputs": [[script.hex(), sat] for script, sat in paid],
    }


def _claims(book):
    """The numbers: windows of every length, and outputs of every anchor on the latest Bitcoin block."""
    made = book.open("chain")
    tip = made.chain.tip
    links = [tip.ancestor(height) for height in range(tip.height + 1)]
    windows = [window_claim(link, made.chain.window(link)) for link in links]
    book.add("SC-303", "the windows of all links", "chain", windows)
    outputs = [outputs_claim(made, link, made.best_block) for link in links]
    book.add("SC-302", "the outputs for all anchors", "chain", outputs)

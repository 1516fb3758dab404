"""Rule SC-408: the state root of a link."""

from shoal_model import lists, miner, state
from shoal_model.made_chain import SCRIPTS, link_claim
from shoal_model.sha256 import tagged
from shoal_model.signals import FEW_PERIODS, GOOD_LINKS, LOCKED_IN, PERIOD_LINKS, Bit, Signals
from shoal_model.sum_tree import HISTORY, WEIGHTS, Kind

from .base import LINK_SIGNALS, LINK_TIME, SHARE_SIGNALS, UNLISTED, UNLISTED_LATE
from .base import in_order, line, mined, state_line, tip_line
from .lists import Scene


def add_to(book):
    _windows(book)
    _credits(book)
    _histories(book)
    _signals(book)
    _wholes(book)
    _other_blocks(book)
    _first_links(book)
    _what_follows(book)
    _order_of_rules(book)
    _claims(book)


class Parts:
    """A link on the tip that lists the setup's unlisted shares, and what its state root is made from."""

    def __init__(self, book):
        self.scene, self.book = Scene(book), book
        chain, self.tip = self.scene.made.chain, self.scene.tip
        listed = {node.id for link in self.links() for node in map(chain.nodes.get, link.ids)}
        scripts = (*UNLISTED, UNLISTED_LATE)
        shares = [node for node in chain.nodes.values() if not node.is_link and node.id not in listed]
        if sorted(node.proof.share.payout for node in shares) != sorted(scripts):
            raise AssertionError("other shares are not listed")
        self.ids = in_order(*shares)
        self.block = self.scene.made.best_block
        self.selection = chain.selection(self.tip.position(chain.params), self.block)
        self.order = list(self.selection.order)
        self.rows = lists.list_credits(chain.params, self.tip, [chain.nodes[id_] for id_ in self.ids])
        self.credits = [(script, weight) for script, (weight, _) in sorted(self.rows.items())]
        self.history = [history_leaf(link) for link in self.links()]

    def links(self):
        return [self.tip.ancestor(height) for height in range(1, self.tip.height + 1)]

    def all(self, **changes):
        """The commitments that the root is made from, with some changed."""
        parts = {
            "window": state.window_commitment(self.order),
            "credits": state.window_commitment(self.credits),
            "history": HISTORY.commitment(self.history),
            "signals": self.tip.signals.commitment(),
        }
        return {**parts, **changes}

    def add(self, name, root=None, verdict="SC-408", **changes):
        """A case: the link with this root, or with one that changed commitments make."""
        proof = self.link(root or state.state_root(**self.all(**changes)))
        self.book.add("SC-408", name, "chain", [line(proof, "valid", self.ids, verdict)])

    def link(self, root):
        time = self.tip.time + LINK_TIME
        work = miner.work_on(self.scene.made.chain, self.tip, self.block, SCRIPTS[3], time, self.ids)
        if work.share.state_root != state.state_root(**self.all()):
            raise AssertionError("the parts do not make the state root")
        return mined(self.scene.made, work.with_share(state_root=root, signals=LINK_SIGNALS), link=True)


def history_leaf(link, **changes):
    """The leaf of a link, with some fields changed."""
    fields = {
        "height": link.height,
        "id_": link.id,
        "link_target": link.link_target,
        "time": link.time,
        "chain_work": link.chain_work,
        "proofs": link.credited,
        "snapshot_height": link.snapshot.height,
    }
    return state.history_leaf(**fields | changes)


def _tree_faults(kind, leaves):
    """Commitments to the right leaves that are wrong as trees."""
    right = kind.commitment(leaves)
    (root, total), count = kind.root(leaves), len(leaves)
    without_sums = Kind(kind.node_tag, 0)
    return {
        "a leaf more in the count": kind.encode(count + 1, (root, total)),
        "a unit more in the sum": kind.encode(count, (root, total + 1)),
        "a unit less in the sum": kind.encode(count, (root, total - 1)),
        "another root hash": right[:-1] + bytes([right[-1] ^ 1]),
        "the last leaf twice": kind.encode(count, kind.root([*leaves, leaves[-1]])),
        "nodes without sums": kind.encode(count, (without_sums.root([(leaf, 0) for leaf, _ in leaves])[0], total)),
        "nodes of another tag": kind.encode(count, Kind("shoal/leaf", kind.sum_bytes).root(leaves)),
        "two leaves swapped": kind.commitment([leaves[1], leaves[0], *leaves[2:]]),
        "the last leaf left out": kind.commitment(leaves[:-1]),
        "the first leaf left out": kind.commitment(leaves[1:]),
        "no leaf": kind.empty(),
    }


def _weight_faults(dues):
    """Commitments to wrong dues or rows, both (script, weight)."""
    *rest, (script, weight) = dues
    (other, least), *middle = rest
    faults = {
        "a weight one unit more": [*rest, (script, weight + 1)],
        "a unit moved from one to another": [(other, least + 1), *middle, (script, weight - 1)],
        "another script": [*rest, (script[:-1] + b"\0", weight)],
        "in reverse order": dues[::-1],
    }
    return {name: state.window_commitment(wrong) for name, wrong in faults.items()}


def _windows(book):
    parts = Parts(book)
    parts.add("as it must be", verdict="complete")
    leaves = [state.weight_leaf(*due) for due in parts.order]
    outputs, drawn = len(parts.selection.outputs), {script for script, _ in parts.selection.outputs}
    chain = parts.scene.made.chain
    snapshot = chain.snapshot(parts.tip.position(chain.params), parts.block)
    zero = [(script, 0) for script, (weight, _) in chain.window(snapshot).sums.items() if not weight]
    by_weight = sorted(parts.order, key=lambda due: (-due[1], due[0]))
    if not zero or outputs == len(parts.order) or by_weight == parts.order:
        raise AssertionError("the window is too simple")
    lower = chain.window(snapshot.parent).sums
    faults = _tree_faults(WEIGHTS, leaves) | _weight_faults(parts.order)
    dues = {
        "only what is paid": list(parts.selection.outputs),
        "only those who are paid": [due for due in parts.order if due[0] in drawn],
        "by weight, then by script": by_weight,
        "by script": sorted(parts.order),
        "with a due of weight 0": parts.order + zero,
        "up to a link lower": [(script, lower[script][0]) for script, _ in parts.order if script in lower],
    }
    faults |= {name: state.window_commitment(wrong) for name, wrong in dues.items()}
    for name, wrong in faults.items():
        parts.add(f"window: {name}", window=wrong)


def _credits(book):
    parts = Parts(book)
    chain = parts.scene.made.chain
    leaves = [state.weight_leaf(*due) for due in parts.credits]
    faults = _tree_faults(WEIGHTS, leaves) | _weight_faults(parts.credits)
    own = chain.nodes[parts.ids[-1]]
    whole = lists.credits(chain.params, _as_link(parts), parts.rows)
    rows = {
        "the link's own credit included": [(script, weight) for script, (weight, _) in sorted(whole.items())],
        "without the row of weight 0": [row for row in parts.credits if row[1]],
        "weight for what comes too late": [
            (script, weight or lists.own_weight(chain.params, own)) for script, weight in parts.credits
        ],
    }
    if len(rows["without the row of weight 0"]) == len(parts.credits):
        raise AssertionError("no row has weight 0")
    faults |= {name: state.window_commitment(wrong) for name, wrong in rows.items()}
    for name, wrong in faults.items():
        parts.add(f"credits: {name}", credits=wrong)


def _as_link(parts):
    """The link that the parts make, as a node."""
    return miner.node_of(parts.scene.made.chain, parts.link(state.state_root(**parts.all())))


def _histories(book):
    parts = Parts(book)
    faults = _tree_faults(HISTORY, parts.history)
    del faults["the last leaf left out"], faults["the last leaf twice"]
    tip, below = parts.tip, parts.history[:-1]
    changes = {
        "height": tip.height + 1,
        "id_": tip.parent.id,
        "link_target": tip.link_target + 1,
        "time": tip.time + 1,
        "chain_work": tip.chain_work + 1,
        "proofs": tip.credited - 1,
        "snapshot_height": tip.snapshot.height + 1,
    }
    for field, value in changes.items():
        faults[f"another {field.strip('_').replace('_', ' ')}"] = HISTORY.commitment(
            [*below, history_leaf(tip, **{field: value})]
        )
    node = _as_link(parts)
    itself = history_leaf(node, proofs=tip.credited + len(parts.ids) + 1)
    faults |= {
        "a link short": HISTORY.commitment(below),
        "the link itself included": HISTORY.commitment([*parts.history, itself]),
        "sums of 16 bytes": Kind("shoal/history", 16).commitment(parts.history),
        "the work of the share targets": HISTORY.commitment(
            [(hash_, sum_ // 4) for hash_, sum_ in parts.history],
        ),
    }
    for name, wrong in faults.items():
        parts.add(f"history: {name}", history=wrong)


def _signals(book):
    parts = Parts(book)
    tip, right = parts.tip, parts.tip.signals
    (low, count), (high, other) = sorted(right.counts.items())
    listed = sum(len(link.ids) for link in parts.links())
    faults = {
        "up to the grandparent": tip.parent.signals,
        "the link itself included": right.after(tip.height + 1, LINK_SIGNALS),
        "a link more": Signals({low: count + 1, high: other}),
        "a bit left out": Signals({high: other}),
        "a bit that nobody set": Signals({**right.counts, 0: 0}),
        "the bits of shares": Signals({**right.counts, SHARE_SIGNALS.bit_length() - 1: listed}),
        "a good period": Signals(right.counts, {low: Bit(run=1, sum_=GOOD_LINKS, last=(GOOD_LINKS,))}),
        "locked in": Signals(right.counts, {low: Bit(LOCKED_IN, PERIOD_LINKS * FEW_PERIODS)}),
    }
    for name, wrong in faults.items():
        parts.add(f"signals: {name}", signals=wrong.commitment())


def _wholes(book):
    parts = Parts(book)
    window, credits, history, signals = parts.all().values()
    roots = {
        "zeros": bytes(32),
        "the credits before the window": state.state_root(credits, window, history, signals),
        "the history first": state.state_root(history, window, credits, signals),
        "another tag": tagged("shoal/shares", window + credits + history + signals),
        "without the signals": state.state_root(window, credits, history, b""),
        "that of the parent": parts.tip.proof.share.state_root,
    }
    for name, root in roots.items():
        parts.add(f"root: {name}", root=root)


def _other_blocks(book):
    """The window follows from the link's own Bitcoin block: another seed orders the lottery in another way."""
    scene = Scene(book)
    old, new = scene.made.best_block, scene.made.block()
    header = scene.made.lines
    for name, block, verdict in (("its own Bitcoin block", new, "complete"), ("that of its parent", old, "SC-408")):
        work = miner.work_on(scene.made.chain, scene.tip, new, SCRIPTS[3], scene.tip.time + LINK_TIME)
        root = miner.state_root(scene.made.chain, scene.tip, block, ())
        proof = mined(scene.made, work.with_share(state_root=root), link=True)
        lines = [*header, line(proof, "valid", (), verdict)]
        book.add("SC-408", f"window of a link on a new Bitcoin block: by {name}", "chain", lines)


def _first_links(book):
    """On genesis: a window and a history without leaves, and no credits."""
    scene = Scene(book, "start")
    no_signals = tagged("shoal/signals", b"")
    empty = WEIGHTS.empty() + WEIGHTS.empty() + HISTORY.empty() + no_signals
    genesis = scene.made.chain.genesis
    roots = {
        "bytes of zero": (tagged("shoal/state", empty), "complete"),
        "a byte of zero less": (tagged("shoal/state", empty[1:]), "SC-408"),
        "no bytes but those of the signals": (tagged("shoal/state", no_signals), "SC-408"),
        "zeros for the signals": (tagged("shoal/state", empty[:-32] + bytes(32)), "SC-408"),
        "zeros": (bytes(32), "SC-408"),
    }
    for name, (root, verdict) in roots.items():
        time = scene.made.best_block.time
        work = miner.work_on(scene.made.chain, genesis, scene.made.best_block, SCRIPTS[3], time)
        proof = mined(scene.made, work.with_share(state_root=root), genesis, link=True)
        book.add("SC-408", f"the first link: {name}", "start", [line(proof, "valid", (), verdict)])


def _what_follows(book):
    """A wrong root voids the list and nothing else."""
    scene = Scene(book)
    made, tip = scene.made, scene.tip
    wrong = miner.work_on(made.chain, tip, made.best_block, SCRIPTS[5], tip.time + LINK_TIME)
    wrong = wrong.with_share(state_root=b"\1" * 32)
    share, link = mined(made, wrong), mined(made, wrong, link=True)
    book.add("SC-408", "a share that is no link: nobody checks its root", "chain", [line(share)])
    void = [line(link), state_line(link.id, "valid", "SC-408")]
    book.add("SC-408", "an empty list that nobody sends", "chain", void)
    told = made.chain.insert(link.encode())
    scene.lines = void
    scene.lists("SC-407", "the parent's list is void by its state root", (), "SC-407", parent=told)
    scene.lines = [*void, tip_line(tip)]
    node = made.chain.insert(share.encode())
    scene.lines.append(line(share))
    scene.credits("SC-408", "a link and a share with wrong roots earn as shares", in_order(told, node))


def _order_of_rules(book):
    """SC-408 is the last rule of a list."""
    scene = Scene(book)
    made, tip = scene.made, scene.tip
    repeated = tip.ids[0]
    work = miner.work_on(made.chain, tip, made.best_block, SCRIPTS[3], tip.time + LINK_TIME, (repeated,))
    proof = mined(made, work.with_share(state_root=bytes(32)), link=True)
    book.add("SC-405", "a repeated id and a wrong state root", "chain", [line(proof, "valid", (repeated,), "SC-405")])
    share = scene.proof(tip)
    work = miner.work_on(made.chain, tip, made.best_block, SCRIPTS[3], tip.time + LINK_TIME, (share.id,))
    proof = mined(made, work.with_share(state_root=b"\1" * 32), link=True)
    lines = [line(proof, "valid", (share.id,), "held"), line(share), state_line(proof.id, "valid", "SC-408")]
    book.add("SC-408", "a wrong root, once the listed share has come", "chain", lines)


def _claims(book):
    """The state roots of all links, and of new ones on each."""
    made = book.open("chain")
    links = [made.chain.tip.ancestor(height) for height in range(1, made.chain.tip.height + 1)]
    claims = [made.state_claim(link.parent, link.previous, link.ids) for link in links]
    if [claim["state_root"] for claim in claims] != [link.proof.share.state_root.hex() for link in links]:
        raise AssertionError("the claims are not what the links commit to")
    claims += [made.state_claim(link, made.best_block, ()) for link in links]
    book.add("SC-408", "the state roots of all links", "chain", claims + [link_claim(links[-1])])

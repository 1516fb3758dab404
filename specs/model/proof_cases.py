"""The cases of vectors/proof.json: payout proofs (section 16), and beside them proofs that are wrong in one thing. A wrong one is
mined like any other, so that only the thing itself tells it apart."""

import struct
import sys
from pathlib import Path

from shoal_model import coinbase, payout, state
from shoal_model.encoding import ShareHeader
from shoal_model.params import NETWORKS
from shoal_model.sha256 import double, tagged
from shoal_model.sum_tree import WEIGHTS

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import proof as script_of_wallets  # noqa: E402

BITS = 0x207FFFFF  # regtest's: two hashes a block
FINDER = b"\x00\x14" + b"\xfe" * 20
HALF = 1 << 63


def payee(number):
    return b"\x00\x14" + tagged("payee", struct.pack("<I", number))[:20]


def mined(previous, root, bits=BITS, meets=True):
    """A header whose hash meets the easy target, or with other nBits does not meet theirs."""
    for nonce in range(1 << 20):
        header = struct.pack("<I32s32sIII", 0x20000000, previous, root, 1_900_000_000, bits, nonce)
        if (int.from_bytes(double(header), "little") <= HALF << 192) == meets:
            return header
    raise AssertionError("no header")


def opening(leaves, shown, first=0):
    """The nodes beside the leaves at the places `shown`, from left to right."""
    if not any(first <= place < first + len(leaves) for place in shown):
        return [WEIGHTS.root(state.weight_leaf(*due) for due in leaves)]
    if len(leaves) == 1:
        return []
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return opening(leaves[:half], shown, first) + opening(leaves[half:], shown, first + half)


class Block:
    """A block that pays a window, and a proof about one of its scripts. `change` sets any part before what follows from
    it is made."""

    def __init__(self, weights, own, network="main", height=1_050_000, value=320_000_000, **change):
        self.params, self.own, self.change = NETWORKS[network], own, change
        self.height, self.value, seed = height, value, b"\x07" * 32
        depth = min(self.params.seed_depth, max(0, height - 1))
        self.ancestors, at = [], seed
        for _ in range(depth):
            self.ancestors.insert(0, mined(at, b"\x01" * 32))
            at = double(self.ancestors[0])
        self.previous = at
        dues = {payee(number): weight for number, weight in enumerate(weights)}
        self.order, self.exact, self.payouts = (), 0, [(FINDER, value)]
        if dues:
            subsidy = 5_000_000_000 >> height // self.params.halving_blocks
            selection = payout.select(self.params, dues, seed, subsidy)
            self.order, self.payouts = selection.order, payout.amounts(selection, value)
            outputs = len(self.payouts)
            self.exact = payout._tail_payment(sorted(dues.items(), key=lambda due: (-due[1], due[0])), outputs)[0]
        self.draw = payout._draw_of(seed)
        self.shown = self._shown()
        for name in ("payouts", "order", "exact", "shown", "ancestors"):
            if name in change:
                setattr(self, name, change[name](getattr(self, name)))

    def _shown(self):
        if not self.order:
            return []
        last = {self.exact - 1} if self.exact else set()
        own = {place for place, (script, _) in enumerate(self.order) if script == self.own}
        if own:
            return sorted(last | own)
        before = [place for place in range(self.exact, len(self.order)) if self._is_before(place)]
        beside = {before[-1] if before else self.exact - 1, (before[-1] if before else self.exact - 1) + 1}
        return sorted(last | {place for place in beside if self.exact <= place < len(self.order)})

    def _is_before(self, place):
        return self.draw(self.order[place][0]) < self.draw(self.own)

    def encode(self):
        change, get = self.change, self.change.get
        window = state.window_commitment(get("committed", lambda order: order)(self.order))
        rest = b"\x21" * 52 + b"\x22" * 68 + b"\x23" * 32
        share = ShareHeader(
            parent=b"\x11" * 32,
            anchor=b"\x12" * 32,
            shares_root=b"\x13" * 32,
            shares_count=3,
            state_root=state.state_root(window, rest[:52], rest[52:120], rest[120:]),
            payout=FINDER,
            time=1_900_000_000,
            bitcoin_height=self.height,
            coinbase_value=get("coinbase_value", self.value),
            null_data=get("null_data", b""),
        )
        extranonce, witness, branch = b"\x31" * 16, get("witness", b"\x32" * 32), [b"\x33" * 32] * get("branch", 3)
        whole = coinbase.prefix(share, extranonce, witness, self.payouts) + coinbase.suffix(self.params, share)
        header = get("header", mined)(self.previous, coinbase.fold(double(whole), branch))
        sized = lambda data: bytes([len(data)]) + data
        some = lambda items: bytes([len(items)]) + b"".join(items)
        due = lambda place: struct.pack("<I", place) + self.order[place][1].to_bytes(16, "little") + sized(self.order[place][0])
        node = lambda one: one[0] + one[1].to_bytes(16, "little")
        siblings = opening(self.order, self.shown) if self.order else []
        parts = {
            "magic": b"shoalpay\x01",
            "pool": self.params.consensus_id,
            "script": sized(self.own),
            "block": header + some(self.ancestors),
            "share": share.encode() + extranonce + some([witness] if witness else []) + some(branch),
            "payouts": struct.pack("<H", len(self.payouts)) + b"".join(struct.pack("<Q", v) + sized(s) for s, v in self.payouts),
            "rest": rest,
            "counts": struct.pack("<IH", len(self.order), self.exact),
            "shown": some([due(place) for place in self.shown]),
            "siblings": some([node(one) for one in get("siblings", lambda all_: all_)(siblings)]),
            "end": b"",
        }
        parts.update({name: make(parts[name]) for name, make in change.get("parts", {}).items()})
        return b"".join(parts.values())


def swapped(one, other):
    """Swaps the scripts of two payouts."""

    def swap(payouts):
        made = list(payouts)
        made[one], made[other] = (made[other][0], made[one][1]), (made[one][0], made[other][1])
        return made

    return swap


def moved(sat, to, of):
    """Moves satoshi from one payout to another."""

    def move(payouts):
        made = list(payouts)
        made[to], made[of] = (made[to][0], made[to][1] + sat), (made[of][0], made[of][1] - sat)
        return made

    return move


# 70 dues for 48 outputs, the first of them proportional.
MANY = [(1 << 60) + 977 * number for number in range(3)] + [(1 << 54) + (number * number << 40) for number in range(67)]
FEW = [1 << 60, 1 << 61, 3 << 60]
EVEN = [1 << 50] * 60
CRUMBS = EVEN + [1 << 30] * 40


def found(kind, weights=MANY, **pool):
    """The scripts of the dues of one kind, in coinbase order."""
    block = Block(weights, payee(0), **pool)
    paid = [script for script, _ in block.payouts]
    places = range(block.exact, len(block.order)) if kind != "exact" else range(block.exact)
    keep = {"exact": lambda script: True, "drawn": paid.__contains__, "not_drawn": lambda script: script not in paid}[kind]
    return [block.order[place][0] for place in places if keep(block.order[place][0])]


def absent(place, weights=MANY):
    """A script that lies before the first due of the draw, after the last one, or between two."""
    for number in range(1_000, 100_000):
        block = Block(weights, payee(number))
        beside = [shown for shown in block.shown if shown >= block.exact]
        kind = "between" if len(beside) == 2 else "first" if beside == [block.exact] else "last"
        if kind == place:
            return payee(number)
    raise AssertionError(place)


def right_cases():
    exact, drawn, lost = found("exact"), found("drawn"), found("not_drawn")
    yield "the largest due, which gets what rounding left", Block(MANY, exact[0])
    yield "the last proportional due", Block(MANY, exact[-1])
    yield "the first drawn due", Block(MANY, drawn[0])
    yield "the last drawn due", Block(MANY, drawn[-1])
    yield "a due that was not drawn", Block(MANY, lost[0])
    for place in ("first", "between", "last"):
        yield f"no due, {place} in the draw", Block(MANY, absent(place))
    yield "all dues are proportional", Block(FEW, payee(1))
    yield "no due where all are proportional", Block(FEW, payee(9))
    yield "one due alone", Block([5], payee(0))
    yield "all dues draw, and the first is drawn", Block(EVEN, found("drawn", EVEN)[0])
    yield "all dues draw, and one is not drawn", Block(EVEN, found("not_drawn", EVEN)[0])
    yield "the floor leaves one output, drawn", Block([1 << 80, 1, 2], payee(0))
    yield "the floor leaves one output, not drawn", Block([1 << 80, 1, 2], payee(1))
    yield "the finder alone", Block([], FINDER)
    yield "another finder", Block([], payee(0))
    yield "without a witness commitment or a branch", Block(FEW, payee(1), witness=None, branch=0)
    yield "with a null data output", Block(FEW, payee(1), null_data=b"\x6a\x02\x01\x02")
    yield "the first block of the local network", Block([], FINDER, network="local", height=1, value=5_000_000_000)
    yield "a block of the local network", Block(MANY, drawn[0], network="local", height=142, value=5_000_000_123)
    wide = {"network": "main-wide"}
    yield "the last of 70 outputs of a wide pool", Block(MANY, found("exact", MANY, **wide)[-1], **wide)
    yield "a drawn due of a wide pool", Block(CRUMBS, found("drawn", CRUMBS, **wide)[-1], **wide)
    yield "a due of a wide pool that was not drawn", Block(CRUMBS, found("not_drawn", CRUMBS, **wide)[0], **wide)


def wrong_cases():
    exact, drawn, lost = found("exact"), found("drawn"), found("not_drawn")
    first = len(exact)
    own_place = Block(MANY, lost[0]).shown[-1]
    yield "a satoshi less for the last proportional due", Block(MANY, exact[-1], payouts=moved(1, 0, first - 1))
    yield "a satoshi less for a drawn due", Block(MANY, drawn[1], payouts=moved(1, 0, first + 1))
    yield "a satoshi less for another drawn due", Block(MANY, drawn[1], payouts=moved(1, 0, first + 2))
    yield "too much for the first due", Block(MANY, exact[0], payouts=moved(48, 0, 1))
    yield "two drawn outputs in another order", Block(MANY, drawn[0], payouts=swapped(first, first + 1))
    yield "another script in the place of the last proportional due", Block(MANY, drawn[0], payouts=swapped(0, first - 1))
    taken = lambda payouts: [*payouts[:first], (lost[0], payouts[first][1]), *payouts[first + 1 :]]
    yield "a due that was not drawn is paid", Block(MANY, lost[0], payouts=taken)
    yield "a due that was drawn is not paid", Block(MANY, drawn[0], payouts=taken)
    stranger = absent("between")
    strange = lambda payouts: [*payouts[:first], (stranger, payouts[first][1]), *payouts[first + 1 :]]
    yield "a script without a due is paid", Block(MANY, stranger, payouts=strange)
    fewer = {"exact": lambda exact: exact - 1, "shown": lambda shown: [first - 2, *shown[1:]]}
    yield "one proportional output fewer", Block(MANY, lost[-1], **fewer)
    more = {"exact": lambda exact: exact + 1, "shown": lambda shown: sorted({first, *shown[1:]})}
    yield "one proportional output more", Block(MANY, lost[-1], **more)
    yield "the last proportional due is not shown", Block(MANY, lost[0], shown=lambda shown: shown[1:])
    yield "a due more is shown", Block(MANY, lost[0], shown=lambda shown: sorted({*shown, own_place ^ 1}))
    beside = lambda shown: [first - 1, own_place - 1, own_place + 1]
    yield "a due is passed over to seem absent", Block(MANY, lost[0], shown=beside)
    yield "the dues beside it are not the next ones", Block(MANY, stranger, shown=lambda s: [s[0], s[1] - 1, s[2] - 1])
    yield "only one due beside it is shown", Block(MANY, stranger, shown=lambda shown: shown[:-1])
    heavier = lambda order: [(script, weight + (script == lost[0])) for script, weight in order]
    yield "another weight than the state root has", Block(MANY, lost[0], committed=heavier)
    shift = lambda all_: [(all_[0][0], all_[0][1] + 1), (all_[1][0], all_[1][1] - 1), *all_[2:]]
    yield "weight moved from one node to another", Block(MANY, lost[0], siblings=shift)
    yield "a node is missing", Block(MANY, lost[0], siblings=lambda all_: all_[:-1])
    yield "a node too many", Block(MANY, lost[0], siblings=lambda all_: [*all_, (bytes(32), 0)])
    yield "another header before the block", Block(MANY, lost[0], ancestors=lambda all_: [all_[0], mined(b"\x08" * 32, b"\x01" * 32)])
    yield "a header before the block is missing", Block(MANY, lost[0], ancestors=lambda all_: all_[:1])
    weak = lambda previous, root: mined(previous, root, 0x1F00FFFF)
    yield "a header without the work of its nBits", Block(FEW, payee(1), header=weak)
    huge = lambda previous, root: mined(previous, root, 0x217FFFFF)
    yield "nBits beyond 256 bits", Block(FEW, payee(1), header=huge)
    yield "the payouts do not add up", Block(FEW, payee(1), coinbase_value=320_000_001)
    yield "another pool", Block(FEW, payee(1), parts={"pool": lambda _: NETWORKS["signet"].consensus_id})
    yield "an unknown pool", Block(FEW, payee(1), parts={"pool": lambda _: bytes(32)})
    equal = sorted((payee(number), 1 << 50) for number in range(49))
    shares = lambda _: [(script, 6_530_612 + 12 * (place == 0)) for place, (script, _) in enumerate(equal)]
    too_many = {"order": lambda _: equal, "exact": lambda _: 49, "shown": lambda _: [0, 48], "payouts": shares}
    yield "an output too many", Block([1 << 50] * 49, equal[0][0], **too_many)
    small = [(payee(0), 319_990_001), (payee(1), 9_999)]
    tiny = {"order": lambda _: small, "exact": lambda _: 2, "shown": lambda _: [0, 1], "payouts": lambda _: small}
    yield "an output below the floor", Block([weight for _, weight in small], payee(0), **tiny)
    yield "the finder is not paid", Block([], FINDER, payouts=lambda _: [(payee(0), 320_000_000)])
    yield "the finder is not alone", Block([], FINDER, payouts=lambda _: [(FINDER, 319_999_999), (payee(0), 1)])
    yield "another version", Block(FEW, payee(1), parts={"magic": lambda _: b"shoalpay\x02"})
    yield "a byte behind the end", Block(FEW, payee(1), parts={"end": lambda _: b"\x00"})
    yield "a script that Shoal does not pay", Block(FEW, payee(1), parts={"script": lambda _: b"\x01\x51"})


def answered(case):
    """What the script for wallets finds in a proof: nothing if it is not valid."""
    try:
        finding, value, output, *_ = script_of_wallets.verify(bytes.fromhex(case["proof"]))
    except (ValueError, OverflowError):
        return {"finding": None, "value_sat": 0, "output": None}
    return {"finding": finding, "value_sat": value, "output": output}


def cases():
    for all_, valid in ((right_cases(), True), (wrong_cases(), False)):
        for name, block in all_:
            case = {"name": name, "proof": block.encode().hex()}
            case.update(answered(case))
            if (case["finding"] is not None) != valid:
                raise AssertionError(f"{name}: {case['finding']}")
            yield case

"""Rules 0xx, 1xx and 2xx: what a proof must satisfy before anything is paid."""

import struct
from dataclasses import replace

from shoal_model import bitcoin, miner
from shoal_model.encoding import BRANCH_MAX, IDS_MAX, PREFIX_BYTES, PROOF_BYTES_MAX
from shoal_model.made_chain import SCRIPTS

from .base import LINK_TIME, line, list_line, mined, work_on_tip

PAYOUT_AT = 80 + 4 + 96 + 2 + 32  # where the length of the payout script stands in a proof


def add_to(book):
    _encoding(book)
    _binding(book)
    _position(book)
    _times(book)
    _median(book)
    _bitcoin(book)
    _value(book)
    _parents(book)


def _encoding(book):
    made = book.open("chain")
    proof = mined(made, work_on_tip(made))
    data = proof.encode()
    size = data[PAYOUT_AT]
    script_end = PAYOUT_AT + 1 + size
    null_data_at = script_end + 20
    flag_at = null_data_at + 1 + 16
    length_at = len(data) - len(proof.tail) - 4

    def with_byte(at, value):
        return data[:at] + bytes([value]) + data[at + 1 :]

    def with_length(length):
        return replace(proof, prefix_length=length, tail=bytes(length % 64)).encode()

    def add(rule, name, changed, verdict=None):
        book.add(rule, name, "chain", [line(changed, verdict or rule)])

    full = data + bytes(PROOF_BYTES_MAX - len(data))
    add("SC-001", "961 bytes", full + b"\0")
    add("SC-001", "960 bytes are not too many, but more than the fields have", full, "SC-003")
    add("SC-002", "the last byte is missing", data[:-1])
    add("SC-002", "only the header", data[:80])
    add("SC-002", "nothing", b"")
    add("SC-002", "nothing is missing", data, "valid")
    add("SC-003", "one byte too many", data + b"\0")
    add("SC-003", "the last byte is the last of the tail", data, "valid")
    for version in (0, 1, 3):
        changed = replace(proof, share=replace(proof.share, version=version))
        add("SC-004", f"version {version}", changed.encode())
    add("SC-004", "version 2", data, "valid")
    _scripts(book, made, add, data, script_end)
    _null_data(book, made, add, data, null_data_at)
    add("SC-006", "witness flag 2", with_byte(flag_at, 2))
    _witness(book, made)
    _branches(book, made, proof)
    for length in (PREFIX_BYTES.start - 1, PREFIX_BYTES.stop):
        add("SC-008", f"prefix of {length} bytes", with_length(length))
    for length in (PREFIX_BYTES.start, PREFIX_BYTES.stop - 1):
        add("SC-008", f"a prefix of {length} bytes is allowed, but is not this one", with_length(length), "SC-102")
    add("SC-008", "no bytes after the prefix length", data[: length_at + 4], "SC-002")
    _counts(book, made)


def _scripts(book, made, add, data, script_end):
    scripts = {
        "an empty script": b"",
        "pay to a bare key": b"\x21\x02" + bytes(32) + b"\xac",
        "OP_RETURN": b"\x6a\x14" + bytes(20),
        "witness program of 21 bytes": b"\x00\x15" + bytes(21),
        "P2PKH without its end": bytes.fromhex("76a914") + bytes(20) + b"\x88",
        "35 bytes": bytes(35),
        "witness version 2 with 20 bytes": b"\x52\x14" + bytes(20),
        "witness version 17": b"\x61\x20" + bytes(32),
        "a version byte below those of witness versions": b"\x50\x20" + bytes(32),
    }
    for version in (0x51, 0x52, 0x60):
        for size in (31, 33):
            script = bytes([version, size]) + bytes(size)
            scripts[f"witness version {version - 0x50} with {size} bytes"] = script
    for name, script in scripts.items():
        changed = data[:PAYOUT_AT] + bytes([len(script)]) + script + data[script_end:]
        add("SC-005", f"payout: {name}", changed)
    future = [bytes([0x50 + version, 0x20]) + bytes([version]) * 32 for version in (2, 3, 15, 16)]
    for script in SCRIPTS[:5] + future:
        proof = mined(made, work_on_tip(made, payout=script))
        add("SC-005", f"payout: a script of {len(script)} bytes, {script[:3].hex()}", proof.encode(), "valid")


def _null_data(book, made, add, data, null_data_at):
    witness = bytes.fromhex("24aa21a9ed")
    scripts = {
        "OP_RETURN alone": b"",
        "a push of nothing": b"\0",
        "one byte, pushed by a number": b"\x51",
        "a byte missing": b"\2\7",
        "a byte too many": b"\1\7\7",
        "75 bytes, pushed the long way": b"\x4c\x4b" + bytes(75),
        "76 bytes, pushed the longer way": b"\x4d\x4c\0" + bytes(76),
        "76 bytes, pushed as fewer are": b"\x4c" + bytes(76),
        "81 bytes": b"\x4c\x51" + bytes(81),
        "two pushes": b"\1\7\1\7",
        "a witness commitment": witness + bytes(32),
    }
    scripts = {name: b"\x6a" + script for name, script in scripts.items()} | {"no OP_RETURN": b"\1\7"}
    rest = data[null_data_at + 1 :]
    for name, script in scripts.items():
        add("SC-010", f"null data: {name}", data[:null_data_at] + bytes([len(script)]) + script + rest)
    add("SC-010", "null data: 84 bytes that are missing", data[:null_data_at] + b"\x54")
    add("SC-002", "83 bytes of null data that are missing", data[:null_data_at] + b"\x53")
    flag = bytes([2]) + rest[17:]
    add("SC-010", "null data before the witness flag", data[:null_data_at] + b"\1\x6a" + rest[:16] + flag)
    good = [bytes([size]) + bytes(size) for size in (1, 2, 75)]
    good += [b"\x4c" + bytes([size]) * (size + 1) for size in (76, 80)]
    good += [b"\1\x51", witness[:-1] + b"\xee" + bytes(32), b"\x23" + witness[1:] + bytes(31)]
    for script in (b"", *(b"\x6a" + end for end in good)):
        proof = mined(made, work_on_tip(made).with_share(null_data=script))
        add("SC-010", f"null data: {len(script)} bytes, {script[:6].hex() or 'none'}", proof.encode(), "valid")


def _witness(book, made):
    for name, witness in (("no witness commitment", None), ("a witness commitment", bytes(32))):
        proof = mined(made, replace(work_on_tip(made), witness=witness))
        book.add("SC-006", f"{name} is allowed", "chain", [line(proof)])


def _branches(book, made, proof):
    siblings = tuple(bytes([number]) * 32 for number in range(BRANCH_MAX + 1))
    long = replace(proof, branch=siblings, tail=b"", prefix_length=128)
    book.add("SC-007", "15 siblings", "chain", [line(long, "SC-007")])
    for count in (0, 1, BRANCH_MAX):
        good = mined(made, work_on_tip(made, branch=siblings[:count]))
        book.add("SC-007", f"{count} siblings", "chain", [line(good)])


def _counts(book, made):
    many = work_on_tip(made).with_share(shares_count=IDS_MAX)
    book.add("SC-009", "a share that would list 1,024", "chain", [line(mined(made, many))])
    more = mined(made, many.with_share(shares_count=IDS_MAX + 1))
    book.add("SC-009", "a share that would list 1,025", "chain", [line(more, "SC-009")])
    tip = made.chain.tip
    book.add("SC-009", "a list of 1,025", "chain", [list_line(tip.id, [bytes(32)] * (IDS_MAX + 1), "SC-009")])


def _binding(book):
    made = book.open("chain")
    work = work_on_tip(made)
    floor = made.params.easiest_share_target
    for hash_rule, fits in (("SC-101", lambda hash_: hash_ > floor), ("SC-209", _above_share_target(made))):
        book.add(hash_rule, "too little work", "chain", [line(work.mine(made.params, fits), hash_rule)])
    both = work.with_share(coinbase_value=0).mine(made.params, _above_share_target(made))
    book.add("SC-209", "too little work, and no value: the lower number is reported", "chain", [line(both, "SC-209")])
    at = made.chain.tip.position(made.params).share_target
    book.add("SC-209", "the work of the position", "chain", [line(work.mine(made.params, lambda hash_: hash_ <= at))])
    book.add("SC-101", "a link has more work than needed", "chain", [line(mined(made, work, link=True), ids=())])
    proof = mined(made, replace(work, branch=(b"\1" * 32, b"\2" * 32)))
    book.add("SC-102", "bound with two siblings", "chain", [line(proof)])
    share = proof.share
    changes = {
        "another payout": {"share": replace(share, payout=SCRIPTS[4])},
        "another signal bit": {"share": replace(share, signals=1)},
        "another coinbase value": {"share": replace(share, coinbase_value=share.coinbase_value + 1)},
        "another Bitcoin height": {"share": replace(share, bitcoin_height=share.bitcoin_height + 1)},
        "Bitcoin height 0": {"share": replace(share, bitcoin_height=0)},
        "siblings swapped": {"branch": proof.branch[::-1]},
        "a sibling left out": {"branch": proof.branch[:1]},
        "another state": {"midstate": bytes(32)},
        "another tail": {"tail": bytes(len(proof.tail))},
        "a block more": {"prefix_length": proof.prefix_length + 64},
    }
    for name, fields in changes.items():
        lines = [line(replace(proof, **fields), "SC-102"), line(proof)]
        book.add("SC-102", f"{name}: the honest proof is judged all the same", "chain", lines)


def _above_share_target(made):
    """Hashes that the floor allows and the position does not."""
    place = made.chain.tip.position(made.params)
    return lambda hash_: place.share_target < hash_ <= made.params.easiest_share_target


def _changed(book, rule, name, verdict, setup="chain", header=None, **share):
    """A case of honest work on the tip with some fields changed before it is mined."""
    made = book.open(setup)
    work = replace(work_on_tip(made), **(header or {})).with_share(**share)
    book.add(rule, name, setup, [line(mined(made, work), verdict)])


def _position(book):
    made = book.open("chain")
    tip, depth = made.chain.tip, made.params.anchor_depth
    for below, verdict in ((depth, "valid"), (depth - 1, "SC-202"), (depth + 1, "SC-202"), (tip.height, "SC-202")):
        anchor = tip.ancestor(tip.height - below).id
        _changed(book, "SC-202", f"anchor {below} links below the parent", verdict, anchor=anchor)
    made = book.open("start")
    genesis = made.chain.genesis.id
    _changed(book, "SC-202", "on genesis the anchor is genesis", "valid", "start", anchor=genesis)
    _changed(book, "SC-202", "on genesis another anchor", "SC-202", "start", anchor=bytes(32))


def _times(book):
    made = book.open("chain")
    least = made.chain.tip.position(made.params).least_time
    for time, verdict in ((least, "SC-203"), (least + 1, "valid")):
        _changed(book, "SC-203", f"time {time - least} above the median", verdict, time=time)
    median = made.best_block.median_time()
    for time, verdict in ((median, "SC-204"), (median + 1, "valid")):
        header = {"bitcoin_time": time}
        _changed(book, "SC-204", f"Bitcoin time {time - median} above the median", verdict, header=header)
    apart, time = made.params.times_apart_s, work_on_tip(made).share.time
    for seconds, verdict in ((apart, "valid"), (apart + 1, "SC-205")):
        header = {"bitcoin_time": time + seconds}
        _changed(book, "SC-205", f"Bitcoin time {seconds} s later", verdict, header=header)
        bitcoin_time = median + 1
        fields = {"header": {"bitcoin_time": bitcoin_time}, "time": bitcoin_time + seconds}
        _changed(book, "SC-205", f"Bitcoin time {seconds} s earlier", verdict, **fields)


def _median(book):
    """A link that is later than the ones above it counts for as many links as the median has times, and no longer."""
    made = book.open("chain")
    start, span = made.chain.tip.time, made.params.median_span
    for seconds in (100, *range(LINK_TIME, LINK_TIME * span, LINK_TIME)):
        made.add(payout=SCRIPTS[1], time=start + seconds, ids=(), link=True)
    for name in ("the oldest of its times is the latest", "the latest time is one link too old"):
        least = made.chain.tip.position(made.params).least_time
        for time, verdict in ((least, "SC-203"), (least + 1, "valid")):
            proof = mined(made, work_on_tip(made).with_share(time=time))
            case = f"time {time - least} above the median, where {name}"
            book.add("SC-203", case, "chain", [*made.lines, line(proof, verdict)])
        made.add(payout=SCRIPTS[1], time=start + LINK_TIME * span, ids=(), link=True)


def _bitcoin(book):
    made = book.open("chain")
    height, bits = made.best_block.height + 1, made.params.pow_limit_bits
    for by, verdict in ((-1, "SC-206"), (0, "valid"), (1, "SC-206")):
        _changed(book, "SC-206", f"bitcoin_height off by {by}", verdict, bitcoin_height=height + by)
    for wrong, verdict in ((bits - 1, "SC-207"), (bits, "valid"), (0x207FFFFE | 1 << 24, "SC-207")):
        _changed(book, "SC-207", f"nBits {wrong:08x}", verdict, header={"bits": wrong})
    _retarget(book)
    _work_fell(book)
    _before_start(book)
    _versions(book)
    _coinbase_length(book)


def _retarget(book):
    """The first block of a period: its interval is measured over one block less than the period has."""
    made = book.open("retarget")
    params, last = made.params, made.best_block
    seconds = last.time - last.ancestor(0).time
    whole_period = seconds * params.retarget_blocks // (params.retarget_blocks - 1)
    cases = (
        ("as expected", bitcoin.next_bits(params, last.bits, seconds), "valid"),
        ("as before", last.bits, "SC-207"),
        ("as if a whole period were measured", bitcoin.next_bits(params, last.bits, whole_period), "SC-207"),
        ("as if there were no bounds", bitcoin.next_bits(params, last.bits, 1), "SC-207"),
    )
    for name, bits, verdict in cases:
        _changed(book, "SC-207", f"at a retarget, nBits {name}: {bits:08x}", verdict, "retarget", {"bits": bits})


def _work_fell(book):
    """Work on an earlier Bitcoin block than the parent's, on the same one, and on a rival of the same work."""
    made = book.open("chain")
    tip = made.chain.tip
    rival = made.block(previous=made.best_block.previous, root=b"\5" * 32)
    blocks = (("below", tip.previous.previous, "SC-208"), ("that", tip.previous, "valid"), ("beside", rival, "valid"))
    for name, previous, verdict in blocks:
        work = miner.work_on(made.chain, tip, previous, SCRIPTS[3], tip.time + 10)
        lines = made.lines + [line(mined(made, work), verdict)]
        book.add("SC-208", f"on the Bitcoin block {name} the parent's", "chain", lines)


def _before_start(book):
    made = book.open("start")
    genesis = made.chain.genesis
    for by, verdict in ((-1, "SC-211"), (0, "valid")):
        height = made.params.start_height + by
        previous = made.best_block.ancestor(height - 1)
        work = miner.work_on(made.chain, genesis, previous, SCRIPTS[3], previous.time + 600)
        book.add("SC-211", f"bitcoin_height {height}", "start", [line(mined(made, work), verdict)])


def _versions(book):
    for version in (4, 0x20000000, (1 << 31) - 1, 3, 0, -1, -(1 << 31)):
        verdict = "valid" if version >= 4 else "SC-213"
        header = {"version": struct.pack("<i", version)}
        _changed(book, "SC-213", f"version {version}", verdict, header=header)
    three = {"version": struct.pack("<i", 3)}
    name = "version 3, and no value: the lower number is reported"
    _changed(book, "SC-213", name, "SC-210", "chain", three, coinbase_value=0)
    made = book.open("chain")
    proof = mined(made, replace(work_on_tip(made), version=three["version"], payouts=((SCRIPTS[3], 1),)))
    book.add("SC-213", "version 3, and a wrong payout", "chain", [line(proof, "SC-213")])


def _coinbase_length(book):
    """Coinbases with one more output, which no rule allows: it fills them up to a length."""
    made = book.open("chain")
    work, most = work_on_tip(made), made.params.prefix_bytes_max

    def filled(length):
        missing = length - mined(made, work).prefix_length - 9
        return mined(made, replace(work, payouts=(*work.payouts, (bytes(missing), 0))))

    for length, verdict in ((most - 1, "SC-301"), (most, "SC-301"), (most + 1, "SC-214")):
        name = f"{length} bytes before the last output, where {most} are allowed"
        book.add("SC-214", name, "chain", [line(filled(length), verdict)])
    old = replace(work, version=struct.pack("<i", 3), payouts=(*work.payouts, (bytes(250), 0)))
    name = "a coinbase too long, and version 3: the lower number is reported"
    book.add("SC-214", name, "chain", [line(mined(made, old), "SC-213")])


def _value(book):
    made = book.open("chain")
    tip = made.chain.tip
    created, most = made.chain.created(made.best_block), bitcoin.MAX_MONEY_SAT
    for value, verdict in ((created - 1, "SC-210"), (created, "valid"), (most, "valid"), (most + 1, "SC-210")):
        extra = value - created
        work = miner.work_on(made.chain, tip, made.best_block, SCRIPTS[3], tip.time + 10, (), extra)
        book.add("SC-210", f"coinbase_value {value}", "chain", [line(mined(made, work), verdict)])
    made = book.open("early")
    for name, parent in (("before", made.chain.tip.parent), ("at", made.chain.tip)):
        created = made.chain.created(parent.previous)
        for less, verdict in ((1, "SC-210"), (0, "valid")):
            work = miner.work_on(made.chain, parent, parent.previous, SCRIPTS[3], parent.time + 10, (), -less)
            case = f"coinbase_value {created - less} {name} a halving"
            book.add("SC-210", case, "early", [line(mined(made, work, parent), verdict)])


def _parents(book):
    made = book.open("chain")
    families = {}
    for name, is_link in (("a share", False), ("a link", True)):
        parent = mined(made, work_on_tip(made), link=is_link)
        families[name] = parent, child_of(made, work_on_tip(made), parent)
    share, child = families["a share"]
    book.add("SC-201", "the parent is a share", "chain", [line(share), line(child, "SC-201")])
    link, child = families["a link"]
    book.add("SC-201", "the parent is a link", "chain", [line(link, ids=()), line(child)])
    book.add("SC-201", "the parent is a link whose list is not known", "chain", [line(link), line(child)])
    bad = mined(made, work_on_tip(made).with_share(anchor=bytes(32)), link=True)
    orphan = child_of(made, work_on_tip(made), bad)
    book.add("SC-212", "the parent is invalid", "chain", [line(bad, "SC-202"), line(orphan, "SC-212")])
    lines = [line(orphan, "held"), line(bad, "SC-202"), {"claim": "proof", "id": orphan.id.hex(), "verdict": "SC-212"}]
    book.add("SC-212", "the parent turns out to be invalid", "chain", lines)
    book.add("SC-212", "the parent is valid", "chain", [line(link, ids=()), line(child)])


def child_of(made, work, parent):
    """A share on `parent`, a proof on the tip that the chain does not know; as if `parent` were a valid link."""
    tip, below = made.chain.tip, made.chain.tip.position(made.params)
    anchor = tip.ancestor(max(0, tip.height + 1 - made.params.anchor_depth))
    place = replace(below, anchor=anchor, least_snapshot=made.chain.snapshot(below, made.best_block))
    payouts = made.chain.payouts(place, made.best_block, work.share.payout, work.share.coinbase_value)
    work = replace(work, payouts=tuple(payouts)).with_share(
        parent=parent.id, anchor=anchor.id, time=work.share.time + 10
    )
    return mined(made, work)

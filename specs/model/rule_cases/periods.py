"""SC-204, SC-207 and the weights where late blocks have the easiest nBits, as on testnet4."""

import struct
from dataclasses import replace

from shoal_model import bitcoin, miner
from shoal_model.made_chain import SCRIPTS, link_claim
from shoal_model.sha256 import double

from .base import in_order, line, mined, work_on_tip


def add_to(book):
    _late(book)
    _after_a_late_block(book)
    _first_of_a_period(book)
    _weights(book)


def _headers_and_proofs(book, setup, name, cases, before=()):
    """Each case as a Bitcoin header and as a proof, on the best block. `cases` are (rule, what, time, nBits, is_valid)."""
    made = book.open(setup)
    for raw in before:
        made.chain.add_header(raw)
        made.blocks.append(made.chain.headers.get(double(raw)))
    lines = [{"header": raw.hex()} for raw in before]
    block = made.best_block
    for rule, what, time, bits, is_valid in cases:
        raw = _header(block, time, bits)
        shown = {"header": raw.hex(), "verdict": "valid" if is_valid else "invalid"}
        book.add(rule, f"{name}, a header {what}", setup, [*lines, shown])
        work = replace(work_on_tip(made), bitcoin_time=time, bits=bits)
        proof = mined(made, work)
        book.add(rule, f"{name}, a proof {what}", setup, [*lines, line(proof, "valid" if is_valid else rule)])


def _header(previous, time, bits):
    target = miner.expand(bits)
    start = miner.BLOCK_VERSION + previous.hash + bytes(32)
    return miner.grind(start + struct.pack("<III", time, bits, 0), lambda hash_: hash_ <= target)


def _late(book):
    made = book.open("easing")
    params, last = made.params, made.best_block
    due, easiest = bitcoin.period_bits(params, last), params.pow_limit_bits
    late = last.time + params.min_difficulty_after_s
    cases = (
        ("SC-207", "1,200 s later with the period's nBits", late, due, True),
        ("SC-207", "1,200 s later with the easiest nBits", late, easiest, False),
        ("SC-207", "1,201 s later with the period's nBits", late + 1, due, False),
        ("SC-207", "1,201 s later with the easiest nBits", late + 1, easiest, True),
    )
    _headers_and_proofs(book, "easing", "inside a period", cases)


def _after_a_late_block(book):
    """The block after one with the easiest nBits has those of the period again, unless it is late itself."""
    made = book.open("easing")
    params, last = made.params, made.best_block
    due, easiest = bitcoin.period_bits(params, last), params.pow_limit_bits
    late = last.time + params.min_difficulty_after_s + 1
    raw = _header(last, late, easiest)
    again = late + params.min_difficulty_after_s + 1
    cases = (
        ("SC-207", "a second later with the period's nBits", late + 1, due, True),
        ("SC-207", "a second later with the nBits of the block before", late + 1, easiest, False),
        ("SC-207", "1,201 s later with the period's nBits", again, due, False),
        ("SC-207", "1,201 s later with the easiest nBits", again, easiest, True),
    )
    _headers_and_proofs(book, "easing", "after a late block", cases, [raw])


def _first_of_a_period(book):
    """It is never easiest. Its nBits follow from the first block of the period before, not from the late last one."""
    made = book.open("easing_end")
    params, last = made.params, made.best_block
    first = last.ancestor(last.height + 1 - params.retarget_blocks)
    seconds = last.time - first.time
    due, from_last = (bitcoin.next_bits(params, bits, seconds) for bits in (first.bits, last.bits))
    late = last.time + params.min_difficulty_after_s + 1
    cases = (
        ("SC-207", "with the period's nBits", last.time + 1, due, True),
        ("SC-207", "with nBits that follow from the last block", last.time + 1, from_last, False),
        ("SC-207", "that is late, with the period's nBits", late, due, True),
        ("SC-207", "that is late, with the easiest nBits", late, params.pow_limit_bits, False),
        ("SC-204", "600 s before the last block", last.time - params.timewarp_s, due, True),
        ("SC-204", "601 s before the last block", last.time - params.timewarp_s - 1, due, False),
        ("SC-204", "that is early and has other nBits", last.time - params.timewarp_s - 1, from_last, False),
    )
    _headers_and_proofs(book, "easing_end", "first of a period", cases)
    inner = book.open("easing")
    early = inner.best_block.median_time() + 1
    bits = bitcoin.period_bits(inner.params, inner.best_block)
    cases = (("SC-204", "as early as the median allows", early, bits, True),)
    _headers_and_proofs(book, "easing", "inside a period", cases)


def _weights(book):
    """A proof with the easiest nBits earns what one with its period's earns."""
    for name, easy in (("the period's", False), ("the easiest", True)):
        made = book.open("easing")
        shares = [_tell(made, easy, payout, link=False) for payout in (SCRIPTS[1], SCRIPTS[2])]
        link = _tell(made, easy, SCRIPTS[0], True, in_order(*shares))
        claim = link_claim(link)
        book.add("SC-411", f"a link and its shares with {name} nBits", "easing", [*made.lines, claim])


def _tell(made, easy, payout, link, ids=()):
    params, block = made.params, made.best_block
    time = block.time + params.min_difficulty_after_s + easy
    bits = bitcoin.expected_bits(params, block, time)
    work = replace(work_on_tip(made, payout, ids), bitcoin_time=time, bits=bits)
    return made.tell(mined(made, work, link=link), ids)

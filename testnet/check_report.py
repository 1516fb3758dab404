#!/usr/bin/env python3
"""Checks a test network's report without any of the program's code.

From the rules alone (specs/payouts.md), it recomputes for every Bitcoin block in the report which outputs its coinbase
must have: who is paid, in which order, how much, and the commitment last. Only Python's standard library is used.

    check_report.py REPORT [--network local-wide] [--outputs-min N] [--blocks-min N] [--shared-min N] [--agreed] [--lost-max N] [--rss-max BYTES]
                           [--expired-max N] [--p99-max MS] [--fair A,B]
    check_report.py --self-test
"""

import argparse
import hashlib
import json
import sys
from bisect import bisect_right
from itertools import accumulate
from math import sqrt

# The constants of the local networks and regtest that payouts depend on, written down again on purpose.
OUTPUTS_MAX = {"local": 48, "local-wide": 1000, "regtest": 48}
OUTPUT_FLOOR_SAT = 10_000
LISTED_BEFORE_PAYOUTS = 48
HALVING_BLOCKS = {"local": 210_000, "local-wide": 210_000, "regtest": 150}
FIRST_SUBSIDY_SAT = 50 * 100_000_000
NAME = b"/shoal/"
WITNESS_MAGIC = bytes.fromhex("6a24aa21a9ed")
COMMITMENT_MAGIC = bytes.fromhex("6a20")


class Wrong(Exception):
    """Something in the report is not as the rules want it."""


def demand(condition, sentence):
    if not condition:
        raise Wrong(sentence)


def sha256(data):
    return hashlib.sha256(data).digest()


# --- The coinbase, byte by byte -------------------------------------------------------------------------------------


class Reader:
    """Takes a transaction apart."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count):
        demand(self.at + count <= len(self.data), "the coinbase ends too early")
        piece = self.data[self.at : self.at + count]
        self.at += count
        return piece

    def number(self, count):
        return int.from_bytes(self.take(count), "little")

    def compact(self):
        first = self.number(1)
        return first if first < 0xFD else self.number({0xFD: 2, 0xFE: 4, 0xFF: 8}[first])

    def prefixed(self):
        return self.take(self.compact())


def parse_coinbase(data):
    """Returns (version, scriptSig, sequence, [(value, script)], locktime) of a transaction with one null input."""
    reader = Reader(data)
    version = reader.number(4)
    with_witness = reader.data[reader.at : reader.at + 2] == b"\x00\x01"
    if with_witness:
        reader.take(2)
    demand(reader.compact() == 1, "a coinbase has one input")
    demand(reader.take(36) == bytes(32) + b"\xff" * 4, "a coinbase spends nothing")
    script_sig = reader.prefixed()
    sequence = reader.number(4)
    outputs = [(reader.number(8), reader.prefixed()) for _ in range(reader.compact())]
    if with_witness:
        items = [reader.prefixed() for _ in range(reader.compact())]
        demand(items == [bytes(32)], "the witness of a coinbase is 32 zero bytes")
    locktime = reader.number(4)
    demand(reader.at == len(data), "bytes follow the coinbase")
    return version, script_sig, sequence, outputs, locktime


def height_push(height):
    """BIP-0034: the height as a script pushes a number."""
    if height == 0:
        return b"\x00"
    if height <= 16:
        return bytes([0x50 + height])
    number = height.to_bytes((height.bit_length() + 8) // 8, "little")
    return bytes([len(number)]) + number


def check_frame(block, parsed):
    """Everything of a coinbase but its payouts, which are returned."""
    version, script_sig, sequence, outputs, locktime = parsed
    height = block["height"]
    demand(version == 2, f"version is {version}, not 2")
    demand(sequence == 0xFFFFFFFE, "the sequence is not the one BIP 54 wants")
    demand(locktime == height - 1, f"locktime is {locktime}, not the height less one")
    start = height_push(height) + bytes([len(NAME)]) + NAME + b"\x10"
    demand(script_sig.startswith(start), "the scriptSig does not start with height, name and a push of 16 bytes")
    demand(len(script_sig) == len(start) + 16, "the scriptSig does not end with 16 bytes of extranonce")
    demand(outputs, "there is no output")
    value, script = outputs.pop()
    commitment = value == 0 and script[:2] == COMMITMENT_MAGIC and len(script) == 34
    demand(commitment, "the last output is not the commitment")
    if outputs and outputs[-1][1].startswith(WITNESS_MAGIC):
        value, script = outputs.pop()
        demand(value == 0 and len(script) == 38, "the witness commitment is malformed")
    demand(all(script[:1] != b"\x6a" for _, script in outputs), "an output among the payouts pays nobody")
    return outputs


# --- Who is paid, and how much --------------------------------------------------------------------------------------


def exact_and_tail(ranked, outputs):
    """How many of the ranked dues are paid exactly with that many outputs, and the even payment to the others."""
    if outputs == len(ranked):
        return outputs, None
    rest = sum(weight for weight, _ in ranked)
    for exact in range(outputs):
        tail = rest // (outputs - exact)
        if tail >= ranked[exact][0]:
            return exact, tail
        rest -= ranked[exact][0]
    raise AssertionError("one payment of the whole rest is never below the next due")


def select(weights, seed, subsidy_sat, outputs_max=OUTPUTS_MAX["local"]):
    """The (script, weight) pairs that a coinbase pays, in order. `weights` maps scripts to weights."""
    dues = [(weight, script) for script, weight in weights.items() if weight > 0]
    ranked = sorted(dues, key=lambda due: (-due[0], due[1]))
    for outputs in range(min(outputs_max, len(ranked)), 0, -1):
        exact, tail = exact_and_tail(ranked, outputs)
        drawn = outputs - exact
        total = sum(weight for weight, _ in ranked[:exact]) + drawn * (tail or 0)
        smallest = tail if drawn else ranked[exact - 1][0]
        if outputs == 1 or subsidy_sat * smallest // total >= OUTPUT_FLOOR_SAT:
            break
    paid = [(script, weight) for weight, script in ranked[:exact]]
    return paid + [(script, tail) for script in draw(ranked[exact:], seed, tail, drawn)]


def draw(claims, seed, step, count):
    """Points at equal distances on a line of all claims, in an order that the seed decides."""
    if count == 0:
        return []
    tag = sha256(b"shoal/draw")
    key = sha256(tag + tag + seed)
    line = sorted(claims, key=lambda claim: sha256(key + key + claim[1]))
    ends = list(accumulate(weight for weight, _ in line))
    first = int.from_bytes(sha256(key + key)[:16], "big") * step >> 128
    return [line[bisect_right(ends, first + j * step)][1] for j in range(count)]


def amounts(paid, value_sat):
    total = sum(weight for _, weight in paid)
    outputs = [(value_sat * weight // total, script) for script, weight in paid]
    left = value_sat - sum(value for value, _ in outputs)
    return [(outputs[0][0] + left, outputs[0][1])] + outputs[1:]


def subsidy(height, network="local"):
    return FIRST_SUBSIDY_SAT >> (height // HALVING_BLOCKS[network])


def expected_payouts(block, network="local"):
    weights = {bytes.fromhex(due["script"]): int(due["weight"]) for due in block["weights"]}
    demand(len(weights) == len(block["weights"]), "a script has two weights")
    demand(block["snapshot_listed"] is not None, "no node could tell what was listed up to the snapshot")
    if block["snapshot_listed"] < LISTED_BEFORE_PAYOUTS or not any(weights.values()):
        return [(block["value_sat"], bytes.fromhex(block["finder_script"]))]
    seed = bytes.fromhex(block["seed"])[::-1]
    return amounts(select(weights, seed, subsidy(block["height"], network), OUTPUTS_MAX[network]), block["value_sat"])


# --- The report -----------------------------------------------------------------------------------------------------


def check_block(block, by_hash, network="local"):
    """Checks one block and returns the number of its payees."""
    demand(block["accepted_by"], "no node's Bitcoin accepted it")
    demand(block["value_sat"] >= subsidy(block["height"], network), "it leaves a part of the subsidy unpaid")
    payouts = check_frame(block, parse_coinbase(bytes.fromhex(block["coinbase_hex"])))
    told = [(output["value_sat"], bytes.fromhex(output["script"])) for output in block["outputs"]]
    demand(payouts == told, "the report's outputs are not those of the coinbase")
    demand(sum(value for value, _ in payouts) == block["value_sat"], "the outputs do not add up to the value")
    expected = expected_payouts(block, network)
    demand(payouts == expected, f"the coinbase pays {show(payouts)}, the rules want {show(expected)}")
    parent = by_hash.get(block["prev_hash"])
    if parent is not None:
        demand(parent["height"] == block["height"] - 1, "its height is not its parent's plus one")
        demand(parent["prev_hash"] == block["seed"], "the seed is not the hash of the block before its parent")
    return len(payouts)


def show(payouts):
    return ", ".join(f"{value} to {script.hex()[:16]}" for value, script in payouts)


def check_agreed(nodes):
    running = [node for node in nodes if node["condition"] == "running"]
    demand(len(running) == len(nodes), "not every node runs")
    for node in running[1:]:
        demand(node["tip"] == running[0]["tip"], f"nodes {running[0]['name']} and {node['name']} differ in tip")
        demand(
            window_of(node) == window_of(running[0]),
            f"nodes {running[0]['name']} and {node['name']} have the same tip and different window weights",
        )


def window_of(node):
    return {row["script"]: (int(row["weight"]), row["shares"]) for row in node["window"]}


def check_fair(report, first, second):
    """The parts of two miners in the window are those of their work, but for luck.

    Of `n` shares of both, each is the first one's with the chance of its part in the hashes, `p`: the part of the
    shares that it gets has the standard deviation sqrt(p * (1 - p) / n). For the part of the weight, n is replaced by
    the number of equal shares that would scatter as much, n / (1 + v^2) where v is the standard deviation of single
    weights as a part of their mean; targets that follow a steady hashrate keep it below a half. Four standard
    deviations: a false alarm in 16,000 runs.
    """
    miners = {miner["name"]: miner for miner in report["miners"]}
    demand(first in miners and second in miners, f"there are no miners {first} and {second}")
    work = [miners[name]["hashes"] for name in (first, second)]
    window = window_of(report["nodes"][0])
    (weight_a, shares_a), (weight_b, shares_b) = (window.get(miners[name]["script"], (0, 0)) for name in (first, second))
    shares, weight = shares_a + shares_b, weight_a + weight_b
    demand(shares >= 100, f"{shares} shares are too few to judge {first} and {second}")
    due = work[0] / sum(work)
    for what, part, count in (("shares", shares_a / shares, shares), ("weight", weight_a / weight, shares / 1.25)):
        bound = 4 * sqrt(due * (1 - due) / count)
        print(f"{first} has {part:.4f} of the {what} that it shares with {second}; due {due:.4f} +- {bound:.4f}")
        demand(abs(part - due) <= bound, f"{first} and {second} are not paid alike: see the {what}")


def check_report(report, args):
    blocks = report["blocks"]
    by_hash = {block["hash"]: block for block in blocks}
    shared = most = 0
    for block in blocks:
        try:
            payees = check_block(block, by_hash, args.network or report["network"])
        except Wrong as wrong:
            raise Wrong(f"block {block['height']} ({block['hash']}): {wrong}") from None
        shared += payees > 1
        most = max(most, payees)
    print(f"{len(blocks)} blocks, {shared} of which pay more than one miner: every output is as the rules want it")
    print(f"one coinbase has {most} payouts, more than any other")
    demand(most >= args.outputs_min, f"a coinbase with {args.outputs_min} payouts was asked for")
    demand(len(blocks) >= args.blocks_min, f"{args.blocks_min} blocks were asked for")
    demand(shared >= args.shared_min, f"{args.shared_min} blocks with more than one payee were asked for")
    if args.agreed:
        check_agreed(report["nodes"])
        print(f"{len(report['nodes'])} nodes agree on tip and window weights")
    if args.lost_max is not None:
        lost = report["shares"]["lost"]
        demand(lost <= args.lost_max, f"{lost} shares that a node took are lost")
        print(f"{report['shares']['found']} shares found, {lost} lost")
    if args.expired_max is not None:
        expired = report["shares"]["expired"] + report["shares"]["held"]
        demand(expired <= args.expired_max, f"{expired} shares came too late to be listed, or are held")
    if report.get("link"):
        check_link(report["link"], args.p99_max)
    if args.rss_max is not None:
        most = max(node["rss_bytes_max"] for node in report["nodes"])
        demand(most <= args.rss_max, f"a node used {most} bytes of memory")
        print(f"no node used more than {most / 1e6:.0f} MB")
    if args.fair:
        check_fair(report, *args.fair.split(","))


def check_link(link, p99_max):
    """Nothing passes faster than the lines, and hardly anything much slower."""
    found = link["propagation"]
    packets = link["packets_lost"] + link["packets_delivered"] + link["packets_overflowed"]
    print(
        f"{found['samples']} passages of shares: p50 {found['p50_ms']} ms, p99 {found['p99_ms']} ms; the lines alone take"
        f" {found['floor_p50_ms']} and {found['floor_p99_ms']} ms; {link['packets_lost']} of {packets} packets were lost,"
        f" {link['packets_overflowed']} found a queue full"
    )
    demand(found["p50_ms"] >= found["floor_p50_ms"], "shares were faster than their lines")
    if p99_max is not None:
        demand(found["p99_ms"] <= p99_max, f"99% of the shares took up to {found['p99_ms']} ms")


# --- A check of the checker -----------------------------------------------------------------------------------------


def push(data):
    return bytes([len(data)]) + data


def example_block(height, weights, seed, value_sat, finder, change=None):
    """A block by hand, as the rules want it, with one thing changed if `change` says so."""
    block = {
        "hash": "11" * 32, "height": height, "prev_hash": "22" * 32, "finder_node": "A", "finder_script": finder.hex(),
        "accepted_by": ["A"], "value_sat": value_sat, "snapshot": "33" * 32, "seed": seed[::-1].hex(),
        "weights": [{"script": script.hex(), "weight": str(weight)} for script, weight in weights.items()],
        "snapshot_listed": 40 if change == "early" else 500,
    }
    payouts = expected_payouts(block)
    if change == "amount":
        payouts[0], payouts[1] = (payouts[0][0] - 1, payouts[0][1]), (payouts[1][0] + 1, payouts[1][1])
    if change == "order":
        payouts[0], payouts[1] = payouts[1], payouts[0]
    block["outputs"] = [{"script": script.hex(), "value_sat": value} for value, script in payouts]
    last = [(0, WITNESS_MAGIC + bytes(32)), (0, COMMITMENT_MAGIC + bytes(32))]
    if change == "commitment":
        last.reverse()
    outputs = payouts + last
    script_sig = height_push(height) + push(NAME) + push(bytes(16))
    raw = (2).to_bytes(4, "little") + b"\x00\x01\x01" + bytes(32) + b"\xff" * 4 + push(script_sig)
    raw += (0xFFFFFFFE).to_bytes(4, "little") + bytes([len(outputs)])
    raw += b"".join(value.to_bytes(8, "little") + push(script) for value, script in outputs)
    raw += b"\x01" + push(bytes(32)) + (height - 1).to_bytes(4, "little")
    block["coinbase_hex"] = raw.hex()
    return block


def self_test():
    scripts = [b"\x00\x14" + bytes([number]) * 20 for number in range(60)]
    seed = bytes(range(32))
    # Three dues, all large: exact, largest first, the remainder to the first.
    few = dict(zip(scripts, (10, 30, 20)))
    demand(select(few, seed, subsidy(200)) == [(scripts[1], 30), (scripts[2], 20), (scripts[0], 10)], "exact part")
    demand(amounts([(scripts[0], 1), (scripts[1], 1), (scripts[2], 1)], 11)[0][0] == 5, "remainder")
    # A due below the floor: one output less; the smallest dues draw for it.
    dust = {scripts[0]: 10**9, scripts[1]: 1, scripts[2]: 1}
    demand([weight for _, weight in select(dust, seed, subsidy(200))] == [10**9 + 2], "floor")
    # 60 dues: 48 outputs, nobody twice, the tail paid evenly.
    many = {script: 1000 + number for number, script in enumerate(scripts)}
    paid = select(many, seed, subsidy(200))
    demand(len(paid) == 48 and len({script for script, _ in paid}) == 48, "48 different outputs")
    paid = select({script + bytes([n]): 1000 + n for script in scripts for n in range(20)}, seed, subsidy(200), 1000)
    demand(len(paid) == 1000 and len({script for script, _ in paid}) == 1000, "1,000 different outputs of 1,200 dues")
    # Over many seeds, each is paid its due on average.
    trials, total = 3000, sum(many.values())
    times = sum(dict(select(many, sha256(bytes([i % 256, i // 256])), subsidy(200))).get(scripts[7], 0) for i in range(trials))
    share, due = times / trials / total, many[scripts[7]] / total
    demand(abs(share - due) < 0.04 * due, f"expectation {share} against {due}")
    # Whole blocks, right and wrong.
    for weights in (few, dust, many, {}):
        check_block(example_block(200, weights, seed, subsidy(200) + 777, scripts[3]), {})
    early = example_block(200, many, seed, subsidy(200), scripts[3], "early")
    demand(check_block(early, {}) == 1, "the finder alone")
    for change in ("amount", "order", "commitment"):
        try:
            check_block(example_block(200, few, seed, subsidy(200) + 777, scripts[3], change), {})
        except Wrong:
            continue
        raise Wrong(f"a wrong {change} was not noticed")
    print("the checker notices what it should")


def main():
    parser = argparse.ArgumentParser(description="Recomputes every payout of a test network's report.")
    parser.add_argument("report", nargs="?", help="the file that `shoal-testnet up --report` wrote")
    parser.add_argument("--blocks-min", type=int, default=0, help="Bitcoin blocks that must be in it")
    parser.add_argument("--shared-min", type=int, default=0, help="blocks that must pay more than one miner")
    parser.add_argument("--network", choices=OUTPUTS_MAX, help="the constants that hold [default: those of the report's network]")
    parser.add_argument("--outputs-min", type=int, default=0, help="payouts that some block must have")
    parser.add_argument("--agreed", action="store_true", help="all nodes must have one tip and one window")
    parser.add_argument("--lost-max", type=int, help="shares that may be lost")
    parser.add_argument("--expired-max", type=int, help="shares that may have come too late, or are not judged at the end")
    parser.add_argument("--rss-max", type=int, help="bytes of memory that a node may use")
    parser.add_argument("--p99-max", type=int, metavar="MS", help="milliseconds that 99%% of the shares may take from node to node")
    parser.add_argument("--fair", metavar="MINER,MINER", help="two miners of equal hashrate to compare")
    parser.add_argument("--self-test", action="store_true", help="check the checker")
    args = parser.parse_args()
    try:
        if args.self_test:
            self_test()
            return 0
        if args.report is None:
            parser.error("name a report")
        with open(args.report, encoding="utf-8") as file:
            check_report(json.load(file), args)
        return 0
    except (Wrong, OSError, ValueError, KeyError, TypeError) as error:
        print(f"check_report.py: {type(error).__name__}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())

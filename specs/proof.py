#!/usr/bin/env python3
"""Verifies a payout proof of Shoal: python3 proof.py FILE [BLOCK HASH]. Needs Python 3.9, no package, node or network.
Checks are numbered as in protocol.md, section 16. Ask any Bitcoin node or explorer whether its chain has the block."""
import re
import sys
from functools import reduce
from hashlib import sha256
from io import BytesIO

# Pools by consensus id: outputs_max, output_floor_sat, halving_blocks, seed_depth (section 3).
POOLS = {
    "bfcec99aa5e8518e2e54746a50391492687eaae6e8362e91b17027ed76e1dfc7": (48, 10_000, 210_000, 2),  # main
    "7d1abcb3b0883675af4069ba7c105c91d137cba1046c2c2b36e781d4f1fdc1b1": (48, 10_000, 210_000, 2),  # signet
    "f1ba06ac1c291581e08448f5d18657195d4c68b1b90bd3e9c97906a3a084bd0c": (48, 10_000, 210_000, 1),  # local
    "25a3f5b63d055ffec0757ba33153110ac7b3782740074e84165f0698095aa154": (48, 10_000, 210_000, 2),  # testnet4
    "e39836d431043e1cad958d5b690c3f203717ea9de46f9756962edb88bb5dfb98": (48, 10_000, 150, 1),  # regtest
    "7602916b9b64206082d608aed09a9e24abf8f0c5ad7b69b6b56bf774faa9b42b": (48, 10_000, 210_000, 2),  # rehearsal
    "6c990737a5d9f84635a623d22316db74d21423aefa979421be75df696741824a": (1000, 10_000, 210_000, 2),  # main-wide
    "350ad511f4bcb7ff3fe513031ce7fc344a0699b4da8b9f7a2b903f2b7386bbaa": (1000, 10_000, 210_000, 2),  # signet-wide
    "18494d20c43812701c1e712f65dbb1c23d90fd7abcda49483987ae9a1c37ab94": (1000, 10_000, 210_000, 1),  # local-wide
    "0094495518cccd08c2eab37f50fc50eb018f28f3f08d55b8e8512557f8d21c08": (1000, 10_000, 210_000, 2),  # testnet4-wide
    "5419388e0eaf24eca258175e0b36bdf7a383c26a3e82df81f7c6654c3412e65a": (1000, 10_000, 150, 1),  # regtest-wide
    "366afba89ec502f0fe7a896616a50dc3d60a66cc9da8bc6cf73579761882f56f": (1000, 10_000, 210_000, 2),  # rehearsal-wide
}
PAYABLE = re.compile(rb"\x76\xa9\x14.{20}\x88\xac|\xa9\x14.{20}\x87|\0\x14.{20}|[\0\x51-\x60]\x20.{32}", re.S)
sha = lambda data: sha256(data).digest()
double = lambda data: sha(sha(data))
tagged = lambda tag, data: sha(sha(tag.encode()) * 2 + data)
le = lambda value, size: value.to_bytes(size, "little")
sized = lambda data: le(len(data), 1) + data

def need(holds, otherwise):
    if not holds:
        raise ValueError(otherwise)

def coinbase(h, extranonce, outputs):  # section 5
    push = b"\0" if h == 0 else le(0x50 + h, 1) if h <= 16 else sized(le(h, h.bit_length() // 8 + 1))
    text = sized(push + b"\7/shoal/" + sized(extranonce))
    start = b"\2\0\0\0\1" + bytes(32) + b"\xff" * 4 + text + b"\xfe\xff\xff\xff"
    count = le(len(outputs), 1) if len(outputs) < 253 else b"\xfd" + le(len(outputs), 2)
    return start + count + b"".join(le(value, 8) + sized(script) for value, script in outputs) + le(max(0, h - 1), 4)

def tree(first, end, shown, siblings, starts, total):
    # Section 15: hash and sum of the leaves from first to end. The sum before a leaf that is shown goes to `starts`.
    leaves = [due for due in shown if first <= due[0] < end]
    if leaves and end - first > 1:
        middle = first + (1 << (end - first - 1).bit_length() - 1)
        left, before = tree(first, middle, shown, siblings, starts, total)
        right, after = tree(middle, end, shown, siblings, starts, total + before)
        return tagged("shoal/node", left + le(before, 16) + right + le(after, 16)), before + after
    need(leaves or siblings, "nodes of the tree are missing")
    starts.update({index: total for index, _, _ in leaves})
    nodes = [(tagged("shoal/leaf", le(weight, 16) + sized(script)), weight) for _, weight, script in leaves]
    return nodes[0] if nodes else siblings.pop(0)

def verify(data):
    """Returns finding, satoshi, output, script and block hash. Raises ValueError where the proof does not hold."""
    file = BytesIO(data + bytes(65536))  # a proof that ends early goes on with zeros, and then has the wrong length
    take = file.read
    number = lambda size: int.from_bytes(take(size), "little")
    script = lambda: take(number(1))
    some = lambda read, size=1: [read() for _ in range(number(size))]
    magic, pool, own, header, ancestors = take(9), take(32), script(), take(80), some(lambda: take(80))
    share, version, _, state_root, finder, _ = file.tell(), number(4), take(98), take(32), script(), take(4)
    height, value, _, null_data, share = number(4), number(8), take(4), script(), data[share : file.tell()]
    extranonce, witness, branch = take(16), some(lambda: take(32)), some(lambda: take(32))
    payouts, rest, dues, exact = some(lambda: (number(8), script()), 2), take(52 + 68 + 32), number(4), number(2)
    shown, siblings = some(lambda: (number(4), number(16), script())), some(lambda: (take(32), number(16)))
    payees = [payee for _, payee in payouts]
    need(magic == b"shoalpay\1" and version == 2, "this is no proof of version 1")
    need(file.tell() == len(data), "the proof is too short or too long")
    need(len(witness) < 2 and len(branch) < 15, "a count is too large")
    payable = all(PAYABLE.fullmatch(script) for script in [own, finder] + payees + [due[2] for due in shown])
    need(payable, "a script is not one that Shoal pays")
    need(pool.hex() in POOLS, "the pool is unknown")
    outputs_max, floor, halving, seed_depth = POOLS[pool.hex()]
    mantissa, exponent = int.from_bytes(header[72:75], "little"), header[75]  # check 1
    met = exponent <= 32 and int.from_bytes(double(header), "little") <= mantissa << 8 * exponent >> 24
    need(met and mantissa < 1 << 23, "the header lacks the work of its nBits")
    outputs = payouts + [(0, null_data)] * bool(null_data)  # check 2
    outputs += [(0, b"\x6a\x24\xaa\x21\xa9\xed" + hash_) for hash_ in witness]
    outputs += [(0, b"\x6a\x20" + tagged("shoal/commitment", pool + share))]
    root = reduce(lambda left, right: double(left + right), branch, double(coinbase(height, extranonce, outputs)))
    need(root == header[36:68], "the coinbase is not in the block")
    need(sum(amount for amount, _ in payouts) == value, "the payouts do not add up")
    starts = {}  # check 3
    root, total = tree(0, dues, shown, siblings, starts, 0) if dues else (bytes(32), 0)
    need(not siblings and list(starts) == [due[0] for due in shown], "the tree has other parts")
    state = tagged("shoal/state", le(dues, 4) + le(total, 16) + root + rest)
    need(state == state_root, "the dues do not lead to the state root")
    seed = header[4:36]
    for ancestor in ancestors:  # check 4
        need(double(ancestor) == seed, "the headers do not lead to the seed")
        seed = ancestor[4:36]
    need(len(ancestors) == min(seed_depth, max(0, height - 1)), "the headers do not lead to the seed")
    block = double(header)[::-1].hex()
    if not dues:  # check 5
        need(exact == 0 and payees == [finder], "the finder is not paid alone")
        return ("finder", value, 0, own, block) if own == finder else ("other_finder", 0, None, own, block)

    last = [due for due in shown if due[0] == exact - 1]
    drawn = [due for due in shown if due[0] >= exact]
    mine = [due for due in shown if due[2] == own][:1]
    need(len(last) == min(1, exact) and all(due in (mine or drawn) + last for due in shown), "other dues are shown")
    count, points = len(payouts), len(payouts) - exact
    need(1 <= count <= min(outputs_max, dues), "the number of outputs does not follow")  # check 6
    follows = points == 0 if count == dues else points > 0
    step = sum(weight for _, weight, _ in last)  # check 7: the weight of the last exact due, and then T
    first = sum(starts[index] for index, _, _ in last) + step
    follows &= total - first < step * points or not last if points else total == first
    step, total = ((total - first) // points, total - (total - first) % points) if points else (step, total)
    need(follows and step and all(due[1] <= step for due in drawn), "the number of exact outputs does not follow")
    need(count == 1 or (5_000_000_000 >> height // halving) * step >= floor * total, "an output is below the floor")
    for index, weight, *script in [due for due in shown if due[0] < exact] + [(at, step) for at in range(exact, count)]:
        more = payouts[index][0] - value * weight // total  # checks 8 and 9
        need(more == 0 or index == 0 and 0 < more < count, f"output {index} pays another amount")
        need(script in ([], [payees[index]]), f"output {index} pays another script")
    draw = lambda script: sha(tagged("shoal/draw", seed) * 2 + script)
    paid, weight, _ = mine[0] if mine else (dues, 0, own)
    if paid >= exact:  # check 10
        start, point = starts.get(paid, total) - first, int.from_bytes(draw(b"")[:16], "big") * step >> 128
        number = max(0, -((point - start) // step))
        paid = exact + number if number < points and point + number * step < start + weight else None
    need(own not in payees if paid is None else own == payees[paid], "an output pays another script")
    if paid is not None:
        return "exact" if paid < exact else "drawn", payouts[paid][0], paid, own, block
    if not mine:  # check 11
        place = max([exact] + [index + 1 for index, _, script in drawn if draw(script) < draw(own)])
        beside = [index for index in (place - 1, place) if exact <= index < dues]
        need([index for index, _, _ in drawn] == beside, "the place of the script is not shown")
    return "not_drawn" if mine else "absent", 0, None, own, block

if __name__ == "__main__":
    try:
        finding, value, output, script, block = verify(open(sys.argv[1], "rb").read())
        need(sys.argv[2:] in ([], [block]), f"it is about block {block}")
        print(f"{finding}: block {block} pays script {script.hex()} {value} sat" + f" in output {output}" * bool(value))
    except (IndexError, OverflowError, OSError, ValueError) as problem:
        sys.exit(f"not a valid proof: {problem}")

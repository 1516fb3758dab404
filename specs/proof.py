#!/usr/bin/env python3
"""Verifies a payout proof of Shoal: python3 proof.py FILE [BLOCK HASH]. Needs Python 3.9, no package, node or network.
Checks are numbered as in protocol.md, section 16. Ask any Bitcoin node or explorer whether its chain has the block."""
import re
import sys
from hashlib import sha256
from io import BytesIO

POOLS = {  # by consensus id: outputs_max, output_floor_sat, halving_blocks, seed_depth (section 3)
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
    head = b"\2\0\0\0\1" + bytes(32) + b"\xff" * 4 + sized(push + b"\7/shoal/" + sized(extranonce)) + b"\xfe\xff\xff\xff"
    count = le(len(outputs), 1) if len(outputs) < 253 else b"\xfd" + le(len(outputs), 2)
    return head + count + b"".join(le(value, 8) + sized(script) for value, script in outputs) + le(max(0, h - 1), 4)

def tree(first, end, before, shown, siblings, starts):  # section 15: hash and sum of the leaves from first to end
    leaves = [due for due in shown if first <= due[0] < end]
    need(leaves or siblings, "nodes of the tree are missing")
    if not leaves:
        return siblings.pop(0)
    if end - first == 1:
        starts[first], (_, weight, script) = before, leaves[0]
        return tagged("shoal/leaf", le(weight, 16) + sized(script)), weight
    middle = first + (1 << (end - first - 1).bit_length() - 1)
    left, left_sum = tree(first, middle, before, shown, siblings, starts)
    right, right_sum = tree(middle, end, before + left_sum, shown, siblings, starts)
    return tagged("shoal/node", left + le(left_sum, 16) + right + le(right_sum, 16)), left_sum + right_sum

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
    need(magic == b"shoalpay\1" and version == 2 and pool.hex() in POOLS, "no proof of version 1 of a known pool")
    need(file.tell() == len(data) and len(witness) < 2 and len(branch) < 15, "the proof is too short or too long")
    payees = [payee for _, payee in payouts]
    need(all(map(PAYABLE.fullmatch, [own, finder, *payees, *(due[2] for due in shown)])), "a script is not payable")
    outputs_max, floor, halving, seed_depth = POOLS[pool.hex()]
    target = int.from_bytes(header[72:75], "little") << 8 * header[75] >> 24  # check 1
    met = int.from_bytes(double(header), "little") <= target
    need(met and header[74] < 128 and header[75] <= 32, "the header lacks the work of its nBits")
    data_outputs = [null_data] * bool(null_data) + [b"\x6a\x24\xaa\x21\xa9\xed" + hash_ for hash_ in witness]  # check 2
    data_outputs += [b"\x6a\x20" + tagged("shoal/commitment", pool + share)]
    root = double(coinbase(height, extranonce, payouts + [(0, null) for null in data_outputs]))
    for hash_ in branch:
        root = double(root + hash_)
    need(root == header[36:68] and sum(amount for amount, _ in payouts) == value, "the block has another coinbase")
    starts = {}  # check 3: the sums before the leaves that are shown
    root, total = tree(0, dues, 0, shown, siblings, starts) if dues else (bytes(32), 0)
    leads = tagged("shoal/state", le(dues, 4) + le(total, 16) + root + rest) == state_root and not siblings
    need(leads and list(starts) == [due[0] for due in shown], "the dues do not lead to the state root")
    follow = all(double(old) == new[4:36] for new, old in zip([header] + ancestors, ancestors))  # check 4
    need(follow and len(ancestors) == min(seed_depth, max(0, height - 1)), "the headers do not lead to the seed")
    seed, block = (ancestors or [header])[-1][4:36], double(header)[::-1].hex()
    if not dues:  # check 5
        need(exact == 0 and payees == [finder], "the finder is not paid alone")
        return ("finder", value, 0, own, block) if own == finder else ("other_finder", 0, None, own, block)
    exacts, drawn = [due for due in shown if due[0] < exact], [due for due in shown if due[0] >= exact]
    mine = [due for due in shown if due[2] == own][:1]
    last, step, _ = exacts[-1] if exacts else (-1, 0, b"")
    need(last == exact - 1 and all(due in (mine or drawn) + exacts[-1:] for due in shown), "other dues are shown")
    count, points = len(payouts), len(payouts) - exact  # check 6
    need(1 <= count <= min(outputs_max, dues), "the number of outputs does not follow")
    need(points == 0 if count == dues else points > 0, "the number of exact outputs does not follow")
    first = starts.get(last, 0) + step  # check 7: here the step is the weight of the last exact due, then it is T
    follows = (not exacts or total - first < step * points) if points else total == first
    step, total = ((total - first) // points, total - (total - first) % points) if points else (step, total)
    need(follows and step and all(due[1] <= step for due in drawn), "the number of exact outputs does not follow")
    need(count == 1 or (5_000_000_000 >> height // halving) * step >= floor * total, "an output is below the floor")
    for at, weight, payee in exacts + [(at, step, payees[at]) for at in range(exact, count)]:  # checks 8 and 9
        more = payouts[at][0] - value * weight // total
        need(payee == payees[at] and 0 <= more < (1 if at else count), f"output {at} pays another amount or script")
    draw = lambda payee: sha(tagged("shoal/draw", seed) * 2 + payee)
    point = first + (int.from_bytes(draw(b"")[:16], "big") * step >> 128)  # check 10
    paid = [at for at, _, _ in mine if at < exact]
    paid += [exact + j for at, weight, _ in mine for j in range(points) if 0 <= point + j * step - starts[at] < weight]
    need(own == payees[paid[0]] if paid else own not in payees, "an output pays another script")
    if paid:
        return "exact" if paid[0] < exact else "drawn", payouts[paid[0]][0], paid[0], own, block
    if not mine:  # check 11
        place = max([exact] + [at + 1 for at, _, payee in drawn if draw(payee) < draw(own)])
        beside = [at for at in (place - 1, place) if exact <= at < dues]
        need([at for at, _, _ in drawn] == beside, "the place of the script is not shown")
    return "not_drawn" if mine else "absent", 0, None, own, block

if __name__ == "__main__":
    try:
        finding, value, output, script, block = verify(open(sys.argv[1], "rb").read())
        need(sys.argv[2:] in ([], [block]), f"it is about block {block}")
        print(f"{finding}: block {block} pays script {script.hex()} {value} sat" + f" in output {output}" * bool(value))
    except (IndexError, OverflowError, OSError, ValueError) as problem:
        sys.exit(f"not a valid proof: {problem}")

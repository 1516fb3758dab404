#!/usr/bin/env python3
"""Verifies a payout proof of Shoal: python3 proof.py FILE [BLOCK HASH]. Needs Python 3.9 and nothing else: no node, no network.

Section 16 of protocol.md says what a proof is, and what it does not show: that Bitcoin's chain has the block. Look its hash up in
any Bitcoin node or explorer.
"""

import re
import sys
from hashlib import sha256

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
tagged = lambda tag, data: sha(sha(tag.encode()) * 2 + data)
le = lambda value, size: value.to_bytes(size, "little")
sized = lambda data: le(len(data), 1) + data
output = lambda value, script: le(value, 8) + sized(script)


def need(holds, otherwise):
    if not holds:
        raise ValueError(otherwise)


class Proof:
    def __init__(self, data):
        self.data = data
        need(self.take(9) == b"shoalpay\1", "this is no proof of version 1")
        self.pool, self.script, self.header = self.take(32), self.payable(), self.take(80)
        self.ancestors, share = self.some(8, lambda: self.take(80)), self.data
        need(self.number(4) == 2 and self.take(98), "the version of the share header is not 2")
        self.state_root, self.finder, _ = self.take(32), self.payable(), self.take(4)
        self.height, self.value, _, self.null_data = self.number(4), self.number(8), self.take(4), self.take(self.number(1))
        self.share = share[: len(share) - len(self.data)]
        self.extranonce, self.witness = self.take(16), self.some(1, lambda: self.take(32))
        self.branch = self.some(14, lambda: self.take(32))
        self.payouts = self.some(1024, lambda: (self.number(8), self.payable()), 2)
        self.rest, self.dues, self.exact = self.take(52 + 68 + 32), self.number(4), self.number(2)
        self.shown = self.some(3, lambda: (self.number(4), self.number(16), self.payable()))
        self.siblings = self.some(96, lambda: (self.take(32), self.number(16)))
        need(not self.data, "bytes follow the proof")

    def take(self, count):
        need(len(self.data) >= count, "the proof ends too early")
        head, self.data = self.data[:count], self.data[count:]
        return head

    def number(self, size):
        return int.from_bytes(self.take(size), "little")

    def payable(self):
        script = self.take(self.number(1))
        need(PAYABLE.fullmatch(script), "a script is not one that Shoal pays")
        return script

    def some(self, most, read, size=1):
        count = self.number(size)
        need(count <= most, "there are too many of something")
        return [read() for _ in range(count)]

    def coinbase(self):  # section 5
        h = self.height
        push = b"\0" if h == 0 else le(0x50 + h, 1) if h <= 16 else sized(le(h, h.bit_length() // 8 + 1))
        start = b"\2\0\0\0\1" + bytes(32) + b"\xff" * 4 + sized(push + b"\7/shoal/" + sized(self.extranonce)) + b"\xfe\xff\xff\xff"
        outputs = [output(*payout) for payout in self.payouts] + [output(0, self.null_data)] * bool(self.null_data)
        outputs += [output(0, b"\x6a\x24\xaa\x21\xa9\xed" + hash_) for hash_ in self.witness]
        outputs += [output(0, b"\x6a\x20" + tagged("shoal/commitment", self.pool + self.share))]
        count = le(len(outputs), 1) if len(outputs) < 253 else b"\xfd" + le(len(outputs), 2)
        return start + count + b"".join(outputs) + le(max(0, h - 1), 4)

    def node(self, first, end):
        """Section 15: hash and sum of the leaves from first to end. Notes the sum before each leaf that is shown."""
        later = self.shown[len(self.starts) :]
        if not any(first <= due[0] < end for due in later):
            need(self.siblings, "nodes of the tree are missing")
            self.before += self.siblings[0][1]
            return self.siblings.pop(0)
        if end - first > 1:
            middle = first + (1 << (end - first - 1).bit_length() - 1)
            both = [self.node(first, middle), self.node(middle, end)]
            return tagged("shoal/node", b"".join(hash_ + le(sum_, 16) for hash_, sum_ in both)), both[0][1] + both[1][1]
        index, weight, script = later[0]
        need(index == first, "the dues do not ascend")
        self.starts[index], self.before = self.before, self.before + weight
        return tagged("shoal/leaf", le(weight, 16) + sized(script)), weight

    def verify(self):
        """What the proof shows: finding, satoshi, output. Raises ValueError where it does not hold."""
        need(self.pool.hex() in POOLS, "the pool is not known")
        outputs_max, floor, halving, seed_depth = POOLS[self.pool.hex()]
        bits = int.from_bytes(self.header[72:76], "little")
        need(bits >> 24 <= 32 and not bits & 0x800000, "the nBits are not sane")
        target, hash_ = (bits & 0x7FFFFF) << 8 * (bits >> 24) >> 24, sha(sha(self.coinbase()))
        need(int.from_bytes(sha(sha(self.header)), "little") <= target, "the header has not the work of its nBits")
        for sibling in self.branch:
            hash_ = sha(sha(hash_ + sibling))
        need(hash_ == self.header[36:68], "the coinbase is not in the block")
        need(sum(value for value, _ in self.payouts) == self.value, "the payouts do not add up")
        self.starts, self.before = {}, 0
        root = self.node(0, self.dues)[0] if self.dues else bytes(32)
        need(not self.siblings and len(self.starts) == len(self.shown), "the tree has too many parts")
        window = le(self.dues, 4) + le(self.before, 16) + root
        need(tagged("shoal/state", window + self.rest) == self.state_root, "the dues do not lead to the state root")
        seed = self.header[4:36]
        need(len(self.ancestors) == min(seed_depth, max(0, self.height - 1)), "the headers do not lead to the seed")
        for header in self.ancestors:
            need(sha(sha(header)) == seed, "the headers do not lead to the seed")
            seed = header[4:36]
        if not self.dues:  # SC-304
            need(self.exact == 0 and [script for _, script in self.payouts] == [self.finder], "the finder is not paid alone")
            return ("finder", self.value, 0) if self.script == self.finder else ("other_finder", 0, None)
        return self.judge(outputs_max, floor, 5_000_000_000 >> self.height // halving, seed)

    def pays(self, total, index, weight, script=None):  # SC-308
        value, payee = self.payouts[index]
        left = value - self.value * weight // total
        need(left == 0 or index == 0 and 0 < left < len(self.payouts), f"output {index} pays another amount")
        need(script in (None, payee), f"output {index} pays another script")
        return value, index

    def judge(self, outputs_max, floor, subsidy, seed):  # section 10
        outputs, exact, total = len(self.payouts), self.exact, self.before
        own = [due for due in self.shown if due[2] == self.script][:1]
        last = [due for due in self.shown if due[0] == exact - 1]
        drawn = [due for due in self.shown if due[0] >= exact]
        need(len(last) == min(1, exact) and all(due in (own or drawn) + last for due in self.shown), "other dues are shown")
        need(1 <= outputs <= min(outputs_max, self.dues), "the number of outputs does not follow")
        need(exact == self.dues if outputs == self.dues else exact < outputs, "the number of exact outputs does not follow")
        first, step = (self.starts[exact - 1] + last[0][1], last[0][1]) if last else (0, 0)
        points, rest = outputs - exact, total - first
        need(rest < step * points or not last if points else rest == 0, "the number of exact outputs does not follow")
        if points:
            step, total = rest // points, total - rest % points
        need(step and all(due[1] <= step for due in drawn), "the number of exact outputs does not follow")
        need(outputs == 1 or subsidy * step >= floor * total, "an output is below the floor")
        for index, weight, *script in last + [(index, step) for index in range(exact, outputs)]:
            self.pays(total, index, weight, *script)
        key = tagged("shoal/draw", seed)
        place = lambda script: sha(key + key + script)
        if own and own[0][0] < exact:
            return ("exact", *self.pays(total, *own[0]))
        if own:
            start, point = self.starts[own[0][0]] - first, int.from_bytes(place(b"")[:16], "big") * step >> 128
            number = max(0, -((point - start) // step))
            if number < points and point + number * step < start + own[0][1]:
                return ("drawn", *self.pays(total, exact + number, step, self.script))
        need(self.script not in [script for _, script in self.payouts], "the coinbase pays what is due nothing")
        if own:
            return "not_drawn", 0, None
        left = [due[0] for due in drawn if place(due[2]) < place(self.script)]
        right = [due[0] for due in drawn if due[0] not in left]
        need(len(left) < 2 > len(right), "other dues are shown")
        need((left or [exact - 1])[0] + 1 == (right or [self.dues])[0], "the place of the script is not shown")
        return "absent", 0, None


if __name__ == "__main__":
    try:
        with open(sys.argv[1], "rb") as file:
            proof = Proof(file.read())
        found, paid, index = proof.verify()
        block = sha(sha(proof.header))[::-1].hex()
        need(sys.argv[2:] in ([], [block]), f"it is about block {block}")
        print(f"{found}: block {block} pays script {proof.script.hex()} {paid} sat" + f" in output {index}" * bool(paid))
    except (IndexError, OverflowError, OSError, ValueError) as problem:
        sys.exit(f"not a valid proof: {problem}")

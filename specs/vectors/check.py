#!/usr/bin/env python3
"""Checks the test vectors by specs/protocol.md alone: shares no code with the program. Needs Python 3.9, nothing else."""

import json
import struct
import sys
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).parent
MAX = (1 << 256) - 1


def double(data):
    return sha256(sha256(data).digest()).digest()


def tagged(tag, data):
    key = sha256(tag.encode()).digest()
    return sha256(key + key + data).digest()


# --- SHA-256 that can be stopped and continued ---


def primes(count):
    found = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found):
            found.append(number)
        number += 1
    return found


def root_bits(number, degree):
    """The first 32 bits of the fraction of a square or cube root."""
    scaled, low, high = number << (32 * degree), 0, 1 << 40
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**degree <= scaled else (low, middle)
    return low & 0xFFFFFFFF


ROUND = [root_bits(prime, 3) for prime in primes(64)]
START = struct.pack(">8I", *(root_bits(prime, 2) for prime in primes(8)))


def rotate(word, by):
    return (word >> by | word << (32 - by)) & 0xFFFFFFFF


def compress(state, block):
    words = list(struct.unpack(">16I", block))
    for i in range(16, 64):
        a, b = words[i - 15], words[i - 2]
        small = rotate(a, 7) ^ rotate(a, 18) ^ a >> 3
        large = rotate(b, 17) ^ rotate(b, 19) ^ b >> 10
        words.append((words[i - 16] + small + words[i - 7] + large) & 0xFFFFFFFF)
    start = struct.unpack(">8I", state)
    a, b, c, d, e, f, g, h = start
    for constant, word in zip(ROUND, words):
        choice = (e & f ^ ~e & g) & 0xFFFFFFFF
        one = (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choice + constant + word) & 0xFFFFFFFF
        two = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + (a & b ^ a & c ^ b & c)) & 0xFFFFFFFF
        h, g, f, e, d, c, b, a = g, f, e, (d + one) & 0xFFFFFFFF, c, b, a, (one + two) & 0xFFFFFFFF
    return struct.pack(">8I", *((x + y) & 0xFFFFFFFF for x, y in zip(start, (a, b, c, d, e, f, g, h))))


def midstate(data):
    state = START
    for at in range(0, len(data) - len(data) % 64, 64):
        state = compress(state, data[at : at + 64])
    return state


def finish(state, hashed, rest):
    total = hashed + len(rest)
    rest += b"\x80" + b"\0" * (-(total + 9) % 64) + struct.pack(">Q", total * 8)
    for at in range(0, len(rest), 64):
        state = compress(state, rest[at : at + 64])
    return state


# --- Section 3 ---

MAIN_GENESIS = bytes.fromhex("6fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000")
SIGNET_GENESIS = bytes.fromhex("f61eee3b63a380a477a063af32b2bbc97c9ff9f01f2c4225e973988108000000")


def all_ones(bits):
    return (1 << bits) - 1


def network(name):
    params = {
        "genesis": MAIN_GENESIS, "challenge": b"", "pow_limit_bits": 0x1D00FFFF, "start": 925344, "least_work": 1 << 32,
        "interval": 10, "shares": 32, "half_life": 1200, "anchor": 60, "snapshot": 12, "burial": 18, "seed": 2,
        "first": all_ones(209), "easiest": all_ones(214), "weight": 8 << 64, "listed": 576,
    }  # fmt: skip
    if name in ("signet", "local"):
        params |= {"genesis": SIGNET_GENESIS, "pow_limit_bits": 0x1E0377AE, "start": 200000, "least_work": 1 << 22}
        params |= {"first": all_ones(231), "easiest": all_ones(236)}
    if name == "local":
        params |= {"challenge": b"\x51", "start": 1, "interval": 1, "shares": 8, "half_life": 120, "anchor": 48}
        params |= {"snapshot": 2, "burial": 4, "seed": 1, "weight": 32 << 64, "listed": 48, "easiest": all_ones(246)}
        params |= {"first": (all_ones(64) // 400000) << 192 | all_ones(192)}
    return params


def consensus_id(name):
    p = network(name)
    out = bytes([len(name)]) + name.encode() + p["genesis"] + bytes([len(p["challenge"])]) + p["challenge"]
    out += struct.pack("<5IQ", p["pow_limit_bits"], 2016, 1209600, 210000, p["start"], p["least_work"])
    out += struct.pack("<9I", p["interval"], p["shares"], p["half_life"], 16, p["anchor"], 301, 240, 60, 64)
    out += struct.pack("<4I", 7200, p["snapshot"], p["burial"], p["seed"])
    out += p["first"].to_bytes(32, "little") + p["easiest"].to_bytes(32, "little") + p["weight"].to_bytes(16, "little")
    out += struct.pack("<5Q", 1 << 21, p["listed"], 10000, 11, 48)
    return tagged("shoal/params", out)


def check_networks(case):
    assert consensus_id(case["name"]).hex() == case["consensus_id"]


# --- Sections 4 and 5 ---


def encode_share(share):
    ids = bytes.fromhex(share["parent"] + share["anchor"] + share["shares_root"])
    script = bytes.fromhex(share["payout"])
    out = struct.pack("<I", share["version"]) + ids + struct.pack("<HB", share["shares_count"], len(script)) + script
    rest = share["time"], share["bitcoin_height"], share["coinbase_value"], share["signals"]
    return out + struct.pack("<IIQI", *rest)


def check_encoding(case):
    share = encode_share(case["share"])
    assert share.hex() == case["share_encoded"]
    witness = case["witness_commitment"]
    out = bytes.fromhex(case["header"]) + share + bytes.fromhex(case["extranonce"])
    out += b"\1" + bytes.fromhex(witness) if witness else b"\0"
    out += bytes([len(case["branch"])]) + bytes.fromhex("".join(case["branch"]) + case["prefix_midstate"])
    out += struct.pack("<I", case["prefix_length"]) + bytes.fromhex(case["prefix_tail"])
    assert out.hex() == case["encoded"] and len(out) <= 864
    assert double(out[:80]).hex() == case["id"]


FORMS = [("76a914", 20, "88ac"), ("a914", 20, "87"), ("0014", 20, ""), ("0020", 32, ""), ("5120", 32, "")]


def is_payout(script):
    text = script.hex()
    fits = lambda start, size, end: len(script) == len(start + end) // 2 + size
    return any(fits(*form) and text.startswith(form[0]) and text.endswith(form[2]) for form in FORMS)


class Broken(Exception):
    pass


def need(holds, rule):
    if not holds:
        raise Broken(rule)


def decode(data):
    """The parts of a proof; raises the rule that its bytes break."""
    need(len(data) <= 864, "SC-001")
    at = 0

    def take(count):
        nonlocal at
        need(at + count <= len(data), "SC-002")
        at += count
        return data[at - count : at]

    number = lambda count: int.from_bytes(take(count), "little")
    proof = {"header": take(80)}
    start = at
    need(number(4) == 1, "SC-004")
    take(96)
    need(number(2) <= 1024, "SC-009")
    size = number(1)
    need(size <= 34, "SC-005")
    need(is_payout(take(size)), "SC-005")
    take(4)
    proof["bitcoin_height"] = number(4)
    take(12)
    proof["share"] = data[start:at]
    take(16)
    flag = number(1)
    need(flag < 2, "SC-006")
    take(32 * flag)
    count = number(1)
    need(count <= 14, "SC-007")
    proof["branch"] = [take(32) for _ in range(count)]
    proof["midstate"] = take(32)
    proof["length"] = number(4)
    need(100 <= proof["length"] <= 3000, "SC-008")
    proof["tail"] = take(proof["length"] % 64)
    need(at == len(data), "SC-003")
    return proof


def check_not_canonical(case):
    try:
        decode(bytes.fromhex(case["encoded"]))
    except Broken as broken:
        assert str(broken) == case["rule"], (broken, case["rule"])
    else:
        raise AssertionError("it decodes")


def check_list(case):
    encoded = struct.pack("<H", len(case["ids"])) + bytes.fromhex("".join(case["ids"]))
    assert encoded.hex() == case["encoded"]
    assert tagged("shoal/shares", encoded).hex() == case["shares_root"]


def height_push(height):
    if height <= 16:
        return bytes([0x50 + height if height else 0])
    size = height.bit_length() // 8 + 1
    return bytes([size]) + height.to_bytes(size, "little")


def output(value, script):
    return struct.pack("<QB", value, len(script)) + script


def suffix(name, share, bitcoin_height):
    commitment = tagged("shoal/commitment", consensus_id(name) + share)
    return output(0, b"\x6a\x20" + commitment) + struct.pack("<I", bitcoin_height - 1)


def check_coinbase(case):
    share = case["share"]
    script_sig = height_push(share["bitcoin_height"]) + b"\x07/shoal/\x10"
    out = bytes.fromhex("02000000" + "01" + "00" * 32 + "ffffffff") + bytes([len(script_sig) + 16]) + script_sig
    assert len(out) == case["extranonce_offset"]
    out += bytes.fromhex(case["extranonce"] + "feffffff")
    outputs = [output(payout["value_sat"], bytes.fromhex(payout["script"])) for payout in case["payouts"]]
    if case["witness_commitment"]:
        outputs.append(output(0, bytes.fromhex("6a24aa21a9ed" + case["witness_commitment"])))
    out += bytes([len(outputs) + 1]) + b"".join(outputs)
    assert len(out) == case["prefix_length"]
    assert midstate(out).hex() == case["prefix_midstate"]
    assert out[len(out) - len(out) % 64 :].hex() == case["prefix_tail"]
    end = suffix(case["network"], encode_share(share), share["bitcoin_height"])
    assert end[11:43].hex() == case["commitment"]
    assert (out + end).hex() == case["coinbase"]
    assert double(out + end).hex() == case["txid"]


def check_binding(case):
    proof = decode(bytes.fromhex(case["encoded"]))
    end = suffix(case["network"], proof["share"], proof["bitcoin_height"])
    node = sha256(finish(proof["midstate"], proof["length"] - len(proof["tail"]), proof["tail"] + end)).digest()
    for sibling in proof["branch"]:
        node = double(node + sibling)
    assert (node == proof["header"][36:68]) == case["binds"]


# --- Section 6 ---


def check_link_target(case):
    params = network(case["network"])
    share = min(params["easiest"], params["shares"] * int(case["anchor_link_target"], 16), MAX)
    assert share == int(case["share_target"], 16)
    exponent = (case["seconds"] - params["interval"]) * 65536 // params["half_life"]
    exponent = max(-16 * 65536, min(16 * 65536, exponent))
    whole, x = exponent >> 16, exponent & 0xFFFF
    factor = 65536 + ((195766423245049 * x + 971821376 * x**2 + 5127 * x**3 + (1 << 47)) >> 48)
    product = int(case["parent_target"], 16) * factor
    target = product >> -whole >> 16 if whole < 0 else product << whole >> 16
    assert min(max(1, min(target, MAX)), share) == int(case["link_target"], 16)


def work(target):
    return (MAX - target) // (target + 1) + 1


def check_weight(case):
    size, mantissa = case["bits"] >> 24, case["bits"] & 0x7FFFFF
    block = max(work(mantissa << 8 * (size - 3)), network(case["network"])["least_work"])
    share = work(int(case["target"], 16)) << 64
    clamp = lambda weight: str(max(1, min(weight, 1 << 64)))
    assert clamp(share // block) == case["share_weight"]
    assert clamp(share // (64 * block)) == case["link_bonus"]


# --- Section 10 ---


def split(dues, outputs, total):
    """How many are exact, what the others pay, and what all outputs weigh."""
    if outputs == len(dues):
        return outputs, dues[-1][0], total
    rest = total
    for exact in range(outputs):
        drawn = outputs - exact
        if rest >= drawn * dues[exact][0]:
            return exact, rest // drawn, total - rest % drawn
        rest -= dues[exact][0]
    raise AssertionError("one output less than all is always enough")


def select(case):
    dues = [(int(due["weight"]), bytes.fromhex(due["script"])) for due in case["dues"] if int(due["weight"])]
    dues.sort(key=lambda due: (-due[0], due[1]))
    total = sum(weight for weight, _ in dues)
    for outputs in range(min(case["outputs_max"], len(dues)), 0, -1):
        exact, tail, paid = split(dues, outputs, total)
        if outputs == 1 or case["subsidy_sat"] * tail >= case["output_floor_sat"] * paid:
            break
    key = tagged("shoal/draw", bytes.fromhex(case["seed"]))
    draw = lambda script: sha256(key + key + script).digest()
    chosen, points = dues[:exact], outputs - exact
    point, end = int.from_bytes(draw(b"")[:16], "big") * tail >> 128, 0
    for weight, script in sorted(dues[exact:], key=lambda due: draw(due[1])) if points else []:
        end += weight
        if point < end and len(chosen) < exact + points:
            chosen.append((tail, script))
            point += tail
    return chosen, paid


def check_selection(case):
    chosen, total = select(case)
    assert str(total) == case["total"]
    amounts = [case["value_sat"] * weight // total for weight, _ in chosen]
    amounts[0] += case["value_sat"] - sum(amounts)
    found = [
        {"script": script.hex(), "weight": str(weight), "value_sat": amount}
        for (weight, script), amount in zip(chosen, amounts)
    ]
    assert found == case["outputs"]


def main():
    files = sorted(HERE.glob("*.json"))
    for file in files:
        cases = json.loads(file.read_text())["cases"]
        check = globals()["check_" + file.stem]
        for number, case in enumerate(cases):
            try:
                check(case)
            except AssertionError as error:
                sys.exit(f"{file.name}, case {number}: {error or 'not what the protocol says'}")
        print(f"{file.stem}: {len(cases)} cases")


if __name__ == "__main__":
    main()

"""The coinbase, byte for byte, and how a proof is bound to it (section 5). Rules SC-101, SC-102 and SC-301."""

import struct
from hashlib import sha256

from .encoding import WITNESS_START
from .sha256 import double, finish, midstate, tagged
from .targets import number
from .verdict import differ, need

NULL_OUTPOINT = bytes(32) + b"\xff" * 4
POOL_TAG = b"\x07/shoal/"
SEQUENCE = struct.pack("<I", 0xFFFFFFFE)
COMMITMENT_SCRIPT = bytes.fromhex("6a20")


def commitment(params, share):
    return tagged("shoal/commitment", params.consensus_id + share.encode())


def height_push(height):
    """The push of BIP-0034: shortest little-endian bytes that leave the highest bit clear."""
    if height == 0:
        return b"\x00"
    if height <= 16:
        return bytes([0x50 + height])
    size = height.bit_length() // 8 + 1
    return bytes([size]) + height.to_bytes(size, "little")


def compact_size(count):
    """Bitcoin's CompactSize, for counts below 2^16."""
    return bytes([count]) if count < 253 else b"\xfd" + struct.pack("<H", count)


def output(value, script):
    return struct.pack("<QB", value, len(script)) + script


def prefix(share, extranonce, witness, payouts):
    """The coinbase before its last output. `payouts` are (script, satoshi) in their order."""
    script_sig = height_push(share.bitcoin_height) + POOL_TAG + b"\x10" + extranonce
    outputs = [output(value, script) for script, value in payouts]
    if share.null_data:
        outputs.append(output(0, share.null_data))
    if witness is not None:
        outputs.append(output(0, WITNESS_START + witness))
    return b"".join(
        (
            struct.pack("<I", 2),
            b"\x01",
            NULL_OUTPOINT,
            bytes([len(script_sig)]),
            script_sig,
            SEQUENCE,
            compact_size(len(outputs) + 1),
            *outputs,
        )
    )


def suffix(params, share):
    """The last output and the locktime. A Bitcoin height of 0, which no valid proof has, has locktime 0."""
    last = output(0, COMMITMENT_SCRIPT + commitment(params, share))
    return last + struct.pack("<I", max(0, share.bitcoin_height - 1))


def fold(leaf, branch):
    """The merkle root above a leaf at index 0."""
    for sibling in branch:
        leaf = double(leaf + sibling)
    return leaf


def check_binding(params, proof, easiest):
    """What a proof shows by itself: work, and that its header commits to its share header."""
    # SC-101: The hash is not above the easiest plausible target.
    need(number(proof.id) <= easiest, "SC-101", f"hash {number(proof.id):064x}, easiest plausible {easiest:064x}")
    hashed = proof.prefix_length - len(proof.tail)
    leaf = sha256(finish(proof.midstate, hashed, proof.tail + suffix(params, proof.share))).digest()
    root = fold(leaf, proof.branch)
    # SC-102: The coinbase consists of the prefix, the commitment output and the locktime. Its hash, folded with the
    # branch from the left, is the header's merkle root.
    need(root == proof.merkle_root, "SC-102", lambda: differ("merkle root", proof.merkle_root, root))


def check_payout(proof, payouts):
    """SC-301: The coinbase is, byte for byte, the one that follows from the share header, the extranonce, the witness
    commitment and the payouts below."""
    expected = prefix(proof.share, proof.extranonce, proof.witness, payouts)
    found, length = proof.prefix_length, len(expected)
    need(found == length, "SC-301", lambda: differ("length of the coinbase before its last output", found, length))
    tail = expected[length - len(proof.tail) :]
    need(proof.tail == tail, "SC-301", lambda: differ("end of the coinbase", proof.tail, tail))
    state = midstate(expected)
    need(proof.midstate == state, "SC-301", lambda: differ("state after the coinbase's outputs", proof.midstate, state))

"""Share headers, proofs and lists, and their only encoding (section 4). Rules SC-001 to SC-010."""

import struct
from dataclasses import dataclass
from functools import cached_property
from typing import Optional

from .sha256 import BLOCK, double, tagged
from .verdict import Broken, need

PROOF_BYTES_MAX = 960
SHARE_VERSION = 2
IDS_MAX = 1024
BRANCH_MAX = 14
SCRIPT_BYTES_MAX = 34
NULL_DATA_BYTES_MAX = 83
PREFIX_BYTES = range(100, 65_536)
WITNESS_START = bytes.fromhex("6a24aa21a9ed")  # of the script of a witness commitment

# Payout scripts: the bytes before the hash or key, its length, and the bytes after it.
PAYOUT_FORMS = (
    (bytes.fromhex("76a914"), 20, bytes.fromhex("88ac")),  # P2PKH
    (bytes.fromhex("a914"), 20, bytes.fromhex("87")),  # P2SH
    (bytes.fromhex("0014"), 20, b""),  # P2WPKH
    (bytes.fromhex("0020"), 32, b""),  # P2WSH
    (bytes.fromhex("5120"), 32, b""),  # P2TR
    *((bytes([version, 0x20]), 32, b"") for version in range(0x52, 0x61)),  # witness versions 2 to 16
)
# Null data scripts: the bytes before the length of the data, and the lengths allowed.
NULL_DATA_FORMS = (
    (bytes.fromhex("6a"), range(1, 76)),
    (bytes.fromhex("6a4c"), range(76, 81)),
)


@dataclass(frozen=True)
class ShareHeader:
    """What a miner commits to before hashing."""

    parent: bytes
    anchor: bytes
    shares_root: bytes
    shares_count: int
    state_root: bytes
    payout: bytes
    time: int
    bitcoin_height: int
    coinbase_value: int
    signals: int = 0
    null_data: bytes = b""
    version: int = SHARE_VERSION

    def encode(self):
        return b"".join(
            (
                struct.pack("<I", self.version),
                self.parent,
                self.anchor,
                self.shares_root,
                struct.pack("<H", self.shares_count),
                self.state_root,
                bytes([len(self.payout)]) + self.payout,
                struct.pack("<IIQI", self.time, self.bitcoin_height, self.coinbase_value, self.signals),
                bytes([len(self.null_data)]) + self.null_data,
            )
        )


@dataclass(frozen=True)
class Proof:
    """A Bitcoin block header and what ties it to a share header."""

    header: bytes  # 80 bytes
    share: ShareHeader
    extranonce: bytes  # 16 bytes
    witness: Optional[bytes]  # the hash in the witness commitment output, if there is one
    branch: tuple  # siblings of the coinbase, index 0, up to the root
    midstate: bytes
    prefix_length: int
    tail: bytes

    @cached_property
    def id(self):
        return double(self.header)

    @property
    def version(self):
        return int.from_bytes(self.header[:4], "little", signed=True)

    @property
    def previous_block(self):
        return self.header[4:36]

    @property
    def merkle_root(self):
        return self.header[36:68]

    @property
    def bitcoin_time(self):
        return int.from_bytes(self.header[68:72], "little")

    @property
    def bits(self):
        return int.from_bytes(self.header[72:76], "little")

    def encode(self):
        return b"".join(
            (
                self.header,
                self.share.encode(),
                self.extranonce,
                b"\x00" if self.witness is None else b"\x01" + self.witness,
                bytes([len(self.branch)]),
                *self.branch,
                self.midstate,
                struct.pack("<I", self.prefix_length),
                self.tail,
            )
        )


def is_payout(script):
    """Whether a script has one of the forms of a payout."""
    return any(
        len(script) == len(start) + size + len(end) and script.startswith(start) and script.endswith(end)
        for start, size, end in PAYOUT_FORMS
    )


def is_null_data(script):
    """Whether a script is empty or has one of the forms of null data."""
    if not script:
        return True
    if script.startswith(WITNESS_START):
        return False
    sizes = [(start, len(script) - len(start) - 1, lengths) for start, lengths in NULL_DATA_FORMS]
    return any(size in lengths and script.startswith(start + bytes([size])) for start, size, lengths in sizes)


class Reader:
    """Takes fields from the front of some bytes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        # SC-002: The encoding does not end before its last field.
        need(self.at + count <= len(self.data), "SC-002", f"ends after {len(self.data)} bytes")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, count):
        return int.from_bytes(self.take(count), "little")

    def end(self):
        # SC-003: Nothing follows the last field.
        need(self.at == len(self.data), "SC-003", f"{len(self.data) - self.at} bytes too many")


def decode_proof(data):
    """The proof that `data` encodes. Of several broken rules, the one whose field comes first is reported."""
    # SC-001: An encoded proof has at most 960 bytes.
    need(len(data) <= PROOF_BYTES_MAX, "SC-001", f"{len(data)} bytes")
    reader = Reader(data)
    header = reader.take(80)
    share = _decode_share(reader)
    extranonce = reader.take(16)
    witness = _decode_witness(reader)
    branch = _decode_branch(reader)
    midstate = reader.take(32)
    length = reader.number(4)
    # SC-008: The coinbase before its last output has 100 to 65,535 bytes.
    need(length in PREFIX_BYTES, "SC-008", f"{length} bytes")
    tail = reader.take(length % BLOCK)
    reader.end()
    return Proof(header, share, extranonce, witness, branch, midstate, length, tail)


def _decode_share(reader):
    version = reader.number(4)
    # SC-004: The version of the share header is 2.
    need(version == SHARE_VERSION, "SC-004", f"version {version}")
    parent, anchor, root = reader.take(32), reader.take(32), reader.take(32)
    count = reader.number(2)
    # SC-009: A list has at most 1,024 ids.
    need(count <= IDS_MAX, "SC-009", f"{count} ids")
    state_root = reader.take(32)
    # SC-005: The payout script is exactly P2PKH, P2SH, P2WPKH, P2WSH or P2TR, or of a witness version from 2 to 16 with
    # 32 bytes.
    payout = _decode_script(reader, "SC-005", SCRIPT_BYTES_MAX, is_payout)
    time, height, value, signals = (reader.number(size) for size in (4, 4, 8, 4))
    # SC-010: The null data script is empty, or OP_RETURN and one push of 1 to 80 bytes with the shortest length prefix
    # that is not a witness commitment.
    null_data = _decode_script(reader, "SC-010", NULL_DATA_BYTES_MAX, is_null_data)
    return ShareHeader(
        parent, anchor, root, count, state_root, payout, time, height, value, signals, null_data, version
    )


def _decode_script(reader, rule, most, allowed):
    """A length and a script. A length above that of every form is rejected before the script is read."""
    size = reader.number(1)
    need(size <= most, rule, f"script of {size} bytes")
    script = reader.take(size)
    need(allowed(script), rule, f"script {script.hex()}")
    return script


def _decode_witness(reader):
    flag = reader.number(1)
    # SC-006: The flag before the witness commitment is 0 or 1.
    need(flag <= 1, "SC-006", f"flag {flag}")
    return reader.take(32) if flag else None


def _decode_branch(reader):
    count = reader.number(1)
    # SC-007: The merkle branch has at most 14 hashes.
    need(count <= BRANCH_MAX, "SC-007", f"{count} hashes")
    return tuple(reader.take(32) for _ in range(count))


def encode_list(ids):
    return struct.pack("<H", len(ids)) + b"".join(ids)


def decode_list(data):
    """The ids of an encoded list."""
    reader = Reader(data)
    count = reader.number(2)
    check_list_length(count)
    ids = tuple(reader.take(32) for _ in range(count))
    reader.end()
    return ids


def check_list_length(count):
    """SC-009, for lists."""
    if count > IDS_MAX:
        raise Broken("SC-009", f"{count} ids")


def shares_root(ids):
    return tagged("shoal/shares", encode_list(ids))

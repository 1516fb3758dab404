"""Networks, their constants and the consensus id (section 3)."""

from dataclasses import dataclass, replace
from functools import cached_property

from .sha256 import tagged

# (name, kind) in the order in which they are hashed. Numbers are bytes; 'text' and 'script' have a length byte first.
FIELDS = (
    ("name", "text"),
    ("pool", "text"),
    ("bitcoin_genesis", "hash"),
    ("signet_challenge", "script"),
    ("pow_limit_bits", 4),
    ("retarget_blocks", 4),
    ("retarget_timespan_s", 4),
    ("retarget_factor_max", 4),
    ("min_difficulty_after_s", 4),
    ("timewarp_s", 4),
    ("halving_blocks", 4),
    ("start_height", 4),
    ("min_block_work", 8),
    ("link_interval_s", 4),
    ("shares_per_link", 4),
    ("retarget_half_life_s", 4),
    ("retarget_exponent_max", 4),
    ("anchor_depth", 4),
    ("listing_depth", 4),
    ("credit_depth", 4),
    ("stale_depth", 4),
    ("link_credit_divisor", 4),
    ("times_apart_s", 4),
    ("snapshot_bitcoin_depth", 4),
    ("snapshot_burial", 4),
    ("seed_depth", 4),
    ("first_link_target", 32),
    ("easiest_share_target", 32),
    ("window_weight", 16),
    ("window_proofs", 8),
    ("listed_before_payouts", 8),
    ("output_floor_sat", 8),
    ("median_span", 8),
    ("outputs_max", 8),
    ("prefix_bytes_max", 4),
)


@dataclass(frozen=True)
class Params:
    """All constants of a network. Depths are in links unless the name says Bitcoin; names ending in _s are seconds."""

    name: str
    pool: str  # name of a private pool; empty for the public one
    bitcoin_genesis: bytes
    signet_challenge: bytes
    pow_limit_bits: int
    retarget_blocks: int
    retarget_timespan_s: int
    retarget_factor_max: int
    min_difficulty_after_s: int
    timewarp_s: int
    halving_blocks: int
    start_height: int
    min_block_work: int
    link_interval_s: int
    shares_per_link: int
    retarget_half_life_s: int
    retarget_exponent_max: int
    anchor_depth: int
    listing_depth: int
    credit_depth: int
    stale_depth: int
    link_credit_divisor: int
    times_apart_s: int
    snapshot_bitcoin_depth: int
    snapshot_burial: int
    seed_depth: int
    first_link_target: int
    easiest_share_target: int
    window_weight: int
    window_proofs: int
    listed_before_payouts: int
    output_floor_sat: int
    median_span: int
    outputs_max: int
    prefix_bytes_max: int

    @cached_property
    def encoded(self):
        return b"".join(_encode_field(getattr(self, name), kind) for name, kind in FIELDS)

    @cached_property
    def consensus_id(self):
        return tagged("shoal/params", self.encoded)


def _encode_field(value, kind):
    if kind == "hash":
        return value
    if kind in ("text", "script"):
        data = value.encode() if kind == "text" else value
        return bytes([len(data)]) + data
    return value.to_bytes(kind, "little")


def _ones(bits):
    return (1 << bits) - 1


ONE_BLOCK = 1 << 64  # weights are in units of 2^-64 expected Bitcoin blocks

MAIN = Params(
    name="main",
    pool="",
    bitcoin_genesis=bytes.fromhex("6fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000"),
    signet_challenge=b"",
    pow_limit_bits=0x1D00FFFF,
    retarget_blocks=2016,
    retarget_timespan_s=1_209_600,
    retarget_factor_max=4,
    min_difficulty_after_s=0,
    timewarp_s=0,
    halving_blocks=210_000,
    start_height=1_008_000,
    min_block_work=1 << 32,
    link_interval_s=10,
    shares_per_link=32,
    retarget_half_life_s=600,
    retarget_exponent_max=16,
    anchor_depth=60,
    listing_depth=301,
    credit_depth=240,
    stale_depth=60,
    link_credit_divisor=64,
    times_apart_s=7200,
    snapshot_bitcoin_depth=13,
    snapshot_burial=18,
    seed_depth=2,
    first_link_target=_ones(209),
    easiest_share_target=_ones(214),
    window_weight=8 * ONE_BLOCK,
    window_proofs=1 << 21,
    listed_before_payouts=576,
    output_floor_sat=10_000,
    median_span=11,
    outputs_max=48,
    prefix_bytes_max=3000,
)

_SIGNET = {
    "name": "signet",
    "bitcoin_genesis": bytes.fromhex("f61eee3b63a380a477a063af32b2bbc97c9ff9f01f2c4225e973988108000000"),
    "pow_limit_bits": 0x1E0377AE,
    "start_height": 200_000,
    "min_block_work": 1 << 22,
    "first_link_target": _ones(231),
    "easiest_share_target": _ones(236),
}
SIGNET = Params(**{**MAIN.__dict__, **_SIGNET})

_LOCAL = {
    "name": "local",
    "signet_challenge": b"\x51",
    "start_height": 1,
    "link_interval_s": 1,
    "shares_per_link": 8,
    "retarget_half_life_s": 60,
    "anchor_depth": 48,
    "snapshot_bitcoin_depth": 3,
    "snapshot_burial": 4,
    "seed_depth": 1,
    "first_link_target": (_ones(64) // 400_000) << 192 | _ones(192),
    "easiest_share_target": _ones(246),
    "window_weight": 32 * ONE_BLOCK,
    "listed_before_payouts": 48,
}
LOCAL = Params(**{**SIGNET.__dict__, **_LOCAL})

_TESTNET4 = {
    "name": "testnet4",
    "bitcoin_genesis": bytes.fromhex("43f08bdab050e35b567c864b91f47f50ae725ae2de53bcfbbaf284da00000000"),
    "min_difficulty_after_s": 1200,
    "timewarp_s": 600,
    "start_height": 120_000,
    "first_link_target": _ones(213),
    "easiest_share_target": _ones(218),
}
TESTNET4 = Params(**{**MAIN.__dict__, **_TESTNET4})

_REGTEST = {
    "name": "regtest",
    "bitcoin_genesis": bytes.fromhex("06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f"),
    "signet_challenge": b"",
    "pow_limit_bits": 0x207FFFFF,
    "retarget_blocks": 144,
    "retarget_timespan_s": 86_400,
    "retarget_factor_max": 1,
    "min_difficulty_after_s": 1200,
    "halving_blocks": 150,
    "shares_per_link": 2,
}
REGTEST = Params(**{**LOCAL.__dict__, **_REGTEST})

_REHEARSAL = {
    "name": "rehearsal",
    "bitcoin_genesis": SIGNET.bitcoin_genesis,
    "signet_challenge": b"\x51",
    "pow_limit_bits": 0x1E0FFFFF,
    "start_height": 1_048_321,
    "min_block_work": 1 << 20,
    "first_link_target": _ones(249),
    "easiest_share_target": _ones(254),
}
REHEARSAL = Params(**{**MAIN.__dict__, **_REHEARSAL})


def _wide(params):
    """The same network with room for more payouts in a coinbase."""
    return replace(params, name=f"{params.name}-wide", outputs_max=1000, prefix_bytes_max=44_000)


_STANDARD = (MAIN, SIGNET, LOCAL, TESTNET4, REGTEST, REHEARSAL)
NETWORKS = {params.name: params for params in (*_STANDARD, *map(_wide, _STANDARD))}

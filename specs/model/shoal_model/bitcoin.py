"""Bitcoin headers and the rules that need only headers (section 7)."""

import struct

from .sha256 import double
from .targets import compact, expand, number, work

MEDIAN_BLOCKS = 11
VERSION_LEAST = 4  # since BIP-0065, which every header that matters here is above
MAX_MONEY_SAT = 21_000_000 * 100_000_000
FIRST_SUBSIDY_SAT = 50 * 100_000_000


class BadHeader(Exception):
    """A header that breaks one of Bitcoin's rules."""


class Header:
    """A Bitcoin header in its place. `chain_work` counts the blocks from Bitcoin's genesis to this one."""

    def __init__(self, raw, height, chain_work, previous):
        self.raw, self.hash = raw, double(raw)
        self.height, self.chain_work, self.previous = height, chain_work, previous
        self.version = struct.unpack("<i", raw[:4])[0]
        self.time, self.bits = struct.unpack("<II", raw[68:76])
        self._median_time = None

    def ancestor(self, height):
        header = self
        while header.height > height:
            header = header.previous
        return header

    def median_time(self):
        """The median time past of the block after this one: of the last 11 times, or of as many as there are."""
        if self._median_time is None:
            times, header = [], self
            while header is not None and len(times) < MEDIAN_BLOCKS:
                times.append(header.time)
                header = header.previous
            self._median_time = sorted(times)[len(times) // 2]
        return self._median_time


def subsidy(params, height):
    """What a block at `height` may create, in satoshi."""
    return FIRST_SUBSIDY_SAT >> (height // params.halving_blocks)


def period_bits(params, previous):
    """nBits of the period of the block after `previous`."""
    first = previous.ancestor(previous.height - previous.height % params.retarget_blocks)
    if not _ends_period(params, previous):
        return first.bits
    return next_bits(params, first.bits, previous.time - first.time)


def expected_bits(params, previous, time):
    """nBits of a block after `previous` with this time."""
    may_be_easy = params.min_difficulty_after_s and not _ends_period(params, previous)
    if may_be_easy and time > previous.time + params.min_difficulty_after_s:
        return params.pow_limit_bits
    return period_bits(params, previous)


def _ends_period(params, header):
    return (header.height + 1) % params.retarget_blocks == 0


def least_time(params, previous):
    """The earliest time of a block after `previous`."""
    least = previous.median_time() + 1
    if params.timewarp_s and _ends_period(params, previous):
        return max(least, previous.time - params.timewarp_s)
    return least


def next_bits(params, bits, seconds):
    """nBits after a period with `bits` whose first and last block are `seconds` apart."""
    least = params.retarget_timespan_s // params.retarget_factor_max
    most = params.retarget_timespan_s * params.retarget_factor_max
    target = expand(bits) * max(least, min(seconds, most)) // params.retarget_timespan_s
    return compact(min(target, expand(params.pow_limit_bits)))


def oldest_needed(params, height):
    """The lowest header that decides anything about the block after `height`: its nBits, its median or its payouts."""
    period = height - height % params.retarget_blocks
    depths = (MEDIAN_BLOCKS - 1, params.seed_depth, params.snapshot_bitcoin_depth)
    return max(0, min(period, height - max(depths)))


class Headers:
    """The known headers: a root that is taken as given, and what follows it by the rules, on any branch."""

    def __init__(self, params, height, chain_work, raws):
        """`raws` are headers that follow each other; the last is the root, at `height`, with `chain_work` up to it."""
        self.params = params
        self.by_hash = {}
        self._check_root(height, raws)
        at, previous = height - len(raws) + 1, None
        total = chain_work - sum(work(_target(raw)) for raw in raws)
        if total < 0:
            raise BadHeader(f"the root's chain work {chain_work:x} is below that of its headers")
        for raw in raws:
            if previous is not None and raw[4:36] != previous.hash:
                raise BadHeader(f"header {double(raw).hex()} does not follow the one before it")
            total += work(_target(raw))
            previous = Header(raw, at, total, previous)
            at += 1
        # Ancestors of the root serve medians and retargets; proofs on top of them are not judged.
        self.root = previous
        self.by_hash[previous.hash] = previous

    def _check_root(self, height, raws):
        least = height - oldest_needed(self.params, height) + 1
        if not least <= len(raws) <= height + 1:
            raise BadHeader(f"root at {height} needs {least} to {height + 1} headers, has {len(raws)}")
        if len(raws) == height + 1 and double(raws[0]) != self.params.bitcoin_genesis:
            raise BadHeader(f"{double(raws[0]).hex()} is not Bitcoin's genesis here")

    def get(self, hash_):
        return self.by_hash.get(hash_)

    def add(self, raw):
        """Takes a header whose previous one is known. Raises `BadHeader` if it breaks a rule of Bitcoin."""
        previous = self.by_hash[raw[4:36]]
        target = _target(raw)
        header = Header(raw, previous.height + 1, previous.chain_work + work(target), previous)
        if number(header.hash) > target:
            raise BadHeader(f"header {header.hash.hex()} does not meet its nBits {header.bits:08x}")
        expected = expected_bits(self.params, previous, header.time)
        if header.bits != expected:
            raise BadHeader(f"nBits {header.bits:08x}, expected {expected:08x}")
        least = least_time(self.params, previous)
        if header.time < least:
            raise BadHeader(f"time {header.time} is before {least}")
        if header.version < VERSION_LEAST:
            raise BadHeader(f"version {header.version}, at least {VERSION_LEAST} is expected")
        self.by_hash[header.hash] = header
        return header


def _target(raw):
    """The target that a header claims."""
    bits = int.from_bytes(raw[72:76], "little")
    target = expand(bits)
    if target is None:
        raise BadHeader(f"nBits {bits:08x} of header {double(raw).hex()} stand for no target")
    return target

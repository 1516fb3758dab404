"""Upgrades: bits counted by links, locked in and active (section 14), and what commits to them (section 15)."""

import struct
from dataclasses import dataclass, field, replace
from functools import lru_cache

from .sha256 import tagged

PERIOD_LINKS = 2016
GOOD_LINKS = 1008  # of a period: half
FEW_PERIODS, FEW_LINKS = 12, 21_773  # 90% of 12 periods
MANY_PERIODS, MANY_LINKS = 120, 1512  # 75% of each period on average
RUN_MAX = (1 << 16) - 1  # periods; a longer run changes in its last counts alone
BITS = range(32)

COUNTING, LOCKED_IN, ACTIVE = 0, 1, 2


@dataclass(frozen=True)
class Bit:
    """The state of a bit, and its run: the good periods in a row since the state last changed."""

    state: int = COUNTING
    height: int = 0  # of the last link before the lock-in, or of the first link for which the bit is active
    run: int = 0  # periods
    sum_: int = 0  # of their counts
    last: tuple = ()  # counts of the last 12 of them, the newest last

    def after(self, height, count):
        """The same after a period that ends at `height` and in which `count` links set the bit."""
        if self.state == ACTIVE:
            return self
        if count < GOOD_LINKS:
            return Bit()
        longer = replace(self, last=(self.last + (count,))[-FEW_PERIODS:])
        if self.run < RUN_MAX:
            longer = replace(longer, run=self.run + 1, sum_=self.sum_ + count)
        # SC-602: A bit that 12 periods in a row carry, with 90% of the links on average, or 120 with 75%, and half in
        # each, is locked in; the same again makes it active; before that, a period below half ends the lock-in.
        if not longer.is_carried():
            return longer
        return Bit(LOCKED_IN, height) if self.state == COUNTING else Bit(ACTIVE, height + 1)

    def is_carried(self):
        """Whether the run is long enough, with enough links."""
        few = self.run >= FEW_PERIODS and sum(self.last) >= FEW_LINKS
        return few or (self.run >= MANY_PERIODS and self.sum_ >= MANY_LINKS * self.run)


@lru_cache(maxsize=256)
def _set_bits(signals):
    return [bit for bit in BITS if signals >> bit & 1]


@dataclass(frozen=True)
class Signals:
    """What a branch has come to at a link: counts of the link's period up to the link, and the bits that are not as at
    first."""

    counts: dict = field(default_factory=dict)
    bits: dict = field(default_factory=dict)

    def after(self, height, signals):
        """The same after the link at `height`, whose share header has these `signals`."""
        begins, ends = (height - 1) % PERIOD_LINKS == 0, height % PERIOD_LINKS == 0
        counts = {} if begins else self.counts
        if signals:
            # SC-601: In a link's period, the link counts for each bit that it sets in `signals`.
            counts = {**counts, **{bit: counts.get(bit, 0) + 1 for bit in _set_bits(signals)}}
        if not ends:
            return Signals(counts, self.bits) if signals or begins else self
        after = {bit: self.bits.get(bit, Bit()).after(height, counts.get(bit, 0)) for bit in {*counts, *self.bits}}
        return Signals(counts, {bit: found for bit, found in after.items() if found != Bit()})

    def mask(self, state):
        """The bits in this state, locked in or active, as an integer."""
        return sum(1 << bit for bit, found in self.bits.items() if found.state == state)

    def commitment(self):
        """What commits to the state of all bits."""
        encoded = (self._encode(bit, self.bits.get(bit, Bit())) for bit in sorted({*self.counts, *self.bits}))
        return tagged("shoal/signals", b"".join(encoded))

    def _encode(self, bit, found):
        counts = (0,) * (FEW_PERIODS - len(found.last)) + found.last
        numbers = (bit, found.state, found.height, found.run, found.sum_, *counts, self.counts.get(bit, 0))
        return struct.pack(f"<BBIHI{FEW_PERIODS}HH", *numbers)

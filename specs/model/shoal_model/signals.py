"""Upgrades: bits counted by weight, locked in and active (section 14)."""

from dataclasses import dataclass, field

PERIOD_LINKS = 2016
THRESHOLD_PERCENT = 90
GRACE_PERIODS = 60
BITS = range(32)


@dataclass(frozen=True)
class Signals:
    """What stands behind a link: sums of its period so far, and the height from which each locked-in bit is active."""

    total: int = 0
    sums: dict = field(default_factory=dict)
    active_from: dict = field(default_factory=dict)

    def after(self, height, credited):
        """The same after the link at `height`, which credits (signals, weight) for each proof."""
        begins = (height - 1) % PERIOD_LINKS == 0
        total, sums = (0, {}) if begins else (self.total, dict(self.sums))
        # SC-601: The weight that a link credits counts, in the link's period, for each bit that the credited proof sets.
        for bits, weight in credited:
            total += weight
            for bit in BITS:
                if bits >> bit & 1:
                    sums[bit] = sums.get(bit, 0) + weight
        active_from = dict(self.active_from)
        if height % PERIOD_LINKS == 0:
            # SC-602: A bit that at least 90% of a period's weight set is locked in, and active 60 periods later.
            for bit, weight in sums.items():
                if weight > 0 and 100 * weight >= THRESHOLD_PERCENT * total:
                    active_from.setdefault(bit, height + GRACE_PERIODS * PERIOD_LINKS + 1)
        return Signals(total, sums, active_from)

"""Targets, work and weights (section 6). Rules SC-110 to SC-113."""

from .params import ONE_BLOCK

MAX = (1 << 256) - 1


def number(hash_):
    """The number of a hash: its bytes as a little-endian integer."""
    return int.from_bytes(hash_, "little")


def work(target):
    """Hashes that are needed on average for one that is not above `target`."""
    return (MAX - target) // (target + 1) + 1


def expand(bits):
    """The target that Bitcoin's compact form stands for; None if it is negative, zero or above 256 bits."""
    size, mantissa = bits >> 24, bits & 0x7FFFFF
    target = mantissa << 8 * (size - 3) if size > 3 else mantissa >> 8 * (3 - size)
    return None if bits & 0x800000 or not 0 < target <= MAX else target


def compact(target):
    """Bitcoin's compact form of a target, which loses all but its first 15 to 23 bits."""
    size = (target.bit_length() + 7) // 8
    mantissa = target >> 8 * (size - 3) if size > 3 else target << 8 * (3 - size)
    if mantissa & 0x800000:
        return size + 1 << 24 | mantissa >> 8
    return size << 24 | mantissa


def share_target(params, anchor_target):
    """SC-111: The share target is the harder of the floor and `shares_per_link` times the anchor's link target."""
    return min(params.easiest_share_target, params.shares_per_link * anchor_target, MAX)


def retarget(params, target, seconds):
    """SC-110: The link target of a link's children follows from the link's own target and the interval before the link.
    The interval of `seconds` may be negative."""
    bound = params.retarget_exponent_max << 16
    # Python's // and >> round towards minus infinity.
    exponent = ((seconds - params.link_interval_s) << 16) // params.retarget_half_life_s
    exponent = max(-bound, min(exponent, bound))
    whole = exponent >> 16
    x = exponent - (whole << 16)
    # 2^(x / 2^16) in units of 2^-16, by a cubic.
    factor = (1 << 16) + ((195766423245049 * x + 971821376 * x**2 + 5127 * x**3 + (1 << 47)) >> 48)
    product = target * factor
    product = product >> -whole if whole < 0 else product << whole
    return max(1, min(product >> 16, MAX))


def next_link_target(params, target, seconds, position_share_target):
    """SC-110 with its last step: every link is a share."""
    return min(retarget(params, target, seconds), position_share_target)


def share_weight(params, target, bits):
    """SC-112: A share's weight is the work of its share target, measured in blocks at the nBits of its difficulty period;
    at least one unit, at most one block. In units of 2^-64 block."""
    return _weight(params, target, bits, 1)


def link_bonus(params, target, bits):
    """SC-113: In addition, a link earns the work of its link target divided by `link_credit_divisor`."""
    return _weight(params, target, bits, params.link_credit_divisor)


def _weight(params, target, bits, divisor):
    block = max(work(expand(bits)), params.min_block_work)
    return max(1, min(work(target) * ONE_BLOCK // (divisor * block), ONE_BLOCK))

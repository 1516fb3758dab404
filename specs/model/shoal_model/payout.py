"""From dues to outputs (section 10). Rules SC-305 to SC-308."""

from dataclasses import dataclass
from hashlib import sha256

from .sha256 import tagged

WORD_BITS = 128  # of the draw's random number


@dataclass(frozen=True)
class Selection:
    """Who is paid with which weight. All pairs are (script, weight)."""

    outputs: tuple  # in the order of the coinbase
    total: int  # weight of all outputs
    order: tuple  # all dues in the order of the coinbase, those not drawn included


def select(params, dues, seed, subsidy):
    """The outputs for `dues`, script -> weight above 0, of which there is at least one. `subsidy` is in satoshi."""
    ordered = sorted(dues.items(), key=lambda due: (-due[1], due[0]))
    outputs, count, tail, total = _split(params, ordered, subsidy)
    # SC-306: The largest dues are paid proportionally: each of these outputs has the weight of its due.
    chosen = ordered[:count]
    draw = _draw_of(seed)
    rest = sorted(ordered[count:], key=lambda due: draw(due[0]))
    drawn = _drawn(rest, outputs - count, tail, draw(b""))
    return Selection((*chosen, *((script, tail) for script in drawn)), total, (*chosen, *rest))


def _split(params, ordered, subsidy):
    """SC-305: There are at most `outputs_max` outputs, and no more outputs than scripts with weight; there are fewer
    while the smallest output would be worth less than `output_floor_sat` of the subsidy.

    Returns the number of outputs, how many of them are proportional, the weight of each of the others, and the weight
    of all. """
    outputs = min(params.outputs_max, len(ordered))
    while True:
        count, tail, total = _tail_payment(ordered, outputs)
        if outputs == 1 or subsidy * tail >= params.output_floor_sat * total:
            return outputs, count, tail, total
        outputs -= 1


def _tail_payment(ordered, outputs):
    """How many of so many outputs are proportional, the weight of each of the others, and the weight of all."""
    total = sum(weight for _, weight in ordered)
    if outputs == len(ordered):
        return outputs, ordered[-1][1], total
    rest, count = total, 0
    while rest < (outputs - count) * ordered[count][1]:
        rest -= ordered[count][1]
        count += 1
    drawn = outputs - count
    return count, rest // drawn, total - rest % drawn


def _draw_of(seed):
    """The function by which a seed orders scripts."""
    key = tagged("shoal/draw", seed)
    return lambda script: sha256(key + key + script).digest()


def _drawn(rest, points, step, random):
    """SC-307: All other dues enter a lottery for equal payments, by systematic sampling in an order that the seed
    determines.

    The scripts of `rest`, in that order, in whose intervals the `points` lie: u, u + step, u + 2 x step and so on.
    """
    point = int.from_bytes(random[: WORD_BITS // 8], "big") * step >> WORD_BITS
    last = point + (points - 1) * step
    end, selected = 0, []
    for script, weight in rest:
        end += weight
        # No due outweighs a step, so at most one point lies in an interval.
        if point < end and point <= last:
            selected.append(script)
            point += step
    return selected


def amounts(selection, value):
    """SC-308: Each output gets `floor(value * weight / total)`; the first output also gets the remainder. In
    satoshi."""
    paid = [(script, value * weight // selection.total) for script, weight in selection.outputs]
    script, first = paid[0]
    left = value - sum(amount for _, amount in paid)
    return [(script, first + left)] + paid[1:]

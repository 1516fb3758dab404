"""From dues to outputs (section 10). Rules SC-305 to SC-308."""

from dataclasses import dataclass
from hashlib import sha256

from .sha256 import tagged

WORD_BITS = 128  # of the draw's random number


@dataclass(frozen=True)
class Selection:
    """Who is paid with which weight, in the order of the outputs."""

    outputs: tuple  # (script, weight)
    total: int  # weight of all outputs


def select(params, dues, seed, subsidy):
    """The outputs for `dues`, script -> weight above 0, of which there is at least one. `subsidy` is in satoshi."""
    ordered = sorted(dues.items(), key=lambda due: (-due[1], due[0]))
    outputs, exact, tail, total = _split(params, ordered, subsidy)
    # SC-306: The largest dues are paid exactly.
    chosen = ordered[:exact]
    if exact < outputs:
        drawn = _draw(ordered[exact:], outputs - exact, tail, seed)
        chosen += [(script, tail) for script in drawn]
    return Selection(tuple(chosen), total)


def _split(params, ordered, subsidy):
    """SC-305: There are at most `outputs_max` outputs and no more than scripts with weight; fewer while the smallest
    would be worth less than `output_floor_sat` of the subsidy.

    Returns the number of outputs, how many of them are exact, what each of the others weighs, and the weight of all.
    """
    outputs = min(params.outputs_max, len(ordered))
    while True:
        exact, tail, total = _tail_payment(ordered, outputs)
        if outputs == 1 or subsidy * tail >= params.output_floor_sat * total:
            return outputs, exact, tail, total
        outputs -= 1


def _tail_payment(ordered, outputs):
    """How many of so many outputs are exact, what each of the others weighs, and the weight of all."""
    total = sum(weight for _, weight in ordered)
    if outputs == len(ordered):
        return outputs, ordered[-1][1], total
    rest, exact = total, 0
    while rest < (outputs - exact) * ordered[exact][1]:
        rest -= ordered[exact][1]
        exact += 1
    drawn = outputs - exact
    return exact, rest // drawn, total - rest % drawn


def _draw(rest, points, step, seed):
    """SC-307: All others draw for even payments, by systematic sampling in an order that the seed decides.

    The scripts, of `rest`, in whose intervals the `points` lie: u, u + step, u + 2 x step and so on.
    """
    key = tagged("shoal/draw", seed)

    def draw(script):
        return sha256(key + key + script).digest()

    point = int.from_bytes(draw(b"")[: WORD_BITS // 8], "big") * step >> WORD_BITS
    last = point + (points - 1) * step
    end, selected = 0, []
    for script, weight in sorted(rest, key=lambda due: draw(due[0])):
        end += weight
        # No due outweighs a step, so at most one point lies in an interval.
        if point < end and point <= last:
            selected.append(script)
            point += step
    return selected


def amounts(selection, value):
    """SC-308: Each output gets `floor(value * weight / total)`; the first also what is left over. In satoshi."""
    paid = [(script, value * weight // selection.total) for script, weight in selection.outputs]
    script, first = paid[0]
    left = value - sum(amount for _, amount in paid)
    return [(script, first + left)] + paid[1:]

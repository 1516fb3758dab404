"""The cases of `specs/vectors/rules.json`: for each rule what breaks it and, next to it, what does not."""

from . import commitments, lists, payouts, periods, proofs, states, targets
from .base import Book


def book():
    """All cases, each of them replayed."""
    made = Book()
    for module in (proofs, targets, periods, payouts, lists, commitments, states):
        module.add_to(made)
    return made

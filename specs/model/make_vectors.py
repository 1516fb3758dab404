#!/usr/bin/env python3
"""Writes specs/vectors: `rules.json` and `proof.json` whole, and in the other files what follows from each case's question. The same
every time. For a new case, add its question (the fields that `answers.py` reads) and run this."""

import json
from pathlib import Path

from answers import ANSWERS
from proof_cases import cases as proof_cases
from rule_cases import book

FOLDER = Path(__file__).resolve().parent.parent / "vectors"
FILE = FOLDER / "rules.json"
ABOUT = (
    "Judgments by rule. Each case is a recording (specs/recording.md): the lines of its setup, then its own, which"
    " claim their verdicts. Written by specs/model/make_vectors.py."
)


def lines(items):
    """Items of JSON, one a line."""
    return ",\n".join(json.dumps(item, separators=(",", ":")) for item in items)


def text(made):
    """The whole of `rules.json`."""
    setups = ",\n".join(f'"{name}":[\n{lines(values)}\n]' for name, values in made.setups.items())
    return f'{{"about":{json.dumps(ABOUT)},\n"setups":{{\n{setups}\n}},\n"cases":[\n{lines(made.cases)}\n]}}\n'


PROOFS = FOLDER / "proof.json"
ABOUT_PROOFS = (
    "Payout proofs (section 16 of the protocol), encoded, and what each shows: the finding, the satoshi that the block pays"
    " the script, and the index of the output. No finding: the proof is not valid, although it is mined like any other."
)


def proofs():
    """The whole of `proof.json`."""
    return f'{{"about":{json.dumps(ABOUT_PROOFS)},\n"cases":[\n{lines(proof_cases())}\n]}}\n'


def answered(name):
    """The whole of another file, with its questions answered."""
    content = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    cases = [case | ANSWERS[name](case) for case in content["cases"]]
    return json.dumps(content | {"cases": cases}, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(book()), encoding="utf-8")
    PROOFS.write_text(proofs(), encoding="utf-8")
    for each in ANSWERS:
        if each == PROOFS.stem:
            continue
        (FOLDER / f"{each}.json").write_text(answered(each), encoding="utf-8")

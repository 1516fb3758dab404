#!/usr/bin/env python3
"""Writes specs/vectors/rules.json: for each rule what breaks it and what just does not. The same every time."""

import json
from pathlib import Path

from rule_cases import book

FILE = Path(__file__).resolve().parent.parent / "vectors" / "rules.json"
ABOUT = (
    "Judgements by rule. Each case is a recording (specs/recording.md): the lines of its setup, then its own, which"
    " claim their verdicts. Written by specs/model/make_vectors.py."
)


def lines(items):
    """Items of JSON, one a line."""
    return ",\n".join(json.dumps(item, separators=(",", ":")) for item in items)


def text(made):
    """The whole file."""
    setups = ",\n".join(f'"{name}":[\n{lines(values)}\n]' for name, values in made.setups.items())
    return f'{{"about":{json.dumps(ABOUT)},\n"setups":{{\n{setups}\n}},\n"cases":[\n{lines(made.cases)}\n]}}\n'


if __name__ == "__main__":
    FILE.write_text(text(book()), encoding="utf-8")

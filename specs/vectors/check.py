#!/usr/bin/env python3
"""Checks the test vectors by the model (`specs/model`), which shares no code with the program. Needs Python 3.9.

Every file here is answered anew, and every rule of `rules.md` has a vector.
"""

import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "model"))

from answers import ANSWERS, same  # noqa: E402
from shoal_model.recording import BadRecording  # noqa: E402
from shoal_model.replayer import replay_lines  # noqa: E402


def check_answer(name, case):
    """Every field that follows from the others is as the model has it."""
    for field, answer in ANSWERS[name](case).items():
        if case.get(field) != answer:
            raise AssertionError(f"{field}: {answer} is not {case.get(field)}")


def check_rules(case, setups):
    try:
        replay = replay_lines(setups[case["setup"]] + case["lines"])
    except BadRecording as problem:
        raise AssertionError(f"{case['rule']}, {case['name']}: {problem}") from None
    same([f"{case['rule']}, {case['name']}: {difference}" for difference in replay.differences], [])


# --- Whether there is a vector of each rule ---

RULE = re.compile(r"SC-\d{3}")
NO_VECTOR = {"SC-901"}  # no input is known that breaks it


def table_rows(file):
    """The cells of each row of the tables of a Markdown file."""
    lines = (HERE / file).read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]


def rules_and_errors():
    """All rules, and those of them with an error."""
    rows = [row for row in table_rows("../rules.md") if RULE.fullmatch(row[0])]
    return {row[0] for row in rows}, {row[0] for row in rows if row[3] != "—"}


def claimed_rules(cases, rules):
    """What `README.md` says each file has vectors of, but `rules.json`, where it shows in the cases."""
    claimed = {case["rule"] for case in cases}
    for row in table_rows("README.md"):
        if row[0] != "`rules.json`":
            claimed.update(RULE.findall(row[-1]))
    unknown = claimed - rules - {"held", "unlistable"}
    same(unknown, set())
    return claimed


def check_coverage(cases):
    """Each rule has a vector; each that can be broken has one that breaks it and one that does not."""
    rules, with_error = rules_and_errors()
    same(rules - claimed_rules(cases, rules), NO_VECTOR)
    for rule in sorted(with_error - NO_VECTOR):
        breaks = [rule in verdicts(case) for case in cases if case["rule"] == rule]
        if not (any(breaks) and not all(breaks)):
            raise AssertionError(f"{rule}: cases that break it and cases that do not are expected")


def verdicts(case):
    """What the lines of a case say of it."""
    return {line[key] for line in case["lines"] for key in ("verdict", "list_verdict") if key in line}


def check_file(file):
    content = json.loads(file.read_text(encoding="utf-8"))
    if file.stem != "rules" and file.stem not in ANSWERS:
        sys.exit(f"{file.name}: nothing here reads it")
    for number, case in enumerate(content["cases"]):
        try:
            if file.stem == "rules":
                check_rules(case, content["setups"])
            else:
                check_answer(file.stem, case)
        except AssertionError as error:
            sys.exit(f"{file.name}, case {number}: {error}")
    print(f"{file.stem}: {len(content['cases'])} cases")
    return content["cases"]


def main():
    for file in sorted(HERE.glob("*.json")):
        cases = check_file(file)
        if file.stem == "rules":
            try:
                check_coverage(cases)
            except AssertionError as error:
                sys.exit(f"rules.md: {error}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Checks the test vectors by the model (`specs/model`), which shares no code with the program. Needs Python 3.9.

Every file here is read by the function of its name, and every rule of `rules.md` has a vector.
"""

import json
import re
import sys
from dataclasses import fields, replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "model"))

from shoal_model import coinbase, encoding, payout, signals, targets  # noqa: E402
from shoal_model.params import NETWORKS  # noqa: E402
from shoal_model.recording import BadRecording  # noqa: E402
from shoal_model.replayer import replay_lines  # noqa: E402
from shoal_model.sha256 import double, midstate  # noqa: E402
from shoal_model.verdict import Broken  # noqa: E402

raw = bytes.fromhex


def equal(computed, expected):
    """Fails with both values, unlike `assert`, and also under `python3 -O`."""
    if computed != expected:
        raise AssertionError(f"{shown(computed)} is not {shown(expected)}")


def shown(value):
    return value.hex() if isinstance(value, bytes) else value


def share_header(case):
    """A share header from JSON: strings are bytes."""
    values = {field.name: case[field.name] for field in fields(encoding.ShareHeader)}
    decoded = {name: raw(value) if isinstance(value, str) else value for name, value in values.items()}
    return encoding.ShareHeader(**decoded)


def optional(value):
    return raw(value) if value else None


def check_networks(case):
    equal(NETWORKS[case["name"]].consensus_id.hex(), case["consensus_id"])


def check_encoding(case):
    share = share_header(case["share"])
    equal(share.encode().hex(), case["share_encoded"])
    proof = encoding.Proof(
        header=raw(case["header"]),
        share=share,
        extranonce=raw(case["extranonce"]),
        witness=optional(case["witness_commitment"]),
        branch=tuple(map(raw, case["branch"])),
        midstate=raw(case["prefix_midstate"]),
        prefix_length=case["prefix_length"],
        tail=raw(case["prefix_tail"]),
    )
    equal(proof.encode().hex(), case["encoded"])
    equal(encoding.decode_proof(raw(case["encoded"])), proof)
    equal(proof.id.hex(), case["id"])


def check_not_canonical(case):
    try:
        encoding.decode_proof(raw(case["encoded"]))
    except Broken as broken:
        equal(broken.rule, case["rule"])
    else:
        raise AssertionError("it decodes")


def check_list(case):
    ids = tuple(map(raw, case["ids"]))
    equal(encoding.encode_list(ids).hex(), case["encoded"])
    equal(encoding.decode_list(raw(case["encoded"])), ids)
    equal(encoding.shares_root(ids).hex(), case["shares_root"])


def check_coinbase(case):
    share, extranonce = share_header(case["share"]), raw(case["extranonce"])
    payouts = [(raw(due["script"]), due["value_sat"]) for due in case["payouts"]]
    prefix = coinbase.prefix(share, extranonce, optional(case["witness_commitment"]), payouts)
    equal(prefix.index(extranonce), case["extranonce_offset"])
    equal(len(prefix), case["prefix_length"])
    equal(midstate(prefix).hex(), case["prefix_midstate"])
    equal(prefix[len(prefix) - len(prefix) % 64 :].hex(), case["prefix_tail"])
    params = NETWORKS[case["network"]]
    equal(coinbase.commitment(params, share).hex(), case["commitment"])
    whole = prefix + coinbase.suffix(params, share)
    equal(whole.hex(), case["coinbase"])
    equal(double(whole).hex(), case["txid"])


def check_binding(case):
    proof = encoding.decode_proof(raw(case["encoded"]))
    try:
        coinbase.check_binding(NETWORKS[case["network"]], proof, targets.MAX)
        equal(True, case["binds"])
    except Broken as broken:
        equal(broken.rule, "SC-102")
        equal(False, case["binds"])


def check_link_target(case):
    params = NETWORKS[case["network"]]
    share = targets.share_target(params, int(case["anchor_link_target"], 16))
    equal(f"{share:064x}", case["share_target"])
    target = targets.next_link_target(params, int(case["parent_target"], 16), case["seconds"], share)
    equal(f"{target:064x}", case["link_target"])


def check_weight(case):
    params, target = NETWORKS[case["network"]], int(case["target"], 16)
    equal(str(targets.share_weight(params, target, case["bits"])), case["share_weight"])
    equal(str(targets.link_bonus(params, target, case["bits"])), case["link_bonus"])


def check_selection(case):
    limits = {name: case[name] for name in ("outputs_max", "output_floor_sat")}
    dues = {raw(due["script"]): int(due["weight"]) for due in case["dues"] if int(due["weight"])}
    selection = payout.select(replace(NETWORKS["main"], **limits), dues, raw(case["seed"]), case["subsidy_sat"])
    equal(str(selection.total), case["total"])
    paid = payout.amounts(selection, case["value_sat"])
    found = [
        {"script": script.hex(), "weight": str(weight), "value_sat": amount}
        for (script, weight), (_, amount) in zip(selection.outputs, paid)
    ]
    equal(found, case["outputs"])


def check_signals(case):
    count, height = signals.Signals(), 0
    for run in case["runs"]:
        credited = [(bits, int(weight)) for bits, weight in run["credited"]]
        for _ in range(run["links"]):
            height += 1
            count = count.after(height, credited)
    found = {bit: [bit, str(weight), str(count.total)] for bit, weight in count.sums.items()}
    found.update({bit: [bit, height] for bit, height in count.active_from.items()})
    equal([found[bit] for bit in sorted(found)], case["states"])


def check_rules(case, setups):
    try:
        replay = replay_lines(setups[case["setup"]] + case["lines"])
    except BadRecording as problem:
        raise AssertionError(f"{case['rule']}, {case['name']}: {problem}") from None
    equal([f"{case['rule']}, {case['name']}: {difference}" for difference in replay.differences], [])


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
    equal(unknown, set())
    return claimed


def check_coverage(cases):
    """Each rule has a vector; each that can be broken has one that breaks it and one that does not."""
    rules, with_error = rules_and_errors()
    equal(rules - claimed_rules(cases, rules), NO_VECTOR)
    for rule in sorted(with_error - NO_VECTOR):
        breaks = [rule in verdicts(case) for case in cases if case["rule"] == rule]
        if not (any(breaks) and not all(breaks)):
            raise AssertionError(f"{rule}: cases that break it and cases that do not are expected")


def verdicts(case):
    """What the lines of a case say of it."""
    return {line[key] for line in case["lines"] for key in ("verdict", "list_verdict") if key in line}


def check_file(file):
    content = json.loads(file.read_text(encoding="utf-8"))
    check = globals().get(f"check_{file.stem}")
    if check is None:
        sys.exit(f"{file.name}: nothing here reads it")
    extra = [content["setups"]] if "setups" in content else []
    for number, case in enumerate(content["cases"]):
        try:
            check(case, *extra)
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

"""What the model answers to the questions of the small files of vectors: each function takes a case's question and
gives the fields that follow from it."""

from dataclasses import fields, replace
from types import SimpleNamespace

from proof_cases import answered as payout_proof
from shoal_model import bitcoin, coinbase, encoding, payout, signals, state, targets
from shoal_model.params import NETWORKS
from shoal_model.sha256 import double, midstate
from shoal_model.sum_tree import HISTORY
from shoal_model.verdict import Broken

raw = bytes.fromhex


def share_header(case):
    """A share header from JSON: strings are bytes."""
    values = {field.name: case[field.name] for field in fields(encoding.ShareHeader)}
    decoded = {name: raw(value) if isinstance(value, str) else value for name, value in values.items()}
    return encoding.ShareHeader(**decoded)


def optional(value):
    return raw(value) if value else None


def same(computed, given):
    """Fails with both values, unlike `assert`, and also under `python3 -O`."""
    if computed != given:
        raise AssertionError(f"{computed} is not {given}")


def networks(case):
    return {"consensus_id": replace(NETWORKS[case["name"]], pool=case["pool"]).consensus_id.hex()}


def headers(case):
    """What is expected of the header after some runs of headers, by its time. No header's hash matters."""
    params, time, height, last = NETWORKS[case["network"]], case["first_time"], case["first_height"], None
    for run in case["runs"]:
        for _ in range(run["count"]):
            raw = bytes(68) + time.to_bytes(4, "little") + run["bits"].to_bytes(4, "little") + bytes(4)
            last = bitcoin.Header(raw, height, 0, last)
            time, height = time + run["seconds"], height + 1
    return {
        "least_time": bitcoin.least_time(params, last),
        "period_bits": bitcoin.period_bits(params, last),
        "bits": [bitcoin.expected_bits(params, last, last.time + seconds) for seconds in case["seconds"]],
    }


def encoded(case):
    share = share_header(case["share"])
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
    same(encoding.decode_proof(proof.encode()), proof)
    return {"share_encoded": share.encode().hex(), "encoded": proof.encode().hex(), "id": proof.id.hex()}


def not_canonical(case):
    try:
        encoding.decode_proof(raw(case["encoded"]))
    except Broken as broken:
        return {"rule": broken.rule}
    raise AssertionError("it decodes")


def listed(case):
    ids = tuple(map(raw, case["ids"]))
    made = encoding.encode_list(ids)
    same(encoding.decode_list(made), ids)
    return {"encoded": made.hex(), "shares_root": encoding.shares_root(ids).hex()}


def coinbases(case):
    share, extranonce, params = share_header(case["share"]), raw(case["extranonce"]), NETWORKS[case["network"]]
    payouts = [(raw(due["script"]), due["value_sat"]) for due in case["payouts"]]
    prefix = coinbase.prefix(share, extranonce, optional(case["witness_commitment"]), payouts)
    whole = prefix + coinbase.suffix(params, share)
    return {
        "commitment": coinbase.commitment(params, share).hex(),
        "coinbase": whole.hex(),
        "txid": double(whole).hex(),
        "extranonce_offset": prefix.index(extranonce),
        "prefix_length": len(prefix),
        "prefix_midstate": midstate(prefix).hex(),
        "prefix_tail": prefix[len(prefix) - len(prefix) % 64 :].hex(),
    }


def binding(case):
    proof = encoding.decode_proof(raw(case["encoded"]))
    try:
        coinbase.check_binding(SimpleNamespace(consensus_id=raw(case["consensus_id"])), proof, targets.MAX)
    except Broken as broken:
        same(broken.rule, "SC-102")
        return {"binds": False}
    return {"binds": True}


def link_target(case):
    params = NETWORKS[case["network"]]
    share = targets.share_target(params, int(case["anchor_link_target"], 16))
    target = targets.next_link_target(params, int(case["parent_target"], 16), case["seconds"], share)
    return {"share_target": f"{share:064x}", "link_target": f"{target:064x}"}


def weight(case):
    params, target = NETWORKS[case["network"]], int(case["target"], 16)
    return {
        "share_weight": str(targets.share_weight(params, target, case["bits"])),
        "link_bonus": str(targets.link_bonus(params, target, case["bits"])),
    }


def selected_by(case):
    """The selection of the dues above 0, of which there may be none."""
    limits = {name: case[name] for name in ("outputs_max", "output_floor_sat")}
    dues = {raw(due["script"]): int(due["weight"]) for due in case["dues"] if int(due["weight"])}
    if not dues:
        return None
    return payout.select(replace(NETWORKS["main"], **limits), dues, raw(case["seed"]), case["subsidy_sat"])


def selection(case):
    selected = selected_by(case)
    paid = payout.amounts(selected, case["value_sat"])
    outputs = [
        {"script": script.hex(), "weight": str(due), "value_sat": amount}
        for (script, due), (_, amount) in zip(selected.outputs, paid)
    ]
    return {"outputs": outputs, "total": str(selected.total)}


def signalled(case):
    """The states after each period, as runs of periods with the same states, and what commits to the last link's."""
    states, found = [], signals.Signals()
    for height, found in signals_of(case["patterns"]):
        if height % signals.PERIOD_LINKS == 0:
            _add_period(states, found)
    return {"states": states, "commitment": found.commitment().hex()}


def signals_of(patterns):
    """Height and state of each link of some patterns."""
    found, height = signals.Signals(), 0
    for pattern in patterns:
        for _ in range(pattern["times"]):
            for links, bits in pattern["links"]:
                for _ in range(links):
                    height += 1
                    found = found.after(height, bits)
                    yield height, found


def _add_period(states, found):
    masks = {"locked_in": found.mask(signals.LOCKED_IN), "active": found.mask(signals.ACTIVE)}
    if states and states[-1] == {"periods": states[-1]["periods"], **masks}:
        states[-1]["periods"] += 1
    else:
        states.append({"periods": 1, **masks})


def committed(case):
    selected, found = selected_by(case), signals.Signals()
    for _, found in signals_of(case["patterns"]):
        pass
    parts = {
        "window": state.window_commitment(selected.order if selected else ()),
        "credits": state.credits_commitment({raw(row["script"]): (int(row["weight"]), 1) for row in case["credits"]}),
        "history": HISTORY.commitment(map(_link_leaf, case["links"])),
        "signals": found.commitment(),
    }
    shown = {f"{name}_commitment": value.hex() for name, value in parts.items()}
    return {**shown, "state_root": state.state_root(**parts).hex()}


def _link_leaf(link):
    numbers = {name: link[name] for name in ("height", "time", "proofs", "snapshot_height")}
    targets_and_work = {name: int(link[name], 16) for name in ("link_target", "chain_work")}
    return state.history_leaf(id_=raw(link["id"]), **numbers, **targets_and_work)


# By file.
ANSWERS = {
    "networks": networks,
    "headers": headers,
    "encoding": encoded,
    "not_canonical": not_canonical,
    "list": listed,
    "coinbase": coinbases,
    "binding": binding,
    "link_target": link_target,
    "weight": weight,
    "selection": selection,
    "signals": signalled,
    "state": committed,
    "proof": payout_proof,
}

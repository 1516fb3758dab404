"""Reads and writes recordings, as `specs/recording.md` describes them. Refuses what that does not allow."""

import json
import re
from dataclasses import dataclass, replace

from .params import FIELDS, NETWORKS, Params
from .targets import expand

VERSION = 2
LINE_BYTES_MAX = 16 << 20
PROOF_BYTES_MAX = 4096  # more than a proof may have, so that a recording can hold one that is too long
IDS_MAX = 65535  # what the count of an encoded list can say
ROOT_HEADERS_MAX = 8192
BEGINNING_BYTES_MAX = 16 << 10
HEX = re.compile("(?:[0-9a-f]{2})*")
RULE = re.compile("SC-[0-9]{3}")
POOL = re.compile("[a-z0-9-]{0,32}")


class BadRecording(Exception):
    """A line that is not what the format allows."""


def check(holds, problem):
    if not holds:
        raise BadRecording(problem)


# --- Kinds of values: each takes JSON's value and gives the model's, or raises ---


def hex_of(least, most=None):
    """Lower-case hexadecimal of so many bytes."""
    most = least if most is None else most

    def read(value):
        check(isinstance(value, str) and HEX.fullmatch(value), "is not lower-case hexadecimal")
        check(least <= len(value) // 2 <= most, f"has {len(value) // 2} bytes, {least} to {most} are expected")
        return bytes.fromhex(value)

    return read


def integer(bits):
    def read(value):
        check(type(value) is int and 0 <= value < 1 << bits, f"is not an integer of {bits} bits")
        return value

    return read


def decimal(bits):
    """An integer that JSON readers may not hold: a string of decimal digits without leading zeros."""

    def read(value):
        check(isinstance(value, str) and re.fullmatch("0|[1-9][0-9]*", value), "is not a decimal string")
        check(len(value) < 90 and int(value) < 1 << bits, f"has more than {bits} bits")
        return int(value)

    return read


def number_256(value):
    """64 hexadecimal digits, the highest first."""
    return int.from_bytes(HASH(value), "big")


def text(most):
    def read(value):
        check(isinstance(value, str) and len(value.encode()) <= most, f"is not a string of at most {most} bytes")
        return value

    return read


def rows_of(*kinds):
    """A list of rows, each a list of these kinds."""

    def read(value):
        check(isinstance(value, list), "is not a list")
        for row in value:
            check(isinstance(row, list) and len(row) == len(kinds), f"has a row that is not {len(kinds)} values")
        return [tuple(kind(cell) for kind, cell in zip(kinds, row)) for row in value]

    return read


def list_of(kind, most):
    def read(value):
        check(isinstance(value, list) and len(value) <= most, f"is not a list of at most {most}")
        return tuple(kind(item) for item in value)

    return read


def verdict_of(*words):
    def read(value):
        known = isinstance(value, str) and (value in words or RULE.fullmatch(value))
        check(known, f"is not a rule or one of {', '.join(words)}")
        return value

    return read


HASH = hex_of(32)
HEADER = hex_of(80)
SCRIPT = hex_of(22, 34)
IDS = list_of(HASH, IDS_MAX)
VERDICT = verdict_of("valid", "held", "unlistable", "known")
LIST_VERDICT = verdict_of("complete", "held", "ignored")
HEADER_VERDICT = verdict_of("valid", "held", "invalid")


def parameter(kind):
    """How a constant of a network is written."""
    known = {"text": text(255), "hash": HASH, "script": hex_of(0, 255), 16: decimal(128), 32: number_256}
    return known.get(kind) or integer(8 * kind)


PARAMETERS = {name: parameter(kind) for name, kind in FIELDS}
# Constants without which the rules have no meaning.
NOT_ZERO = (
    "retarget_blocks",
    "retarget_timespan_s",
    "retarget_factor_max",
    "halving_blocks",
    "min_block_work",
    "retarget_half_life_s",
    "link_credit_divisor",
    "median_span",
    "outputs_max",
)


def show_params(params):
    """The constants as a recording's `parameters`."""
    shown = {}
    for name, kind in FIELDS:
        value = getattr(params, name)
        if isinstance(value, bytes):
            value = value.hex()
        elif kind in (16, 32):
            value = str(value) if kind == 16 else f"{value:064x}"
        shown[name] = value
    return shown


# --- Lines ---

# What each line has: its kind is told by its first key. `?` marks what may be left out.
ROOT = {"height": integer(32), "chain_work": number_256, "headers": list_of(HEADER, ROOT_HEADERS_MAX)}
FIRST = {
    "shoal_recording": integer(32),
    "about?": text(1000),
    "network": text(255),
    "consensus_id": HASH,
    "parameters?": PARAMETERS,
    "root": ROOT,
}
LINES = {
    "header": {"header": HEADER, "verdict?": HEADER_VERDICT},
    "proof": {"proof": hex_of(0, PROOF_BYTES_MAX), "list?": IDS, "verdict?": VERDICT, "list_verdict?": LIST_VERDICT},
    "list_of": {"list_of": HASH, "list": IDS, "list_verdict?": LIST_VERDICT},
    "now": {"now": integer(32)},
}
# The lines that the recording of a pruned node begins with.
BASE = {
    "begins": {"begins": hex_of(0, BEGINNING_BYTES_MAX)},
    "base_link": {"base_link": hex_of(0, PROOF_BYTES_MAX), "list?": IDS},
    "base_rows": {"base_rows": hex_of(0, LINE_BYTES_MAX)},
    "base": {"base": integer(32)},
}
LINES.update(BASE)
CLAIMS = {
    "tip": {"claim": text(16), "id": HASH, "height": integer(32), "chain_work": number_256},
    "link": {
        "claim": text(16),
        "id": HASH,
        "height": integer(32),
        "rows": rows_of(SCRIPT, decimal(128), integer(32)),
    },
    "window": {
        "claim": text(16),
        "snapshot": HASH,
        "oldest": integer(32),
        "newest": integer(32),
        "proofs": integer(64),
        "total": decimal(128),
        "sums": rows_of(SCRIPT, decimal(128), integer(32)),
    },
    "outputs": {
        "claim": text(16),
        "parent": HASH,
        "previous_block": HASH,
        "payout": SCRIPT,
        "coinbase_value": integer(64),
        "outputs": rows_of(SCRIPT, integer(64)),
    },
    "state": {"claim": text(16), "parent": HASH, "previous_block": HASH, "list": IDS, "state_root": HASH},
    "proof": {"claim": text(16), "id": HASH, "verdict": VERDICT, "list_verdict?": LIST_VERDICT},
}


@dataclass(frozen=True)
class Line:
    """A line of a recording: where it stands, what kind it is and what it says."""

    number: int
    kind: str  # a key of `LINES`, or 'claim ' and one of `CLAIMS`
    fields: dict


def fields_of(value, schema, where=""):
    """The fields of an object by a schema of kinds; those that are left out are missing."""
    check(isinstance(value, dict), f"{where or 'the line'} is not an object")
    names = {key.rstrip("?") for key in schema}
    unknown = sorted(value.keys() - names)
    check(not unknown, f"unknown key {where}{unknown[0] if unknown else ''}")
    found = {}
    for key, kind in schema.items():
        name = key.rstrip("?")
        if name not in value:
            check(key.endswith("?"), f"{where}{name} is missing")
            continue
        try:
            inner = isinstance(kind, dict)
            found[name] = fields_of(value[name], kind, f"{where}{name}.") if inner else kind(value[name])
        except BadRecording as problem:
            raise problem if inner else BadRecording(f"{where}{name} {problem}") from None
    return found


def _object(pairs):
    """JSON's object, each of whose keys stands once."""
    found = dict(pairs)
    check(len(found) == len(pairs), "a key stands twice")
    return found


def _not_a_number(name):
    raise BadRecording(f"{name} is not allowed")


def parse_line(data):
    """The JSON object of one line of bytes."""
    check(len(data) <= LINE_BYTES_MAX, f"has more than {LINE_BYTES_MAX} bytes")
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_object, parse_constant=_not_a_number)
    except (ValueError, RecursionError) as error:
        raise BadRecording(f"is not JSON in UTF-8: {error}") from None
    check(isinstance(value, dict), "is not an object")
    return value


def read_line(number, value):
    """A line after the first."""
    if "claim" in value:
        kind = value["claim"]
        check(isinstance(kind, str) and kind in CLAIMS, f"there is no claim {kind}")
        return Line(number, f"claim {kind}", fields_of(value, CLAIMS[kind]))
    kinds = [kind for kind in LINES if kind in value]
    check(len(kinds) == 1, f"is none of {', '.join(LINES)} or claim, or several")
    fields = fields_of(value, LINES[kinds[0]])
    check("list" in fields or "list_verdict" not in fields, "has a list_verdict without a list")
    return Line(number, kinds[0], fields)


@dataclass(frozen=True)
class Start:
    """What the first line says."""

    params: Params
    height: int
    chain_work: int
    headers: tuple


def read_start(value):
    """The first line."""
    check("shoal_recording" in value, "is not the first line of a recording")
    check(value["shoal_recording"] == VERSION, f"version {value['shoal_recording']} of the format is not known")
    fields = fields_of(value, FIRST)
    if "parameters" in fields:
        params = Params(**fields["parameters"])
        check(params.name == fields["network"], f"the parameters are those of {params.name}")
        check(POOL.fullmatch(params.pool), "parameters.pool is not the name of a pool")
        known = replace(NETWORKS.get(params.name, params), pool=params.pool)
        check(known == params, f"the parameters are not those of {params.name}")
    else:
        check(fields["network"] in NETWORKS, f"network {fields['network']} is not known and has no parameters")
        params = NETWORKS[fields["network"]]
    expected, found = params.consensus_id.hex(), fields["consensus_id"].hex()
    check(expected == found, f"consensus_id is {found}, that of the parameters is {expected}")
    zero = [name for name in NOT_ZERO if not getattr(params, name)]
    check(not zero, f"parameters.{', '.join(zero)} must not be zero")
    check(expand(params.pow_limit_bits), "parameters.pow_limit_bits stands for no target")
    root = fields["root"]
    return Start(params, root["height"], root["chain_work"], root["headers"])


def show_start(params, height, chain_work, headers):
    """The first line as an object for JSON."""
    shown = {"shoal_recording": VERSION, "network": params.name, "consensus_id": params.consensus_id.hex()}
    if NETWORKS.get(params.name) != params:
        shown["parameters"] = show_params(params)
    root = {"height": height, "chain_work": f"{chain_work:064x}", "headers": [raw.hex() for raw in headers]}
    return {**shown, "root": root}


def show_line(value):
    """An object as a line of text."""
    return json.dumps(value, separators=(",", ":")) + "\n"

"""Checks the dependency tree against deny.toml: licences, banned crates, sources.

It reads the file that `cargo deny` reads, and checks of it what needs no network. Plain Python 3.11,
so that it costs no build: `python3 .ci/deny.py`.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"


def is_allowed(expression: str, allowed: set[str]) -> bool:
    """Whether an SPDX expression can be met with allowed licences alone.

    `AND` binds tighter than `OR`; `/` is an old way to write `OR`.
    """
    tokens = re.findall(r"\(|\)|[^\s()]+(?:\s+WITH\s+[^\s()]+)?", expression.replace("/", " OR "))

    def alternatives() -> bool:
        met = combination()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            met = combination() or met
        return met

    def combination() -> bool:
        met = licence()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            met = licence() and met
        return met

    def licence() -> bool:
        token = tokens.pop(0) if tokens else ""
        if token != "(":
            return token in allowed
        met = alternatives()
        return bool(tokens) and tokens.pop(0) == ")" and met

    return alternatives() and not tokens


def built_from() -> set[tuple[str, str]]:
    """Name with version, and licence, of every crate that something in the workspace is built from.

    `cargo tree` and not Cargo.lock, which also names crates that no enabled feature reaches.
    """
    command = ["cargo", "tree", "--workspace", "--locked", "--edges", "normal,build,dev", "--prefix", "none"]
    lines = subprocess.check_output([*command, "--format", "{p}|{l}"], text=True, cwd=ROOT).splitlines()
    rows = (line.removesuffix(" (*)").partition("|") for line in lines if line)
    return {(" ".join(package.split()[:2]), licence) for package, _, licence in rows}


def problems(rules: dict) -> list[str]:
    """One sentence for each rule that a crate breaks."""
    allowed = set(rules["licenses"]["allow"])
    exceptions = {entry["crate"]: set(entry["allow"]) for entry in rules["licenses"].get("exceptions", [])}
    found = []
    for crate, licence in sorted(built_from()):
        if not is_allowed(licence, allowed | exceptions.get(crate.split(" ")[0], set())):
            found.append(f"{crate}: licence {licence or 'not stated'} is not allowed")
    banned = {ban["name"]: ban["reason"] for ban in rules["bans"]["deny"]}
    for locked in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]:
        if locked["name"] in banned:
            found.append(f"{locked['name']} {locked['version']} is banned: {banned[locked['name']]}")
        if locked.get("source", CRATES_IO) != CRATES_IO:
            found.append(f"{locked['name']} {locked['version']} comes from {locked['source']}, not from crates.io")
    return found


def main() -> int:
    """Prints every problem; exit code 1 if there is one."""
    found = problems(tomllib.loads((ROOT / "deny.toml").read_text()))
    for sentence in found:
        print(f"deny: {sentence}", file=sys.stderr)
    print(f"deny: {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

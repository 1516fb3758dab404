"""Checks the house rules that no compiler knows: who imports whom, and where a thing may be named.

`python3 make/house.py`, part of `make lint`. Plain Python 3.11.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Which crates of the workspace a crate may depend on, tests and benchmarks included.
IMPORTS = {
    "sharechain": set(),
    "stratum": set(),
    "p2p": {"sharechain"},
    "node": {"p2p", "stratum", "sharechain"},
    "testnet": {"node", "p2p", "stratum", "sharechain"},
}

# A crate as code names it (not in comments), and the only place where it may stand.
CONFINED = {
    r"\blibp2p\b": "p2p/src/net",
    r"\brocksdb\b": "node/src/store",
    r"\bbitcoinkernel\b": "testnet/src",
}

# What consensus rules may not know: clocks, randomness, I/O, async, logging, floats, an order that differs by run.
IMPURE = re.compile(
    r"(?:\b|\d)(f32|f64)\b|\b(HashMap|HashSet|Instant|SystemTime|getrandom|rand|tokio|tracing|println|eprintln|async"
    r"|std::(env|fs|io|net|process|thread|time))\b"
)
# The map that cannot be iterated, by which everything else goes.
PURE_EXCEPT = {"sharechain/src/id_map.rs"}

LINES_MAX = 400


def sources() -> dict[str, str]:
    """The Rust files of the workspace by path."""
    files = (file for crate in IMPORTS for file in (ROOT / crate).rglob("*.rs"))
    return {file.relative_to(ROOT).as_posix(): file.read_text() for file in files}


def code_lines(text: str) -> list[tuple[int, str]]:
    """The numbered lines of a file, without what follows `//`."""
    return [(number, line.split("//")[0]) for number, line in enumerate(text.splitlines(), 1)]


def is_test(path: str) -> bool:
    """Whether a file holds tests, which may use whatever shows that something works."""
    return "/src/" not in path or path.endswith("/tests.rs") or "/tests/" in path


def wrong_imports() -> list[str]:
    """Dependencies that point the wrong way."""
    found = []
    for crate, allowed in IMPORTS.items():
        manifest = tomllib.loads((ROOT / crate / "Cargo.toml").read_text())
        for table in ("dependencies", "dev-dependencies", "build-dependencies"):
            for name in sorted(manifest.get(table, {}).keys() & (IMPORTS.keys() - allowed)):
                found.append(f"{crate}/Cargo.toml: {crate} must not depend on {name}")
    return found


def wrong_places(files: dict[str, str]) -> list[str]:
    """Crates named outside the one place that knows them."""
    found = []
    for path, text in files.items():
        for pattern, place in CONFINED.items():
            if path.startswith((f"{place}/", f"{place}.rs")) or is_test(path):
                continue
            for number, line in code_lines(text):
                if re.search(pattern, re.sub(r'"[^"]*"', '""', line)):
                    found.append(f"{path}:{number}: {pattern[2:-2]} may be named only in {place}")
    return found


def impurities(files: dict[str, str]) -> list[str]:
    """What consensus code may not know."""
    found = []
    for path, text in files.items():
        if path.startswith("sharechain/src/") and path not in PURE_EXCEPT and not is_test(path):
            for number, line in code_lines(text):
                if match := IMPURE.search(line):
                    found.append(f"{path}:{number}: consensus rules must not know {match[0]}")
    return found


def long_files(files: dict[str, str]) -> list[str]:
    """Files that hold more than one thing."""
    lengths = {path: text.count("\n") for path, text in files.items()}
    return [f"{path}: {n} lines, {LINES_MAX} at most" for path, n in lengths.items() if n > LINES_MAX]


def main() -> int:
    """Prints every problem; exit code 1 if there is one."""
    files = sources()
    found = wrong_imports() + wrong_places(files) + impurities(files) + long_files(files)
    for sentence in found:
        print(f"house: {sentence}", file=sys.stderr)
    print(f"house: {len(files)} files, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

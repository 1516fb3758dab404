#!/usr/bin/env python3
"""Replays a recording of a share-chain by the rules and says where it differs. See specs/recording.md.

Exit status: 0 when all agrees, 1 when something differs, 2 when the file is no recording.
"""

import argparse
import json
import sys
import time

from shoal_model.recording import BadRecording
from shoal_model.replayer import replay_file

PROGRESS_EVERY_S = 1
DIFFERENCES_SHOWN = 20


class Progress:
    """Counts lines on a terminal."""

    def __init__(self):
        self.last = time.monotonic()

    def __call__(self, number):
        if time.monotonic() - self.last > PROGRESS_EVERY_S:
            self.last = time.monotonic()
            print(f"\rline {number}", end="", file=sys.stderr, flush=True)


def tell(summary, differences):
    print(f"network {summary['network']}, consensus id {summary['consensus_id']}")
    print(f"{summary['valid']} valid proofs, {summary['links']} of them links; {summary['headers']} Bitcoin headers")
    print(f"{summary['held']} held, {summary['invalid']} invalid; {summary['claims']} claims")
    print(f"tip {summary['tip']} at height {summary['height']}, chain work {summary['chain_work']}")
    if unverified := summary["unverified"]:
        first, last = unverified["below"], unverified["by_roots_up_to"]
        print(f"links below height {first} are not shown; up to height {last}, credits are verified by state roots alone")
    for difference in differences[:DIFFERENCES_SHOWN]:
        print(difference)
    if len(differences) > DIFFERENCES_SHOWN:
        print(f"and {len(differences) - DIFFERENCES_SHOWN} more")
    print(f"{len(differences)} differences" if differences else "no differences")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", help="the recording")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args()
    terminal = sys.stderr.isatty()
    try:
        replay = replay_file(options.file, Progress() if terminal else None)
    except (BadRecording, OSError) as problem:
        print(f"{options.file}: {problem}", file=sys.stderr)
        return 2
    finally:
        if terminal:
            print("\r", end="", file=sys.stderr)
    if options.json:
        print(json.dumps(replay.summary(), indent=1))
    else:
        tell(replay.summary(), replay.differences)
    return 1 if replay.differences else 0


if __name__ == "__main__":
    sys.exit(main())

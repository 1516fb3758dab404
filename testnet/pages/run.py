#!/usr/bin/env python3
"""Tests the web pages and the API of a running test network from outside, in a real Chromium and with schemathesis.

    run.py --network FOLDER --program shoal-testnet [--out FOLDER] [--web FOLDER] [NAME...]

FOLDER is the one of `shoal-testnet up`, with at least three nodes. Names select tests, such as `test_facts` or
`test_facts.Facts.test_home`. Pictures of all pages and of failures are saved under --out. --web serves the pages from a
folder instead of the program's own, for developing them.
"""

import argparse
import os
import shutil
import sys
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Timed(unittest.TextTestResult):
    """Prints the duration of each test."""

    def startTest(self, test):
        self.started = time.monotonic()
        super().startTest(test)

    def addSuccess(self, test):
        self.stream.write(f"{time.monotonic() - self.started:.1f} s ")
        super().addSuccess(test)

    def addFailure(self, test, error):
        self.stream.write(f"{error[1]}\n")
        super().addFailure(test, error)

    def addSubTest(self, test, subtest, error):
        if error:
            self.stream.write(f"{subtest}: {error[1]}\n")
        super().addSubTest(test, subtest, error)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", type=Path, required=True)
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--web", type=Path)
    parser.add_argument("names", nargs="*")
    asked = parser.parse_args()
    out = (asked.out or asked.network / "pages").resolve()
    os.environ |= {"SHOAL_PAGES_NETWORK": str(asked.network), "SHOAL_PAGES_PROGRAM": str(asked.program), "SHOAL_PAGES_OUT": str(out)}
    if asked.web:
        os.environ["SHOAL_PAGES_WEB"] = str(asked.web)
    shutil.rmtree(out / "failures", ignore_errors=True)
    sys.path.insert(0, str(HERE))
    if not asked.names:
        # These take a while and need no browser, so they start first.
        import world
        world.refusal(), world.fuzzing()
    loader = unittest.TestLoader()
    tests = loader.loadTestsFromNames(asked.names) if asked.names else loader.discover(str(HERE))
    # The first view has charts, which begin with the second whole minute of the network.
    tests = unittest.TestSuite(sorted(tests, key=lambda suite: "first_view" in str(suite)))
    result = unittest.TextTestRunner(verbosity=2, resultclass=Timed).run(tests)
    print(f"pictures and what failed: {out}")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Tests the web pages and the API of a running test network from outside, in a real Chromium and with schemathesis.

    run.py --network FOLDER --program shoal-testnet [--out FOLDER] [--web FOLDER] [--explorer URL] [NAME...]

FOLDER is the one of `shoal-testnet up`, with at least three nodes. Names select tests, such as `test_facts` or
`test_facts.Facts.test_home`. Pictures of all pages and of failures are saved under --out. --web serves the pages from a
folder instead of the program's own, for developing them. --explorer runs the tests of the public mode at explorers that
read the network's archive.
"""

import argparse
import os
import shutil
import sys
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent


# What holds without miners and peers.
PUBLIC = ("test_explorer", "test_search", "test_facts.Facts.test_home", "test_facts.Facts.test_how_decentralised", "test_facts.Facts.test_chain",
          "test_facts.Facts.test_link", "test_facts.Facts.test_link_that_lost", "test_facts.Facts.test_unknown_link",
          "test_facts.Facts.test_listed_share", "test_facts.Facts.test_unknown_share", "test_facts.Facts.test_sum_of_payments",
          "test_facts.Facts.test_miners", "test_facts.Facts.test_blocks", "test_facts.Facts.test_block",
          "test_facts.Facts.test_unknown_block", "test_facts.Facts.test_calculator", "test_facts.Facts.test_api",
          "test_live.Live.test_links_arrive_by_themselves", "test_live.Live.test_the_picture_grows_by_itself",
          "test_proof.Proof.test_every_output_of_a_real_block_is_right", "test_api.Document.test_it_is_a_valid_openapi_document",
          "test_api.Document.test_real_answers_are_as_documented", "test_api.Document.test_what_an_address_was_paid_is_what_blocks_paid_it")


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
    parser.add_argument("--explorer")
    parser.add_argument("names", nargs="*")
    asked = parser.parse_args()
    out = (asked.out or asked.network / "pages").resolve()
    os.environ |= {"SHOAL_PAGES_NETWORK": str(asked.network), "SHOAL_PAGES_PROGRAM": str(asked.program), "SHOAL_PAGES_OUT": str(out)}
    if asked.web:
        os.environ["SHOAL_PAGES_WEB"] = str(asked.web)
    shutil.rmtree(out / "failures", ignore_errors=True)
    sys.path.insert(0, str(HERE))
    if asked.explorer:
        os.environ["SHOAL_PAGES_EXPLORER"] = asked.explorer
        asked.names = asked.names or PUBLIC
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

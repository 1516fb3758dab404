"""Runs schemathesis on the API and its document. Its findings are saved next to the pictures."""

import unittest

from network import eventually
from world import fuzzing


class Fuzzed(unittest.TestCase):
    def test_schemathesis_finds_nothing(self):
        process = fuzzing()
        eventually("schemathesis ends", lambda: process.poll() is not None, 180)
        said = process.log.read_text()
        self.assertEqual(process.returncode, 0, f"{said[-6000:]}\nsee {process.log}")
        print("; ".join(line.strip() for line in said.splitlines() if "generated" in line or "Operations:" in line), end=" ... ", flush=True)

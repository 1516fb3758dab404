"""The script with which wallets verify payout proofs (specs/proof.py): as a program, and with altered proofs."""

import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import proof_cases
from shoal_model.params import NETWORKS

SPECS = Path(__file__).resolve().parents[2]
CASES = json.loads((SPECS / "vectors" / "proof.json").read_text(encoding="utf-8"))["cases"]
VALID = [case for case in CASES if case["finding"]]
SCRIPT_START, SCRIPT_END = 9 + 32 + 1 + 2, 9 + 32 + 1 + 22
HEADER_END = SCRIPT_END + 80


def run(proof, *more):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "payout.proof"
        file.write_bytes(bytes.fromhex(proof))
        command = [sys.executable, "-I", SPECS / "proof.py", file, *more]
        return subprocess.run(command, capture_output=True, text=True, check=False)


class ProofTest(unittest.TestCase):
    def test_the_vectors_are_what_the_generator_makes(self):
        self.assertEqual(list(proof_cases.cases()), CASES)

    def test_a_changed_bit_anywhere_is_noticed(self):
        kinds = {}
        for case in VALID:
            kinds.setdefault(case["finding"], case)
        self.assertEqual(len(kinds), 6)
        for case in kinds.values():
            whole = bytes.fromhex(case["proof"])
            for at in range(len(whole)):
                altered = whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :]
                answer = proof_cases.answered({"proof": altered.hex()})
                # Another script is another question. It may have the same answer: nothing.
                other_question = SCRIPT_START <= at < SCRIPT_END and answer["value_sat"] == 0
                # Another header with the work of its nBits, which is nothing here, is another block.
                other_block = SCRIPT_END <= at < HEADER_END
                self.assertTrue(answer["finding"] is None or other_question or other_block, (case["name"], at, answer))
            for at in range(0, len(whole), 7):
                self.assertIsNone(proof_cases.answered({"proof": whole[:at].hex()})["finding"])

    def test_it_runs_as_a_program_of_its_own(self):
        case = next(case for case in VALID if case["finding"] == "drawn")
        told = run(case["proof"])
        self.assertEqual((told.returncode, told.stderr), (0, ""))
        self.assertTrue(told.stdout.startswith("drawn: block "), told.stdout)
        self.assertIn(f"{case['value_sat']} sat in output {case['output']}", told.stdout)
        block = re.search("block ([0-9a-f]{64}) ", told.stdout)[1]
        self.assertEqual(run(case["proof"], block).returncode, 0)
        self.assertIn("it is about block", run(case["proof"], block[::-1]).stderr)
        wrong = run(next(case for case in CASES if not case["finding"])["proof"])
        self.assertEqual((wrong.returncode, wrong.stdout), (1, ""))
        self.assertTrue(wrong.stderr.startswith("not a valid proof: "), wrong.stderr)

    def test_it_knows_the_constants_of_every_network(self):
        known = {
            params.consensus_id.hex(): (
                params.outputs_max,
                params.output_floor_sat,
                params.halving_blocks,
                params.seed_depth,
            )
            for params in NETWORKS.values()
        }
        self.assertEqual(proof_cases.script_of_wallets.POOLS, known)


if __name__ == "__main__":
    unittest.main()

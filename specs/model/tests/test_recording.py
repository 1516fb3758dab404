"""The format: what is rejected, and what the command line says."""

import json
import random
import subprocess
import sys
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

import make_vectors
import rule_cases
from answers import ANSWERS
from shoal_model.bitcoin import oldest_needed
from shoal_model.made_chain import EASY, random_chain
from shoal_model.params import Params
from shoal_model.recording import PARAMETERS, BadRecording, fields_of, show_line
from shoal_model.replayer import replay_file

HERE = Path(__file__).resolve().parent
REPLAY = HERE.parent / "replay.py"


def replay_text(text):
    data = text if isinstance(text, bytes) else text.encode()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "recording"
        file.write_bytes(data)
        return replay_file(file)


class Format(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = random_chain(1, 20)
        cls.first, *cls.rest = cls.made.lines
        cls.text = "".join(map(show_line, cls.made.lines))

    def refused(self, text, problem):
        with self.assertRaisesRegex(BadRecording, problem):
            replay_text(text)

    def with_first(self, **changes):
        first = {**self.first, **changes}
        return show_line({key: value for key, value in first.items() if value is not None})

    def with_consensus_id(self, parameters):
        read = Params(**fields_of(parameters, PARAMETERS))
        return self.with_first(parameters=parameters, consensus_id=read.consensus_id.hex())

    def test_good(self):
        self.assertEqual(replay_text(self.text).differences, [])
        self.assertEqual(replay_text(self.with_first(about="made up")).differences, [])

    def test_first_line(self):
        self.refused("", "empty")
        self.refused(show_line(self.rest[0]), "line 1: is not the first line")
        self.refused(self.with_first(shoal_recording=1), "version 1")
        self.refused(self.with_first(consensus_id="00" * 32), "consensus_id is 0000")
        self.refused(self.with_first(consensus_id=None), "consensus_id is missing")
        self.refused(self.with_first(network="other"), "parameters are those of easy")
        self.refused(self.with_first(parameters=None), "network easy is not known")
        self.refused(self.with_first(more=1), "unknown key more")
        wrong = {**self.first["parameters"], "outputs_max": 5}
        self.refused(self.with_first(parameters=wrong), "that of the parameters is")
        wrong = {**self.first["parameters"], "window_weight": 1}
        self.refused(self.with_first(parameters=wrong), "parameters.window_weight is not a decimal string")
        wrong = {**self.first["parameters"], "retarget_half_life_s": 0}
        self.refused(self.with_consensus_id(wrong), "retarget_half_life_s must not be zero")
        wrong = {**self.first["parameters"], "pow_limit_bits": 0}
        self.refused(self.with_consensus_id(wrong), "pow_limit_bits stands for no target")
        main = {**self.first["parameters"], "name": "main"}
        self.refused(self.with_first(parameters=main, network="main"), "not those of main")

    def test_root(self):
        root = self.first["root"]
        self.refused(self.with_first(root={**root, "headers": []}), "needs 1 to 1 headers")
        self.refused(self.with_first(root={**root, "height": 7}), "needs 8 to 8 headers")
        other = self.rest[0]["header"]
        self.refused(self.with_first(root={**root, "headers": [other]}), "is not Bitcoin's genesis")
        self.refused(self.with_first(root={**root, "headers": [root["headers"][0][:-2]]}), "79 bytes")
        self.refused(self.with_first(root={**root, "chain_work": f"{1:064x}"}), "below that of its headers")

    def test_headers_below_the_root(self):
        """Down to the work that decides snapshots: 13 blocks below the root, more than a median takes."""
        deep = replace(EASY, snapshot_bitcoin_depth=13)
        self.assertEqual([oldest_needed(deep, height) for height in (5, 13, 14, 20)], [0, 0, 0, 0])
        short = replace(deep, retarget_blocks=4)
        self.assertEqual([oldest_needed(short, height) for height in (5, 13, 14, 20)], [0, 0, 1, 7])
        self.assertEqual(oldest_needed(replace(short, snapshot_bitcoin_depth=3), 20), 10)

    def test_later_root(self):
        """The same chain from a root a few blocks above genesis."""
        headers = [value["header"] for value in self.rest if "header" in value][:4]
        root = self.first["root"]
        later = {"height": 4, "chain_work": f"{5 * 2:064x}", "headers": root["headers"] + headers}
        rest = [value for value in self.rest if value.get("header") not in headers]
        text = self.with_first(root=later) + "".join(map(show_line, rest + self.made.claims()))
        self.assertEqual(replay_text(text).differences, [])

    def test_lines(self):
        proof = next(value for value in self.rest if "proof" in value)
        for line, problem in (
            ("\n", "line 2: is not JSON"),
            ("[]\n", "is not an object"),
            ('{"proof":"00","proof":"00"}\n', "a key stands twice"),
            ('{"now":NaN}\n', "NaN is not allowed"),
            ('{"now":1.0}\n', "now is not an integer"),
            ('{"now":true}\n', "now is not an integer"),
            ('{"now":-1}\n', "now is not an integer"),
            ('{"now":4294967296}\n', "now is not an integer"),
            ("{}\n", "is none of"),
            ('{"header":"00","now":1}\n', "or several"),
            ('{"claim":"luck"}\n', "no claim luck"),
            ('{"proof":"0"}\n', "lower-case hexadecimal"),
            ('{"proof":"AA"}\n', "lower-case hexadecimal"),
            ('{"proof":"00","verdict":"good"}\n', "verdict is not a rule"),
            ('{"proof":"00","list_verdict":"held"}\n', "list_verdict without a list"),
            ('{"proof":"' + "00" * 4097 + '"}\n', "4097 bytes"),
            (show_line({**proof, "list": ["00"]}), "list has 1 bytes, 32 to 32"),
            (b"\xff\n", "is not JSON in UTF-8"),
        ):
            start = show_line(self.first).encode()
            self.refused(start + (line if isinstance(line, bytes) else line.encode()), problem)


class Damage(unittest.TestCase):
    def test_any_bytes_are_refused_or_replayed(self):
        """No damage to a file leads to anything but a report of it."""
        chance = random.Random(3)
        made = random_chain(6, 12)
        text = "".join(map(show_line, made.lines + made.claims())).encode()
        for _ in range(300):
            damaged = bytearray(text)
            for _ in range(chance.randint(1, 4)):
                at = chance.randrange(len(damaged))
                gone = chance.choice((0, 1, 1, 1, 7))
                damaged[at : at + gone] = chance.choice((b"0", b'"', b"}", b"f", b"1", b"\xff", b"9" * 40))
            try:
                replay_text(bytes(damaged))
            except BadRecording as problem:
                self.assertRegex(str(problem), "line|empty")


class CommandLine(unittest.TestCase):
    def run_on(self, text, *options):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "recording"
            file.write_text(text)
            done = subprocess.run([sys.executable, REPLAY, file, *options], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def test_status_and_output(self):
        made = random_chain(2, 30)
        lines = made.lines + made.claims()
        text = "".join(map(show_line, lines))
        status, out, _ = self.run_on(text)
        self.assertEqual(status, 0)
        self.assertIn("no differences", out)
        next(value for value in lines if "outputs" in value)["outputs"][0][1] += 1
        status, out, _ = self.run_on("".join(map(show_line, lines)), "--json")
        self.assertEqual(status, 1)
        found = json.loads(out)
        self.assertEqual(found["consensus_id"], EASY.consensus_id.hex())
        self.assertEqual(found["differences"][0]["line"], len(lines) - 1)
        status, _, err = self.run_on("{}\n")
        self.assertEqual(status, 2)
        self.assertIn("line 1", err)


class Vectors(unittest.TestCase):
    def test_rules_are_as_they_are_made(self):
        self.assertEqual(make_vectors.FILE.read_text(encoding="utf-8"), make_vectors.text(rule_cases.book()))

    def test_every_other_question_has_the_answer_that_is_made(self):
        for name in ANSWERS:
            file = make_vectors.FOLDER / f"{name}.json"
            made = make_vectors.proofs() if file == make_vectors.PROOFS else make_vectors.answered(name)
            self.assertEqual(file.read_text(encoding="utf-8"), made, name)


if __name__ == "__main__":
    unittest.main()

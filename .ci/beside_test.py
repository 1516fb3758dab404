"""Whether beside.sh keeps both results: python3 -m unittest discover -s .ci -p '*_test.py'"""

import subprocess
import time
import unittest
from pathlib import Path

SCRIPT = Path(__file__).with_name("beside.sh")


def run(beside: str, front: str) -> tuple[int, str]:
    done = subprocess.run([SCRIPT, beside, "bash", "-c", front], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


class Beside(unittest.TestCase):
    def test_both_run_at_the_same_time(self):
        began = time.monotonic()
        status, said = run("sleep 1; echo much; echo '==> beside is done'", "sleep 1; echo front")
        self.assertLess(time.monotonic() - began, 1.8)
        self.assertEqual((status, said), (0, "front\n==> beside is done\n"))

    def test_either_failure_fails_after_both_have_ended(self):
        status, said = run("sleep 0.2; echo why; exit 3", "echo front")
        self.assertEqual(status, 3)
        self.assertTrue(said.startswith("front\nwhy\n==> FAILED with 3"), said)
        status, said = run("sleep 0.2; echo '==> beside is done'", "exit 4")
        self.assertEqual(status, 4)
        self.assertTrue(said.startswith("==> beside is done\n==> FAILED with 4"), said)

    def test_a_failure_in_the_middle_counts(self):
        self.assertEqual(run("false; true", "true")[0], 1)
        self.assertEqual(run("false | true", "true")[0], 1)

    def test_an_interrupt_ends_both(self):
        mark = "sleep 61.5"
        script = subprocess.Popen([SCRIPT, mark, "sleep", "0.5"])
        time.sleep(0.3)
        script.terminate()
        self.assertEqual(script.wait(timeout=10), 130)
        time.sleep(0.2)
        self.assertNotEqual(subprocess.run(["pgrep", "-f", mark], stdout=subprocess.DEVNULL, check=False).returncode, 0)


if __name__ == "__main__":
    unittest.main()

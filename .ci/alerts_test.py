"""Whether the alert rules and the program agree on their numbers: python3 -m unittest discover -s .ci -p '*_test.py'

The program shows by itself (`mining` in /api/v1/status) what some alerts of node/ops/alerts.yml show in Prometheus, and other
alerts name limits of the program. Each number that stands in two places is compared here.
"""

import re
import unittest
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
HEALTH = "node/src/api/mining_health.rs"
UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def seconds(text):
    return int(text[:-1]) * UNITS[text[-1]]


def constant(file, name):
    """Returns a whole number from the Rust code."""
    found = re.search(rf"const {name}: \w+ = ([\d_]+);", (ROOT / file).read_text())
    if not found:
        raise AssertionError(f"{file} has no number {name}")
    return int(found[1])


def code(function):
    """Returns the body of a rule of the program."""
    found = re.search(rf"\n    fn {function}\(.*?\n    }}\n", (ROOT / HEALTH).read_text(), re.DOTALL)
    if not found:
        raise AssertionError(f"{HEALTH} has no rule {function}")
    return found[0]


def numbers(pattern, text, where):
    """Returns the groups of the only match."""
    found = re.findall(pattern, text)
    if len(found) != 1:
        raise AssertionError(f"{where}: {pattern} is there {len(found)} times in: {text}")
    return found[0]


class Alerts(unittest.TestCase):
    def setUp(self):
        groups = yaml.safe_load((ROOT / "node/ops/alerts.yml").read_text())["groups"]
        self.rules = {rule["alert"]: rule for group in groups for rule in group["rules"]}
        self.submits_s = constant(HEALTH, "SUBMITS_S")
        self.hashrate_s = constant(HEALTH, "HASHRATE_S")
        self.kept_s = constant("node/src/api/limits.rs", "MINING_SAMPLE_S") * constant("node/src/api/limits.rs", "MINING_SAMPLES_MAX")

    def spans(self, alert):
        """Returns the periods of a rule's expression, seconds."""
        return {seconds(text) for text in re.findall(r"\[(\d+[smhd])\]", self.rules[alert]["expr"])}

    def says(self, alert, number):
        text = self.rules[alert]["annotations"]["description"]
        self.assertRegex(text, rf"(?<![\d,]){number:,}(?![\d,])", f"{alert} names another number")

    def test_miners_gone(self):
        self.assertEqual(self.spans("ShoalMinersGone"), {self.kept_s})
        # The program says it sooner: an operator who is woken at night wants it to be sure.
        self.assertGreater(seconds(self.rules["ShoalMinersGone"]["for"]), constant(HEALTH, "GONE_S"))

    def test_miners_lost(self):
        rule = self.rules["ShoalMinersLost"]
        alert = numbers(r"shoal_miners < ([\d.]+) \* quantile_over_time\(([\d.]+),", rule["expr"], "ShoalMinersLost")
        times, of = numbers(r"sample\.miners \* (\d+) < usual \* (\d+)", code("lost"), HEALTH)
        self.assertAlmostEqual(float(alert[0]), int(of) / int(times))
        self.assertEqual(float(alert[1]), 1 / int(numbers(r"counts\.len\(\) / (\d+)", code("lost"), HEALTH)))
        self.assertEqual(self.spans("ShoalMinersLost"), {self.kept_s})
        self.assertIn(">= SUBMITS_S", code("lost"))
        self.assertEqual(seconds(rule["for"]), self.submits_s)

    def test_miners_silent(self):
        self.assertEqual(self.spans("ShoalMinersSilent"), {self.submits_s})
        self.assertIn("self.before(newest, SUBMITS_S)", code("silent"))
        self.assertIn(f"for {self.submits_s // 60} minutes", code("silent"))

    def test_submits_rejected(self):
        expr = self.rules["ShoalSubmitsRejected"]["expr"]
        least, part = re.findall(r" > ([\d.]+)", expr)
        most, hundred, percent = numbers(r"most > (\d+) && most\.saturating_mul\((\d+)\) > all\.saturating_mul\((\d+)\)", code("rejected"), HEALTH)
        self.assertEqual(int(least), int(most))
        self.assertAlmostEqual(float(part), int(percent) / int(hundred))
        self.assertEqual(self.spans("ShoalSubmitsRejected"), {self.submits_s})
        self.assertIn("self.before(newest, SUBMITS_S)", code("rejected"))
        self.assertIn(f"in {self.submits_s // 60} minutes", code("rejected"))

    def test_hashrate_halved(self):
        expr = self.rules["ShoalHashrateHalved"]["expr"]
        self.assertEqual(numbers(r"< ([\d.]+) \*", expr, "ShoalHashrateHalved"), numbers(r"< ([\d.]+) \* mean", code("halved"), HEALTH))
        self.assertEqual(self.spans("ShoalHashrateHalved"), {self.hashrate_s})
        self.assertIn("saturating_sub(HASHRATE_S)", code("halved"))

    def test_limits_that_alerts_name(self):
        self.says("ShoalMinersTurnedAway", constant("stratum/src/limits.rs", "CONNECTIONS_MAX"))
        self.says("ShoalMinersTurnedAway", constant("stratum/src/limits.rs", "CONNECTIONS_PER_IP_MAX"))
        self.says("ShoalSharesHeld", constant("sharechain/src/limits.rs", "HELD_MAX"))
        self.says("ShoalConflict", constant("sharechain/src/limits.rs", "CONFLICT_LINKS"))

    def test_a_silent_device_is_one_on_every_page(self):
        pages = (ROOT / "node/web/js/mining_state.js").read_text()
        self.assertEqual(int(numbers(r"const SILENT_S = (\d+);", pages, "mining_state.js")), constant("node/src/devices/known.rs", "SILENT_S"))


if __name__ == "__main__":
    unittest.main()

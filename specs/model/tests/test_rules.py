"""The model and `rules.md` name the same rules."""

import re
import unittest
from pathlib import Path

from shoal_model.verdict import CONDEMNING

SPECS = Path(__file__).resolve().parent.parent.parent
ROW = re.compile(r"^\| (SC-\d{3}) \|.*\| (yes|no|) *\|$", re.MULTILINE)
TEXT = re.compile(r"^\| (SC-\d{3}) \| (.*?) \|", re.MULTILINE)
OUT_OF_RANGE = "SC-901"  # Python's integers have no range


class Rules(unittest.TestCase):
    def test_each_rule_stands_where_it_is_checked(self):
        table = dict(ROW.findall((SPECS / "rules.md").read_text(encoding="utf-8")))
        self.assertGreater(len(table), 40)
        text = "".join(file.read_text(encoding="utf-8") for file in sorted((SPECS / "model/shoal_model").glob("*.py")))
        without_ranges = re.sub(r"SC-\d{3} to SC-\d{3}", "", text)
        named = set(re.findall(r"SC-\d{3}", without_ranges))
        self.assertEqual(table.keys() - named, {OUT_OF_RANGE})
        self.assertEqual(named - table.keys(), set())

    def test_each_text_is_repeated_above_its_check(self):
        text = "".join(file.read_text(encoding="utf-8") for file in sorted((SPECS / "model/shoal_model").glob("*.py")))
        words = re.sub(r"[\s#]+", " ", text)
        rows = TEXT.findall((SPECS / "rules.md").read_text(encoding="utf-8"))
        missing = [rule for rule, said in rows if rule != OUT_OF_RANGE and f"{rule}: {said}" not in words]
        self.assertEqual(missing, [])

    def test_condemning_rules(self):
        table = dict(ROW.findall((SPECS / "rules.md").read_text(encoding="utf-8")))
        self.assertEqual({rule for rule, condemns in table.items() if condemns == "yes"}, CONDEMNING)


if __name__ == "__main__":
    unittest.main()

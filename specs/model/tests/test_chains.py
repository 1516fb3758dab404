"""Made-up chains replayed in every order, damaged and with pieces missing."""

import copy
import random
import unittest

from shoal_model.encoding import decode_proof
from shoal_model.made_chain import Odds, forked_chain, random_chain
from shoal_model.node import COMPLETE
from shoal_model.recording import read_line
from shoal_model.replayer import replay_lines

SEEDS = range(6)
FORKED_SEEDS = (12, 37)
PROOFS = 120
HEADER_BYTES = 80


def chain(seed):
    return random_chain(seed, PROOFS)


def forked(seed):
    return forked_chain(seed, PROOFS)


def plain(made):
    """First line, and the lines that every order can do with: what was rejected as too old depends on the order."""
    return made.lines[0], [value for value in made.lines[1:] if value.get("verdict") != "unlistable"]


def separate(lines):
    """Lists on lines of their own."""
    for value in lines:
        if "list" in value and "proof" in value:
            yield {"proof": value["proof"]}
            yield {"list_of": decode_proof(bytes.fromhex(value["proof"])).id.hex(), "list": value["list"]}
        else:
            yield value


class Orders(unittest.TestCase):
    def assert_same(self, made, lines, exact_tip=False):
        """That the lines lead to the same proofs, the same credits and as much work."""
        replay = replay_lines(lines)
        self.assertEqual(list(map(str, replay.differences)), [])
        chain, found = made.chain, replay.chain
        self.assertEqual(found.nodes.keys(), chain.nodes.keys())
        self.assertEqual(found.tip.chain_work, chain.tip.chain_work)
        if exact_tip:
            self.assertEqual(found.tip.id, chain.tip.id)
        for id_, node in chain.nodes.items():
            self.assertEqual((found.nodes[id_].state, found.nodes[id_].rows), (node.state, node.rows))

    def test_in_order_with_claims(self):
        for seed in SEEDS:
            made = chain(seed)
            self.assert_same(made, made.lines + made.claims(), exact_tip=True)

    def test_reversed(self):
        for seed in SEEDS:
            made = chain(seed)
            first, rest = plain(made)
            self.assert_same(made, [first] + rest[::-1] + made.claims())

    def test_shuffled(self):
        for seed in SEEDS:
            made = chain(seed)
            first, rest = plain(made)
            rest = list(separate(rest))
            random.Random(seed).shuffle(rest)
            self.assert_same(made, [first] + rest + made.claims())

    def test_duplicated(self):
        made = chain(1)
        first, rest = plain(made)
        self.assert_same(made, [first] + rest + rest + made.claims(), exact_tip=True)
        self.assert_same(made, [first] + [value for value in rest for _ in range(2)], exact_tip=True)

    def test_proofs_before_headers(self):
        made = chain(2)
        first, rest = plain(made)
        self.assert_same(made, [first] + sorted(rest, key=lambda value: "header" in value) + made.claims())

    def test_pieces_missing_and_later_delivered(self):
        for seed in SEEDS:
            made = chain(seed)
            first, rest = plain(made)
            chance = random.Random(seed)
            late = [value for value in rest if chance.random() < 0.3]
            early = [value for value in rest if value not in late]
            self.assert_same(made, [first] + early + late + made.claims())

    def test_a_piece_that_never_comes(self):
        """Nothing above a missing listed share is complete, and the tip is right without it."""
        made = chain(3)
        missing = next(node for node in map(made.chain.tip.ancestor, range(9, 99)) if node.ids).ids[0]
        lines = [value for value in made.lines if not tells(value, missing)]
        replay = replay_lines(lines)
        self.assertNotIn(missing, replay.chain.nodes)
        complete = [node for node in replay.chain.nodes.values() if node.state == COMPLETE]
        self.assertTrue(all(made.chain.nodes[node.id].state == COMPLETE for node in complete if node.height))
        self.assertEqual(replay.chain.tip.chain_work, max(node.chain_work for node in complete if node.is_link))
        self.assertLess(replay.chain.tip.chain_work, made.chain.tip.chain_work)

    def test_reorganizations(self):
        """A world in which half of all work is on old links, and worlds in which Bitcoin reorganizes."""
        for made in (random_chain(11, PROOFS, Odds(old_parent=0.5, late=0.4)), *map(forked, FORKED_SEEDS)):
            first, rest = plain(made)
            self.assert_same(made, made.lines + made.claims(), exact_tip=True)
            self.assert_same(made, [first] + rest[::-1] + made.claims())
            rest = list(separate(rest))
            random.Random(1).shuffle(rest)
            self.assert_same(made, [first] + rest + made.claims())


def tells(value, id_):
    return "proof" in value and decode_proof(bytes.fromhex(value["proof"])).id == id_


class Damage(unittest.TestCase):
    """Any single change is found, at its line."""

    @classmethod
    def setUpClass(cls):
        cls.made = chain(4)
        cls.lines = cls.made.lines + cls.made.claims()

    def differences(self, number, change):
        lines = copy.deepcopy(self.lines)
        change(lines[number])
        return replay_lines(lines).differences

    def numbers(self, has):
        return [number for number, value in enumerate(self.lines) if has(value)]

    def test_any_byte_of_a_proof(self):
        """Behind the header: a byte of that makes another proof, which one time in many is a good one."""
        chance = random.Random(1)
        numbers = self.numbers(lambda value: "proof" in value and value.get("verdict") != "unlistable")
        for number in chance.sample(numbers, 25):
            at = 2 * chance.randrange(HEADER_BYTES, len(self.lines[number]["proof"]) // 2)

            def flip(value):
                text = value["proof"]
                value["proof"] = text[:at] + f"{int(text[at : at + 2], 16) ^ 1:02x}" + text[at + 2 :]

            found = [difference for difference in self.differences(number, flip) if difference.line == number + 1]
            self.assertTrue(found and found[0].rule, f"line {number + 1}, byte {at // 2}")

    def test_claims(self):
        """A claim changes nothing, so one replay serves all of them."""
        replay = replay_lines(self.lines)
        for number in self.numbers(lambda value: "claim" in value):
            for key, value in self.lines[number].items():
                if key in ("claim", "id", "snapshot", "parent", "previous_block", "payout", "coinbase_value"):
                    continue
                for change in changes(value):
                    replay.differences.clear()
                    replay.play(read_line(number + 1, {**self.lines[number], key: change}))
                    found = [difference.line for difference in replay.differences]
                    self.assertEqual(found, [number + 1], f"{key} {change}")

    def test_claims_about_what_is_not_there(self):
        """Parents and lists that are unknown, no links, or break a rule, and unknown Bitcoin blocks."""
        replay = replay_lines(self.lines)
        chain, tip = self.made.chain, self.made.chain.tip
        share = next(node for node in chain.nodes.values() if not node.is_link)
        lister = tip
        while not lister.ids:
            lister = lister.parent
        listed = lister.ids[0]
        claims = {value["claim"]: value for value in self.lines if value.get("claim") in ("outputs", "state")}
        cases = [
            ({"parent": "00" * 32}, "no valid link", "unlistable"),
            ({"parent": share.id.hex()}, "no valid link", "ignored"),
            ({"previous_block": "00" * 32}, "held", "held"),
            ({"list": ["00" * 32]}, None, "held"),
            ({"list": [chain.genesis.id.hex()]}, None, "held"),
            ({"list": [tip.id.hex()]}, None, "SC-405"),
            ({"list": [listed.hex()] * 2}, None, "SC-405"),
        ]
        for changed, *found in cases:
            for name, expected in zip(("outputs", "state"), found):
                if expected:
                    replay.differences.clear()
                    replay.play(read_line(1, {**claims[name], **changed}))
                    self.assertEqual([difference.computed for difference in replay.differences], [expected], changed)

    def test_a_wrong_tip(self):
        number = self.numbers(lambda value: value.get("claim") == "tip")[0]
        below = self.made.chain.tip.parent.id.hex()
        self.assertEqual(self.differences(number, lambda line: line.update(id=below))[0].what, "tip")

    def test_a_list_with_an_id_changed(self):
        number = self.numbers(lambda value: value.get("list") and "proof" in value)[-1]

        def other(value):
            value["list"][0] = "00" * 32

        self.assertEqual(self.differences(number, other)[0].rule, "SC-401")


def changes(value):
    """A value of the same kind that is off by one somewhere."""
    if isinstance(value, list):
        if not value:
            return []
        first = value[0]
        other = first[:-1] + [first[-1] + 1] if isinstance(first, list) else "00" * 32
        return [[other] + value[1:], value[1:]]
    if isinstance(value, str):
        return [str(int(value) + 1)] if len(value) != 64 else [f"{int(value, 16) + 1:064x}"]
    return [value + 1]


if __name__ == "__main__":
    unittest.main()

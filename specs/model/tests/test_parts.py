"""The parts against what is known from elsewhere: the standard library, Bitcoin's history, and slower ways."""

import hashlib
import random
import unittest
from dataclasses import replace
from fractions import Fraction

from shoal_model import bitcoin, payout, sha256, signals, targets
from shoal_model.made_chain import EASY, random_chain
from shoal_model.params import LOCAL, MAIN
from shoal_model.sum_tree import HISTORY, WEIGHTS, Growing
from shoal_model.window import window


class Sha256(unittest.TestCase):
    def test_all_lengths_around_blocks(self):
        data = bytes(range(256)) * 2
        for length in range(len(data)):
            whole = length - length % 64
            digest = sha256.finish(sha256.midstate(data[:length]), whole, data[whole:length])
            self.assertEqual(digest, hashlib.sha256(data[:length]).digest())


class Bitcoin(unittest.TestCase):
    def test_retargets_of_mainnet(self):
        """From Bitcoin Core's pow_tests: blocks 2016, 32256, 46368 and 68544."""
        cases = (
            (0x1D00FFFF, 1233061996 - 1231006505, 0x1D00FFFF),
            (0x1D00FFFF, 1262152739 - 1261130161, 0x1D00D86A),
            (0x1C387F6F, 1269211443 - 1263163443, 0x1D00E1FD),
            (0x1C05A3F4, 1279297671 - 1279008237, 0x1C0168FD),
        )
        for bits, seconds, expected in cases:
            self.assertEqual(f"{bitcoin.next_bits(MAIN, bits, seconds):08x}", f"{expected:08x}")

    def test_compact_form(self):
        for bits in (0x1D00FFFF, 0x1E0377AE, 0x207FFFFF, 0x1703A30C, 0x03000001):
            self.assertEqual(targets.expand(targets.compact(targets.expand(bits))), targets.expand(bits))
        for bad in (0, 0x1D800001, 0x23000001, 0xFF00FFFF, 0x1D000000):
            self.assertIsNone(targets.expand(bad))

    def test_subsidy(self):
        self.assertEqual(bitcoin.subsidy(MAIN, 209_999), 5_000_000_000)
        self.assertEqual(bitcoin.subsidy(MAIN, 925_344), 312_500_000)
        self.assertEqual(bitcoin.subsidy(MAIN, 64 * 210_000), 0)


class Targets(unittest.TestCase):
    def test_retarget_is_the_power_of_two(self):
        """Within 2^-13 of the exact factor: the cubic and the step of 2^-16 are that far off at most."""
        target = 1 << 200
        for seconds in range(-3000, 3000, 37):
            exact = 2 ** ((seconds - MAIN.link_interval_s) / MAIN.retarget_half_life_s)
            found = Fraction(targets.retarget(MAIN, target, seconds), target)
            self.assertLess(abs(float(found) / exact - 1), 2**-13)

    def test_every_factor(self):
        """The hash that section 6 gives."""
        params = replace(MAIN, link_interval_s=0, retarget_half_life_s=1 << 16)
        factors = b"".join(targets.retarget(params, 1 << 16, x).to_bytes(4, "little") for x in range(1 << 16))
        expected = "83c2a49366d610f5db9d34010b4e66dbfbdeb20fc20f52fabc42583ec4aed617"
        self.assertEqual(hashlib.sha256(factors).hexdigest(), expected)

    def test_retarget_is_clamped(self):
        for params in (MAIN, LOCAL):
            reach = params.retarget_exponent_max * params.retarget_half_life_s
            for seconds, factor in ((reach * 9, Fraction(1 << 16)), (-reach * 9, Fraction(1, 1 << 16))):
                self.assertEqual(targets.retarget(params, 1 << 200, seconds), (1 << 200) * factor)
        self.assertEqual(targets.retarget(MAIN, 1, -(10**9)), 1)
        self.assertEqual(targets.retarget(MAIN, targets.MAX, 10**9), targets.MAX)

    def test_work_is_bitcoins(self):
        self.assertEqual(targets.work(targets.expand(0x1D00FFFF)), 0x100010001)
        self.assertEqual(targets.work(targets.MAX), 1)
        self.assertEqual(targets.work(0), 1 << 256)


class Payout(unittest.TestCase):
    def test_expectation_is_the_due(self):
        """Over many seeds each script gets its weight, whether paid proportionally or drawn."""
        params = replace(EASY, outputs_max=4, output_floor_sat=0)
        dues = {bytes([number]): weight for number, weight in enumerate((900, 300, 200, 100, 60, 40, 25, 11))}
        tries, paid = 4000, dict.fromkeys(dues, 0)
        for seed in range(tries):
            chosen = payout.select(params, dues, hashlib.sha256(str(seed).encode()).digest(), 10**9)
            self.assertEqual(len(chosen.outputs), 4)
            self.assertEqual(dict(chosen.order), dues)
            for script, weight in chosen.outputs:
                paid[script] += weight
        for script, weight in dues.items():
            self.assertLess(abs(paid[script] / tries - weight), 0.15 * weight + 8)

    def test_no_script_is_drawn_twice_and_all_is_paid(self):
        chance = random.Random(7)
        for _ in range(300):
            count = chance.randint(1, 80)
            dues = {bytes([number]) * 3: chance.randint(1, 1 << chance.randint(1, 70)) for number in range(count)}
            params = replace(MAIN, outputs_max=chance.randint(1, 60), output_floor_sat=chance.choice((0, 10**4, 10**8)))
            chosen = payout.select(params, dues, chance.randbytes(32), 312_500_000)
            scripts = [script for script, _ in chosen.outputs]
            self.assertEqual(len(set(scripts)), len(scripts))
            self.assertLessEqual(len(scripts), params.outputs_max)
            self.assertEqual(sum(weight for _, weight in chosen.outputs), chosen.total)
            value = chance.randint(312_500_000, bitcoin.MAX_MONEY_SAT)
            amounts = [sat for _, sat in payout.amounts(chosen, value)]
            self.assertEqual(sum(amounts), value)
            self.assertEqual(amounts, [sat for _, sat in payout.amounts(chosen, value)])

    def test_selection_does_not_depend_on_the_order_of_dues(self):
        dues = {bytes([number]): 1000 - number for number in range(9)}
        backwards = dict(reversed(list(dues.items())))
        self.assertEqual(payout.select(EASY, dues, bytes(32), 10**9), payout.select(EASY, backwards, bytes(32), 10**9))


class SumTrees(unittest.TestCase):
    def test_a_growing_tree_is_the_same_as_a_whole_one(self):
        leaves, growing = [], Growing(HISTORY)
        for number in range(70):
            self.assertEqual(growing.commitment(), HISTORY.commitment(leaves))
            leaf = hashlib.sha256(bytes([number])).digest(), number * number
            leaves.append(leaf)
            growing = growing.with_leaf(leaf)

    def test_by_hand(self):
        """Five leaves: two pairs, a pair of pairs, and the fifth beside it."""
        hashes = [bytes([number]) * 32 for number in range(5)]

        def node(left, left_sum, right, right_sum):
            sums = left_sum.to_bytes(16, "little"), right_sum.to_bytes(16, "little")
            return sha256.tagged("shoal/node", left + sums[0] + right + sums[1])

        four = node(node(hashes[0], 1, hashes[1], 2), 3, node(hashes[2], 3, hashes[3], 4), 7)
        expected = bytes([5, 0, 0, 0, 15]) + bytes(15) + node(four, 10, hashes[4], 5)
        self.assertEqual(WEIGHTS.commitment(zip(hashes, range(1, 6))), expected)
        self.assertEqual(WEIGHTS.commitment(()), bytes(52))
        self.assertEqual(HISTORY.commitment(()), bytes(68))


class UpgradeBits(unittest.TestCase):
    def test_states_by_words(self):
        """Random periods against the words of section 14, which look at all counts since the state last changed."""
        chance, seen = random.Random(5), set()
        usual = (1007, 1008, 1511, 1512, 1513, 1600, 1814, 1815, 2016)
        for number in range(60):
            bit, state, counts = signals.Bit(), signals.COUNTING, []
            often, spread = usual[number % len(usual)], chance.choice((0, 0, 0.004, 0.1))
            for _ in range(400):
                count = chance.choice((0, 1007, 1008, 1511, 1512, 2016)) if chance.random() < spread else often
                bit, counts = bit.after(0, count), good_in_a_row([*counts, count])
                few = len(counts) >= 12 and sum(counts[-12:]) >= 21_773
                many = len(counts) >= 120 and sum(counts) >= 1512 * len(counts)
                if state == signals.LOCKED_IN and not counts:
                    state = signals.COUNTING
                elif state != signals.ACTIVE and (few or many):
                    state, counts = signals.LOCKED_IN if state == signals.COUNTING else signals.ACTIVE, []
                if state == signals.ACTIVE:
                    counts = []
                found = bit.state, bit.run, bit.sum_, bit.last
                self.assertEqual(found, (state, len(counts), sum(counts), tuple(counts[-12:])))
                seen.add((state, often, "few" if few else "many" if many else ""))
        for state, often, way in ((signals.ACTIVE, 1512, "many"), (signals.ACTIVE, 1815, "few")):
            self.assertIn((state, often, way), seen)

    def test_half_is_enough_and_a_link_less_ends_the_run(self):
        bit = run_of((1008, *[1600] * 10))
        self.assertEqual((bit.state, bit.run), (signals.COUNTING, 11))
        self.assertEqual(bit.after(0, 1008).run, 12)
        self.assertEqual(bit.after(0, 1007), signals.Bit())

    def test_a_long_run_is_carried_once_its_mean_is_three_quarters(self):
        """200 periods with a link too few in each take 200 links more, not a period of 75%."""
        bit = run_of([1511] * 200)
        self.assertEqual((bit.state, bit.run, bit.sum_), (signals.COUNTING, 200, 200 * 1511))
        self.assertEqual(bit.after(9, 1512 + 199).state, signals.COUNTING)
        self.assertEqual(bit.after(9, 1512 + 200), signals.Bit(signals.LOCKED_IN, 9))

    def test_a_run_of_65535_periods_grows_no_further(self):
        """Its last counts go on, and may still carry the bit."""
        bit = signals.Bit(run=65_534, sum_=65_534 * 1511, last=(1511,) * 12)
        for sum_ in (65_535 * 1511, 65_535 * 1511):
            bit = bit.after(1, 1511)
            self.assertEqual((bit.run, bit.sum_), (65_535, sum_))
        for count in (2016,) * 8:
            self.assertEqual(bit.state, signals.COUNTING)
            bit = bit.after(1, count)
        self.assertEqual(bit, signals.Bit(signals.LOCKED_IN, 1))

    def test_what_is_committed_to_has_bounds(self):
        """The longest run that there can be."""
        bit = signals.Bit(run=65_535, sum_=(1 << 32) - 1, last=(1008,) * 12)
        encoded = bytes([7, 0, 0, 0, 0, 0]) + b"\xff" * 6 + b"\xf0\x03" * 12 + bytes(2)
        expected = sha256.tagged("shoal/signals", encoded)
        self.assertEqual(signals.Signals(bits={7: bit}).commitment(), expected)

    def test_counts_are_aligned_to_the_right(self):
        encoded = bytes([3, 0]) + bytes(4) + b"\x02\x00" + (1008 + 2016).to_bytes(4, "little")
        encoded += bytes(20) + b"\xf0\x03\xe0\x07" + bytes(2)
        found = signals.Signals(bits={3: run_of([1008, 2016])}).commitment()
        self.assertEqual(found, sha256.tagged("shoal/signals", encoded))


def good_in_a_row(counts):
    """The good periods at the end of some."""
    bad = [number for number, count in enumerate(counts) if count < 1008]
    return counts[bad[-1] + 1 :] if bad else counts


def run_of(counts):
    """A bit after these periods."""
    bit = signals.Bit()
    for count in counts:
        bit = bit.after(0, count)
    return bit


class Windows(unittest.TestCase):
    def test_bounds(self):
        """Each window has reached a bound with its oldest link and not before, or goes back to genesis."""
        tip, reached = random_chain(5, 150).chain.tip, set()
        for height in range(tip.height + 1):
            newest = tip.ancestor(height)
            found = window(EASY, newest)
            links = [newest.ancestor(at) for at in range(found.oldest, found.newest + 1) if at]
            proofs = [len(link.ids) + 1 for link in links]
            weights = [sum(weight for weight, _ in link.rows.values()) for link in links]
            self.assertEqual((sum(proofs), sum(weights)), (found.proofs, found.total))
            bounds = found.proofs >= EASY.window_proofs, found.total >= EASY.window_weight
            self.assertTrue(any(bounds) or found.oldest <= 1)
            self.assertTrue(sum(proofs[1:]) < EASY.window_proofs and sum(weights[1:]) < EASY.window_weight)
            reached.add(bounds)
        self.assertGreaterEqual(reached, {(True, False), (False, True), (False, False)})


if __name__ == "__main__":
    unittest.main()

"""The payout check: it passes for a real block, and fails when any value of the answer is altered."""

import copy
import threading

from words import says
from world import PageTest, node, site, things


def one_satoshi(block):
    block["outputs"][0]["value_sat"] += 1


def one_weight(block):
    # The smallest visible change of an amount of 50 bitcoin: one part in 2^33 of the whole.
    row = block["weights"][0]
    row["weight"] = str(int(row["weight"]) + (int(row["weight"]) >> 24))


def one_byte_of_the_coinbase(block):
    coinbase = bytearray.fromhex(block["coinbase_hex"])
    amount = block["outputs"][0]["value_sat"].to_bytes(8, "little")
    coinbase[coinbase.index(amount)] ^= 1
    block["coinbase_hex"] = coinbase.hex()


def two_payees_changed_places(block):
    first, second = block["outputs"][:2]
    first["script"], second["script"] = second["script"], first["script"]


def somebody_left_out(block):
    del block["weights"][-1]


class Proof(PageTest):
    def verdict(self):
        """Waits for the notice of the check. Returns its level and text."""
        return self.eventually("the proof is done", lambda: self.browser.js(
            "const n = document.querySelector('#proof').closest('section').querySelector('.notice'); return n && [n.classList[1], n.innerText]"), 30)

    def altered(self, alter):
        """Returns the verdict when the answer about the block is altered in transit."""
        block = things()["block"]

        def change(path, answer):
            if path == f"/api/v1/blocks/{block['hash']}" and answer["weights"]:
                alter(answer)
            return answer

        whole = node().get(f"/blocks/{block['hash']}?limit=500")
        assert whole["next_from"] is None, "the block has more weights than one page"
        before = copy.deepcopy(whole)
        alter(whole)
        assert before != whole, "nothing was altered"
        self.site = site(node(), change)
        self.open(f"/blocks/{block['hash']}")
        return self.verdict()

    def test_every_output_of_a_real_block_is_right(self):
        block = things()["block"]
        self.open(f"/blocks/{block['hash']}")
        level, words = self.verdict()
        self.assertEqual(level, "ok", f"{self.where()}: {words}")
        self.assertIn(f"all {block['outputs_count']} outputs", words)
        rows = self.browser.read()["tables"]["Outputs"]
        self.assertEqual({row["Verdict"]["text"] for row in rows}, {"✓ right"})

    def test_the_page_is_there_before_its_check(self):
        block = things()["block"]
        go_on = threading.Event()

        def hold(path, answer):
            # The page asks for one weight, its check for all.
            if path == f"/api/v1/blocks/{block['hash']}" and len(answer["weights"]) > 1:
                go_on.wait(30)
            return answer

        self.site = site(node(), hold)
        try:
            self.open(f"/blocks/{block['hash']}")
            there = "return document.querySelector('#facts, [aria-busy]')?.id === 'facts' && document.querySelector('main progress') !== null"
            self.eventually("the block is there, and its check shows its progress", lambda: self.browser.js(there), 15)
        finally:
            go_on.set()
        level, words = self.verdict()
        self.assertEqual(level, "ok", f"{self.where()}: {words}")

    def test_long_lists_come_when_they_are_opened(self):
        block = node().get(f"/blocks/{things()['block']['hash']}?limit=500")
        self.open(f"/blocks/{block['hash']}")
        self.verdict()
        self.browser.js("for (const one of document.querySelectorAll('main details')) one.open = true")
        tables = lambda: self.browser.read()["tables"]
        self.becomes("the weights are listed", lambda: len(tables()["Weights"]), min(50, len(block["weights"])))
        self.assertEqual(int(tables()["Weights"][0]["Weight"]["text"]), int(block["weights"][0]["weight"]))

    def test_a_block_of_the_beginning_pays_its_finder(self):
        alone = [block for block in node().get("/blocks?limit=500")["blocks"] if block["outputs_count"] == 1]
        if not alone:
            self.skipTest("every block pays several")
        self.open(f"/blocks/{alone[-1]['hash']}")
        level, words = self.verdict()
        self.assertEqual(level, "ok", f"{self.where()}: {words}")
        says(self.browser.read(), "only the finder is paid")

    def asked(self, address):
        """Asks the page what the block pays an address. Returns the level and text of its notice."""
        self.browser.js("""
            const input = document.querySelector("#payout-address");
            input.value = arguments[0];
            input.dispatchEvent(new Event("input", { bubbles: true }));
            setTimeout(() => input.form.requestSubmit(), 50);""", address)
        return self.eventually("the proof for an address is done", lambda: self.browser.js("""
            const n = document.querySelector("#payout-address").closest("section").querySelector(".notice");
            return n && n.innerText.includes(arguments[0]) && [n.classList[1], n.innerText]""", address), 30)

    def test_what_a_block_pays_an_address_is_proven(self):
        block = node().get(f"/blocks/{things()['block']['hash']}")
        self.open(f"/blocks/{block['hash']}")
        self.focus("#payout-address")
        for output in (block["outputs"][0], block["outputs"][-1]):
            level, words = self.asked(output["address"])
            self.assertEqual(level, "ok", f"{self.where()}: {words}")
            self.assertRegex(words, r"(pays it|gets all of it,) [\d.]+ BTC")
        # An address of this network that nobody mines to.
        level, words = self.asked("tb1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq0l98cr")
        self.assertEqual(level, "ok", f"{self.where()}: {words}")
        self.assertNotIn("BTC", words)

    def test_what_was_altered_is_wrong(self):
        for alter in (one_satoshi, one_weight, one_byte_of_the_coinbase, two_payees_changed_places, somebody_left_out):
            with self.subTest(alter.__name__):
                level, words = self.altered(alter)
                self.assertEqual(level, "bad", f"{self.where()}: {alter.__name__} is not noticed: {words}")
                says(self.browser.read(), "✕ wrong")

"""Search leads to the right page."""

from words import says
from world import UNKNOWN_ID, PageTest, node, things

ENTER = "\ue007"


class Search(PageTest):
    def search(self, text):
        self.open("/")
        self.browser.keys("/")
        self.becomes("/ leads to the search", self.browser.focused, "q")
        self.browser.keys(text, ENTER)

    def leads_to(self, text, path, heading):
        self.search(text)
        self.becomes(f"searching {text} leads to {path}", self.browser.path, path)
        self.becomes("its page is there", lambda: self.browser.js("return document.querySelector('main h1')?.textContent"), heading)
        self.all_there()

    def offers(self, text, path):
        """Searches, and checks that several matches are offered as a list and a single one is opened."""
        self.search(text)

        def offered():
            here, page = self.browser.path(), self.browser.read()
            if here != path:
                # The home page, where the search starts, also links to the newest of all kinds.
                assert here.startswith("/search?"), f"the path is {here}"
                says(page, f"For {text.strip()}")
                assert path in page["links"], f"{here} offers {page['links']}"
            return True

        self.eventually(f"searching {text} offers {path}", offered)

    def test_address(self):
        self.leads_to(things()["address"], f"/miners/{things()['address']}", "Miner")

    def test_share(self):
        self.leads_to(things()["listed"], f"/shares/{things()['listed']}", "Share")

    def test_link(self):
        self.offers(things()["link"]["id"], f"/links/{things()['link']['id']}")

    def test_block_hash(self):
        self.offers(things()["block"]["hash"], f"/blocks/{things()['block']['hash']}")

    def test_height_of_a_link(self):
        self.offers(str(things()["link"]["height"]), f"/links/{things()['link']['id']}")

    def test_height_of_a_block(self):
        self.offers(str(things()["block"]["height"]), f"/blocks/{things()['block']['hash']}")

    def test_short_ids_and_heights_as_pages_show_them(self):
        block = things()["block"]
        self.offers("…" + block["hash"][-10:], f"/blocks/{block['hash']}")
        address = things()["address"]
        self.leads_to(f"{address[:9]}…{address[-6:]}", f"/miners/{address}", "Miner")
        self.open(f"/blocks/{block['height']}")
        self.eventually("a height leads to its block", lambda: says(self.browser.read(), block["hash"]) or True)

    def test_what_pages_show_is_found_in_any_case_and_with_its_name(self):
        some = things()
        share, block, address, link = some["listed"], some["block"], some["address"], some["link"]
        self.offers(f"link {link['height']:,}", f"/links/{link['id']}")
        self.offers(f"Bitcoin block {block['height']:,}", f"/blocks/{block['hash']}")
        self.offers(f"… {share[-10:].upper()}", f"/shares/{share}")
        self.offers(f"...{share[-10:]}", f"/shares/{share}")
        self.leads_to(f"{address[:9].upper()}… {address[-6:].upper()}", f"/miners/{address}", "Miner")
        for user in (f"{address}_rig", f"{address} rig", f"{address}:70,{address}:30.rig"[:110]):
            self.leads_to(user, f"/miners/{address}", "Miner")
        self.leads_to(node().get(f"/miners/{address}")["script"], f"/miners/{address}", "Miner")

    def test_upper_case_and_blanks(self):
        self.offers(f"  {things()['listed'].upper()} ", f"/shares/{things()['listed']}")

    def test_nothing_found_is_explained(self):
        for text in (UNKNOWN_ID, "<b>nothing</b>", "99999999"):
            self.search(text)
            self.eventually(f"searching {text} finds nothing", lambda: says(
                self.browser.read(), "This node has no match", "What you can search for", text) or True)

"""Each page shows what the API returns at that moment."""

import unittest

from words import bitcoin, hashrate, near, percent, same, satoshi, says, seconds, whole
from world import UNKNOWN_ID, PageTest, lost_link, node, things

# A page refreshes at most every two seconds, and links come every second. A busy machine needs some slack.
LAG_LINKS = 8
# Number of new links, and of new answers that a page got, after which it would have flickered.
NEW_LINKS = 3
# Number of payments that a miner's page shows at first.
PAYMENTS = 10
# Number of blocks on top of one before its coinbase can be spent.
MATURE_AFTER = 100


def ids(rows, column):
    """Returns the full ids and addresses of a table column."""
    return [row[column]["titles"][0] for row in rows]


def still_drawn(graph, drawn):
    """Returns the ids of `graph` that a later picture must show: links from the lowest height of both, and shares on them."""
    heights = {link["id"]: link["height"] for link in graph["links"]}
    lowest = min(height for id, height in heights.items() if id in drawn)
    links = [id for id, height in heights.items() if height >= lowest]
    return links + [share["id"] for share in graph["shares"] if heights.get(share["parent"], 0) >= lowest]


class Facts(PageTest):
    """One test per page."""

    def agrees(self, path, check):
        """Waits until `check(page)` finds that page and API agree. It queries the API on each call, because the chain
        moves."""
        self.open(path)
        self.eventually(f"{path} says what the API says", lambda: check(self.browser.read()) or True)

    def test_home(self):
        def check(page):
            pool, blocks = node().get("/pool"), node().get("/blocks?limit=5")["blocks"]
            near(hashrate(page["facts"]["Hashrate of the pool"]), pool["hashrate_hs"], "hashrate", 0.1)
            same(whole(page["facts"]["Paid addresses"]), pool["window"]["scripts_total"], "paid addresses")
            near(percent(page["facts"]["Round effort"]), pool["round"]["effort"], "effort", 0.3)
            near(seconds(page["facts"]["A Bitcoin block"]), pool["expected_block_s"], "time to a block", 0.1)
            behind = pool["chain"]["height"] - whole(page["text"].partition("the newest has height ")[2])
            assert 0 <= behind <= LAG_LINKS, f"the page is {behind} links behind"
            says(page, "Nothing is wrong")
            rows = page["tables"]["Last Bitcoin blocks"]
            same(ids(rows, "Block"), [block["hash"] for block in blocks], "last blocks")
            same([satoshi(row["Pays"]["text"]) for row in rows], [block["value_sat"] for block in blocks], "amounts")

        self.agrees("/", check)

    def test_terms_are_explained_in_tooltips(self):
        explained = "return Object.fromEntries([...document.querySelectorAll('dt[title], th[title]')].map((e) => [e.textContent.trim(), e.title]))"
        for path, terms in (("/", ("Round effort", "Nakamoto coefficient", "Best share")), ("/blocks", ("Effort",)),
                            ("/miners", ("Expected blocks of work",)), (f"/miners/{things()['address']}", ("Weight in the PPLNS window", "How"))):
            self.open(path)
            self.eventually(f"{path} explains {terms}", lambda: set(terms) <= set(self.browser.js(explained)))

    def test_how_decentralised(self):
        def check(page):
            pool = node().get("/pool")
            spread = pool["decentralisation"]
            says(page, str(spread["nakamoto"]), pool["bitcoin_pools"]["pools"][0]["name"], pool["bitcoin_pools"]["as_of"])
            for miner in spread["top"][:3]:
                assert miner["address"] in page["titles"], f"{miner['address']} is not named"

        self.agrees("/", check)

    def test_chain(self):
        known = node().get("/graph?links=30")

        def check(page):
            drawn = self.browser.js("return [...document.querySelectorAll('.picture [data-id]')].map((e) => e.getAttribute('data-id'))")
            same(len(drawn), len(set(drawn)), "everything is drawn once")
            same([id for id in still_drawn(known, drawn) if id not in drawn], [], "what is not drawn")
            says(page, "The share-chain")
            if turns := node().get("/reorganisations?limit=20")["reorganisations"]:
                rows = page["tables"]["Reorganizations, newest first"]
                same(ids(rows, "To tip"), [turn["new_tip"] for turn in turns], "reorganisations")
                same([whole(row["Fork height"]["text"]) for row in rows], [turn["fork_height"] for turn in turns], "forks")
                merged = [f"{turn['left']['listed']:,} of {turn['left']['shares']:,} count" for turn in turns if turn["left"]]
                told = [row["Shares on the abandoned branch"]["text"].split(",")[0] for row in rows]
                same([text for text in told if text != "no longer known"], merged, "what became of the branches left")

        self.agrees("/chain", check)

    def test_link(self):
        id = things()["link"]["id"]

        def check(page):
            link = node().get(f"/links/{id}")
            says(page, f"Link {link['height']:,}", link["id"], f"It lists {link['shares_count']:,} share")
            same(whole(page["facts"]["Listed since genesis"]), link["listed_total"], "listed since genesis")
            assert link["finder"]["address"] in page["titles"] and link["parent"] in page["titles"], "finder and parent are not named"
            same(set(link["shares"]) - set(page["titles"]), set(), "shares of its list that are not named")
            rows = page["tables"]["Earned in this link"]
            found = dict(zip(ids(rows, "Address"), (whole(row["Shares"]["text"]) for row in rows)))
            same(found, {row["address"]: row["shares"] for row in link["earned"]}, "who earned in it")

        self.agrees(f"/links/{id}", check)

    def test_link_that_lost(self):
        lost = lost_link() or self.skipTest("no link lost in this network")
        self.agrees(f"/links/{lost['id']}", lambda page: says(page, "on another branch", f"Link {lost['height']:,}"))

    def test_unknown_link(self):
        self.tolerated = ("404",)
        self.agrees(f"/links/{UNKNOWN_ID}", lambda page: same(page["notices"][0][0], "bad", "the notice"))

    def test_listed_share(self):
        id = things()["listed"]

        def check(page):
            share = node().get(f"/shares/{id}")
            says(page, "It counts", f"Listed by link {share['link_height']:,}", share["share"]["address"])
            same(satoshi(page["facts"]["Would have paid"]), share["share"]["coinbase_value_sat"], "the coinbase's value")
            assert share["share"]["parent"] in page["titles"], "the parent is not named"

        self.agrees(f"/shares/{id}", check)

    def test_unknown_share(self):
        self.agrees(f"/shares/{UNKNOWN_ID}", lambda page: says(page, "This node has never seen it", UNKNOWN_ID))

    def test_miner(self):
        address = things()["address"]

        def check(page):
            miner, paid = node().get(f"/miners/{address}"), node().get(f"/miners/{address}/payments?limit=25")["payments"]
            near(percent(page["facts"]["Part of all work"]), miner["window"]["part"], "part of the window", 0.02)
            same(whole(page["facts"]["Shares that count"]), miner["window"]["shares"], "shares that count")
            says(page, miner["window"]["weight"], miner["script"], "Yes, you are mining")
            pay = miner["pay"]
            near(seconds(page["facts"]["You are paid"]), pay["every_s"], "time between payouts", 0.15)
            near(satoshi(page["facts"]["You earn per day"]) if pay["day_sat"] < 1e6 else bitcoin(page["facts"]["You earn per day"]) * 1e8,
                 pay["day_sat"], "pay a day", 0.15)
            rate = miner["hashrate_hour_hs" if miner["last_submit_unix_s"] is None else "hashrate_hs"]
            near(hashrate(page["facts"]["Your hashrate"]), rate, "own hashrate", 0.3)
            strip = self.browser.js("return document.querySelector('#positions figcaption')?.textContent ?? '0'")
            near(whole(strip.split()[0]), miner["window"]["shares"], "shares of the strip", 0.3)
            rows = page["tables"]["Payments, newest first"]
            paid = paid[:PAYMENTS]
            same([row["Block"]["titles"][0] for row in rows], [payment["block"] for payment in paid], "blocks that paid")
            same([satoshi(row["Amount"]["text"]) for row in rows], [payment["value_sat"] for payment in paid], "payments")

        self.agrees(f"/miners/{address}", check)

    def test_sum_of_payments(self):
        address = things()["address"]

        def check(page):
            payments = node().get(f"/miners/{address}/payments?limit={PAYMENTS}")["payments"]
            total = sum(payment["value_sat"] for payment in payments if payment["confirmations"] > 0)
            sentence = next((line for line in self.browser.js(
                "return [...document.querySelectorAll('main p strong')].map((e) => e.textContent)") if line.endswith((" BTC", " sat"))), "")
            same(satoshi(sentence), total, "the sum of what it was paid")

        self.agrees(f"/miners/{address}", check)

    def test_workers_are_shown_to_whoever_has_the_token(self):
        token = {"Authorization": f"Bearer {node().token()}"}
        address = self.eventually("an address has workers at this node", lambda: next(
            (row["address"] for row in node().get("/window")["earned"] if node().get(f"/miners/{row['address']}", token)["workers"]), None))
        self.agrees(f"/miners/{address}", lambda page: says(page, "api-token"))
        self.focus("#token")
        self.browser.keys("not the token", "\ue007")
        self.eventually("a wrong token is refused", lambda: says(self.browser.read(), "That token is not this node's") or True)
        self.browser.js("document.querySelector('#token').value = ''")
        self.focus("#token")
        self.browser.keys(node().token(), "\ue007")
        self.eventually("the token shows workers", lambda: self.browser.read()["tables"]["Workers"])
        # Names without the address that the page is about, and all columns inside the card.
        rows = self.browser.read()["tables"]["Workers"]
        assert not any(address in row["Name"]["text"] for row in rows), f"names are {[row['Name']['text'] for row in rows]}"
        self.nothing("the list of workers fits", lambda: self.browser.js(
            "const t = document.querySelector('#workers').closest('.card'); return t.scrollWidth > t.clientWidth || t.clientWidth < 900"))
        self.browser.js("localStorage.clear()")
        self.tolerated = ("401", "403")

    def test_miners(self):
        def check(page):
            window = node().get("/window?limit=100")
            rows = page["tables"]["Miners, most work first"]
            same(ids(rows, "Address"), [row["address"] for row in window["earned"]], "who is here")
            same([whole(row["Shares"]["text"]) for row in rows], [row["shares"] for row in window["earned"]], "shares")

        self.agrees("/miners", check)

    def test_blocks(self):
        def check(page):
            blocks = node().get("/blocks?limit=50")["blocks"]
            rows = page["tables"]["Bitcoin blocks, newest first"]
            same(ids(rows, "Block"), [block["hash"] for block in blocks], "blocks")
            same([whole(row["Height"]["text"]) for row in rows], [block["height"] for block in blocks], "heights")
            same([row["By"]["titles"][0] for row in rows], [block["finder_address"] for block in blocks], "finders")
            same([satoshi(row["Pays"]["text"]) for row in rows], [block["value_sat"] for block in blocks], "amounts")
            for row, block in zip(rows, blocks):
                # Two blocks within a second have no work between them.
                if block["effort"]:
                    near(percent(row["Effort"]["text"]), max(block["effort"], 0.0001), f"effort of {block['height']}", 0.01 + 0.00006 / max(block["effort"], 0.0001))
                    # One definition everywhere: below the expected work is lucky.
                    word = row["Effort"]["text"].partition("%")[2]
                    lucky = round(block["effort"] * 100)
                    same(word.split(":")[0], "average" if lucky == 100 else "lucky" if lucky < 100 else "unlucky", f"luck of {block['height']}")
                if block["listed_height"] is not None:
                    same(whole(row["By"]["text"].partition("link")[2]), block["listed_height"], f"link of {block['height']}")

        self.agrees("/blocks", check)

    def test_job(self):
        def check(page):
            job = node().get("/job")
            says(page, f"{job['height']:,}")
            same(satoshi(page["facts"]["Value"]), job["value_sat"], "its value")
            rows = page["tables"]["Payouts of the block being mined now"]
            same([satoshi(row["Pays"]["text"]) for row in rows], [out["value_sat"] for out in job["outputs"]], "amounts")
            same(ids(rows, "To"), [out["address"] for out in job["outputs"]], "payees")
            same([row["By"]["text"] for row in rows], [out["class"] for out in job["outputs"]], "rules")

        self.agrees("/job", check)

    def test_block(self):
        hash = things()["block"]["hash"]

        def check(page):
            block = node().get(f"/blocks/{hash}")
            says(page, f"Bitcoin block {block['height']:,}", block["hash"], block["finder_address"])
            same(satoshi(page["facts"]["Pays"]), block["value_sat"], "what it pays")
            rows = page["tables"]["Outputs"]
            same([satoshi(row["The coinbase pays"]["text"]) for row in rows], [out["value_sat"] for out in block["outputs"]], "outputs")
            same(ids(rows, "Pays"), [out["address"] for out in block["outputs"]], "payees")
            confirmations = block["confirmations"]
            mature = confirmations > MATURE_AFTER
            says(page, "can be spent" if mature else f"{confirmations} of {MATURE_AFTER + 1} confirmations")

        self.agrees(f"/blocks/{hash}", check)

    def test_unknown_block(self):
        self.tolerated = ("404",)
        self.agrees(f"/blocks/{UNKNOWN_ID}", lambda page: same(page["notices"][0][0], "bad", "the notice"))

    def test_peers(self):
        def check(page):
            peers = {peer["id"]: peer for peer in node().get("/peers")["peers"]}
            rows = page["tables"]["Peers"]
            same(set(ids(rows, "Peer")), set(peers), "peers")
            for row, peer in zip(rows, (peers[id] for id in ids(rows, "Peer"))):
                same((row["Group"]["text"], row["Program"]["text"]), (peer["group"], peer["agent"]), "group and program")
                assert peer.get("address") is None and "127.0.0.1" not in page["text"], "an address of a peer is shown"
            says(page, node().get("/status")["version"], "Upgrades of the rules")

        self.agrees("/peers", check)

    def test_log(self):
        def check(page):
            for event in node().get("/log?limit=20")["events"]:
                says(page, event["sentence"])
                assert event["link_to"] is None or event["link_to"] in page["links"], f"no way to {event['link_to']}"

        self.agrees("/log", check)

    def test_calculator(self):
        self.open("/calculator?hs=50000")

        def check():
            page, pool = self.browser.read(), node().get("/pool")
            share = int(node().get(f"/links/{node().get('/status')['tip']}")["children_share_work_hashes"])
            near(percent(page["facts"]["Your part of the pool"]), 50_000 / (50_000 + pool["hashrate_hs"]), "part", 0.1)
            near(seconds(page["facts"]["A share"]), share / 50_000, "time between shares", 0.2)
            says(page, "Without the pool", "With the pool")
            return True

        self.eventually("it reckons", check)

    def test_the_calculator_does_not_flicker(self):
        self.open("/calculator")
        self.all_there()
        self.browser.js("""const main = document.querySelector("main");
            window.seen = { loading: 0, answers: 0 };
            const look = new MutationObserver(() => { seen.loading += main.querySelectorAll(".loading").length; });
            look.observe(main, { childList: true, subtree: true });
            const answers = (list) => list.getEntries().filter(({ name }) => name.includes("/api/v1/pool")).length;
            new PerformanceObserver((list) => { seen.answers += answers(list); }).observe({ type: "resource" });""")
        height = node().get("/status")["height"]

        def followed():
            assert node().get("/status")["height"] >= height + NEW_LINKS, "too few new links"
            answers = self.browser.js("return seen.answers")
            assert answers >= NEW_LINKS, f"the page got {answers} answers"
            return True

        self.eventually("the page follows new links", followed)
        self.assertEqual(self.browser.js("return seen.loading"), 0, "new links leave the numbers there")

    def test_api(self):
        document = node().get("/openapi.json")
        self.agrees("/api", lambda page: says(page, *document["paths"]))

    def test_a_path_that_does_not_exist(self):
        self.tolerated = ("404",)
        self.agrees("/no/such/page", lambda page: says(page, "Page not found", "/no/such/page"))


if __name__ == "__main__":
    unittest.main()

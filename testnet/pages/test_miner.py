"""What a miner looks at first."""

import time
from urllib.error import HTTPError

from words import bitcoin, near, percent, says
from world import PageTest, node, site, things

# Width and height of a laptop and of a phone, in pixels.
SCREENS = ((1280, 800), (390, 844))
# What answers the four questions: is my device mining and at its rate, what do I earn a day, when am I paid, is anything wrong.
ANSWERS = ("Yes, you are mining", "Your hashrate", "You earn per day", "You are paid", "Nothing is wrong")
# The lowest pixel of the elements with these texts; -1 for a text that is not there.
LOWEST = """
return arguments[0].map((text) => {
  const found = [...document.querySelectorAll("main strong, main dt")].find((e) => e.textContent.startsWith(text));
  const end = found?.tagName === "DT" ? found.nextElementSibling.querySelector(".value") : found;
  return end ? Math.round(end.getBoundingClientRect().bottom) : -1;
});
"""


def device(name, state):
    """Returns a device as the node tells of it."""
    return {"name": name, "state": state, "paused_until_unix_s": None, "hashrate_hs": 1.1e12, "mean_hs": 1e12,
            "averages": {"hour_hs": 1.1e12, "day_hs": 1e12, "week_hs": 1e12}, "rejected": {"stale": 3}, "best_difficulty": 2.5e9,
            "best_today_difficulty": 1.5e6, "last_submit_unix_s": int(time.time())}


class Miner(PageTest):
    def me(self, address):
        """Remembers an address as the reader's own."""
        self.open("/")
        self.browser.js("localStorage.setItem('shoal.address', arguments[0])", address)

    def tearDown(self):
        self.browser.js("localStorage.clear()")
        super().tearDown()

    def test_four_answers_are_on_the_first_screen(self):
        self.me(things()["address"])
        self.answers_are_on_the_first_screen()

    def test_many_devices_leave_room_for_what_is_asked_first(self):
        address = things()["address"]

        def alter(path, answer):
            if path.endswith(address):
                answer["devices"] = [device(f"{address}.rig{n}-bitaxe-gamma-on-the-shelf-next-to-the-window", "silent" if n == 0 else "ok") for n in range(20)]
                answer["device_states"] = {"ok": 999, "silent": 1}
                answer["last_submit_unix_s"] = int(time.time())
            return answer

        self.site = site(node(), alter)
        self.me(address)
        self.answers_are_on_the_first_screen()
        self.eventually("devices are counted", lambda: says(self.browser.read(), "1,000 devices: 999 OK, 1 silent") or True)
        shown = "return [...document.querySelectorAll('.devices li')].map((one) => one.innerText)"
        self.assertIn("rig0", self.browser.js(shown)[0], "what needs a look is first")
        self.assertLess(len(self.browser.js(shown)), 20)

    def answers_are_on_the_first_screen(self):
        for width, height in SCREENS:
            self.browser.look(width, "light", height=height)
            self.open("/")
            self.all_there()

            def on_screen():
                ends = dict(zip(ANSWERS, self.browser.js(LOWEST, ANSWERS)))
                low = {text: end for text, end in ends.items() if not 0 < end <= height}
                assert not low, f"at {width}x{height} these are missing (-1) or too low: {low}"
                return True

            self.eventually("all answers are on the first screen", on_screen)

    def test_an_address_is_taken_as_people_paste_it(self):
        address = things()["address"]
        self.open("/")
        self.focus("#my-address")
        self.browser.keys(f" {address[0].upper()}{address[1:]}.rig1 ", "\ue007")
        self.becomes("the address itself is remembered", lambda: self.browser.js("return localStorage.getItem('shoal.address')"), address)
        self.tolerated = ("400",)
        self.browser.js("localStorage.clear()")
        self.open("/")
        self.focus("#my-address")
        self.browser.keys(address[:-1] + ("q" if address[-1] != "q" else "p"), "\ue007")
        self.eventually("a typo is told in own words", lambda: says(self.browser.read(), "a character is wrong, missing or added") or True)

    def test_what_is_wrong_with_miners_is_not_nothing(self):
        def alter(path, answer):
            if path.endswith("/status"):
                answer["mining"] = [{"kind": "miners_gone", "since_unix_s": answer["time_unix_s"] - 120, "what": "no miner is connected", "todo": "look"}]
            if path.endswith(things()["address"]):
                answer["last_submit_unix_s"] = node().get("/status")["time_unix_s"] - 3 * 86400
            # The stream brings the status, too.
            return answer

        self.site = site(node(), alter)
        self.open(f"/miners/{things()['address']}")
        self.eventually("it tells that no miner is connected", lambda: says(self.browser.read(), "no miner is connected") or True)

    def test_a_device_that_is_gone_is_not_mining(self):
        """Its connection ended a minute ago: the strip calls it silent, and so does the first sentence."""
        address = things()["address"]

        def alter(path, answer):
            if path.endswith(address):
                answer["hashrate_hs"], answer["last_submit_unix_s"] = 0, int(time.time()) - 70
                answer["devices"], answer["device_states"] = [device(f"{address}.rig", "silent")], {"silent": 1}
            return answer

        self.site = site(node(), alter)
        self.me(address)
        self.open("/")
        self.eventually("it is silent", lambda: says(self.browser.read(), "Your device is silent") or True)
        self.assertNotIn("Yes, you are mining", self.browser.read()["text"])

    def test_an_address_without_shares_has_no_devices_elsewhere(self):
        self.open("/miners/tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx")
        self.eventually("it is told that none came", lambda: says(self.browser.read(), "No submit and no share of this address") or True)
        self.assertNotIn("your devices are at other nodes", self.browser.read()["text"])

    def test_pay_per_day_and_per_month_agree(self):
        address = things()["address"]

        def alter(path, answer):
            if path.endswith("/pool"):
                answer["hashrate_hs"], answer["bitcoin"]["difficulty"], answer["bitcoin"]["next_value_sat"] = 1e6, 0.001, 5_000_000_000
            elif path.endswith(address):
                # Shares of a day scatter, so the average hashrate is not what the work that counts says.
                answer["window"]["part"], answer["hashrate_day_hs"] = 0.25, 1e5
                answer["pay"]["day_sat"] = 0.25 * 5e9 * 86_400 / (0.001 * 2**32 / 1e6)
            return answer

        self.site = site(node(), alter)
        self.open(f"/miners/{address}")

        def agree():
            page = self.browser.read()
            month = bitcoin(page["tables"]["With and without the pool"][1]["Average a month"]["text"])
            near(month, 30 * bitcoin(page["facts"]["You earn per day"]), "a month's pay")
            near(percent(page["facts"]["Your part of the pool"]), 0.25, "part of the pool")
            return True

        self.eventually("both say the same", agree)

    def test_a_public_node_asks_no_reader_for_its_token(self):
        def alter(path, answer):
            return answer | {"public": True} if path.endswith("/status") else answer

        self.site = site(node(), alter)
        self.open(f"/miners/{things()['address']}")
        self.all_there()
        self.nothing("no form for the token", lambda: self.browser.js("return document.querySelector('#token')?.id"))
        self.open("/log")
        self.all_there()
        self.nothing("no advice about the token", lambda: "token" in self.browser.read()["text"])

    def test_seconds_without_a_share_are_no_silence(self):
        address = things()["address"]

        def alter(path, answer):
            if path.endswith("/shares"):
                answer["shares"] = [share | {"time_unix_s": int(time.time()) - 20 - n // 3} for n, share in enumerate(answer["shares"])]
            elif path.endswith(address):
                answer["last_submit_unix_s"] = None
            return answer

        self.site = site(node(), alter)
        self.open(f"/miners/{address}")
        self.eventually("it mines elsewhere", lambda: says(self.browser.read(), "Yes, you are mining, at another node", "too coarse") or True)

    def test_the_first_minute_shows_no_years(self):
        def alter(path, answer):
            if path.endswith("/history"):
                answer["points"], answer["next_from"] = answer["points"][:1], None
            if path.endswith("/links"):
                answer["links"] = [answer["links"][-1] | {"height": 0, "time_unix_s": 0, "finder": None}]
            if path.endswith("/pool"):
                answer["window"]["oldest_unix_s"] = None
            return answer

        self.site = site(node(), alter)
        # Without live events, what a node knows in its first minute stays.
        silent = "delete globalThis.SharedWorker; globalThis.EventSource = class { addEventListener() {} close() {} };"
        driver = self.browser.driver
        added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": silent})
        try:
            self.open("/")
            self.eventually("its data is there", lambda: says(self.browser.read(), "the first one appears when its step is over", "link 0") or True)
            self.assertNotIn("years ago", self.browser.read()["text"], self.where())
        finally:
            driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)

    def test_what_to_enter_in_a_miner(self):
        self.open("/")
        self.browser.js("[...document.querySelectorAll('summary')].find((e) => e.textContent === 'I am not mining yet').click()")
        mining = node().get("/mining")
        self.eventually("it shows the real URL", lambda: says(self.browser.read(), mining["urls"][0]["url"], "ADDRESS.WORKER") or True)
        self.assertTrue(mining["urls"][0]["url"].endswith(":" + node().stratum.rsplit(":", 1)[1]))
        self.assertTrue(self.browser.js("return document.querySelector('.qr path').getBBox().width > 20"))

    def test_a_pairing_link_works_once_and_does_not_stay(self):
        code = node().pairing_code()
        self.open(f"/log#pair={code}")
        self.becomes("the token is remembered", lambda: self.browser.js("return localStorage.getItem('shoal.token')"), node().token())
        self.assertEqual(self.browser.js("return location.href"), self.site + "/log")
        self.browser.js("localStorage.clear()")
        self.tolerated = ("401",)
        with self.assertRaises(HTTPError) as refused:
            node().post("/pair", {"shoal-pairing-code": code})
        self.assertEqual(refused.exception.code, 401)


class Tabs(PageTest):
    def test_many_tabs_share_one_stream(self):
        """Browsers allow six connections to a host; with a stream for each tab, the seventh tab would hang."""
        driver = self.browser.driver
        first, tabs = driver.current_window_handle, []
        self.open("/log")
        try:
            for _ in range(7):
                driver.switch_to.new_window("tab")
                tabs.append(driver.current_window_handle)
                self.open("/log")
                self.eventually("the tab is live", lambda: "live" in self.browser.js("return document.querySelector('.live')?.textContent ?? ''"))
                self.eventually("the tab has its data", lambda: self.browser.js("return document.querySelectorAll('.feed.log li').length > 0"))
        finally:
            for tab in tabs:
                driver.switch_to.window(tab)
                driver.close()
            driver.switch_to.window(first)

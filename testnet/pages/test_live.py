"""Updates arrive automatically, and the page reconnects to a node that was down."""

import os

from network import eventually
from words import says, whole
from world import REFUSAL_S, PageTest, network, node, refusal, site

STATE = "return document.querySelector('.live')?.textContent ?? ''"
HEADING = "return document.querySelector('main h1')?.textContent"
# Marks the document, to detect a reload.
MARK = "globalThis.notLoadedAgain = true"


class Live(PageTest):
    def shows(self, word):
        """Returns whether the header shows this state."""
        state = self.browser.js(STATE)
        assert word in state, f"the state is {state!r}"
        return True

    def is_live(self):
        return self.shows("live")

    def test_links_arrive_by_themselves(self):
        self.open("/")
        self.eventually("the state is live", self.is_live)
        self.browser.js(MARK)
        known = node().get("/status")["height"]

        def arrives():
            listed = self.browser.js("return [...document.querySelectorAll('.feed li')].map((e) => e.textContent)")
            heights = [whole(text) for text in listed if text.startswith("link")]
            assert any(height > known for height in heights), f"link {known} was known, and listed are {heights}"
            return True

        self.eventually("a new link is listed as arriving", arrives)
        self.assertTrue(self.browser.js("return globalThis.notLoadedAgain"), f"{self.where()}: it was loaded again")

    def test_the_picture_grows_by_itself(self):
        self.open("/chain")
        drawn = "return [...document.querySelectorAll('.net-link')].map((e) => e.getAttribute('data-id'))"
        before = set(self.eventually("links are drawn", lambda: self.browser.js(drawn)))
        self.browser.js(MARK)
        self.eventually("a new link is drawn", lambda: set(self.browser.js(drawn)) - before)
        self.assertTrue(self.browser.js("return globalThis.notLoadedAgain"), f"{self.where()}: it was loaded again")

    def test_it_comes_back_after_the_node_did(self):
        away = network().nodes[1]
        eventually("the miner that is refused there is done", lambda: refusal().poll() is not None, REFUSAL_S)
        self.tolerated = ("ERR_", "/api/v1/", "Failed to load resource")
        driver = self.browser.driver
        self.site = site(away)
        self.open("/")
        self.eventually("the state is live", self.is_live)
        self.eventually("all is well", lambda: says(self.browser.read(), "Nothing is wrong") or True, 60)
        self.browser.js(MARK)
        first, other = self.another_tab()
        network().command("kill", away.name)
        try:
            self.follow_to_peers(other)
            driver.switch_to.window(first)
            self.eventually("it says that it reconnects", lambda: self.shows("reconnecting"))
            self.becomes("it does not say that all is well", lambda: "Nothing is wrong" in self.browser.read()["text"], False)
        finally:
            network().command("restart", away.name)
        eventually("the node answers", lambda: away.get("/status"), 60)
        self.eventually("the state is live again", self.is_live, 60)
        self.eventually("all is well again", lambda: says(self.browser.read(), "Nothing is wrong") or True, 60)
        self.assertTrue(self.browser.js("return globalThis.notLoadedAgain"), f"{self.where()}: it was loaded again")
        driver.switch_to.window(other)
        try:
            self.becomes("a page that did not load while the node was down is there", lambda: self.browser.js(HEADING), "Peers", 60)
        finally:
            driver.close()
            driver.switch_to.window(first)

    def another_tab(self):
        """Opens the home page in another tab. Returns the handles of both."""
        driver = self.browser.driver
        first = driver.current_window_handle
        driver.switch_to.new_window("tab")
        self.open("/")
        return first, driver.current_window_handle

    def follow_to_peers(self, tab):
        """Follows a link to a page whose code this tab has not fetched yet."""
        self.browser.driver.switch_to.window(tab)
        self.browser.js("document.querySelector('nav a[href=\"/peers\"]').click()")
        # Behind a proxy, the pages' own files are there all the time.
        if "SHOAL_PAGES_WEB" not in os.environ:
            self.becomes("it says that it cannot load the page", lambda: self.browser.js(HEADING), "Not loaded")

"""Every page, narrow and wide, dark and light: nothing overflows, all text is readable, and a picture is saved."""

from urllib.parse import quote

from world import UNKNOWN_ID, PageTest, out, things

WIDTHS = (390, 1280)
THEMES = ("dark", "light")
# axe checks one view of each theme and of each width, because it takes a second.
CHECKED = ((390, "dark"), (1280, "light"))
# Seconds for a page to follow a change of width or theme.
FOLLOWS_S = 10


def pages():
    """Returns the name and path of every page."""
    some = things()
    return {
        "home": "/", "chain": "/chain", "link": f"/links/{some['link']['id']}", "share": f"/shares/{some['listed']}",
        "share-unknown": f"/shares/{UNKNOWN_ID}", "miners": "/miners", "miner": f"/miners/{some['address']}", "blocks": "/blocks", "job": "/job",
        "block": f"/blocks/{some['block']['hash']}", "peers": "/peers", "log": "/log", "calculator": "/calculator",
        "search": "/search", "search-many": f"/search?q={some['block']['height']}", "search-none": f"/search?q={quote('<b>none</b>')}",
        "api": "/api", "missing": "/no/such/page", "link-unknown": f"/links/{UNKNOWN_ID}", "block-unknown": f"/blocks/{UNKNOWN_ID}",
    }


class Look(PageTest):
    def test_every_page(self):
        for name, path in pages().items():
            with self.subTest(name):
                self.page(name, path)
        self.tolerated = ("404",)

    def page(self, name, path):
        self.open(path)
        self.all_there()
        head = "return [document.title.endsWith(' · Shoal'), document.querySelectorAll('h1').length]"
        self.becomes("it has a title, and one heading", lambda: self.browser.js(head), [True, 1])
        for width in WIDTHS:
            for theme in THEMES:
                self.browser.look(width, theme)
                # Charts resize a moment later, and updates are drawn in the meantime.
                self.nothing(f"at {width} px nothing is too wide", self.browser.sideways, FOLLOWS_S)
                if (width, theme) in CHECKED:
                    self.nothing(f"axe-core finds nothing at {width} px, {theme}", self.browser.axe, FOLLOWS_S)
                self.browser.picture(out() / f"{name}-{width}-{theme}.png")
        self.browser.look(1280, "light")

    def test_dark_is_dark_and_light_is_light(self):
        self.open("/")
        shade = "return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0)"
        self.browser.look(1280, "dark")
        self.eventually("it is dark", lambda: self.browser.js(shade) < 200)
        self.browser.look(1280, "light")
        self.eventually("it is light", lambda: self.browser.js(shade) > 600)

    def test_nothing_moves_for_whoever_wants_no_motion(self):
        self.browser.look(1280, "light", motion="reduce")
        for path in ("/", "/chain"):
            self.open(path)
            self.all_there()
            moving = "return document.getAnimations().filter((a) => a.playState === 'running' && a.effect.getTiming().duration > 50).length"
            self.assertEqual(self.browser.js(moving), 0, f"{self.browser.path()} moves")

    def test_the_menu_opens_on_a_phone(self):
        self.browser.look(390, "light")
        self.open("/")
        seen = "return document.querySelector('nav a[href=\"/peers\"]').checkVisibility()"
        self.assertFalse(self.browser.js(seen), "the menu is open from the start")
        self.browser.js("document.querySelector('.menu-button').click()")
        self.eventually("it opens", lambda: self.browser.js(seen))
        self.browser.js("document.querySelector('nav a[href=\"/peers\"]').click()")
        self.becomes("it leads on", self.browser.path, "/peers")

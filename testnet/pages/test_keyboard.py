"""Whoever has no mouse reaches everything."""

from words import says
from world import PageTest, node

TAB, ENTER, END, LEFT = "\ue004", "\ue007", "\ue010", "\ue012"
# What can be reached: visible, and not taken out of the order.
REACHABLE = """
return [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")].filter((e) =>
  !e.disabled && e.tabIndex >= 0 && e.checkVisibility()).length"""
MARK_FOCUS = """
const e = document.activeElement;
if (e === document.body) return null;
const style = getComputedStyle(e);
const seen = (style.outlineStyle !== "none" && style.outlineWidth !== "0px") || style.boxShadow !== "none";
const first = !e.hasAttribute("data-reached");
e.setAttribute("data-reached", "");
return [first, seen, e.outerHTML.slice(0, 120)]"""


class Keyboard(PageTest):
    def test_the_first_stop_skips_to_the_content(self):
        self.open("/")
        self.browser.keys(TAB)
        self.eventually("the skip link is focused", lambda: self.browser.focused() == "skip")
        self.browser.keys(ENTER)
        self.eventually("it leads to the content", lambda: self.browser.js("return document.activeElement.id") == "main")

    def test_tab_reaches_everything(self):
        # Pages that do not change while they are walked through.
        for path in ("/calculator", "/search", "/no/such/page"):
            self.open(path)
            self.eventually("it is drawn", lambda: not self.browser.read()["loading"])
            wanted, reached, unseen = self.browser.js(REACHABLE), 0, []
            for _ in range(wanted + 5):
                self.browser.keys(TAB)
                stop = self.browser.js(MARK_FOCUS)
                if stop and stop[0]:
                    reached += 1
                    unseen += [] if stop[1] else [stop[2]]
            self.none(range(reached, wanted), f"only {reached} of {wanted} things were reached by Tab")
            self.none(unseen, "the focus is not seen")

    def test_the_picture_is_walked_and_opened(self):
        self.open("/chain")
        self.eventually("the picture is drawn", lambda: self.browser.js("return document.querySelector('.picture svg') !== null"))
        self.browser.js("document.querySelector('.picture svg').focus()")
        self.browser.keys(END)
        self.eventually("the newest link is picked", lambda: "Link" in self.browser.js("return document.querySelector('#picked').textContent"))
        self.browser.keys(LEFT)
        height = self.browser.js("return document.querySelector('#picked').textContent.match(/Link ([\\d,]+)/)[1]")
        self.browser.keys(ENTER)
        self.eventually("Enter opens it", lambda: self.browser.path().startswith("/links/"))
        self.eventually("it is the one that was picked", lambda: says(self.browser.read(), f"Link {height}") or True)

    def test_keys_zoom_the_picture(self):
        self.open("/chain")
        wide = "return document.querySelector('.picture svg')?.width.baseVal.value"
        before = self.eventually("the picture is drawn", lambda: self.browser.js(wide))
        self.browser.js("document.querySelector('.picture svg').focus()")
        self.browser.keys("+")
        self.eventually("plus makes it larger", lambda: self.browser.js(wide) > 1.2 * before)

    def test_a_slash_in_a_field_is_only_a_slash(self):
        self.open("/")
        self.eventually("it asks for the address", lambda: self.browser.js("return document.getElementById('my-address') !== null"))
        self.browser.js("document.getElementById('my-address').focus()")
        self.browser.keys("a/b")
        self.assertEqual(self.browser.js("return document.getElementById('my-address').value"), "a/b")

    def test_after_a_link_the_focus_is_on_the_new_page(self):
        self.open("/blocks")
        first = f"/blocks/{node().get('/blocks?limit=1')['blocks'][0]['hash']}"
        self.eventually("the newest block is listed", lambda: first in self.browser.read()["links"])
        self.browser.js(f"document.querySelector('main a[href=\"{first}\"]').focus()")
        self.browser.keys(ENTER)
        self.eventually("it is opened", lambda: self.browser.path() == first)
        self.eventually("the focus is on the content", lambda: self.browser.js("return document.activeElement.id") == "main")

    def test_the_theme_is_chosen_and_kept(self):
        self.open("/")
        theme = "return document.documentElement.dataset.theme ?? 'system'"
        self.browser.js("localStorage.removeItem('shoal.theme')")
        self.open("/")
        self.browser.js("document.querySelector('button.theme').focus()")
        self.browser.keys(ENTER)
        self.eventually("it is dark", lambda: self.browser.js(theme) == "dark")
        self.open("/blocks")
        self.assertEqual(self.browser.js(theme), "dark", "the choice is not kept")
        self.browser.js("localStorage.removeItem('shoal.theme')")

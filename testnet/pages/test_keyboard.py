"""All functions are reachable by keyboard."""

from words import says
from world import PageTest, node

TAB, ENTER, END, LEFT = "\ue004", "\ue007", "\ue010", "\ue012"
# Elements that should have been reached: visible, and in the tab order.
UNREACHED = """
return [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")].filter((e) =>
  !e.disabled && e.tabIndex >= 0 && e.checkVisibility() && !e.hasAttribute("data-reached")).map((e) => e.outerHTML.slice(0, 120))"""
KEEP_FOCUS = "globalThis.focusBefore = document.activeElement"
FOCUS_MOVED = "return document.activeElement !== globalThis.focusBefore"
MARK_FOCUS = """
const e = globalThis.focusBefore = document.activeElement;
if (e === document.body) return null;
const style = getComputedStyle(e);
const seen = (style.outlineStyle !== "none" && style.outlineWidth !== "0px") || style.boxShadow !== "none";
const first = !e.hasAttribute("data-reached");
e.setAttribute("data-reached", "");
return [first, seen, e.outerHTML.slice(0, 120)]"""
THEME = "return document.documentElement.dataset.theme ?? 'system'"
# The selected link in the share-chain's chart: its target, and its height.
PICKED = """
const picked = document.querySelector("#picked");
return [picked.querySelector("a[href^='/links/']").getAttribute("href"), picked.textContent.match(/Link ([\\d,]*\\d)/)[1]]"""


class Keyboard(PageTest):
    def test_the_first_stop_skips_to_the_content(self):
        self.open("/")
        self.browser.keys(TAB)
        self.becomes("the skip link is focused", self.browser.focused, "skip")
        self.browser.keys(ENTER)
        self.becomes("it leads to the content", lambda: self.browser.js("return document.activeElement.id"), "main")

    def test_tab_reaches_everything(self):
        self.tolerated = ("404",)
        # Pages that do not change during the walk.
        for path in ("/calculator", "/search", "/no/such/page"):
            self.open(path)
            self.all_there()
            self.browser.js(KEEP_FOCUS)
            wanted, unseen = len(self.browser.js(UNREACHED)), []
            for _ in range(wanted + 5):
                if not self.browser.js(UNREACHED):
                    break
                self.browser.keys(TAB)
                self.eventually("Tab moves the focus", lambda: self.browser.js(FOCUS_MOVED))
                stop = self.browser.js(MARK_FOCUS)
                if stop and stop[0]:
                    unseen += [] if stop[1] else [stop[2]]
            self.none(self.browser.js(UNREACHED), f"of {wanted} things these were not reached by Tab")
            self.none(unseen, "the focus is not seen")

    def test_the_picture_is_walked_and_opened(self):
        self.open("/chain")
        self.focus(".picture svg")
        self.browser.keys(END)
        path, _ = self.eventually("the newest link is picked", lambda: self.browser.js(PICKED))
        before = node().get(f"/links/{node().get(path)['parent']}")
        path, height = f"/links/{before['id']}", f"{before['height']:,}"
        self.browser.keys(LEFT)
        self.becomes("the link before is picked", lambda: self.browser.js(PICKED), [path, height])
        self.browser.keys(ENTER)
        self.becomes("Enter opens it", self.browser.path, path)
        self.eventually("it is the one that was picked", lambda: says(self.browser.read(), f"Link {height}", before["id"]) or True)

    def test_keys_zoom_the_picture(self):
        self.open("/chain")
        wide = "return document.querySelector('.picture svg')?.width.baseVal.value"
        before = self.eventually("the picture is drawn", lambda: self.browser.js(wide))
        self.focus(".picture svg")
        self.browser.keys("+")

        def larger():
            now = self.browser.js(wide)
            assert now > 1.2 * before, f"it was {before} wide and is {now}"
            return True

        self.eventually("plus makes it larger", larger)

    def test_a_slash_in_a_field_is_only_a_slash(self):
        self.open("/")
        self.focus("#my-address")
        self.browser.keys("a/b")
        self.becomes("it is in the field", lambda: self.browser.js("return document.getElementById('my-address').value"), "a/b")

    def test_after_a_link_the_focus_is_on_the_new_page(self):
        self.open("/blocks")
        first = f"/blocks/{node().get('/blocks?limit=1')['blocks'][0]['hash']}"
        self.eventually("the newest block is listed", lambda: first in self.browser.read()["links"])
        self.focus(f'main a[href="{first}"]')
        self.browser.keys(ENTER)
        self.becomes("it is opened", self.browser.path, first)
        self.becomes("the focus is on the content", lambda: self.browser.js("return document.activeElement.id"), "main")

    def test_the_theme_is_chosen_and_kept(self):
        self.open("/")
        self.browser.js("localStorage.removeItem('shoal.theme')")
        self.open("/")
        self.focus("button.theme")
        self.browser.keys(ENTER)
        self.becomes("it is dark", lambda: self.browser.js(THEME), "dark")
        self.open("/blocks")
        # The theme is set before anything is drawn, so no wait is needed.
        self.assertEqual(self.browser.js(THEME), "dark", "the choice is not kept")
        self.browser.js("localStorage.removeItem('shoal.theme')")

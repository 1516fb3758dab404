"""A headless Chromium: opens and reads pages, and records their requests and console messages."""

import base64
import json
from importlib import resources
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains

from network import eventually

# Containers often have little shared memory.
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-device-scale-factor=1",
         "--disable-background-networking", "--disable-component-update", "--no-first-run", "--lang=en")
# Height of the window, and largest height of a screenshot, in pixels.
HEIGHT = 900
PICTURE_MAX = 6000

AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text()
RUN_AXE = """
const done = arguments[0];
axe.run(document, { resultTypes: ["violations"] }).then((found) => done(found.violations.map((one) => ({
  id: one.id, impact: one.impact, where: one.nodes.slice(0, 3).map((node) => node.target.join(" ") + ": "
    + (node.any.concat(node.all, node.none)[0]?.message ?? "")) }))), (error) => done([{ id: String(error), impact: "critical", where: [] }]));
"""
# Reads a page: names and values, and tables by their captions.
READ = """
const text = (of) => (of?.innerText ?? "").replace(/\\s+/g, " ").trim();
const main = document.querySelector("main");
const facts = {};
for (const dt of main.querySelectorAll("dt")) {
  const dd = dt.nextElementSibling;
  facts[text(dt)] = text(dd?.querySelector(".value") ?? dd);
}
const tables = {};
for (const table of main.querySelectorAll("table")) {
  const heads = [...table.querySelectorAll("thead th")].map((th) => th.textContent.trim());
  tables[table.caption.textContent.trim()] = [...table.tBodies[0].rows].map((row) =>
    Object.fromEntries([...row.cells].map((cell, i) => [heads[i], { text: cell.textContent.trim(), titles:
      [...cell.querySelectorAll("[title]")].map((e) => e.title), links: [...cell.querySelectorAll("a")].map((a) => a.getAttribute("href")) }])));
}
return { text: text(main), facts, tables, titles: [...main.querySelectorAll("[title]")].map((e) => e.title),
  notices: [...main.querySelectorAll(".notice")].map((e) => [[...e.classList].at(-1), text(e)]),
  links: [...main.querySelectorAll("a[href]")].map((a) => a.getAttribute("href")),
  loading: main.querySelector("[aria-busy], .chart:not(:has(canvas)), progress") !== null };
"""


class Browser:
    """One Chromium."""

    def __init__(self):
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for flag in FLAGS:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.driver.set_script_timeout(60)
        self.look(1280, "light")

    def quit(self):
        self.driver.quit()

    def look(self, width, theme, motion="no-preference", height=HEIGHT):
        """Sets the size in pixels and the system's preferences."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        features = [{"name": "prefers-color-scheme", "value": theme}, {"name": "prefers-reduced-motion", "value": motion}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def open(self, url):
        self.driver.get(url)
        eventually(f"{url} is drawn", lambda: self.js("return document.querySelector('main h1') !== null"))

    def leave(self):
        """Leaves the page, which ends its requests and console messages."""
        self.driver.get("about:blank")

    def js(self, script, *args):
        try:
            return self.driver.execute_script(script, *args)
        except WebDriverException as error:
            raise AssertionError(f"the page does not answer: {error.msg}") from error

    def read(self):
        return self.js(READ)

    def path(self):
        return self.js("return location.pathname + location.search")

    def focused(self):
        return self.js("const e = document.activeElement; return e.id || e.className || e.tagName")

    def keys(self, *keys):
        """Presses keys. They take effect a moment later, so wait for the effect."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def axe(self):
        """Returns the serious and critical violations that axe-core finds."""
        self.js(AXE)
        found = self.driver.execute_async_script(RUN_AXE)
        return [fault for fault in found if fault["impact"] in ("serious", "critical")]

    def sideways(self):
        """Returns by how many pixels the page is wider than the window, and the elements that overflow, or None."""
        return self.js("""
            const wide = document.documentElement.clientWidth;
            const over = Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - wide;
            const out = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > wide + 1);
            return over <= 0 ? null : [over, out.slice(0, 5).map((e) => `${e.tagName.toLowerCase()}.${e.getAttribute("class") ?? ""}`)];""")

    def picture(self, file, clip=None):
        """Saves a picture of the whole page, or of a part of it."""
        width, height = self.js("return [innerWidth, document.documentElement.scrollHeight]")
        clip = clip or {"x": 0, "y": 0, "width": width, "height": min(height, PICTURE_MAX), "scale": 1}
        taken = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(taken["data"]))

    def complaints(self):
        """Returns the warnings and errors in the console since the last call, including the browser's own."""
        return [f"{e['level']}: {e['message']}" for e in self.driver.get_log("browser") if e["level"] in ("WARNING", "SEVERE")]

    def traffic(self):
        """Yields the requests since the last call, as (URL, method of the protocol, its fields)."""
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"].startswith("Network."):
                yield message["method"], message["params"]

    def foreign(self, own):
        """Returns the requests to other sites than `own`."""
        urls = [fields["request"]["url"] for method, fields in self.traffic() if method == "Network.requestWillBeSent"]
        return [url for url in urls if urlsplit(url).scheme not in ("data", "blob", "chrome") and not url.startswith(tuple(site + "/" for site in own))]

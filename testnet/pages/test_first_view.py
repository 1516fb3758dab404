"""The cost of the first view: requests and bytes."""

import urllib.request

from world import PageTest, node

BYTES_MAX = 100_000


WORKER = "/js/live_worker.js"
# Bytes of an answer's head, roughly.
HEAD = 300

# Keeps the names of the early answers that no part of the page has taken when they are thrown away.
WATCH = """
let early;
Object.defineProperty(globalThis, "early", { get: () => early, set: (answers) => {
  early = answers;
  early.clear = function () { window.unused = [...this.keys()]; Map.prototype.clear.call(this); };
} });
"""


class FirstView(PageTest):
    def worker(self):
        """Returns the bytes of the worker that all tabs share."""
        request = urllib.request.Request(self.site + WORKER, headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(request) as answer:
            return HEAD + len(answer.read())

    def test_it_is_small(self):
        driver = self.browser.driver
        driver.execute_cdp_cmd("Network.clearBrowserCache", {})
        list(self.browser.traffic())
        self.open("/")
        self.all_there()
        self.eventually("the charts are drawn", lambda: self.browser.js("return document.querySelector('.chart canvas') !== null"))
        ended, names = {}, {}

        def all_came():
            for method, fields in self.browser.traffic():
                if method == "Network.requestWillBeSent":
                    url = fields["request"]["url"]
                    # The event stream never ends, later refreshes are not part of the first view, and the browser does not
                    # tell the page when the worker that all tabs share has come.
                    if url.endswith(WORKER):
                        continue
                    if "/api/" not in url or not (url.endswith("/events") or url in names.values()):
                        names[fields["requestId"]] = url
                if method in ("Network.loadingFinished", "Network.loadingFailed"):
                    ended[fields["requestId"]] = fields.get("encodedDataLength", 0)
            missing = [url for id, url in names.items() if id not in ended]
            assert not missing, f"these have not come: {missing}"
            return True

        self.eventually("all that was asked for has come", all_came)
        sizes = {id: ended[id] for id in names}
        total = sum(sizes.values()) + self.worker()
        pages = sum(size for id, size in sizes.items() if "/api/" not in names[id])
        paint = self.browser.js("return performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
        shown = self.browser.js("return performance.getEntriesByType('resource').filter((r) => !r.name.includes('/events')).reduce((t, r) => Math.max(t, r.responseEnd), 0)")
        print(f"first view: {total:,} bytes ({pages:,} of them pages) in {len(sizes)} answers; painted after {paint or 0:.0f} ms, "
              f"the last answer after {shown:.0f} ms ... ", end="", flush=True)
        largest = sorted(((size, names[id]) for id, size in sizes.items()), reverse=True)[:5]
        self.assertLess(total, BYTES_MAX, f"the largest: {largest}")

    def test_what_is_requested_early_is_what_the_page_shows(self):
        watch = self.browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        self.addCleanup(self.browser.driver.execute_cdp_cmd, "Page.removeScriptToEvaluateOnNewDocument", watch)
        address = node().get("/window?limit=1")["earned"][0]["address"]
        for path in ("/", "/chain", "/chain?to=30", f"/miners/{address}", "/blocks"):
            def all_used():
                self.open(path)
                self.all_there()
                unused = self.eventually("the rest is thrown away", lambda: self.browser.js("return window.unused && [window.unused]"))
                assert unused == [[]], f"{path} does not show {unused}"
                return True

            # A busy machine may take longer to load the page than early answers are kept.
            self.eventually(f"{path} shows what it requested early", all_used)

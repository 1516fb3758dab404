"""What the first view costs."""

from network import eventually
from world import PageTest

BYTES_MAX = 100_000


class FirstView(PageTest):
    def test_it_is_small(self):
        driver = self.browser.driver
        driver.execute_cdp_cmd("Network.clearBrowserCache", {})
        list(self.browser.traffic())
        self.open("/")
        eventually("everything is there", lambda: not self.browser.read()["loading"])
        eventually("the charts are drawn", lambda: self.browser.js("return document.querySelector('.chart canvas') !== null"))
        sizes, names = {}, {}
        for method, fields in self.browser.traffic():
            if method == "Network.requestWillBeSent":
                names[fields["requestId"]] = fields["request"]["url"]
            if method == "Network.loadingFinished":
                sizes[fields["requestId"]] = fields["encodedDataLength"]
        total = sum(sizes.values())
        pages = sum(size for id, size in sizes.items() if "/api/" not in names.get(id, ""))
        paint = self.browser.js("return performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
        shown = self.browser.js("return performance.getEntriesByType('resource').filter((r) => !r.name.includes('/events')).reduce((t, r) => Math.max(t, r.responseEnd), 0)")
        print(f"first view: {total:,} bytes ({pages:,} of them pages) in {len(sizes)} answers; painted after {paint or 0:.0f} ms, "
              f"the last answer after {shown:.0f} ms ... ", end="", flush=True)
        largest = sorted(((size, names[id]) for id, size in sizes.items() if id in names), reverse=True)[:5]
        self.assertLess(total, BYTES_MAX, f"the largest: {largest}")

#!/usr/bin/env python3
"""Measures the pages of a big pool's node with many miners in a real Chromium, and prints a table.

    big.py --program shoal-testnet [--miners 1000] [--scripts 13400] [--rounds 5] [--json FILE]
    big.py --node FOLDER ...                  a node that runs already, by the folder of its shoal.toml

Without --node it starts `shoal-testnet bench sync --serve`, which keeps the pool's window for later runs. Of each page it
measures, over some rounds, the milliseconds from navigation to the last content: cold, by an address in a browser without
a cache; warm, by an address with a cache; and by a click on a link. Each row names those above the target. `check` is the time
from a click until the browser has recomputed a block's payouts, which it does when the page is already there. The row `floor` is a
picture alone: what this machine takes to open anything. It fails if the median of a warm page, or of a click, exceeds the target.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from browser import Browser
from network import Node, eventually

HERE = Path(__file__).resolve().parent
# Milliseconds to the last content of a page.
TARGET_MS = 200
# A page without scripts.
BARE = "/favicon.svg"
# Part of the processors below which the machine is quiet, and time until it is.
QUIET = 0.15
INDEXED_S = 240
WAIT_S = 20
# Runs in each document before its scripts, and keeps the time at which nothing was loading any more.
WATCH = """
window.shoalBig = { since: 0, done: null, checked: null, long: 0 };
const there = () => document.querySelector("main h1") !== (shoalBig.old ?? null) && document.querySelector("main [aria-busy], main .chart:not(:has(canvas))") === null;
const look = () => {
  if ((shoalBig.path ?? location.pathname) !== location.pathname || !there()) return;
  shoalBig.done ??= performance.now();
  if (document.querySelector("main progress") === null) shoalBig.checked ??= performance.now();
};
new MutationObserver(look).observe(document, { childList: true, subtree: true, attributes: true });
new PerformanceObserver((list) => { for (const task of list.getEntries()) shoalBig.long += task.duration; }).observe({ type: "longtask", buffered: true });
"""
# Follows a link as a click does, and starts the clock.
CLICK = """
const link = document.createElement("a");
link.href = arguments[0];
document.querySelector("footer").append(link);
performance.clearResourceTimings();
shoalBig = { since: performance.now(), done: null, checked: null, long: 0, path: arguments[0].split("?")[0], old: document.querySelector("main h1") };
link.click();
link.remove();
"""
READ = """
const answers = performance.getEntriesByType("resource").filter((one) => one.name.includes("/api/v1/") && !one.name.endsWith("/events") && one.startTime >= shoalBig.since && one.responseEnd > 0);
return { ms: shoalBig.checked === null ? null : shoalBig.done - shoalBig.since, check_ms: shoalBig.checked - shoalBig.since, long_ms: shoalBig.long, nodes: document.querySelectorAll("*").length,
  failed: [...document.querySelectorAll("main h1, main .notice.bad:has(button)")].map((one) => one.innerText).find((text) => /Not loaded|Try again/.test(text)),
  bytes: answers.reduce((sum, one) => sum + one.transferSize, 0), answers: answers.map((one) => [one.name.replace(/.*\\/api\\/v1/, ""), one.responseEnd - one.startTime]) };
"""


BARE_MS = "return performance.getEntriesByType('navigation')[0].loadEventEnd || null"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path)
    parser.add_argument("--node", type=Path)
    parser.add_argument("--web", type=Path, help="serve the pages from this folder instead of the program's own")
    parser.add_argument("--miners", type=int, default=1000)
    parser.add_argument("--scripts", type=int, default=13_400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("pages", nargs="*", help="measure these alone, by their names in the table")
    return parser.parse_args()


def pages(node):
    """Returns the pages to measure, by name."""
    address = node.get("/window?limit=1")["earned"][0]["address"]
    tip = node.get("/status")["height"]
    full = node.get(f"/links?from={tip - 1000}&limit=1")["links"][0]
    blocks = node.get("/blocks?limit=1")["blocks"]
    share = node.get(f"/links/{full['id']}")["shares"][0]
    named = {"home": "/", "chain": "/chain", "older chain": f"/chain?to={tip - 1000}", "link": f"/links/{full['id']}", "share": f"/shares/{share}",
             "miners": "/miners", "miner": f"/miners/{address}", "blocks": "/blocks", **{"block": f"/blocks/{block['hash']}" for block in blocks}, "job": "/job", "peers": "/peers",
             "calculator": "/calculator", "log": "/log", "search": "/search?q=" + address, "API": "/api"}
    return address, named


class Measure:
    def __init__(self, node, address, site):
        self.node, self.site = node, site
        self.browser = Browser()
        self.browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        self.browser.open(site + "/log")
        self.browser.js("localStorage.setItem('shoal.address', arguments[0]); localStorage.setItem('shoal.token', arguments[1])", address, node.token())

    def settled(self, path):
        found = eventually(f"{path} is there", lambda: (seen := self.browser.js(READ))["ms"] is not None and seen, WAIT_S)
        if found["failed"]:
            raise SystemExit(f"{path} shows an error: {found['failed']}")
        return found

    def by_address(self, path, cold):
        self.browser.leave()
        if cold:
            self.browser.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
        self.browser.driver.get(self.site + path)
        return self.settled(path)

    def by_click(self, path):
        self.browser.open(self.site + ("/calculator" if path == "/log" else "/log"))
        eventually("the page before is there", lambda: self.browser.js(READ)["ms"] is not None, WAIT_S)
        # Whatever of the page before still comes does not count.
        time.sleep(0.3)
        self.browser.js(CLICK, path)
        return self.settled(path)

    def bare(self):
        """Milliseconds in which a picture alone is there."""
        self.browser.leave()
        self.browser.driver.get(self.site + BARE)
        return eventually("a picture is there", lambda: self.browser.js(BARE_MS), WAIT_S)

    def row(self, name, path, rounds):
        cold = [self.by_address(path, True) for _ in range(rounds)]
        warm = [self.by_address(path, False) for _ in range(rounds)]
        click = [self.by_click(path) for _ in range(rounds)]
        slow = max((tuple(answer[::-1]) for one in warm for answer in one["answers"]), default=(0, ""))
        middle = lambda runs, key="ms": round(statistics.median(run[key] for run in runs))
        return {"page": name, "cold_ms": middle(cold), "warm_ms": middle(warm), "click_ms": middle(click), "check_ms": middle(click, "check_ms"), "warm_min_ms": round(min(run["ms"] for run in warm)),
                "script_ms": round(statistics.median(run["long_ms"] for run in warm)), "nodes": warm[-1]["nodes"], "answer_bytes": warm[-1]["bytes"],
                "slowest_ms": round(slow[0]), "slowest": slow[1]}


def above(row):
    """The ways to open a page that take longer than the target."""
    return [way for way in ("cold", "warm", "click") if row[f"{way}_ms"] > TARGET_MS]


def busy():
    """Part of the machine's processors that was in use over two seconds."""
    def times():
        user, nice, system, idle, waits, *_ = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:])
        return user + nice + system, idle + waits
    before = times()
    time.sleep(2)
    used, unused = (now - then for now, then in zip(times(), before))
    return used / (used + unused)


def report(node, asked, site):
    address, named = pages(node)
    if asked.pages:
        named = {name: named[name] for name in asked.pages}
    # A node that has just started indexes its history, with a processor of its own: a minute for 65,000 links.
    eventually("the machine is quiet", lambda: busy() < QUIET, INDEXED_S)
    measure = Measure(node, address, site)
    rows = []
    print(f"floor: {round(statistics.median(measure.bare() for _ in range(asked.rounds)))} ms; target: {TARGET_MS} ms")
    print(f"{'page':12}{'cold':>6}{'warm':>6}{'(min)':>7}{'click':>6}{'check':>6}{'script':>7}{'nodes':>6}{'KB':>5}  {'above target':17} slowest answer")
    for name, path in named.items():
        row = measure.row(name, path, asked.rounds)
        rows.append(row)
        print(f"{name:12}{row['cold_ms']:6}{row['warm_ms']:6}{row['warm_min_ms']:7}{row['click_ms']:6}{row['check_ms']:6}{row['script_ms']:7}{row['nodes']:6}"
              f"{row['answer_bytes'] / 1000:5.0f}  {' '.join(above(row)) or '-':17} {row['slowest_ms']} ms {row['slowest'][:50]}", flush=True)
    measure.browser.quit()
    return rows


def main():
    asked = arguments()
    started = []
    try:
        folder = asked.node or serve(asked, started)
        node = Node(folder)
        address = node.get("/window?limit=1")["earned"][0]["address"]
        addresses = node.get("/window?limit=1")["scripts_total"]
        have = node.get("/status")["miners_connected"]
        if have < asked.miners:
            crowd = subprocess.Popen([sys.executable, HERE / "crowd.py", node.stratum, address, str(asked.miners)], stdout=subprocess.PIPE, text=True)
            started.append(crowd)
            print(crowd.stdout.readline(), end="")
        print(f"{addresses:,} addresses, {node.get('/status')['miners_connected']:,} miners; milliseconds to the last content, median of {asked.rounds}")
        site = node.url
        if asked.web:
            from proxy import Proxy
            site = Proxy(node.url, web=asked.web).url
        rows = report(node, asked, site)
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()
    if asked.json:
        asked.json.write_text(json.dumps({"addresses": addresses, "miners": asked.miners, "rows": rows}, indent=1) + "\n")
    slow = [row["page"] for row in rows if {"warm", "click"} & set(above(row))]
    print(f"above {TARGET_MS} ms when warm or by a click: {', '.join(slow) or 'none'}")
    return 1 if slow else 0


def serve(asked, started):
    """Starts the serving node of the bench, and returns its folder."""
    bench = subprocess.Popen([asked.program, "bench", "sync", "--scripts", str(asked.scripts), "--serve"], stdout=subprocess.PIPE, text=True)
    started.append(bench)
    for line in bench.stdout:
        if line.startswith("serving in "):
            return Path(line.removeprefix("serving in ").strip())
    raise SystemExit("the bench ended without a node")


if __name__ == "__main__":
    sys.exit(main())

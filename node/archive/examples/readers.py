#!/usr/bin/env python3
"""Asks an explorer as readers of its pages do, at a steady rate, and says how long answers take.

    readers.py URL [--rate REQUESTS_A_SECOND] [--seconds SECONDS]

Requests begin when they are due, whether earlier ones are answered or not: a server that stops for a second shows it. A time
runs from when a request is due to the last byte of its answer. Each link, share, address and height is drawn anew, so that no
cache helps. Run against a process, not against a proxy that caches.
"""

import argparse
import asyncio
import json
import random
import time
from collections import defaultdict
from urllib.parse import urlsplit

CONNECTIONS = 32


class Reader:
    """Connections that stay open."""

    def __init__(self, url):
        self.host, self.port = urlsplit(url).hostname, urlsplit(url).port
        self.idle = []

    async def get(self, path):
        for _ in range(2):
            reader, writer = self.idle.pop() if self.idle else await asyncio.open_connection(self.host, self.port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nhost: {self.host}\r\n\r\n".encode())
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                status = int(head.split()[1])
                length = int(head.partition("content-length: ")[2].split()[0])
                body = await reader.readexactly(length)
                self.idle.append((reader, writer))
                return status, body
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()
        return 0, b""

    async def json(self, path):
        status, body = await self.get("/api/v1" + path)
        assert status == 200, (path, status, body[:200])
        return json.loads(body)


async def paths(reader, rng):
    """Returns a function that draws a path, and the kind that it is counted as."""
    height = (await reader.json("/status"))["height"]
    addresses = [row["address"] for row in (await reader.json("/window?limit=500"))["earned"]]
    shares = []
    for _ in range(60):
        shares += (await reader.json(f"/links/{rng.randint(1, height)}"))["shares"]
    any_height, address, share = (lambda: rng.randint(1, height)), (lambda: rng.choice(addresses)), (lambda: rng.choice(shares))
    kinds = [
        (6, "pages", lambda: rng.choice(("/", "/links/7", "/js/main.js", "/app.css"))),
        (6, "status", lambda: "/api/v1/status"),
        (6, "pool", lambda: "/api/v1/pool"),
        (4, "window", lambda: f"/api/v1/window?limit=100&from={rng.randint(0, 4) * 100}"),
        (4, "blocks", lambda: "/api/v1/blocks?limit=20"),
        (4, "pool history", lambda: f"/api/v1/pool/history?step={rng.choice((60, 600, 3600, 86400))}&limit=150"),
        (10, "links", lambda: f"/api/v1/links?limit=20&from={any_height()}"),
        (14, "link", lambda: f"/api/v1/links/{any_height()}"),
        (14, "share", lambda: f"/api/v1/shares/{share()}"),
        (2, "graph", lambda: f"/api/v1/graph?links=60&to={any_height()}"),
        (8, "miner", lambda: f"/api/v1/miners/{address()}"),
        (8, "miner's shares", lambda: f"/api/v1/miners/{address()}/shares?limit=25"),
        (4, "miner's payments", lambda: f"/api/v1/miners/{address()}/payments?limit=25"),
        (4, "miner's history", lambda: f"/api/v1/miners/{address()}/history?step=600&limit=144"),
        (6, "search", lambda: f"/api/v1/search?q={rng.choice((share, any_height))()}"),
    ]
    weights = [weight for weight, _, _ in kinds]

    def draw():
        _, kind, path = rng.choices(kinds, weights)[0]
        return kind, path()

    return draw


def at(times, part):
    return sorted(times)[min(len(times) - 1, int(len(times) * part))] * 1000


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    asked = parser.parse_args()
    reader, rng = Reader(asked.url), random.Random(7)
    draw = await paths(reader, rng)
    times, bad = defaultdict(list), []
    slots = asyncio.Semaphore(CONNECTIONS)

    async def one(due):
        kind, path = draw()
        async with slots:
            status, _ = await reader.get(path)
        times[kind].append(time.monotonic() - due)
        if status != 200:
            bad.append((path, status))

    began, tasks = time.monotonic(), []
    for number in range(int(asked.rate * asked.seconds)):
        due = began + number / asked.rate
        await asyncio.sleep(max(0, due - time.monotonic()))
        tasks.append(asyncio.create_task(one(due)))
    await asyncio.gather(*tasks)
    every = [value for of in times.values() for value in of]
    for kind, of in sorted(times.items(), key=lambda item: -at(item[1], 0.99)):
        print(f"{kind:18} {len(of):6} requests   median {at(of, 0.5):6.1f} ms   99 in 100 within {at(of, 0.99):6.1f} ms")
    print(f"{'all':18} {len(every):6} requests   median {at(every, 0.5):6.1f} ms   99 in 100 within {at(every, 0.99):6.1f} ms   "
          f"longest {max(every) * 1000:.0f} ms")
    if bad:
        raise SystemExit(f"{len(bad)} answers were no answers, such as {bad[:3]}")


asyncio.run(main())

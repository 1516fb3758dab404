#!/usr/bin/env python3
"""Many miners in one process: each connects by Stratum v1 as ADDRESS.wN, and submits an easy proof now and then.

    crowd.py HOST:PORT ADDRESS [COUNT]

It says so when all are connected and have submitted once, and goes on until it is ended.
"""

import asyncio
import json
import random
import sys

from bad_miner import header_of, sha256d

# The lowest difficulty that a node gives, some hundred hashes.
PASSWORD = "d=0.0000000001"
# Seconds between two submits of a miner, on average. A node calls a device silent after minutes.
SUBMIT_S = 60
# The target of difficulty 1.
EASIEST = 0xFFFF << 208
# Miners of one loopback address: the node limits them.
PER_ADDRESS = 50
# Connections that are made at the same time.
HANDSHAKES = 50
HASHES_MAX = 20_000


def grind(head, target):
    """Returns a nonce whose hash meets the target, or None after a while."""
    for nonce in range(HASHES_MAX):
        if int.from_bytes(sha256d(head + nonce.to_bytes(4, "little")), "little") <= target:
            return nonce
    return None


class Miner:
    def __init__(self, server, user, source):
        self.server, self.user, self.source = server, user, source
        self.job, self.target, self.turn, self.accepted = None, 0, 0, asyncio.Event()

    async def connect(self):
        host, port = self.server.rsplit(":", 1)
        self.reader, self.writer = await asyncio.open_connection(host, int(port), local_addr=(self.source, 0), limit=1 << 20)
        self.send(1, "mining.subscribe", "crowd/1")
        self.send(2, "mining.authorize", self.user, PASSWORD)

    def send(self, id, method, *params):
        self.writer.write(json.dumps({"id": id, "method": method, "params": params}).encode() + b"\n")

    async def read(self):
        async for line in self.reader:
            message = json.loads(line)
            if message.get("method") == "mining.notify":
                self.job = message["params"]
            elif message.get("method") == "mining.set_difficulty":
                self.target = int(EASIEST / message["params"][0])
            elif message.get("id") == 1:
                _, extranonce1, self.size = message["result"]
                self.extranonce1 = bytes.fromhex(extranonce1)
            elif message.get("id") == 2 and message["result"] is not True:
                raise SystemExit(f"{self.user} is refused: {message['error']}")
            elif message.get("id") == 3 and message["result"] is True:
                self.accepted.set()
        raise SystemExit(f"the node closed the connection of {self.user}")

    async def submit(self):
        while True:
            if self.job and self.target:
                self.turn += 1
                extranonce2 = self.turn.to_bytes(self.size, "big")
                head, time, _ = header_of(self.job, self.extranonce1 + extranonce2)
                nonce = grind(head, self.target)
                if nonce is not None:
                    self.send(3, "mining.submit", self.user, self.job[0], extranonce2.hex(), f"{time:08x}", f"{nonce:08x}")
            await asyncio.sleep(random.uniform(0.5, 1.5) * SUBMIT_S if self.accepted.is_set() else 1)


async def run(server, address, count):
    miners = [Miner(server, f"{address}.w{n}", f"127.0.1.{1 + n // PER_ADDRESS}") for n in range(count)]
    tasks = []
    for start in range(0, count, HANDSHAKES):
        some = miners[start : start + HANDSHAKES]
        await asyncio.gather(*(miner.connect() for miner in some))
        tasks += [asyncio.create_task(work) for miner in some for work in (miner.read(), miner.submit())]
    for miner in miners:
        await miner.accepted.wait()
    print(f"{count} miners connected", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1000))

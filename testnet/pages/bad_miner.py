#!/usr/bin/env python3
"""A miner whose clock is three hours ahead. It finds a Bitcoin block, which its pool rejects, and prints its hash.

    bad_miner.py HOST:PORT

The node judges a proof that meets Bitcoin's target as a share, even if Stratum rejects it. So a miner can submit a share
that breaks a rule. Locally, a block takes five million hashes, some ten seconds here.
"""

import hashlib
import json
import socket
import sys
from itertools import count

AHEAD_S = 3 * 3600
ADDRESS = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
# Hashes between two checks for a newer job.
ROUND = 200_000


def sha256d(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def swap_words(data):
    """Reverses the bytes of each 4-byte word, as in the previous hash of Stratum."""
    return b"".join(data[i : i + 4][::-1] for i in range(0, 32, 4))


class Line:
    """Stratum v1 over a polled socket."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=30)
        self.rest = b""

    def send(self, id, method, *params):
        self.socket.sendall(json.dumps({"id": id, "method": method, "params": params}).encode() + b"\n")

    def messages(self, wait_s):
        """Returns the messages received. Waits at most `wait_s` for the first of them."""
        self.socket.settimeout(wait_s)
        try:
            self.rest += self.socket.recv(1 << 16)
        except (TimeoutError, BlockingIOError):
            return []
        *lines, self.rest = self.rest.split(b"\n")
        return [json.loads(line) for line in lines]

    def answer(self, id):
        jobs = []
        while True:
            for message in self.messages(30):
                if message.get("method") == "mining.notify":
                    jobs.append(message["params"])
                if message.get("id") == id:
                    return message, jobs


def header_of(job, extranonce, ahead_s=0):
    """Returns the first 76 bytes, with the job's time and so much more, that time, and Bitcoin's target."""
    _, prev_hash, coinb1, coinb2, branch, version, bits, time, _ = job
    root = sha256d(bytes.fromhex(coinb1) + extranonce + bytes.fromhex(coinb2))
    for node in branch:
        root = sha256d(root + bytes.fromhex(node))
    time = int(time, 16) + ahead_s
    compact = int(bits, 16)
    head = int(version, 16).to_bytes(4, "little") + swap_words(bytes.fromhex(prev_hash)) + root
    return head + time.to_bytes(4, "little") + compact.to_bytes(4, "little"), time, (compact & 0xFFFFFF) << 8 * ((compact >> 24) - 3)


def grind(head, target, nonces):
    """Returns a nonce whose hash meets the target, and the hash, or None."""
    start, rest = hashlib.sha256(head[:64]), head[64:]
    for nonce in nonces:
        half = start.copy()
        half.update(rest + nonce.to_bytes(4, "little"))
        found = hashlib.sha256(half.digest()).digest()
        if found.endswith(b"\0\0") and int.from_bytes(found, "little") <= target:
            return nonce, found[::-1].hex()
    return None


def main():
    line = Line(sys.argv[1])
    line.send(1, "mining.subscribe", "bad-miner")
    subscribed, _ = line.answer(1)
    _, extranonce1, size = subscribed["result"]
    line.send(2, "mining.authorize", f"{ADDRESS}.late", "x")
    _, jobs = line.answer(2)
    while not jobs:
        jobs = [message["params"] for message in line.messages(30) if message.get("method") == "mining.notify"]
    for turn in count():
        jobs = [message["params"] for message in line.messages(0) if message.get("method") == "mining.notify"] or jobs
        extranonce2 = turn.to_bytes(size, "big")
        head, time, target = header_of(jobs[-1], bytes.fromhex(extranonce1) + extranonce2, AHEAD_S)
        found = grind(head, target, range(ROUND))
        if found:
            line.send(3, "mining.submit", f"{ADDRESS}.late", jobs[-1][0], extranonce2.hex(), f"{time:08x}", f"{found[0]:08x}")
            answer, _ = line.answer(3)
            print(json.dumps({"id": found[1], "stratum": answer.get("error")}))
            return


if __name__ == "__main__":
    main()

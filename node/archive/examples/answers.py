#!/usr/bin/env python3
"""Stands between a miner and a node's Stratum v1 server, and says how long answers to submits take.

    answers.py PORT NODE_PORT [--seconds SECONDS]

A time runs from when the miner's line arrives here to when the node's answer does.
"""

import argparse
import asyncio
import json
import time


async def pass_on(reader, writer, see):
    while line := await reader.readline():
        see(json.loads(line), time.perf_counter())
        writer.write(line)
        await writer.drain()
    writer.close()


async def serve(node, times, miner, to_miner):
    answers, to_node = await asyncio.open_connection("127.0.0.1", node)
    submitted = {}

    def submit(message, now):
        if message.get("method") == "mining.submit":
            submitted[message["id"]] = now

    def answer(message, now):
        if "method" not in message and message["id"] in submitted:
            times[message.get("result") is True].append(1_000 * (now - submitted.pop(message["id"])))

    await asyncio.gather(pass_on(miner, to_node, submit), pass_on(answers, to_miner, answer))


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("node_port", type=int)
    parser.add_argument("--seconds", type=float, default=120)
    arguments = parser.parse_args()
    times = {True: [], False: []}
    await asyncio.start_server(lambda *streams: serve(arguments.node_port, times, *streams), "127.0.0.1", arguments.port)
    await asyncio.sleep(arguments.seconds)
    accepted = sorted(times[True])
    at = {name: accepted[int(part * len(accepted))] for name, part in [("half", 0.5), ("99 in 100", 0.99)] if accepted}
    print(f"{len(accepted)} accepted, {len(times[False])} rejected; " + ", ".join(f"{name}: {ms:.2f} ms" for name, ms in at.items()))


if __name__ == "__main__":
    asyncio.run(main())

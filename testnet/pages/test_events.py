"""The event stream: its first event, its contents, and how it resumes after an interruption."""

import json
import time
import unittest
import urllib.request

from network import LIMIT_S, becomes, eventually
from world import node

# Longer than a stream may be silent: it sends a keep-alive every 15 s.
SILENT_S = 20


def listen(enough, last=None, limit_s=LIMIT_S):
    """Returns events as (name, id, data), up to the one that makes `enough(events)` true."""
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": str(last)} if last is not None else {})
    request = urllib.request.Request(node().url + "/api/v1/events", headers=headers)
    events, fields, end = [], {}, time.monotonic() + limit_s
    with urllib.request.urlopen(request, timeout=SILENT_S) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream"), stream.headers["Content-Type"]
        while not enough(events):
            assert time.monotonic() < end, f"within {limit_s} s there came only {[name for name, _, _ in events]}"
            line = stream.readline().decode().rstrip("\n")
            if not line and "data" in fields:
                events.append((fields.get("event"), int(fields["id"]) if "id" in fields else None, json.loads(fields["data"])))
            key, _, value = line.partition(":")
            fields = fields | {key: value.lstrip()} if line else {}
    return events


def fate(id):
    """Whether a fate is that of a valid share."""
    found = node().get(f"/shares/{id}")["fate"]
    assert found in ("pending", "listed", "link"), f"its fate is {found}"
    return found


def names(events):
    return [name for name, _, _ in events]


class Events(unittest.TestCase):
    def test_it_begins_with_hello_and_tells_the_status(self):
        events = listen(lambda so_far: "status" in names(so_far))
        name, id, data = events[0]
        self.assertEqual((name, data["id"]), ("hello", id))
        status = next(data for name, _, data in events if name == "status")
        self.assertEqual(set(status), set(node().get("/status")))

    def test_it_tells_shares_links_and_tips(self):
        events = listen(lambda so_far: {"share", "link", "tip"} <= set(names(so_far)))
        for name, id, data in events:
            if name in ("share", "link"):
                self.assertEqual(name == "link", "shares_count" in data, data)
                eventually(f"the share {data['id']} is known", lambda: fate(data["id"]))
            if name == "link":
                becomes(f"link {data['id']} has its height", lambda: node().get(f"/links/{data['id']}")["height"], data["height"])
        ids = [id for name, id, _ in events if id is not None]
        self.assertEqual(ids, sorted(set(ids)), "ids grow")

    def test_it_goes_on_after_the_last_event_seen(self):
        seen = listen(lambda so_far: len([id for _, id, _ in so_far if id]) >= 6)
        numbered = [event for event in seen if event[1] is not None]
        again = listen(lambda so_far: len([id for _, id, _ in so_far if id]) >= 4, last=numbered[1][1])
        self.assertEqual([event for event in again if event[1] is not None][:4], numbered[2:6])

    def test_what_is_not_kept_is_told(self):
        for last in (0, 1, 2**63, "nonsense"):
            name, id, _ = listen(lambda so_far: so_far, last=last)[0]
            self.assertEqual(name, "reset", f"after the id {last}")
            self.assertIsNotNone(id)

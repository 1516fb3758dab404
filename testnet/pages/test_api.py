"""The API compared with its own document: real answers of every route."""

import json
import re
import unittest
import urllib.error
import urllib.request

import jsonschema_rs
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from world import UNKNOWN_ID, node, things

API = "/api/v1"
# The event stream is not JSON; test_events.py tests it.
STREAM = f"{API}/events"


def ask(path):
    """Returns status, content type and body, for any status."""
    try:
        with urllib.request.urlopen(node().url + path, timeout=15) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read()


class Document(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.document = node().get("/openapi.json")

    def fits(self, route, path):
        """Checks that an answer of this route has a documented status, type and schema. Returns the answer."""
        status, kind, body = ask(path)
        documented = self.document["paths"][route]["get"]["responses"]
        self.assertIn(str(status), documented, f"{path}: this status is not documented")
        kind = kind.split(";")[0]
        self.assertIn(kind, documented[str(status)]["content"], f"{path}: this content type is not documented")
        if kind != "application/json":
            return None
        answer = json.loads(body)
        schema = documented[str(status)]["content"][kind].get("schema", {})
        validator = jsonschema_rs.validator_for(schema | {"components": self.document["components"]})
        errors = [f"{'.'.join(map(str, error.instance_path))}: {error.message}"[:300] for error in validator.iter_errors(answer)]
        self.assertEqual(errors[:3], [], f"{path} is not as documented")
        return answer

    def test_it_is_a_valid_openapi_document(self):
        errors = [f"{'.'.join(map(str, error.instance_path))}: {error.message}"[:300] for error in OPENAPI_31_VALIDATOR.iter_errors(self.document)]
        self.assertEqual(errors[:3], [])
        ids = [operation["operationId"] for item in self.document["paths"].values() for operation in item.values()]
        self.assertEqual(len(ids), len(set(ids)), "an operation id is there twice")

    def test_real_answers_are_as_documented(self):
        some = things()
        values = {"id": (some["link"]["id"], some["listed"], some["block"]["hash"], UNKNOWN_ID, "x"), "address": (some["address"], "x"),
                  "hash": (some["block"]["hash"], UNKNOWN_ID, "x")}
        for route in self.document["paths"]:
            if route == STREAM or "get" not in self.document["paths"][route]:
                continue
            name = re.search(r"{(\w+)}", route)
            for value in values[name[1]] if name else ("",):
                path = route.replace(name[0], value) if name else route
                with self.subTest(path):
                    self.fits(route, path + ("?q=1" if route.endswith("/search") else ""))

    def test_lists_are_walked_to_their_end_and_have_nothing_twice(self):
        lists = {"/blocks": ("blocks", "hash"), "/links": ("links", "id"), "/log": ("events", "id"), "/reorganisations": ("reorganisations", "new_tip")}
        for route, (rows, key) in lists.items():
            with self.subTest(route):
                seen, start = [], None
                while True:
                    page = self.fits(API + route, f"{API}{route}?limit=100" + (f"&from={start}" if start is not None else ""))
                    seen += [row[key] for row in page[rows]]
                    start = page["next_from"]
                    if start is None:
                        break
                if route != "/reorganisations":
                    self.assertEqual(len(seen), len(set(seen)), "something comes twice")

    def test_what_an_address_was_paid_is_what_blocks_paid_it(self):
        address = things()["address"]
        blocks = {block["hash"] for block in node().get("/blocks?limit=500")["blocks"] if block["confirmations"] > 0}
        for payment in node().get(f"/miners/{address}/payments?limit=20")["payments"]:
            if payment["block"] in blocks:
                block = node().get(f"/blocks/{payment['block']}?limit=1")
                paid = sum(out["value_sat"] for out in block["outputs"] if out["address"] == address)
                self.assertEqual(payment["value_sat"], paid, f"block {block['height']}")

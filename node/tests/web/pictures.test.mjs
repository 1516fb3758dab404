// Where things stand in the pictures. Run: node --test node/tests/web
import assert from "node:assert/strict";
import { test } from "node:test";
import { lanes } from "../../web/js/chain/lanes.js";
import { layout } from "../../web/js/chain/layout.js";
import { walk } from "../../web/js/chain/walk.js";
import { radius, sectors, place } from "../../web/js/peers/places.js";
import { fields, typeName } from "../../web/js/openapi.js";

const link = (id, height, parent, is_main = true) => ({ id, height, parent, is_main, time_unix_s: 1000 + height * 10, finder: null, shares_count: 0 });
//  g - a - b - c - d        main
//       \ x - y             a branch
//           \ z             a branch of the branch
const LINKS = [link("g", 0, "g"), link("a", 1, "g"), link("b", 2, "a"), link("c", 3, "b"), link("d", 4, "c"), link("x", 2, "a", false), link("y", 3, "x", false), link("z", 3, "x", false)];
const SHARES = [{ id: "s", parent: "a", listed_in: "c", time_unix_s: 1012 }, { id: "t", parent: "a", listed_in: null, time_unix_s: 1013 }, { id: "u", parent: "x", listed_in: "d", time_unix_s: 1025 }];

test("branches take lanes of their own", () => {
  const { laneOf, lanes: count } = lanes(LINKS);
  for (const id of ["g", "a", "b", "c", "d"]) assert.equal(laneOf.get(id), 0);
  assert.equal(laneOf.get("x"), laneOf.get("y"));
  assert.notEqual(laneOf.get("z"), laneOf.get("y"));
  assert.ok(laneOf.get("z") > 0 && laneOf.get("x") > 0);
  assert.equal(count, 3);
});

test("each link and share has a place, by height and by time", () => {
  for (const mode of ["height", "time"]) {
    for (const zoom of [0.45, 1, 3.2]) {
      const drawn = layout({ links: LINKS, shares: SHARES }, mode, zoom);
      assert.equal(drawn.at.size, LINKS.length + SHARES.length);
      for (const { x, y } of drawn.at.values()) assert.ok(x > 0 && x < drawn.width && y > 0 && y < drawn.height, `${mode} ${zoom} ${x} ${y}`);
      for (const [before, after] of [["a", "b"], ["b", "c"], ["c", "d"]]) assert.ok(drawn.at.get(after).x - drawn.at.get(before).x >= 19);
      assert.ok(drawn.at.get("s").y > drawn.at.get("a").y, "shares hang below");
      assert.ok(drawn.at.get("x").y < drawn.at.get("a").y, "branches are above");
    }
  }
});

test("links of the same second do not break the time axis", () => {
  const same = LINKS.map((one) => ({ ...one, time_unix_s: 5 }));
  const drawn = layout({ links: same, shares: [] }, "time", 1);
  for (const { x } of drawn.at.values()) assert.ok(Number.isFinite(x));
});

test("arrow keys walk", () => {
  const graph = { links: LINKS, shares: SHARES };
  const drawn = layout(graph, "height", 1);
  const go = (from, key) => walk(graph, drawn, from, key);
  assert.equal(go(null, "ArrowLeft"), "d");
  assert.equal(go("d", "ArrowLeft"), "c");
  assert.equal(go("a", "ArrowRight"), "b");
  assert.equal(go("b", "ArrowUp"), "x");
  assert.equal(go("a", "ArrowDown"), "s");
  assert.equal(go("s", "ArrowLeft"), "a");
  assert.equal(go("s", "ArrowRight"), "c");
  assert.equal(go("t", "ArrowRight"), "t");
  assert.equal(go("d", "Home"), "g");
  assert.equal(go("d", "Tab"), undefined);
});

test("peers: slower is farther out, groups do not overlap", () => {
  const steps = [0, 0.2, 1, 5, 10, 30, 50, 200, 250, 1000, 20000].map(radius);
  assert.deepEqual(steps, [...steps].sort((a, b) => a - b));
  assert.ok(steps.every((r) => r > 0 && r < 1));
  assert.equal(radius(null), 1);
  const peers = Array.from({ length: 20 }, (_, i) => ({ id: String(i), group: `group ${i % 3}`, latency_ms: i }));
  const made = sectors(peers);
  assert.equal(made.length, 3);
  assert.ok(Math.abs(made.at(-1).to - made[0].from - 2 * Math.PI) < 1e-9);
  for (const sector of made) for (let i = 0; i < sector.peers.length; i += 1) {
    const { angle } = place(sector, i);
    assert.ok(angle > sector.from && angle < sector.to);
  }
});

test("the API's document as rows", () => {
  const document = { components: { schemas: { A: { type: "object", properties: { b: { $ref: "#/components/schemas/B" }, list: { type: "array", items: { $ref: "#/components/schemas/B" } } } }, B: { type: "object", description: "A b.", properties: { n: { type: ["integer", "null"], description: "How many." } } }, Or: { oneOf: [{ type: "null" }, { $ref: "#/components/schemas/B" }] } } } };
  const rows = fields({ $ref: "#/components/schemas/A" }, document);
  assert.deepEqual(rows.map((row) => [row.name, row.type]), [["b", "object"], ["b.n", "integer or null"], ["list", "list of object"], ["list[].n", "integer or null"]]);
  assert.equal(typeName({ $ref: "#/components/schemas/Or" }, document), "object or null");
});

// The payout proof against the vectors of the specification. Run: node --test node/web/tests
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fromHex } from "../js/proof/bytes.js";
import { select } from "../js/proof/payout.js";
import { heightPush } from "../js/proof/coinbase.js";
import { toHex } from "../js/proof/bytes.js";

const { cases } = JSON.parse(readFileSync(new URL("../../../specs/vectors/selection.json", import.meta.url)));

test("the specification's vectors of dues, seed and outputs", () => {
  assert.ok(cases.length >= 12);
  for (const [i, one] of cases.entries()) {
    const dues = one.dues.map(({ script, weight }) => ({ script, weight: BigInt(weight) }));
    const limits = { outputsMax: one.outputs_max, floorSat: BigInt(one.output_floor_sat) };
    const made = select(dues, fromHex(one.seed), BigInt(one.subsidy_sat), BigInt(one.value_sat), limits);
    const outputs = made.outputs.map(({ script, sat, weight }) => ({ script, value_sat: Number(sat), weight: String(weight) }));
    assert.deepEqual(outputs, one.outputs, `case ${i}`);
    assert.equal(String(made.total), one.total, `case ${i}`);
    assert.equal(made.outputs.reduce((sum, output) => sum + output.sat, 0n), BigInt(one.value_sat), `case ${i}`);
  }
});

test("nobody is due anything", () => {
  assert.equal(select([{ script: "0014", weight: 0n }], new Uint8Array(32), 1n, 1n, { outputsMax: 48, floorSat: 0n }), null);
});

test("heights as BIP-0034 pushes them", () => {
  const pushed = [[0, "00"], [1, "51"], [16, "60"], [17, "0111"], [127, "017f"], [128, "028000"], [255, "02ff00"], [256, "020001"], [925344, "03a01e0e"], [8388608, "0400008000"]];
  for (const [height, hex] of pushed) assert.equal(toHex(heightPush(height)), hex, String(height));
});

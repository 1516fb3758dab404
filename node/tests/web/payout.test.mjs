// The payout proof against the vectors of the specification. Run: node --test node/tests/web
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fromHex } from "../../web/js/proof/bytes.js";
import { checkBlock, target } from "../../web/js/proof/header.js";
import { prove, shorten } from "../../web/js/proof/prove.js";
import { select } from "../../web/js/proof/payout.js";
import { checkFrame, heightPush, parseCoinbase } from "../../web/js/proof/coinbase.js";
import { NETWORKS, chainOf } from "../../web/js/proof/networks.js";
import { toHex } from "../../web/js/proof/bytes.js";

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

test("a status names the constants of its share-chain", () => {
  const constants = ({ id, ...others }) => others;
  for (const name of ["main", "signet", "local", "testnet4", "regtest", "rehearsal"]) {
    assert.equal(chainOf({ network: name, outputs_max: 48 }), name);
    const wide = chainOf({ network: name, outputs_max: 1000 });
    assert.equal(wide, `${name}-wide`);
    assert.deepEqual({ ...constants(NETWORKS[wide]), outputsMax: 48 }, constants(NETWORKS[name]));
    assert.equal(NETWORKS[wide].outputsMax, 1000);
  }
});

test("nobody is due anything", () => {
  assert.equal(select([{ script: "0014", weight: 0n }], new Uint8Array(32), 1n, 1n, { outputsMax: 48, floorSat: 0n }), null);
});

test("heights as BIP-0034 pushes them", () => {
  const pushed = [[0, "00"], [1, "51"], [16, "60"], [17, "0111"], [127, "017f"], [128, "028000"], [255, "02ff00"], [256, "020001"], [925344, "03a01e0e"], [8388608, "0400008000"]];
  for (const [height, hex] of pushed) assert.equal(toHex(heightPush(height)), hex, String(height));
});

test("Bitcoin's first block, whose tree is its coinbase alone", () => {
  const genesis = {
    hash: "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
    header_hex: `01000000${"00".repeat(32)}3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c`,
    merkle_branch: [],
    coinbase_hex: `01000000010${"0".repeat(63)}ffffffff4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000`,
  };
  assert.deepEqual(checkBlock(genesis).map(([, holds]) => holds), [true, true]);
  assert.deepEqual(checkBlock({ ...genesis, merkle_branch: ["00".repeat(32)] }).map(([, holds]) => holds), [false, true]);
});

test("targets in their compact form", () => {
  for (const [bits, expected] of [[0x1d00ffff, 0xffffn << 208n], [0x207fffff, 0x7fffffn << 232n], [0x01120000, 0x12n], [0x03123456, 0x123456n]]) {
    assert.equal(target(bits), expected);
  }
});

const read = () => JSON.parse(readFileSync(new URL("fixtures/block.json", import.meta.url)));
const proven = (change) => {
  const block = read();
  change(block);
  return prove(block, block.weights, "local");
};

test("a block of a test network, with a draw, is as the rules want it", () => {
  const proof = proven(() => {});
  assert.ok(proof.can && proof.right);
  assert.equal(proof.rows.length, 48);
  assert.ok(proof.selection.lot.drawn.length > 0);
  assert.ok(proof.rows.every((row) => row.right) && proof.frame.checks.every(([, holds]) => holds));
});

test("the page gets a proof without its long lists, and one list when it asks", () => {
  const { weights } = read();
  const whole = proven(() => {});
  const { proof, lists } = structuredClone(shorten(whole, weights));
  const { ranked, lot } = whole.selection;
  assert.deepEqual([proof.selection.dues, proof.selection.lot.intervals, proof.selection.lot.points], [ranked.length, lot.line.length, lot.drawn.length]);
  assert.deepEqual([lists.weights.length, lists.line.length], [ranked.length, lot.line.length]);
  assert.deepEqual(new Map(lists.weights.map((due) => [due.script, due.address])), new Map(weights.map((due) => [due.script, due.address])));
  assert.ok(ranked.length > 48 && Object.values(proof.selection).every((part) => !Array.isArray(part) || part.length <= 48));
  assert.deepEqual(shorten(proven((block) => (block.snapshot_listed_total = 47)), weights).lists, {});
});

/** One satoshi more in the first output of the coinbase: its value is the first number behind the sequence and the count. */
function steal(block) {
  const at = block.coinbase_hex.indexOf("feffffff") + 10;
  const byte = Number.parseInt(block.coinbase_hex.slice(at, at + 2), 16);
  block.coinbase_hex = block.coinbase_hex.slice(0, at) + ((byte + 1) % 256).toString(16).padStart(2, "0") + block.coinbase_hex.slice(at + 2);
}

test("whatever is changed in it is noticed", () => {
  const changes = {
    "a satoshi in the coinbase": steal,
    "a satoshi in what the node says": (block) => (block.outputs[3].value_sat += 1),
    "two outputs swapped": (block) => ([block.outputs[0], block.outputs[1]] = [block.outputs[1], block.outputs[0]]),
    "another weight": (block) => (block.weights[5].weight = String(BigInt(block.weights[5].weight) * 2n)),
    "a miner left out": (block) => block.weights.pop(),
    "another seed": (block) => (block.seed = `${"00".repeat(31)}01`),
    "another transaction in the block": (block) => (block.merkle_branch[0] = "11".repeat(32)),
    "another header": (block) => (block.header_hex = block.header_hex.replace(/..$/, "ff")),
    "a header that ends too early": (block) => (block.header_hex = block.header_hex.slice(0, 100)),
    "an output cut off": (block) => (block.coinbase_hex = block.coinbase_hex.slice(0, -20)),
    "another height": (block) => (block.height += 1),
    "less than the subsidy": (block) => (block.value_sat = 4_999_999_999),
    "too early to share": (block) => (block.snapshot_listed_total = 47),
  };
  for (const [what, change] of Object.entries(changes)) assert.equal(proven(change).right, false, what);
});

test("an output that pays nobody, between the payouts and the witness commitment", () => {
  const block = read();
  const rest = (outputs) => {
    const coinbase = parseCoinbase(block.coinbase_hex);
    const at = coinbase.outputs.findIndex((output) => output.script.startsWith("6a"));
    coinbase.outputs.splice(at, 0, ...outputs);
    return checkFrame(coinbase, block.height).checks.at(-1)[1];
  };
  const nullData = (script, sat = 0n) => ({ sat, script });
  assert.equal(rest([]), true);
  for (const script of ["6a01ff", `6a4b${"11".repeat(75)}`, `6a4c4c${"11".repeat(76)}`, `6a4c50${"11".repeat(80)}`]) assert.equal(rest([nullData(script)]), true, script);
  for (const script of ["6a", "6a00", "6a02ff", `6a4c4b${"11".repeat(75)}`, `6a4c51${"11".repeat(81)}`, "6a01ff01"]) assert.equal(rest([nullData(script)]), false, script);
  assert.equal(rest([nullData("6a01ff", 1n)]), false);
  assert.equal(rest([nullData("6a01ff"), nullData("6a01ff")]), false);
});

test("what is not kept is not proven", () => {
  assert.equal(proven((block) => (block.snapshot_listed_total = null)).can, false);
  const block = read();
  assert.equal(prove(block, block.weights, "another").can, false);
});

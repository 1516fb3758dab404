// Payout proofs for wallets against the vectors of the specification. Run: node --test node/tests/web
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fromHex, toHex } from "../../web/js/proof/bytes.js";
import { decode, fromJson } from "../../web/js/proof/payout_file.js";
import { commitsTo, verify } from "../../web/js/proof/verify.js";
import { NETWORKS } from "../../web/js/proof/networks.js";

const vectors = (name) => JSON.parse(readFileSync(new URL(`../../../specs/vectors/${name}.json`, import.meta.url))).cases;

function answer(bytes) {
  try {
    const { finding, sat, output } = verify(decode(bytes));
    return { finding, value_sat: Number(sat), output };
  } catch (error) {
    assert.ok(error.constructor === Error, `a sentence, not ${error.stack}`);
    return { finding: null, value_sat: 0, output: null };
  }
}

test("the specification's payout proofs", () => {
  const cases = vectors("proof");
  assert.ok(cases.length >= 50);
  for (const { name, proof, ...expected } of cases) assert.deepEqual(answer(fromHex(proof)), expected, name);
});

test("a changed bit anywhere is noticed", () => {
  const { proof } = vectors("proof").find((one) => one.finding === "drawn");
  const whole = fromHex(proof);
  for (let at = 0; at < whole.length; at += 1) {
    const altered = whole.slice();
    altered[at] ^= 1 << (at % 8);
    const { finding, value_sat } = answer(altered);
    // Another script is another question, and another header with as little work as in a vector another block.
    const other = (at >= 44 && at < 64 && value_sat === 0) || (at >= 64 && at < 144);
    assert.ok(finding === null || other, `byte ${at}: ${finding}`);
  }
});

/** A proof as the API gives it. */
function asJson(bytes) {
  const proof = decode(bytes);
  return {
    version: 1, consensus_id: toHex(proof.pool), script: proof.script, header: toHex(proof.header), ancestors: proof.ancestors.map(toHex),
    share_header: toHex(proof.share.bytes), extranonce: toHex(proof.extranonce), witness_commitment: proof.witness.map(toHex)[0] ?? null,
    merkle_branch: proof.branch.map(toHex), payouts: proof.payouts.map(({ sat, script }) => ({ value_sat: Number(sat), script })),
    credits: toHex(proof.rest.slice(0, 52)), history: toHex(proof.rest.slice(52, 120)), signals: toHex(proof.rest.slice(120)),
    dues: proof.dues, exact: proof.exact, shown: proof.shown.map((due) => ({ ...due, weight: String(due.weight) })),
    siblings: proof.siblings.map(({ hash, sum }) => ({ hash: toHex(hash), sum: String(sum) })),
  };
}

test("JSON is the same proof", () => {
  for (const { name, proof, finding } of vectors("proof")) {
    if (finding !== null) assert.equal(toHex(fromJson(asJson(fromHex(proof)))), proof, name);
  }
  assert.throws(() => fromJson({ version: 2 }), /version 1/);
});

test("all dues of a window are what the share header commits to", () => {
  const proof = decode(fromHex(vectors("proof").find((one) => one.name === "all dues are proportional").proof));
  const dues = [3n << 60n, 1n << 61n, 1n << 60n].map((weight, i) => ({ script: proof.payouts[i].script, weight }));
  assert.equal(commitsTo(proof, dues), true);
  for (const other of [dues.slice(0, 2), [dues[1], dues[0], dues[2]], [...dues.slice(0, 2), { ...dues[2], weight: dues[2].weight + 1n }], []]) {
    assert.equal(commitsTo(proof, other), false);
  }
});

test("the constants are those of the networks", () => {
  const publicPools = vectors("networks").filter(({ pool }) => pool === "");
  assert.equal(publicPools.length, Object.keys(NETWORKS).length);
  for (const { name, consensus_id } of publicPools) assert.equal(NETWORKS[name].id, consensus_id);
});

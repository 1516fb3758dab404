// The whole proof of a found block: from the API's answer to a verdict for each output. Pure.
import { fromHex } from "./bytes.js";
import { checkFrame, parseCoinbase } from "./coinbase.js";
import { checkBlock } from "./header.js";
import { NETWORKS, subsidy } from "./networks.js";
import { select } from "./payout.js";
import { decode, fromJson } from "./payout_file.js";
import { commitsTo, verify } from "./verify.js";

/**
 * `block` is the answer about the block, `weights` all its weights, `network` its name. Returns { can: false, why } if
 * data is missing, otherwise every step and { right }. `payout` is the block's payout proof for any address, if the
 * node keeps such proofs: it has the commitments of the block's share header.
 */
export function prove(block, weights, network, payout = null) {
  const constants = NETWORKS[network];
  if (!constants) return { can: false, why: `This page does not know the constants of the network ${network}.` };
  if (block.snapshot_listed_total == null) return { can: false, why: "This node lacks a part of the share-chain up to the snapshot of this block; another node may have it." };
  const valueSat = BigInt(block.value_sat);
  const subsidySat = subsidy(block.height, constants);
  const dues = weights.map(({ script, weight }) => ({ script, weight: BigInt(weight) }));
  const seed = fromHex(block.seed).reverse();
  const early = block.snapshot_listed_total < constants.listedBeforePayouts;
  const selection = early ? null : select(dues, seed, subsidySat, valueSat, constants);
  const expected = selection ? selection.outputs : [{ script: block.finder_script, sat: valueSat, kind: "alone", weight: null }];
  const frame = readFrame(block);
  if (payout) frame.checks.push(["Its share header commits to exactly these weights.", commits(block, selection, payout)]);
  const rows = compareOutputs(expected, frame.payouts, block.outputs);
  const valueRight = valueSat >= subsidySat;
  const frameRight = frame.checks.every(([, holds]) => holds);
  const right = rows.every((row) => row.right) && valueRight && frameRight;
  return { can: true, constants, valueSat, subsidySat, valueRight, early, selection, frame, rows, right };
}

/**
 * A proof for the page, without its long lists, and these lists: the weights with their addresses, and the line of the draw.
 * `weights` are those of the block.
 */
export function shorten(proof, weights) {
  if (!proof.selection) return { proof, lists: {} };
  const { ranked, lot, ...rest } = proof.selection;
  const addresses = new Map(weights.map(({ script, address }) => [script, address]));
  const lists = {
    weights: ranked.map(({ script, weight }) => ({ script, weight, address: addresses.get(script) })),
    line: lot?.line.map(({ script, start, end, points }) => ({ script, start, end, points })),
  };
  const { key, random, first } = lot ?? {};
  const short = lot && { key, random, first, intervals: lot.line.length, points: lot.drawn.length };
  return { proof: { ...proof, selection: { ...rest, dues: ranked.length, lot: short } }, lists };
}

function readFrame(block) {
  try {
    const { payouts, checks } = checkFrame(parseCoinbase(block.coinbase_hex), block.height);
    return { payouts, checks: [...checks, ...checkBlock(block)] };
  } catch (error) {
    return { payouts: [], checks: [[`The coinbase cannot be read: ${error.message}.`, false]] };
  }
}

function commits(block, selection, payout) {
  try {
    const proof = decode(fromJson(payout));
    const dues = selection ? [...selection.ranked.slice(0, selection.exact), ...(selection.lot?.line ?? [])] : [];
    return verify(proof).block === block.hash && commitsTo(proof, dues);
  } catch {
    return false;
  }
}

/** One row for each output, even if one side has fewer. */
function compareOutputs(expected, found, told) {
  const rows = [];
  for (let i = 0; i < Math.max(expected.length, found.length, told.length); i += 1) {
    const [want, is, says] = [expected[i], found[i], told[i]];
    const inCoinbase = want !== undefined && is !== undefined && want.script === is.script && want.sat === is.sat;
    const asTold = says !== undefined && is !== undefined && says.script === is.script && BigInt(says.value_sat) === is.sat;
    rows.push({ want, is, address: says?.address ?? null, right: inCoinbase && asTold });
  }
  return rows;
}

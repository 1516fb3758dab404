// From weights to outputs: section 10 of specs/protocol.md, with every step kept so that it can be shown. Integers only:
// satoshi and weights are BigInt, never floats.
import { sha256 } from "../../vendor/noble-hashes/sha2.js";
import { bigEndian, compare, concat, fromHex, toHex } from "./bytes.js";

const TAG = sha256(new TextEncoder().encode("shoal/draw"));

/** SC-305: largest first, ties by script. Zero dues are left out. */
export function rank(dues) {
  const ranked = dues.filter((due) => due.weight > 0n).map((due) => ({ ...due, bytes: fromHex(due.script) }));
  return ranked.sort((a, b) => (a.weight === b.weight ? compare(a.bytes, b.bytes) : a.weight > b.weight ? -1 : 1));
}

const sum = (dues) => dues.reduce((total, due) => total + due.weight, 0n);

/** SC-306: with `outputs` outputs, how many are proportional, the equal payment of the rest, and the total of all. */
export function split(ranked, outputs) {
  const all = sum(ranked);
  if (outputs === ranked.length) return { exact: outputs, tail: ranked.at(-1).weight, total: all };
  let rest = all;
  for (let exact = 0; exact < outputs; exact += 1) {
    const places = BigInt(outputs - exact);
    if (rest >= places * ranked[exact].weight) return { exact, tail: rest / places, total: all - (rest % places) };
    rest -= ranked[exact].weight;
  }
  throw new Error("one payment of the whole rest is never below the next due");
}

/** SC-305: fewer outputs while the smallest would be worth less than the floor. Returns every attempt. */
export function tries(ranked, subsidySat, { outputsMax, floorSat }) {
  const made = [];
  for (let outputs = Math.min(outputsMax, ranked.length); outputs >= 1; outputs -= 1) {
    const parts = split(ranked, outputs);
    const accepted = outputs === 1 || subsidySat * parts.tail >= floorSat * parts.total;
    made.push({ outputs, ...parts, accepted });
    if (accepted) return made;
  }
  return made;
}

/** SC-307: the rest on a line, in an order that the seed decides; equidistant points select the winners. */
export function draw(claims, seed, tail, places) {
  const key = sha256(concat(TAG, TAG, seed));
  const hash = (bytes) => sha256(concat(key, key, bytes));
  const line = claims.map((claim) => ({ ...claim, order: hash(claim.bytes) })).sort((a, b) => compare(a.order, b.order));
  const random = bigEndian(hash(new Uint8Array()).slice(0, 16));
  const first = (random * tail) >> 128n;
  const drawn = [];
  let start = 0n;
  let point = first;
  for (const claim of line) {
    claim.start = start;
    claim.end = start + claim.weight;
    claim.points = [];
    while (drawn.length < places && point < claim.end) {
      claim.points.push(point);
      drawn.push(claim);
      point += tail;
    }
    start = claim.end;
  }
  return { key: toHex(key), random, first, line, drawn };
}

/** SC-308: each output's part of the value; the remainder goes to the first. */
export function amounts(paid, total, valueSat) {
  const outputs = paid.map((one) => ({ ...one, sat: (valueSat * one.weight) / total }));
  const left = valueSat - outputs.reduce((all, output) => all + output.sat, 0n);
  outputs[0].sat += left;
  return { outputs, left };
}

/**
 * The whole selection. `dues` are { script: hex, weight: BigInt }, `seed` the bytes of a hash in SHA-256 output order.
 * Returns null without dues: only the finder is paid.
 */
export function select(dues, seed, subsidySat, valueSat, limits) {
  const ranked = rank(dues);
  if (ranked.length === 0) return null;
  const tried = tries(ranked, subsidySat, limits);
  const { outputs: count, exact, tail, total } = tried.at(-1);
  const places = count - exact;
  const lot = places > 0 ? draw(ranked.slice(exact), seed, tail, places) : null;
  const paid = [
    ...ranked.slice(0, exact).map(({ script, weight }) => ({ script, weight, kind: "exact" })),
    ...(lot?.drawn ?? []).map(({ script }) => ({ script, weight: tail, kind: "drawn" })),
  ];
  return { ranked, sum: sum(ranked), tried, exact, tail, total, lot, ...amounts(paid, total, valueSat) };
}

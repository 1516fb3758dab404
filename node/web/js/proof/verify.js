// Verifies a payout proof from its Bitcoin header alone: section 16 of specs/protocol.md. Pure.
import { sha256 } from "../../vendor/noble-hashes/sha2.js";
import { bigEndian, compare, concat, fromHex, toHex } from "./bytes.js";
import { heightPush } from "./coinbase.js";
import { target } from "./header.js";
import { NETWORKS, subsidy } from "./networks.js";
import { le, number, sized } from "./payout_file.js";

const text = (words) => new TextEncoder().encode(words);
const double = (bytes) => sha256(sha256(bytes));
const prefixes = new Map();

/** A hash with a tag, whose own hash comes first, twice. That is computed once: a window has thousands of leaves. */
function tagged(tag, bytes) {
  if (!prefixes.has(tag)) prefixes.set(tag, concat(sha256(text(tag)), sha256(text(tag))));
  return sha256(concat(prefixes.get(tag), bytes));
}

const equal = (a, b) => compare(a, b) === 0;

function need(holds, otherwise) {
  if (!holds) throw new Error(otherwise);
}

/** The coinbase that follows from the parts of a proof: section 5. */
function coinbase({ pool, share, extranonce, witness, payouts }) {
  const output = (sat, script) => concat(le(sat, 8), sized(script));
  const outputs = payouts.map(({ sat, script }) => output(sat, fromHex(script)));
  if (share.nullData.length > 0) outputs.push(output(0, share.nullData));
  for (const hash of witness) outputs.push(output(0, concat(fromHex("6a24aa21a9ed"), hash)));
  outputs.push(output(0, concat(fromHex("6a20"), tagged("shoal/commitment", concat(pool, share.bytes)))));
  const count = outputs.length < 253 ? le(outputs.length, 1) : concat(Uint8Array.of(0xfd), le(outputs.length, 2));
  const scriptSig = concat(heightPush(share.height), sized(text("/shoal/")), sized(extranonce));
  return concat(
    fromHex(`0200000001${"00".repeat(32)}ffffffff`), sized(scriptSig), fromHex("feffffff"), count, ...outputs,
    le(Math.max(0, share.height - 1), 4),
  );
}

const leaf = ({ script, weight }) => ({ hash: tagged("shoal/leaf", concat(le(weight, 16), sized(fromHex(script)))), sum: weight });

const above = (left, right) => ({
  hash: tagged("shoal/node", concat(left.hash, le(left.sum, 16), right.hash, le(right.sum, 16))),
  sum: left.sum + right.sum,
});

/** The state root, given the number of dues, their sum, and the root over them: section 15. */
const stateRoot = (dues, sum, root, rest) => tagged("shoal/state", concat(le(dues, 4), le(sum, 16), root, rest));

/** True if the share header of a verified proof commits to exactly these dues, { script, weight } in coinbase order. */
export function commitsTo(proof, dues) {
  let level = dues.map(leaf);
  while (level.length > 1) {
    const pairs = [];
    for (let i = 0; i + 1 < level.length; i += 2) pairs.push(above(level[i], level[i + 1]));
    level = level.length % 2 === 1 ? [...pairs, level.at(-1)] : pairs;
  }
  const { hash, sum } = level[0] ?? { hash: new Uint8Array(32), sum: 0n };
  return equal(stateRoot(dues.length, sum, hash, proof.rest), proof.share.root);
}

/** Hash and sum over all leaves (section 15), and the sum before each leaf that is shown. */
function walk({ dues, shown, siblings }) {
  const starts = new Map();
  let [before, used] = [0n, 0];
  const node = (first, end) => {
    const next = shown[starts.size];
    if (!next || next.index < first || next.index >= end) {
      need(used < siblings.length, "nodes of the tree are missing");
      before += siblings[used].sum;
      used += 1;
      return siblings[used - 1];
    }
    if (end - first > 1) {
      const middle = first + 2 ** (Math.ceil(Math.log2(end - first)) - 1);
      const left = node(first, middle);
      return above(left, node(middle, end));
    }
    starts.set(next.index, before);
    before += next.weight;
    return leaf(next);
  };
  const root = dues > 0 ? node(0, dues).hash : new Uint8Array(32);
  need(used === siblings.length && starts.size === shown.length, "the tree has too many parts");
  return { root, sum: before, starts };
}

/** The result that follows from the dues shown: section 10. */
function judge(proof, { sum, starts }, seed, network) {
  const { payouts, exact, dues, shown, script } = proof;
  const points = payouts.length - exact;
  const own = shown.find((due) => due.script === script);
  const last = shown.find((due) => due.index === exact - 1);
  const drawn = shown.filter((due) => due.index >= exact);
  need(exact === 0 || last, "the last exact due is not shown");
  need(shown.every((due) => due === last || (own ? due === own : drawn.includes(due))), "other dues are shown");
  const all = payouts.length === dues;
  need(payouts.length >= 1 && payouts.length <= Math.min(network.outputsMax, dues), "the number of outputs does not follow");
  need(all ? exact === dues : points > 0, "the number of exact outputs does not follow");
  const first = last ? starts.get(last.index) + last.weight : 0n;
  const rest = sum - first;
  const fewest = points === 0 ? rest === 0n : !last || rest < last.weight * BigInt(points);
  need(fewest, "the number of exact outputs does not follow");
  const step = points === 0 ? last.weight : rest / BigInt(points);
  const total = points === 0 ? sum : sum - (rest % BigInt(points));
  need(step > 0n && drawn.every((due) => due.weight <= step), "the number of exact outputs does not follow");
  const worth = subsidy(proof.share.height, network) * step >= network.floorSat * total;
  need(payouts.length === 1 || worth, "an output is below the floor");
  const pays = (index, weight, payee) => {
    const left = payouts[index].sat - (proof.share.value * weight) / total;
    need(left === 0n || (index === 0 && left > 0n && left < BigInt(payouts.length)), `output ${index} pays another amount`);
    need(payee === undefined || payouts[index].script === payee, `output ${index} pays another script`);
    return { sat: payouts[index].sat, output: index };
  };
  if (last) pays(last.index, last.weight, last.script);
  for (let index = exact; index < payouts.length; index += 1) pays(index, step);
  if (own && own.index < exact) return { finding: "exact", weight: own.weight, ...pays(own.index, own.weight, script) };
  const key = tagged("shoal/draw", seed);
  const place = (bytes) => sha256(concat(key, key, bytes));
  const nothing = { sat: 0n, output: null };
  const unpaid = payouts.every((payout) => payout.script !== script);
  if (own) {
    const start = starts.get(own.index) - first;
    const point = (bigEndian(place(new Uint8Array()).slice(0, 16)) * step) >> 128n;
    const at = start > point ? (start - point + step - 1n) / step : 0n;
    const lot = { start, end: start + own.weight, point, step, points };
    if (at < BigInt(points) && point + at * step < lot.end) {
      return { finding: "drawn", weight: own.weight, lot, ...pays(exact + Number(at), step, script) };
    }
    need(unpaid, "the coinbase pays a script that is due nothing");
    return { finding: "not_drawn", weight: own.weight, lot, ...nothing };
  }
  need(unpaid, "the coinbase pays a script that is due nothing");
  const isBefore = (due) => compare(place(fromHex(due.script)), place(fromHex(script))) < 0;
  const left = drawn.filter(isBefore).map((due) => due.index);
  const right = drawn.filter((due) => !isBefore(due)).map((due) => due.index);
  need(left.length < 2 && right.length < 2, "other dues are shown");
  need((left[0] ?? exact - 1) + 1 === (right[0] ?? dues), "the place of the script is not shown");
  return { finding: "absent", ...nothing };
}

/**
 * The result of a proof: { finding, sat, output, weight, lot, block, script, height }, where `finding` is exact, drawn,
 * not_drawn, absent, finder or other_finder. Throws an Error with the first check that fails.
 */
export function verify(proof) {
  const network = Object.values(NETWORKS).find(({ id }) => id === toHex(proof.pool));
  need(network, "the pool is unknown");
  const { header, share } = proof;
  const bits = Number(number(header.slice(72, 76)));
  const hash = double(header);
  need(bits >>> 24 <= 32 && (bits & 0x800000) === 0, "the nBits are not valid");
  need(number(hash) <= target(bits), "the header lacks the work of its nBits");
  const root = proof.branch.reduce((below, sibling) => double(concat(below, sibling)), double(coinbase(proof)));
  need(equal(root, header.slice(36, 68)), "the coinbase is not in the block");
  need(proof.payouts.reduce((all, payout) => all + payout.sat, 0n) === share.value, "the payouts do not add up");
  const tree = walk(proof);
  need(equal(stateRoot(proof.dues, tree.sum, tree.root, proof.rest), share.root), "the dues do not lead to the state root");
  let seed = header.slice(4, 36);
  const chained = proof.ancestors.length === Math.min(network.seedDepth, Math.max(0, share.height - 1));
  need(chained, "the headers do not lead to the seed");
  for (const ancestor of proof.ancestors) {
    need(equal(double(ancestor), seed), "the headers do not lead to the seed");
    seed = ancestor.slice(4, 36);
  }
  const about = { block: toHex(hash.reverse()), script: proof.script, height: share.height, payouts: proof.payouts.length, dues: proof.dues };
  if (proof.dues > 0) return { ...about, ...judge(proof, tree, seed, network) };
  const alone = proof.exact === 0 && proof.payouts.length === 1 && proof.payouts[0].script === share.finder;
  need(alone, "the finder is not paid alone");
  if (proof.script !== share.finder) return { ...about, finding: "other_finder", sat: 0n, output: null };
  return { ...about, finding: "finder", sat: share.value, output: 0 };
}

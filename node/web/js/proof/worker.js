// The check of a block's payouts, off the thread that draws the page: fetches all weights, and recomputes the payouts. It keeps the
// long lists of the proof, and hands one out when the page shows it.
import { sentence } from "../format.js";
import { get } from "../get.js";
import { chainOf } from "./networks.js";
import { prove, shorten } from "./prove.js";

/** A browser's memory; the most proofs that a window has. */
const WEIGHTS_MAX = 1 << 21;
let lists = {};

/** The answer about a block, with its weights of all pages. */
async function fetchBlock(base) {
  const block = await get(`${base}?limit=500`);
  if (block.weights_pruned) throw { message: sentence(block.weights_pruned), todo: "Use shoal verify on a recording of a node that keeps the whole share-chain." };
  const weights = block.weights;
  for (let next = block.next_from; next != null;) {
    postMessage({ rows: weights.length });
    if (weights.length >= WEIGHTS_MAX) throw { message: "There are more weights than a browser can hold.", todo: "Replay a recording of the share-chain with specs/model/replay.py." };
    const page = await get(`${base}?limit=500&from=${next}`);
    weights.push(...page.weights);
    next = page.next_from;
  }
  postMessage({ rows: weights.length });
  return block;
}

/** `base` is the path of the block in the API. */
async function check(base) {
  const [status, block] = await Promise.all([get("/status"), fetchBlock(base)]);
  const network = chainOf(status);
  // A block from before payout proofs has none.
  const address = block.outputs.find((output) => output.address)?.address;
  const payout = address ? await get(`${base}/proof?address=${address}`).catch(() => null) : null;
  const short = shorten(prove(block, block.weights, network, payout), block.weights);
  lists = short.lists;
  return { block: { ...block, weights: block.weights.length }, network, proof: short.proof };
}

onmessage = ({ data }) => {
  if (data.list) postMessage({ list: lists[data.list] });
  else check(data.base).then((done) => postMessage({ done }), ({ message, todo, status }) => postMessage({ error: { message, todo, status } }));
};

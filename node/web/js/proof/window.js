// Sums the weights of a snapshot again, link by link, from the links' credits: section 9 of specs/protocol.md.
import { get } from "../api.js";
import { NETWORKS } from "./networks.js";

const TOGETHER = 4;
const BUSY_MS = 1500;
const BUSY_TRIES = 40;

async function patient(path) {
  for (let i = 0; ; i += 1) {
    try {
      return await get(path);
    } catch (error) {
      const busy = error.status === 429 || error.status === 503;
      if (!busy || i >= BUSY_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, BUSY_MS));
    }
  }
}

/**
 * Sums from the snapshot down until the window is full. `onProgress(links, part)` reports progress; `gone()` stops it.
 * Returns { links, weights: Map(script -> BigInt), listedTotal }, or { missing: height } if the node no longer keeps
 * the credits of a link.
 */
export async function sumWindow(snapshot, networkName, onProgress, gone) {
  const network = NETWORKS[networkName];
  const top = await patient(`/links/${snapshot}`);
  const weights = new Map();
  let total = 0n;
  let proofs = 0;
  let links = 0;
  let from = top.height;
  while (from !== null && from > 0) {
    const page = await patient(`/links?from=${from}&limit=100`);
    if (links === 0 && page.links[0]?.id !== snapshot) return { missing: top.height };
    for (let i = 0; i < page.links.length; i += TOGETHER) {
      if (gone()) return null;
      const batch = page.links.slice(i, i + TOGETHER).filter((link) => link.height > 0);
      const details = await Promise.all(batch.map((link) => patient(`/links/${link.id}`)));
      for (const link of details) {
        if (link.earned.length === 0) return { missing: link.height };
        for (const { script, weight, shares } of link.earned) {
          weights.set(script, (weights.get(script) ?? 0n) + BigInt(weight));
          total += BigInt(weight);
          proofs += shares;
        }
        links += 1;
        if (total >= network.windowWeight || proofs >= network.windowProofs) return { links, weights, listedTotal: top.listed_total };
      }
      onProgress(links, Number((total * 1000n) / network.windowWeight) / 1000);
    }
    from = page.next_from;
  }
  return { links, weights, listedTotal: top.listed_total };
}

/** Scripts whose weights differ between both sums; none when they are the same. */
export function differences(summed, told) {
  const left = new Map(summed);
  const differing = [];
  for (const { script, weight } of told) {
    if ((left.get(script) ?? 0n) !== BigInt(weight)) differing.push(script);
    left.delete(script);
  }
  for (const [script, weight] of left) if (weight > 0n) differing.push(script);
  return differing;
}

// Whether an address mines, from the data of its node and of the share-chain, and from the times between its shares. Pure.
import { silence } from "./chance.js";

/** A submit comes about every seven seconds, so this silence is no chance. Shares come late, with the times of their jobs. */
const SILENT_S = 300;
/** Restarting devices are back sooner. */
const GONE_S = 60;
/** A silence is reported if chance alone causes it less than once in this many times. */
const ODD = 0.001;

/**
 * `miner` is the answer about the address, `shares` are its newest ones. Returns { kind, lastS, meanS, gapS, chance }:
 * `kind` is "here" (its device works at this node), "silent" (it did, but stopped), "elsewhere" (its shares come from
 * other nodes), "stopped" (they did, but stopped) or "never". `lastS` is the last sign of life, seconds since 1970.
 */
export function miningState(miner, shares, nowS) {
  const submitS = miner.last_submit_unix_s;
  const { lastS, meanS } = gapsOf(shares);
  if (submitS != null) {
    const gapS = Math.max(0, nowS - submitS);
    const elsewhere = lastS != null && lastS > submitS + SILENT_S;
    if (gapS <= (miner.hashrate_hs === 0 ? GONE_S : SILENT_S)) return { kind: "here", lastS: submitS, gapS };
    if (!elsewhere) return { kind: "silent", lastS: submitS, gapS };
  }
  if (lastS == null) return { kind: "never" };
  const gapS = Math.max(0, nowS - lastS);
  const chance = meanS == null || shares.length < 4 ? null : silence(gapS, meanS);
  return { kind: gapS > SILENT_S && chance != null && chance < ODD ? "stopped" : "elsewhere", lastS, meanS, gapS, chance };
}

/** From shares, newest first: the newest one's time, the mean gap and all gaps in seconds. */
export function gapsOf(shares) {
  const times = shares.map((share) => share.time_unix_s).sort((a, b) => b - a);
  if (times.length === 0) return { lastS: null, meanS: null, gaps: [] };
  const gaps = times.slice(1).map((time, i) => times[i] - time);
  const meanS = gaps.length > 0 ? (times[0] - times.at(-1)) / gaps.length : null;
  return { lastS: times[0], meanS: meanS > 0 ? meanS : null, gaps };
}

/** Counts of gaps in `bins` classes of equal width up to three mean gaps, and one for all longer ones. */
export function histogram(gaps, meanS, bins = 12) {
  const width = (3 * meanS) / bins;
  const counts = new Array(bins + 1).fill(0);
  for (const gap of gaps) counts[Math.min(bins, Math.floor(gap / width))] += 1;
  return { width, counts };
}

// Chances, and words for them. Pure. Finding blocks and shares has no memory: the expected wait for the next one never shortens.
import { digits, percent } from "./format.js";

/** Chance of at least one event where `expected` are expected on average. */
export const atLeastOne = (expected) => -Math.expm1(-expected);

/** "about 1 in 20". */
export function odds(p) {
  if (p == null || Number.isNaN(p)) return "not known yet";
  if (p <= 0) return "none";
  if (p < 1e-6) return "less than 1 in a million";
  if (p >= 0.9995) return "almost certain";
  if (p >= 0.985) return `about ${Math.min(999, Math.round(p * 1000))} in 1,000`;
  if (p >= 0.93) return `about ${Math.round(p * 100)} in 100`;
  if (p >= 0.35) return `about ${Math.round(p * 10)} in 10`;
  if (p >= 0.22) return p < 0.29 ? "about 1 in 4" : "about 1 in 3";
  return `about 1 in ${digits(round2(1 / p))}`;
}

/** "about 1 in 20 (5%)". */
export const chance = (p) => (p == null || p <= 0 || p >= 0.9995 ? odds(p) : `${odds(p)} (${percent(p)})`);

function round2(value) {
  if (value < 10) return Math.round(value);
  const scale = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Math.round(value / scale) * scale;
}

/** The effort of a finished round in words: work done over work expected. 1 is average, below is lucky. */
export function luckWords(effort) {
  if (effort == null) return "not known";
  const percent = Math.round(effort * 100);
  if (percent === 100) return "average";
  if (percent < 100) return `lucky: ${odds(atLeastOne(effort))} blocks come that soon`;
  return `unlucky: ${odds(Math.exp(-effort))} blocks take that long`;
}

/** The same for the current round. */
export function roundWords(probability) {
  if (probability == null) return "";
  if (probability < 0.01) return "The round has just begun.";
  return `Of 100 such rounds, ${Math.max(1, Math.min(99, Math.round(probability * 100)))} would have found a block by now.`;
}

/** Chance that `n` events of a known rate are followed by a silence of `gapS` seconds. */
export const silence = (gapS, meanS) => Math.exp(-gapS / meanS);

/** Expected part of gaps between `fromS` and `toS` when they are `meanS` long on average. */
export const gapPart = (fromS, toS, meanS) => Math.exp(-fromS / meanS) - (toS === Infinity ? 0 : Math.exp(-toS / meanS));

// Times between shares. Pure.

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

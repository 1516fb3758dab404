// Sums by steps of time, made whole. Pure.

const NOTHING = { hashrate_hs: 0, shares: 0, links: 0, miners: 0 };

/**
 * The answer leaves out steps in which nothing was found; here they are zeros, from the first step that is known, at most
 * `limit` back, up to the last one that is over: the one that goes on would look like a fall. Oldest first.
 */
export function filled(points, stepS, limit, nowS) {
  if (points.length === 0) return [];
  const known = new Map(points.map((point) => [point.time_unix_s, point]));
  const running = Math.floor(nowS / stepS) * stepS;
  const first = Math.max(Math.min(...known.keys()), running - stepS * limit);
  const whole = [];
  for (let start = first; start < running; start += stepS) whole.push(known.get(start) ?? { time_unix_s: start, ...NOTHING });
  return whole.length > 0 ? whole : points.slice(0, 1);
}

// Sums by steps of time, made whole. Pure.

const NOTHING = { hashrate_hs: 0, shares: 0, links: 0, miners: 0 };

/**
 * The answer leaves out steps in which nothing was found; here they are zeros, from the first step that is known, at most
 * `limit` back, up to the last one that is over: the one that goes on would look like a fall, and so does the very first one
 * (`fromStart`: the answer goes back that far), in which mining began somewhere. Oldest first.
 */
export function filled(points, stepS, limit, nowS, fromStart = false) {
  if (points.length === 0) return [];
  const known = new Map(points.map((point) => [point.time_unix_s, point]));
  const running = Math.floor(nowS / stepS) * stepS;
  const first = Math.max(Math.min(...known.keys()), running - stepS * limit);
  const whole = [];
  for (let start = first; start < running; start += stepS) whole.push(known.get(start) ?? { time_unix_s: start, ...NOTHING });
  return fromStart && first === Math.min(...known.keys()) ? whole.slice(1) : whole;
}

/** Steps that the node sums by, seconds, and how many of them a strip takes at most. */
const STEPS_S = [60, 600, 3600, 86400];
const STRIP_MAX = 200;

/** The shortest step by which so long a time takes few enough, and their number. */
export function stepFor(seconds) {
  const s = STEPS_S.find((step) => seconds <= step * STRIP_MAX) ?? STEPS_S.at(-1);
  return { s, count: Math.min(500, Math.ceil(seconds / s) + 1) };
}

/** Number of shares in each step from `fromS` to `toS`, oldest first, the first and the last one whole. */
export function spread(points, stepS, fromS, toS) {
  const first = Math.floor(fromS / stepS);
  const parts = Array(Math.max(1, Math.floor(toS / stepS) - first + 1)).fill(0);
  for (const point of points) {
    const at = Math.floor(point.time_unix_s / stepS) - first;
    if (at >= 0 && at < parts.length) parts[at] += point.shares;
  }
  return parts;
}

// Completes sums by time step. Pure.

const NOTHING = { hashrate_hs: 0, shares: 0, links: 0, miners: 0 };

/**
 * The answer leaves out steps in which nothing was found; here they are zeros, from the first known step, at most
 * `limit` back, to the last complete one. The current step would look like a drop, and so would the very first one, in
 * which mining began (`fromStart`: the answer goes back that far). Oldest first.
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

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

// Shares spread over the time of the window. Pure.

/** Lengths of the node's steps, seconds, and the maximum number of steps in a strip. */
const STEPS_S = [60, 600, 3600, 86400];
const STRIP_MAX = 200;

/** The shortest step that divides a period into few enough steps, and their number. */
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

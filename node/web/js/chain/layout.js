// From links and shares to places in the chart. Pure.
import { lanes } from "./lanes.js";

export const LINK_R = 9;
export const SHARE_R = 4;
const PAD_X = 36;
const PAD_TOP = 30;
const LANE_HEAD = 34;
const ROW = 11;
const LINK_GAP = 2 * LINK_R + 6;
const ROWS_MAX = 14;
const TIME_ROWS_MAX = 8;

/** A rising map from seconds to pixels through known points, straight between and beyond them. */
function timeScale(points, pixelsPerS) {
  return (t) => {
    if (points.length === 0) return PAD_X;
    let low = 0;
    let high = points.length - 1;
    if (t <= points[0].t) return points[0].x + (t - points[0].t) * pixelsPerS;
    if (t >= points[high].t) return points[high].x + (t - points[high].t) * pixelsPerS;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (points[middle].t <= t) low = middle;
      else high = middle;
    }
    const { t: t0, x: x0 } = points[low];
    const { t: t1, x: x1 } = points[high];
    return t1 === t0 ? x1 : x0 + ((t - t0) / (t1 - t0)) * (x1 - x0);
  };
}

/** Maximum credible difference between the node's time and the finder's, seconds: a node that joined later saw everything late. */
const NEAR_S = 120;

function foundAt({ time_unix_s: handedOut, validated_unix_s: seen }) {
  return seen != null && Math.abs(seen - handedOut) < NEAR_S ? seen : handedOut;
}

/** Places along time: to scale, but never so close that links overlap. */
function byTime(links, zoom) {
  const times = [...links].filter((link) => link.height > 0).sort((a, b) => a.time_unix_s - b.time_unix_s);
  const span = times.length > 1 ? times.at(-1).time_unix_s - times[0].time_unix_s : 1;
  const pixelsPerS = (zoom * 56 * Math.max(1, times.length)) / Math.max(1, span);
  const points = [];
  for (const { time_unix_s: t } of times) {
    const before = points.at(-1);
    if (before?.t === t) continue;
    const x = before ? Math.max(before.x + LINK_GAP, before.x + (t - before.t) * pixelsPerS) : PAD_X + 20;
    points.push({ t, x });
  }
  const scale = timeScale(points, pixelsPerS);
  return { x: (link) => (link.height === 0 ? PAD_X : scale(link.time_unix_s)), shareX: (share) => scale(foundAt(share)), ticks: timeTicks(points) };
}

function timeTicks(points) {
  const ticks = [];
  for (const { t, x } of points) if (ticks.length === 0 || x - ticks.at(-1).x > 90) ticks.push({ x, t });
  return ticks;
}

function byHeight(links, zoom) {
  const least = Math.min(...links.map((link) => link.height));
  const step = 56 * zoom;
  const place = (height) => PAD_X + 20 + (height - least) * step;
  const every = Math.max(1, Math.ceil(70 / step));
  const ticks = [...new Set(links.map((link) => link.height))].sort((a, b) => a - b).filter((h) => h % every === 0).map((height) => ({ x: place(height), height }));
  return { x: (link) => place(link.height), shareX: null, step, ticks };
}

/**
 * `mode` is "height" or "time". Gives { width, height, links: [{ link, x, y }], shares: [{ share, x, y }], at: Map(id ->
 * { x, y }), ticks, laneOf }.
 */
export function layout({ links, shares }, mode, zoom) {
  const { laneOf, lanes: laneCount } = lanes(links);
  const scale = mode === "time" ? byTime(links, zoom) : byHeight(links, zoom);
  const ofParent = new Map();
  for (const share of shares) {
    if (!ofParent.has(share.parent)) ofParent.set(share.parent, []);
    ofParent.get(share.parent).push(share);
  }
  for (const group of ofParent.values()) group.sort((a, b) => a.time_unix_s - b.time_unix_s || (a.id < b.id ? -1 : 1));
  const placed = [];
  const deep = new Array(laneCount).fill(0);
  const taken = new Map();
  for (const link of links) {
    const group = ofParent.get(link.id) ?? [];
    const lane = laneOf.get(link.id) ?? 0;
    const places = scale.shareX ? fall(group, scale.shareX, lane, taken) : hang(group, scale.x(link), scale.step);
    for (const place of places) deep[lane] = Math.max(deep[lane], place.row + 1);
    placed.push(...places.map((place) => ({ ...place, lane })));
  }
  const top = laneTops(deep);
  const at = new Map();
  const drawnLinks = links.map((link) => ({ link, x: scale.x(link), y: top[laneOf.get(link.id) ?? 0] }));
  for (const { link, x, y } of drawnLinks) at.set(link.id, { x, y });
  const drawnShares = placed.map(({ share, x, row, lane }) => ({ share, x, y: top[lane] + LANE_HEAD - 6 + row * ROW }));
  for (const { share, x, y } of drawnShares) at.set(share.id, { x, y });
  const right = Math.max(0, ...[...at.values()].map((place) => place.x));
  return { width: Math.ceil(right + PAD_X + 20), height: Math.ceil(top[0] + LANE_HEAD + Math.max(1, deep[0]) * ROW + 26), links: drawnLinks, shares: drawnShares, at, ticks: scale.ticks, laneOf };
}

/** Lane 0 is the lowest one; each is as high as the shares that hang in it. */
function laneTops(deep) {
  const tops = new Array(deep.length);
  let y = PAD_TOP;
  for (let lane = deep.length - 1; lane >= 0; lane -= 1) {
    tops[lane] = y;
    y += LANE_HEAD + deep[lane] * ROW + 14;
  }
  return tops;
}

/** Below their parent, in columns. */
function hang(group, x, step) {
  const columns = Math.max(1, Math.min(Math.floor((step - 6) / ROW), Math.ceil(group.length / 4)), Math.ceil(group.length / ROWS_MAX));
  return group.map((share, i) => ({ share, x: x + ((i % columns) - (columns - 1) / 2) * ROW + step * 0.18, row: Math.floor(i / columns) }));
}

/** At their own time, in the first row with room; if too many have the same time, slightly beside it. */
function fall(group, place, lane, taken) {
  if (!taken.has(lane)) taken.set(lane, []);
  const rows = taken.get(lane);
  return group.map((share) => {
    let x = place(share);
    let row = 0;
    while (rows[row]?.some((other) => Math.abs(other - x) < ROW)) {
      row += 1;
      if (row < TIME_ROWS_MAX) continue;
      row = 0;
      x += ROW;
    }
    (rows[row] ??= []).push(x);
    return { share, x, row };
  });
}

// Position of a peer on the map. Pure.

/** Milliseconds to a part of the radius: each ring is about five times the one before. */
const EDGES = [[1, 0.24], [10, 0.45], [50, 0.64], [250, 0.82]];
const UNKNOWN_RADIUS = 1;

export const RINGS = [
  { name: "1 ms", radius: 0.24 },
  { name: "10 ms", radius: 0.45 },
  { name: "50 ms", radius: 0.64 },
  { name: "250 ms", radius: 0.82 },
  { name: "not known", radius: UNKNOWN_RADIUS },
];

export function radius(latencyMs) {
  if (latencyMs == null) return UNKNOWN_RADIUS;
  let [ms0, r0] = [0.1, 0.12];
  for (const [ms1, r1] of EDGES) {
    if (latencyMs <= ms1) return r0 + Math.max(0, Math.log(Math.max(latencyMs, ms0) / ms0) / Math.log(ms1 / ms0)) * (r1 - r0);
    [ms0, r0] = [ms1, r1];
  }
  return Math.min(0.93, r0 + Math.log(latencyMs / ms0) * 0.06);
}

/** Groups with their peers and angles; each has at least half of an even part, so that its name has room. */
export function sectors(peers) {
  const byName = new Map();
  for (const peer of [...peers].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    if (!byName.has(peer.group)) byName.set(peer.group, []);
    byName.get(peer.group).push(peer);
  }
  const names = [...byName.keys()].sort();
  const all = 2 * Math.PI;
  const least = all / Math.max(1, names.length) / 2;
  let from = -Math.PI / 2;
  return names.map((name, i) => {
    const own = byName.get(name);
    const width = least + (all - least * names.length) * (own.length / peers.length);
    const sector = { name, letter: letter(i), peers: own, from, to: from + width };
    from += width;
    return sector;
  });
}

/** A to Z, then A2 and so on. */
const letter = (i) => `${String.fromCharCode(65 + (i % 26))}${i < 26 ? "" : Math.floor(i / 26) + 1}`;

/** The angle and radius of the `i`th peer of a sector. */
export function place(sector, i) {
  const step = (sector.to - sector.from) / (sector.peers.length + 1);
  return { angle: sector.from + step * (i + 1), radius: radius(sector.peers[i].latency_ms) };
}

// Assigns branches to lanes: the main chain to lane 0, others above it where they do not overlap. Pure.

/** Gives { laneOf: Map(id -> lane), lanes, children: Map(id -> links) } for links of all branches. */
export function lanes(links) {
  const byId = new Map(links.map((link) => [link.id, link]));
  const children = new Map();
  for (const link of links) {
    if (!children.has(link.parent)) children.set(link.parent, []);
    if (link.parent !== link.id) children.get(link.parent).push(link);
  }
  const laneOf = new Map();
  const lastHeight = [];
  for (const link of links) if (link.is_main) laneOf.set(link.id, 0);
  const ascending = [...links].sort((a, b) => a.height - b.height || (a.id < b.id ? -1 : 1));
  for (const link of ascending) {
    if (laneOf.has(link.id)) continue;
    // A branch stays in one lane as long as it does not fork itself.
    const branch = [];
    for (let at = link; at && !laneOf.has(at.id) && !branch.includes(at); at = longest(children.get(at.id))) branch.push(at);
    const from = branch[0].height;
    const least = byId.has(link.parent) ? Math.max(1, laneOf.get(link.parent) ?? 1) : 1;
    let lane = least;
    while ((lastHeight[lane] ?? -Infinity) >= from - 1) lane += 1;
    lastHeight[lane] = branch.at(-1).height;
    for (const part of branch) laneOf.set(part.id, lane);
  }
  return { laneOf, lanes: Math.max(1, lastHeight.length), children };
}

/** The child that continues a branch: the first one that is not on the main chain. */
function longest(among) {
  return among?.find((link) => !link.is_main);
}

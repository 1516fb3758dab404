// Moves the selection by arrow keys. Pure.

/** The next id, or undefined when the key means nothing here. */
export function walk(graph, drawn, picked, key) {
  if (!["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].includes(key)) return undefined;
  const main = graph.links.filter((link) => link.is_main).sort((a, b) => a.height - b.height);
  if (main.length === 0) return undefined;
  if (key === "Home") return main[0].id;
  if (key === "End" || picked === null || !drawn.at.has(picked)) return main.at(-1).id;
  const link = graph.links.find((known) => known.id === picked);
  return link ? fromLink(graph, drawn, link, key) : fromShare(graph, drawn, picked, key);
}

function fromLink(graph, drawn, link, key) {
  if (key === "ArrowLeft") return graph.links.find((known) => known.id === link.parent)?.id ?? link.id;
  if (key === "ArrowRight") {
    const children = graph.links.filter((known) => known.parent === link.id && known.id !== link.id);
    return (children.find((child) => child.is_main) ?? children[0] ?? link).id;
  }
  if (key === "ArrowDown") {
    const own = sharesOf(graph, drawn, link.id);
    if (own.length > 0) return own[0].id;
  }
  return beside(graph, drawn, link, key) ?? link.id;
}

/** A link of the same height, or the nearest one, in a lane above or below. */
function beside(graph, drawn, link, key) {
  const here = drawn.at.get(link.id);
  const candidates = graph.links
    .filter((other) => Math.abs(other.height - link.height) <= 1 && (key === "ArrowUp" ? drawn.at.get(other.id).y < here.y : drawn.at.get(other.id).y > here.y))
    .sort((a, b) => Math.abs(drawn.at.get(a.id).y - here.y) - Math.abs(drawn.at.get(b.id).y - here.y));
  return candidates[0]?.id;
}

const sharesOf = (graph, drawn, parent) =>
  graph.shares.filter((share) => share.parent === parent && drawn.at.has(share.id)).sort((a, b) => drawn.at.get(a.id).y - drawn.at.get(b.id).y || drawn.at.get(a.id).x - drawn.at.get(b.id).x);

function fromShare(graph, drawn, id, key) {
  const share = graph.shares.find((known) => known.id === id);
  const all = sharesOf(graph, drawn, share.parent);
  const i = all.indexOf(share);
  if (key === "ArrowUp") return i === 0 ? share.parent : all[i - 1].id;
  if (key === "ArrowDown") return all[Math.min(i + 1, all.length - 1)].id;
  // Sideways: to the link on which it was found, and to the link that listed it.
  if (key === "ArrowLeft") return share.parent;
  return share.listed_in && drawn.at.has(share.listed_in) ? share.listed_in : id;
}

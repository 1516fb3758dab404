// Latest shares and links, newest first.
import { html, useState } from "../html.js";
import { useEvent, useLiveState } from "../live.js";
import { useApi } from "../api.js";
import { BlockId, Card, Id, Payee, Tag, Time } from "./bits.js";
import { btc, count, plural } from "../format.js";

const KEPT = 10;
/** More shares per second than this would only flicker. */
const SHARES_SECOND = 4;

export function Feed() {
  const [items, set] = useState([]);
  const [second, setSecond] = useState({ at: 0, shares: 0 });
  const live = useLiveState();
  const links = useApi("/links?limit=5");
  const add = (item) => set((old) => [item, ...old.filter((known) => known.id !== item.id)].slice(0, KEPT));
  useEvent("share", (share) => {
    const at = Math.floor(Date.now() / 1000);
    const shares = second.at === at ? second.shares + 1 : 1;
    setSecond({ at, shares });
    if (shares <= SHARES_SECOND) add({ kind: "share", ...share });
  });
  useEvent("link", (link) => add({ kind: "link", ...link, ...link.link }));
  useEvent("block", (block) => add({ kind: "block", id: block.hash, ...block }));
  const shown = items.length > 0 ? items : (links.data?.links ?? []).map((link) => ({ kind: "link", ...link }));
  return html`
    <${Card} title="Latest shares and links" id="feed" more=${html`<a href="/chain">See the chain</a>`}>
      ${live !== "live" && html`<p class="fine">The live stream is ${live}; this list may lag.</p>`}
      ${shown.length === 0 && html`<p class="empty">Nothing yet.</p>`}
      <ul class="feed">${shown.map((item) => html`<li key=${item.id} class=${items.length > 0 ? "new" : ""}><${Item} item=${item} /></li>`)}</ul>
    </${Card}>`;
}

function Item({ item }) {
  if (item.kind === "block") return html`<${Tag} tone="good">Bitcoin block</${Tag}> <${BlockId} id=${item.hash} /> <span>${btc(item.value_sat)}</span>`;
  if (item.kind === "link") {
    return html`<${Tag} tone="good">link ${count(item.height)}</${Tag}> <${Id} id=${item.id} to=${`/links/${item.id}`} /> <span>lists ${plural(item.shares_count, "share")}</span> <${Time} at=${item.time_unix_s} />`;
  }
  return html`<${Tag}>share</${Tag}> <${Id} id=${item.id} to=${`/shares/${item.id}`} /> <span>by <${Payee} payee=${item.finder} />${item.own ? ", at this node" : ""}</span> <${Time} at=${item.time_unix_s} />`;
}

// The selected item of the chart, in words.
import { html } from "../html.js";
import { Id, Notice, Payee, Time } from "../parts/bits.js";
import { count, plural } from "../format.js";

export function Picked({ graph, id }) {
  if (id === null) return html`<p class="fine">Click a link or a share, or use the arrow keys, to see its details.</p>`;
  const link = graph.links.find((known) => known.id === id);
  if (link) return html`<${Notice}><${OfLink} link=${link} graph=${graph} /></${Notice}>`;
  const share = graph.shares.find((known) => known.id === id);
  if (share) return html`<${Notice}><${OfShare} share=${share} /></${Notice}>`;
  return html`<p class="fine">It is no longer in this part of the chain.</p>`;
}

function OfLink({ link, graph }) {
  if (link.height === 0) return html`<p><strong>Genesis</strong>, where the chain begins. <a href=${`/links/${link.id}`}>Open</a></p>`;
  const hanging = graph.shares.filter((share) => share.parent === link.id).length;
  const branch = link.is_main ? (link.is_settled ? "settled" : "on the main chain") : "on another branch: its shares still count when a later link lists them";
  return html`<p><strong>Link ${count(link.height)}${link.is_bitcoin_block ? ", a Bitcoin block" : ""}</strong> <${Id} id=${link.id} />, ${branch}. Found by <${Payee} payee=${link.finder} /> <${Time} at=${link.time_unix_s} />; it lists ${plural(link.shares_count, "share")}, and ${plural(hanging, "share was", "shares were")} found on it. <a href=${`/links/${link.id}`}>Open this link</a></p>`;
}

function OfShare({ share }) {
  return html`<p><strong>${share.is_bitcoin_block ? "A share that is a Bitcoin block" : "Share"}</strong> <${Id} id=${share.id} />, found by <${Payee} payee=${share.finder} /> <${Time} at=${share.time_unix_s} />. ${share.listed_in ? html`Listed by link <${Id} id=${share.listed_in} to=${`/links/${share.listed_in}`} />: it counts.` : "No link of the main chain lists it yet."} <a href=${`/shares/${share.id}`}>Open this share</a></p>`;
}

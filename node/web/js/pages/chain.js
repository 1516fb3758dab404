// The share-chain as a live chart, with the history of its reorganizations.
import { html, useCallback, useEffect, useMemo, useRef, useState } from "../html.js";
import { useApi } from "../api.js";
import { useEvent } from "../live.js";
import { go } from "../router.js";
import { useMe } from "../me.js";
import { Card, Choice, LinkId, Loaded, Payee, Tag, Time, Title } from "../parts/bits.js";
import { FromArchive } from "../parts/from_archive.js";
import { Table, usePages } from "../parts/table.js";
import { Picture } from "../chain/picture.js";
import { Picked } from "../chain/picked.js";
import { Legend } from "../chain/legend.js";
import { count, plural } from "../format.js";

const ZOOMS = [0.45, 0.65, 1, 1.5, 2.2, 3.2];
/** Wider than a large screen; older links are on further pages. Each may have 31 shares. */
const LINKS = 30;
const LOOSE_MAX = 500;
const DRAW_MS = 1000;

/** Shares that arrived after the chart's data, so that they appear immediately. */
function useNewShares(graph, blocks) {
  const [loose, set] = useState([]);
  const arrived = useRef([]);
  useEvent("share", (share) => arrived.current.push({ ...share, listed_in: null }));
  useEffect(() => {
    // Not one by one: the chart is large.
    const timer = setInterval(() => {
      const news = arrived.current.splice(0);
      if (news.length > 0) set((old) => old.concat(news).slice(-LOOSE_MAX));
    }, DRAW_MS);
    return () => clearInterval(timer);
  }, []);
  return useMemo(() => {
    if (!graph) return null;
    const known = new Set([...graph.shares, ...graph.links].map((item) => item.id));
    const parents = new Set(graph.links.map((link) => link.id));
    const extra = loose.filter((share) => !known.has(share.id) && parents.has(share.parent));
    const won = new Set(blocks?.blocks.map((block) => block.hash));
    const marked = (item) => (won.has(item.id) ? { ...item, is_bitcoin_block: true } : item);
    return { ...graph, links: graph.links.map(marked), shares: graph.shares.concat(extra).map(marked) };
  }, [graph, loose, blocks]);
}

export default function Chain({ route }) {
  const to = Number.parseInt(route.query.get("to") ?? "", 10);
  const fixed = Number.isInteger(to) && to >= 0;
  const answer = useApi(`/graph?links=${LINKS}${fixed ? `&to=${to}` : ""}`, fixed ? [] : ["tip", "link"]);
  const blocks = useApi("/blocks?limit=100", ["block"]);
  const graph = useNewShares(answer.data, blocks.data);
  const [mode, setMode] = useState("height");
  const [zoom, setZoom] = useState(2);
  const [picked, pick] = useState(null);
  const mine = useMe();
  const onZoom = useCallback((by) => setZoom((old) => Math.max(0, Math.min(ZOOMS.length - 1, old + by))), []);
  const open = (id) => go(graph.links.some((link) => link.id === id) ? `/links/${id}` : `/shares/${id}`);
  const page = (height) => go(height === null ? "/chain" : `/chain?to=${Math.max(0, height)}`);
  return html`
    <${Title}>The share-chain</${Title}>
    <p class="lead">Links put shares in order; shares earn. Each share is drawn below the link on which it was found, with a thin line to the link that lists it, which makes it count.</p>
    <div class="row">
      <${Choice} label="Along what" value=${mode} onChange=${setMode} options=${[["height", "By height"], ["time", "By time"]]} />
      <div class="choice" role="group" aria-label="Zoom">
        <button type="button" onClick=${() => onZoom(-1)} disabled=${zoom === 0} aria-label="Smaller">−</button>
        <button type="button" onClick=${() => onZoom(1)} disabled=${zoom === ZOOMS.length - 1} aria-label="Larger">+</button>
      </div>
      <div class="choice" role="group" aria-label="Which part">
        <button type="button" disabled=${answer.data?.next_from == null} onClick=${() => page(answer.data.next_from)}>← Older</button>
        <button type="button" disabled=${!fixed} onClick=${() => page(answer.data ? answer.data.to + LINKS : null)}>Newer →</button>
        <button type="button" aria-pressed=${String(!fixed)} onClick=${() => page(null)}>Newest</button>
      </div>
      <${Jump} onJump=${page} />
    </div>
    <${Loaded} from=${{ ...answer, data: graph }}>${(data) => html`
      ${data.links.length === 0 ? html`<p class="empty">There are no links here.</p>` : html`
        <${Picture} graph=${data} mode=${mode} zoom=${ZOOMS[zoom]} picked=${picked} onPick=${pick} onOpen=${open} onZoom=${onZoom} mine=${mine} />`}
      ${data.shares_cut && html`<p class="fine">There are more shares than the chart can show; the newest are left out.</p>`}
      <${Legend} mine=${mine} />
      <div id="picked" class="picked" aria-live="polite"><${Picked} graph=${data} id=${picked} /></div>
      <${Reorganisations} />
      <${AsTable} links=${data.links} />`}
    </${Loaded}>`;
}

function Jump({ onJump }) {
  const submit = (event) => {
    event.preventDefault();
    const height = Number.parseInt(new FormData(event.target).get("height"), 10);
    if (height >= 0) onJump(height + LINKS / 2);
  };
  return html`<form class="field" onSubmit=${submit}><label for="height">Height</label> <input id="height" name="height" type="number" min="0" step="1" required /><button type="submit">Go</button></form>`;
}

function Reorganisations() {
  const answer = useApi("/reorganisations?limit=20", ["tip"]);
  const { rows, source, button } = usePages("/reorganisations?limit=20", answer.data, (page) => page.reorganisations, change);
  return html`
    <${Card} title="When the chain changed branches" id="reorganisations">
      <p class="fine">Two links found at nearly the same time make a fork; the branch with more work wins. Shares on the other one are listed later and are not lost.</p>
      <${Loaded} from=${answer}>${() => html`
        <${Table} caption="Reorganizations, newest first" rows=${rows} rowKey=${change} empty="None that this node remembers." columns=${[
          { head: "When", cell: (row) => html`<${Time} at=${row.time_unix_s} />` },
          { head: "Fork height", num: true, cell: (row) => html`<a href=${`/chain?to=${row.fork_height + 20}`}>${count(row.fork_height)}</a>` },
          { head: "Links lost / gained", num: true, cell: (row) => `${count(row.depth)} / ${count(row.connected)}` },
          { head: "Shares on the abandoned branch", cell: (row) => merged(row.left) },
          { head: "From tip", cell: (row) => html`<${LinkId} id=${row.old_tip} />` },
          { head: "To tip", cell: (row) => html`<${LinkId} id=${row.new_tip} />` },
        ]} /><${FromArchive} of=${{ source }} older />${button}`}
      </${Loaded}>
    </${Card}>`;
}

/** Node and archive have different times for one change. */
const change = (row) => `${row.old_tip}${row.new_tip}`;

/** Status of the shares on an abandoned branch. */
function merged(left) {
  if (!left) return "no longer known";
  const rest = [left.waiting > 0 && `${count(left.waiting)} wait to be listed`, `${count(left.lost)} lost`].filter(Boolean);
  return `${count(left.listed)} of ${count(left.shares)} count, ${rest.join(", ")}`;
}

function AsTable({ links }) {
  const [open, setOpen] = useState(false);
  const rows = open ? [...links].sort((a, b) => b.height - a.height) : [];
  return html`
    <details class="card" onToggle=${(event) => setOpen(event.target.open)}><summary>The links of the chart as a table</summary>
      <${Table} caption="Links, highest first" rows=${rows} rowKey=${(link) => link.id} columns=${[
        { head: "Height", num: true, cell: (link) => count(link.height) },
        { head: "Link", cell: (link) => html`<${LinkId} id=${link.id} />` },
        { head: "When", cell: (link) => html`<${Time} at=${link.time_unix_s || null} />` },
        { head: "Found by", cell: (link) => html`<${Payee} payee=${link.finder} />` },
        { head: "Lists", num: true, cell: (link) => plural(link.shares_count, "share") },
        { head: "State", cell: (link) => (link.is_main ? html`<${Tag} tone="good">${link.is_settled ? "settled" : "main chain"}</${Tag}>` : html`<${Tag} tone="warn">other branch</${Tag}>`) },
      ]} />
    </details>`;
}

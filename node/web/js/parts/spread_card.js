// Decentralization of the pool, compared with Bitcoin's pools.
import { html } from "../html.js";
import { Bar, Card, Figure, Figures, Loaded, Payee } from "./bits.js";
import { count, percent, plural } from "../format.js";

export function Spread({ pool }) {
  return html`
    <${Card} title="Decentralization" id="spread" wide more=${html`<a href="/miners">All miners</a>`}>
      <${Loaded} from=${pool}>${(data) => html`<${Both} spread=${data.decentralisation} bitcoin=${data.bitcoin_pools} />`}</${Loaded}>
    </${Card}>`;
}

function Both({ spread, bitcoin }) {
  return html`
    <${Figures}>
      <${Figure} name="Nakamoto coefficient" value=${count(spread.nakamoto)}>addresses that together have more than half of this pool's work. Bitcoin's pools in ${bitcoin.as_of}: ${count(bitcoin.nakamoto)}.</${Figure}>
      <${Figure} name="Template makers" value=${plural(spread.template_makers, "address", "addresses")}>found a link with a template of their own node${spread.largest_template_maker_part == null ? "" : `; the largest made ${percent(spread.largest_template_maker_part)} of them`}. In most other pools, only the pool makes templates.</${Figure}>
      ${spread.nodes_seen > 0 && html`<${Figure} name="Nodes seen" value=${count(spread.nodes_seen)}>this one and those connected to it. The total is unknown.</${Figure}>`}
    </${Figures}>
    <div class="two spread">
      <div><h3>This pool: largest addresses</h3>
        ${spread.top.length === 0 ? html`<p class="empty">No address has earned anything yet.</p>` : html`<ol class="bars">${spread.top.map((entry) => html`
          <li key=${entry.script}><${Payee} payee=${entry} /><b>${percent(entry.part, 1)}</b><${Bar} part=${entry.part} label=${`Part of ${entry.address ?? entry.script}`} /></li>`)}</ol>`}
      </div>
      <div><h3>Bitcoin's pools, ${bitcoin.as_of}</h3>
        <ol class="bars">${bitcoin.pools.map((entry) => html`
          <li key=${entry.name}><span>${entry.name}</span><b>${percent(entry.part)}</b><${Bar} part=${entry.part} label=${`Part of ${entry.name}`} tone="other" /></li>`)}</ol>
        <p class="fine">${bitcoin.source}</p>
      </div>
    </div>
    <p class="fine">An address is not a person: one may have many, and many may share one (a proxy, a rental). So these numbers do not show how many people mine here.</p>`;
}

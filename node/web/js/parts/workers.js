// The workers of an address that are connected to this node; requires the node's token.
import { html, useRef } from "../html.js";
import { readToken, writeToken } from "../api.js";
import { Card } from "./bits.js";
import { shortName } from "./devices.js";
import { LongTable } from "./more.js";
import { count, digits, duration, hashrate } from "../format.js";

export function Workers({ miner, reload, all }) {
  return html`
    <${Card} title="Workers at this node" id="workers" wide>
      ${miner.workers === null ? html`<${Ask} tried=${readToken() !== undefined} reload=${reload} />` : html`<${List} miner=${miner} all=${all} />
        ${readToken() && html`<p><button type="button" class="small" onClick=${() => { writeToken(null); reload(); }}>Forget the token</button></p>`}`}
    </${Card}>`;
}

function Ask({ tried, reload }) {
  const input = useRef(null);
  const submit = (event) => {
    event.preventDefault();
    writeToken(input.current.value.trim());
    reload();
  };
  return html`
    <p>Only the operator of this node can see the names and numbers of workers. <code>shoal pair</code> prints a link and a QR code that pair this browser. Or enter the token from the file <code>api-token</code> in the node's data folder. This browser remembers it.</p>
    ${tried && html`<p><strong>That token is not this node's.</strong> Copy the whole line from the file.</p>`}
    <form class="field" onSubmit=${submit}><label class="hidden" for="token">The node's token</label><input id="token" type="password" ref=${input} placeholder="The node's token" autocomplete="off" required /><button type="submit">Show</button></form>`;
}

const Names = ({ names, address }) => names.map((name, i) => html`<span key=${name} title=${name}>${i > 0 ? ", " : ""}${shortName(name, address)}</span>`);

const List = ({ miner: { workers, workers_total: total, address }, all }) => html`
  <${LongTable} caption="Workers" first=${20} rows=${workers} total=${total} all=${all} empty="None is connected to this node now. Workers may be at other nodes: each node knows only its own." columns=${[
    { head: "Name", cell: (w) => html`<span class="breakable">${w.names.length > 0 ? html`<${Names} names=${w.names} address=${address} />` : "unnamed"}</span><br /><span class="fine breakable">${w.agent}${w.percent < 100 ? `, ${w.percent}% for this address` : ""}</span>` },
    { head: "Hashrate", num: true, cell: (w) => hashrate(w.hashrate_hs, 2) },
    { head: "Difficulty", num: true, cell: (w) => (w.difficulty == null ? "no work yet" : digits(w.difficulty, w.difficulty < 1 ? 0 : 2)) },
    { head: "Coinbase, bytes", num: true, cell: (w) => (w.coinbase_bytes == null ? "no work yet" : `${count(w.coinbase_bytes)}${w.coinbase_bytes_max == null ? "" : ` of ${count(w.coinbase_bytes_max)}`}`) },
    { head: "Accepted / rejected", num: true, cell: (w) => `${count(w.accepted_total)} / ${count(w.rejected_total)}` },
    { head: "Shares", num: true, cell: (w) => count(w.shares_total) },
    { head: "Last submit", num: true, cell: (w) => (w.last_share_age_s == null ? "none yet" : `${duration(w.last_share_age_s)} ago`) },
    { head: "Connected for", num: true, cell: (w) => duration(w.connected_s) },
  ]} />`;

// Everything about one payout address.
import { html } from "../html.js";
import { useApi } from "../api.js";
import { setMe, useMe } from "../me.js";
import { Card, Copy, Facts, Loaded, Notice, Title } from "../parts/bits.js";
import { MiningNow, NextPay, useMiner } from "../parts/mining.js";
import { HashrateChart } from "../parts/hashrate_chart.js";
import { Payments } from "../parts/payments.js";
import { MinerShares } from "../parts/miner_shares.js";
import { PositionStrip, usePositions } from "../parts/position_strip.js";
import { Workers } from "../parts/workers.js";
import { CalculatorForm } from "../parts/calculator_form.js";
import { count, digits, percent } from "../format.js";

export default function Miner({ route }) {
  const address = route.parts[1];
  const base = `/miners/${encodeURIComponent(address)}`;
  const answer = useMiner(address);
  // Requested immediately, before there is an answer and the parts that show them.
  useApi(`${base}/shares?limit=100`, ["tip"]);
  useApi(`${base}/history?step=60&limit=180`, ["tip"]);
  useApi(`${base}/payments?limit=10`, ["block", "tip"]);
  useApi("/pool", ["tip", "block"]);
  useApi("/window?limit=1", ["tip"]);
  usePositions(base);
  const status = useApi("/status");
  const me = useMe();
  // A public node shows no workers, not even with its token.
  const open = status.data?.public;
  // Pasted text may have capitals or a worker's name; the node extracts the address.
  const name = answer.data?.address ?? address;
  return html`
    <${Title}>Miner</${Title}>
    <p class="row"><${Copy} text=${name} /> ${me === name
      ? html`<span>This is you. <button type="button" class="small" onClick=${() => setMe(null)}>Forget</button></span>`
      : html`<button type="button" class="small" onClick=${() => setMe(name)}>This is me</button>`}</p>
    <${Loaded} from=${answer}>${(miner) => html`
      <div class="cards">
        <${Card} title="Now" id="now" wide>
          <${MiningNow} address=${address} miner=${answer} />
          <${NextPay} miner=${miner} />
        </${Card}>
        <${Card} title="Over time" id="over-time" wide><${HashrateChart} base=${base} name="this address" withShares /></${Card}>
        <${Payments} base=${base} />
        ${!open && html`<${Workers} miner=${miner} reload=${answer.reload} all=${answer.all} />`}
        <${MinerShares} base=${base} />
        <${Card} title="Its work in the window" id="window"><${Window} miner=${miner} /><${PositionStrip} base=${base} /></${Card}>
        <${Card} title="Expected pay" id="expect" wide><${Expect} miner=${miner} /></${Card}>
      </div>`}
    </${Loaded}>`;
}

function Window({ miner }) {
  const { window } = miner;
  if (window.shares === 0 && miner.pending_shares === 0) {
    return html`<${Notice}><p>No work of this address counts now. Either it never mined here, or its last work has left the window.</p></${Notice}>`;
  }
  return html`<${Facts} rows=${[
    ["Part of all work", percent(window.part)],
    ["Shares that count", count(window.shares)],
    ["Weight in the PPLNS window", `${digits(window.weight_blocks)} blocks`],
    ["Waiting to be listed", `${count(miner.pending_shares)} shares, worth ${digits(miner.pending_weight.weight_blocks)} blocks`],
    ["Exact weight", html`<code class="whole">${window.weight}</code> in units of 2⁻⁶⁴ block`],
    ["Script", html`<code class="whole">${miner.script}</code>`],
  ]} />`;
}

/** The calculator, starting with the part of the pool's work that pay follows, so that both show the same pay. */
function Expect({ miner }) {
  const pool = useApi("/pool", ["tip", "block"]).data;
  if (!pool) return html`<p class="loading" aria-busy="true">Loading…</p>`;
  const ownHs = miner.window.part * (pool.hashrate_hs ?? 0);
  return html`<p class="fine">${ownHs > 0 ? "It starts with your part of the pool's work, at the pool's hashrate now; change it as you like." : "None of your work counts yet; enter a hashrate."}</p><${CalculatorForm} startHs=${ownHs > 0 ? ownHs : undefined} included=${ownHs > 0} />`;
}

// The block that this node's miners work on now: its value and its payouts.
import { html } from "../html.js";
import { useApi } from "../api.js";
import { Figure, Figures, Loaded, Notice, Payee, Title } from "../parts/bits.js";
import { Table } from "../parts/table.js";
import { btc, count, plural, UNKNOWN } from "../format.js";
import { useMe } from "../me.js";

const CLASSES = {
  proportional: ["proportional", "In proportion to the work of this address."],
  lottery: ["lottery", "Drawn among the addresses with too little work for an output in each block; over time, each gets its due."],
};

export default function Job() {
  const job = useApi("/job", ["tip", "block"]);
  return html`
    <${Title}>The block being mined now</${Title}>
    <p class="lead">The work of each device at this node, and the payouts of a block found now. They change with every link and every Bitcoin block.</p>
    <section class="card"><${Loaded} from=${job}>${(data) => html`<${Facts} job=${data} /><${Outputs} job=${data} />`}</${Loaded}></section>`;
}

function Facts({ job }) {
  const sizes = job.coinbases;
  return html`
    ${job.work === "solo" && html`<${Notice} level="warn"><p><strong>Miners of this node work solo</strong>: their blocks pay only their finders, not the list below.</p></${Notice}>`}
    ${job.work === "none" && html`<${Notice} level="bad"><p><strong>Miners of this node get no work now.</strong> These are the payouts of the pool's next block.</p></${Notice}>`}
    <${Figures}>
      <${Figure} name="Block" value=${count(job.height)}>of Bitcoin, after <code>${job.prev_hash.slice(-12)}</code>.</${Figure}>
      <${Figure} name="Value" value=${btc(job.value_sat)}>subsidy and fees${job.fees_sat == null ? "; there is no template yet, so without fees" : ""}.</${Figure}>
      <${Figure} name="Fees" value=${job.fees_sat == null ? UNKNOWN : btc(job.fees_sat)}>of ${job.transactions == null ? "the transactions" : plural(job.transactions, "transaction")} in it.</${Figure}>
      <${Figure} name="Coinbase" value=${sizes.length === 0 ? UNKNOWN : sizes.map((size) => `${count(size.bytes)} B`).join(", ")}>${sizes.length === 0 ? "No device has a job" : sizes.map((size) => `${plural(size.connections, "connection")} with ${count(size.bytes)} bytes`).join(", ")}.</${Figure}>
    </${Figures}>`;
}

function Outputs({ job }) {
  const me = useMe();
  if (job.finder_alone) return html`<p>Too little work counts so far: the finder of this block gets all of it.</p>`;
  return html`<${Table} caption="Payouts of the block being mined now" rows=${job.outputs} rowKey=${(output) => output.script} columns=${[
    { head: "To", cell: (output) => html`<${Payee} payee=${output} />${output.address === me && " (you)"}` },
    { head: "Pays", num: true, cell: (output) => btc(output.value_sat, true) },
    { head: "By", cell: (output) => html`<span title=${CLASSES[output.class][1]}>${CLASSES[output.class][0]}</span>` },
  ]} />`;
}

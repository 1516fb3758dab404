// All Bitcoin blocks that the pool found.
import { html } from "../html.js";
import { useApi, useExplorer } from "../api.js";
import { BlockId, Loaded, Payee, Time, Title } from "../parts/bits.js";
import { BlockState, blockState } from "../parts/block_state.js";
import { EffortBars } from "../parts/effort_bars.js";
import { FromArchive } from "../parts/from_archive.js";
import { Table, usePages } from "../parts/table.js";
import { btc, count, percent, plural } from "../format.js";
import { luckWords } from "../chance.js";

export default function Blocks() {
  const path = "/blocks?limit=50";
  const answer = useApi(path, ["block", "tip"]);
  const pool = useApi("/pool", ["tip", "block"]);
  const explorer = useExplorer();
  const { rows, source, button } = usePages(path, answer.data, (page) => page.blocks, (block) => block.hash);
  return html`
    <${Title}>Bitcoin blocks of the pool</${Title}>
    <p class="lead">Each pays the miners directly. Open one to see its payments, and to have your browser recompute each of them. ${!explorer && html`<a href="/job">Payouts of the next block</a> `}New blocks also come as a <a href="/api/v1/blocks.atom" target="_self">feed</a>.</p>
    <${Counts} />
    <section class="card"><${Loaded} from=${answer}>${() => html`
      <${Summary} blocks=${rows} />
      <${EffortBars} blocks=${rows} round=${pool.data?.round} />
      <${Table} caption="Bitcoin blocks, newest first" rows=${rows} rowKey=${(block) => block.hash} empty="None yet. New blocks appear here automatically." columns=${[
        { head: "Height", num: true, cell: (block) => count(block.height) },
        { head: "Block", cell: (block) => html`<${BlockId} id=${block.hash} />` },
        { head: "Found", cell: (block) => html`<${Time} at=${block.time_unix_s} />` },
        { head: "By", cell: (block) => html`<${Payee} payee=${{ address: block.finder_address, script: block.finder_script }} />${block.listed_height != null && html`<span class="fine"> in link <a href=${`/chain?to=${block.listed_height + 15}`}>${count(block.listed_height)}</a></span>`}` },
        { head: "Pays", num: true, cell: (block) => html`${btc(block.value_sat)}<span class="fine"> to ${plural(block.outputs_count, "address", "addresses")}</span>` },
        { head: "Effort", num: true, cell: (block) => (block.effort == null ? "not known" : html`${percent(block.effort, 2)}<br /><span class="fine">${luckWords(block.effort)}</span>`) },
        { head: "State", cell: (block) => html`<${BlockState} block=${block} />` },
      ]} /><${FromArchive} of=${{ source }} older />${button}`}
    </${Loaded}></section>`;
}

/** Blocks in a day, in a week, and ever. */
function Counts() {
  const counts = useApi("/counts", ["block"]);
  const words = ({ blocks, value_sat: value }) => (blocks === 0 ? "none" : `${plural(blocks, "block")} with ${btc(value)}`);
  return html`<${Loaded} from=${counts} quiet>${({ day, week, all }) => html`<p>Found in 24 hours: <strong>${words(day)}</strong>; in a week: <strong>${words(week)}</strong>; ever: <strong>${words(all)}</strong>.</p>`}</${Loaded}>`;
}

function Summary({ blocks }) {
  if (blocks.length === 0) return null;
  const lost = blocks.filter((block) => ["orphaned", "refused"].includes(blockState(block))).length;
  return html`<p>${plural(blocks.length, "block")} shown, ${lost === 0 ? "all of them are in Bitcoin's chain" : `${plural(lost, "is", "are")} not in Bitcoin's chain and ${lost === 1 ? "pays" : "pay"} no one`}.</p>`;
}

// The last Bitcoin blocks of the pool, with their luck.
import { html } from "../html.js";
import { useApi } from "../api.js";
import { BlockId, Card, Loaded, Payee, Time } from "./bits.js";
import { EffortBars } from "./effort_bars.js";
import { Table } from "./table.js";
import { btc, count } from "../format.js";
import { BlockState } from "./block_state.js";

export function LastBlocks({ round }) {
  const blocks = useApi("/blocks?limit=20", ["block", "tip"]);
  return html`
    <${Card} title="Last Bitcoin blocks of the pool" id="last-blocks" more=${html`<a href="/blocks">All blocks</a>`}>
      <${Loaded} from=${blocks}>${({ blocks: list }) => html`
        <${EffortBars} blocks=${list} round=${round} />
        <${Table} caption="Last Bitcoin blocks" rows=${list.slice(0, 5)} rowKey=${(b) => b.hash} empty="None yet. The wait is a matter of chance; the figures above show the average." columns=${[
          { head: "Block", cell: (b) => html`<${BlockId} id=${b.hash} /> ${count(b.height)}` },
          { head: "When", cell: (b) => html`<${Time} at=${b.time_unix_s} />` },
          { head: "Found by", cell: (b) => html`<${Payee} payee=${{ address: b.finder_address, script: b.finder_script }} />` },
          { head: "Pays", num: true, cell: (b) => html`${btc(b.value_sat)} <${BlockState} block=${b} />` },
        ]} />`}
      </${Loaded}>
    </${Card}>`;
}

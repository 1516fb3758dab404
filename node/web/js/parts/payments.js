// Payments to an address in Bitcoin blocks of the pool.
import { html } from "../html.js";
import { useApi } from "../api.js";
import { BlockId, Card, Loaded, Tag, Time } from "./bits.js";
import { FromArchive } from "./from_archive.js";
import { Table, usePages } from "./table.js";
import { MATURE } from "./block_state.js";
import { btc, count, duration, plural } from "../format.js";

export function Payments({ base }) {
  const path = `${base}/payments?limit=10`;
  const answer = useApi(path, ["block", "tip"]);
  const blockS = useApi("/pool", ["block"]).data?.bitcoin.interval_s;
  const { rows, source, button } = usePages(path, answer.data, (page) => page.payments, (row) => row.block);
  return html`
    <${Card} title="Paid in Bitcoin blocks" id="payments" wide>
      <${Loaded} from=${answer}>${() => html`
        ${rows.length > 0 && html`<p><strong>${btc(paid(rows))}</strong> in the ${plural(rows.length, "payment")} shown, paid by the blocks themselves. Nothing is held back and nothing is owed; an address that does not win in one block may win in the next.</p>`}
        <${Table} caption="Payments, newest first" rows=${rows} rowKey=${(row) => row.block} empty="No block of the pool has paid this address yet." columns=${[
          { head: "Block", cell: (row) => html`<${BlockId} id=${row.block} /> ${count(row.height)}` },
          { head: "When", cell: (row) => html`<${Time} at=${row.time_unix_s} />` },
          { head: "Amount", num: true, cell: (row) => btc(row.value_sat, true) },
          { head: "How", cell: (row) => (row.finder_alone ? "finder alone" : row.drawn == null ? "not known" : row.drawn ? "lottery" : "proportional") },
          { head: "State", cell: (row) => html`<${State} row=${row} blockS=${blockS} />` },
        ]} />
        <${FromArchive} of=${{ source }} older />${button}`}
      </${Loaded}>
    </${Card}>`;
}

/** Payments of lost blocks do not count. */
const paid = (rows) => rows.filter((row) => row.confirmations > 0).reduce((sum, row) => sum + BigInt(row.value_sat), 0n);

function State({ row, blockS }) {
  if (row.confirmations === 0) return html`<${Tag} tone="bad">not in Bitcoin's chain: not paid</${Tag}>`;
  if (row.mature) return html`<${Tag} tone="good">spendable</${Tag}>`;
  const left = MATURE - row.confirmations;
  return html`<${Tag} tone="warn">${count(row.confirmations)} of ${MATURE} confirmations</${Tag}> ${blockS && html`<span class="fine">spendable in about ${duration(left * blockS)}</span>`}`;
}

// The last shares of an address: the status of each, and the times between them.
import { html } from "../html.js";
import { useApi } from "../api.js";
import { Card, Loaded, ShareId, Tag, Time } from "./bits.js";
import { GapPlot } from "./gap_plot.js";
import { Opened } from "./more.js";
import { FromArchive } from "./from_archive.js";
import { Table, usePages } from "./table.js";
import { count, hashes } from "../format.js";

export function MinerShares({ base }) {
  const path = `${base}/shares?limit=100`;
  const answer = useApi(path, ["tip"]);
  const { rows, source, button } = usePages(path, answer.data, (page) => page.shares, (row) => row.id);
  return html`<div class="wide">
    <${Card} title="Time between shares" id="gaps" wide><${Loaded} from=${answer}>${() => html`<${GapPlot} shares=${rows} />`}</${Loaded}></${Card}>
    <${Card} title="Last shares" id="shares" wide>
      <${Loaded} from=${answer}>${() => html`
        <${Opened} begin=${rows.length <= 10} summary=${`${count(rows.length)} shares, newest first`}>${() => html`
        <${Table} caption="Shares, newest first" rows=${rows} rowKey=${(row) => row.id} empty="No share has reached this node." columns=${[
          { head: "Share", cell: (row) => html`<${ShareId} id=${row.id} />` },
          { head: "When", cell: (row) => html`<${Time} at=${row.time_unix_s} />` },
          { head: "Work", num: true, cell: (row) => hashes(row.work_hashes, 2) },
          { head: "Became", cell: (row) => html`<${Fate} row=${row} />` },
        ]} />
        <${FromArchive} of=${{ source }} older />${button}`}</${Opened}>`}
      </${Loaded}>
    </${Card}>
  </div>`;
}

function Fate({ row }) {
  const what = row.is_bitcoin_block ? html`<${Tag} tone="good">Bitcoin block</${Tag}> ` : row.is_link ? html`<${Tag} tone="good">link</${Tag}> ` : "";
  if (row.listed_height != null) return html`${what}<a href=${`/links/${row.listed_in}`}>counts since link ${count(row.listed_height)}</a>`;
  return html`${what}<${Tag} tone="warn">not listed yet</${Tag}>`;
}

// All miners whose work counts now.
import { html } from "../html.js";
import { useApi } from "../api.js";
import { useMe } from "../me.js";
import { Loaded, Payee, Tag, Title } from "../parts/bits.js";
import { Table, usePages } from "../parts/table.js";
import { percentPlaces, places } from "../columns.js";
import { count, digits, percent, plural } from "../format.js";

export default function Miners() {
  const path = "/window?limit=100";
  const answer = useApi(path, ["tip"]);
  const me = useMe();
  const { rows, button } = usePages(path, answer.data, (page) => page.earned, (row) => row.script);
  return html`
    <${Title}>Miners</${Title}>
    <p class="lead">All addresses whose work counts now, most work first. A block found now pays by such work. There are no accounts: an address appears when it starts to mine, and fades out when it stops.</p>
    <section class="card"><${Loaded} from=${answer}>${(window) => {
      const part = (row) => Number(row.weight) / Number(window.total.weight);
      const [percents, decimals] = [percentPlaces(rows.map(part)), places(rows.map((row) => row.weight_blocks))];
      return html`
      <p>${plural(window.scripts_total, "address", "addresses")} in the window of links ${count(window.oldest_height)} to ${count(window.newest_height)}, together ${digits(window.total.weight_blocks)} expected Bitcoin blocks of work.</p>
      <${Table} caption="Miners, most work first" rows=${rows.map((row, i) => ({ ...row, rank: i + 1 }))} rowKey=${(row) => row.script} empty="No address has earned anything yet." columns=${[
        { head: "Rank", num: true, cell: (row) => count(row.rank) },
        { head: "Address", cell: (row) => html`<${Payee} payee=${row} /> ${me && row.address === me && html`<${Tag} tone="good">you</${Tag}>`}` },
        { head: "Part of the work", num: true, cell: (row) => percent(part(row), percents) },
        { head: "Shares", num: true, cell: (row) => count(row.shares) },
        { head: "Expected blocks of work", num: true, cell: (row) => digits(row.weight_blocks, decimals) },
      ]} />${button}`;
    }}
    </${Loaded}></section>`;
}

// The tables of the payout proof.
import { html, useEffect, useState } from "../html.js";
import { Payee } from "../parts/bits.js";
import { LongTable, Opened } from "../parts/more.js";
import { btc, count, percent } from "../format.js";

const exactInteger = (value) => html`<code class="whole">${String(value)}</code>`;
/** For display, the first digits suffice. */
const part = (weight, total) => percent(Number((weight * 10_000_000n) / total) / 10_000_000, 4);

/** A table of a long list, which is fetched when the table is opened. */
function FetchedTable({ fetch, ...rest }) {
  const [rows, set] = useState(null);
  useEffect(() => { fetch().then(set); }, []);
  return rows ? html`<${LongTable} rows=${rows} ...${rest} />` : html`<p class="loading" aria-busy="true">Loading…</p>`;
}

export const Dues = ({ sum, list }) => html`
  <${Opened} summary="All weights, largest first (in units of 2⁻⁶⁴ block)">${() => html`
    <${FetchedTable} caption="Weights" fetch=${() => list("weights")} rowKey=${(due) => due.script} columns=${[
      { head: "Address", cell: (due) => html`<${Payee} payee=${due} />` },
      { head: "Weight", num: true, cell: (due) => exactInteger(due.weight) },
      { head: "Part", num: true, cell: (due) => part(due.weight, sum) },
    ]} />
    <p>Together ${exactInteger(sum)}.</p>`}
  </${Opened}>`;

export const Tries = ({ tried }) => html`
  <${Opened} summary=${`The ${count(tried.length)} numbers of outputs tried`}>${() => html`
    <${LongTable} caption="Numbers of outputs" rows=${tried} rowKey=${(one) => one.outputs} columns=${[
      { head: "Outputs", num: true, cell: (one) => count(one.outputs) },
      { head: "Proportional", num: true, cell: (one) => count(one.exact) },
      { head: "Smallest weight T", num: true, cell: (one) => exactInteger(one.tail) },
      { head: "Accepted", cell: (one) => (one.accepted ? "yes" : "no: too small") },
    ]} />`}
  </${Opened}>`;

export const Lot = ({ lot, tail, list }) => html`
  <${Opened} summary=${`The line: ${count(lot.intervals)} intervals, ${count(lot.points)} points`}>${() => html`
    <p>Key <code class="whole">${lot.key}</code>. The first point is (random × T) ÷ 2¹²⁸ = ${exactInteger(lot.first)}, with random = ${exactInteger(lot.random)}; each next one is T = ${exactInteger(tail)} farther.</p>
    <${FetchedTable} caption="The line of the draw" fetch=${() => list("line")} rowKey=${(claim) => claim.script} columns=${[
      { head: "Script", cell: (claim) => html`<code title=${claim.script}>…${claim.script.slice(-12)}</code>` },
      { head: "From", num: true, cell: (claim) => exactInteger(claim.start) },
      { head: "To, not included", num: true, cell: (claim) => exactInteger(claim.end) },
      { head: "Point in it", num: true, cell: (claim) => (claim.points.length > 0 ? claim.points.map(exactInteger) : "none: does not win") },
    ]} />`}
  </${Opened}>`;

const KINDS = { exact: "proportional", drawn: "lottery", alone: "alone" };

export const Outputs = ({ rows }) => html`
  <${LongTable} caption="Outputs" first=${100} rows=${rows.map((row, i) => ({ ...row, place: i }))} rowKey=${(row) => row.place} columns=${[
    { head: "Output", num: true, cell: (row) => count(row.place) },
    { head: "Pays", cell: (row) => html`<${Payee} payee=${{ address: row.address, script: (row.is ?? row.want).script }} />` },
    { head: "How", cell: (row) => (row.want ? KINDS[row.want.kind] : "nothing is due") },
    { head: "The rules require", num: true, cell: (row) => (row.want ? btc(row.want.sat, true) : "no output") },
    { head: "The coinbase pays", num: true, cell: (row) => (row.is ? btc(row.is.sat, true) : "no output") },
    { head: "Verdict", cell: (row) => html`<span class=${row.right ? "yes" : "no"}>${row.right ? "✓ right" : "✕ wrong"}</span>` },
  ]} />`;

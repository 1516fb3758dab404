// Against slow pages with thousands of rows: lists that begin short, and parts that render when they are opened.
import { html, useState } from "../html.js";
import { count } from "../format.js";
import { Table } from "./table.js";

/** The first rows of a loaded list, and a button that shows as many again. */
export function useFirst(rows, first = 50) {
  const [shown, show] = useState(first);
  const left = rows.length - shown;
  const button = left > 0 && html`<p><button type="button" class="small" onClick=${() => show(2 * shown)}>Show ${count(Math.min(shown, left))} more of ${count(left)}</button></p>`;
  return { rows: left > 0 ? rows.slice(0, shown) : rows, button };
}

/** A table that begins short. */
export function LongTable({ rows, first, ...rest }) {
  const begin = useFirst(rows, first);
  return html`<${Table} rows=${begin.rows} ...${rest} />${begin.button}`;
}

/** `children()` renders the content once it is opened; `begin` opens it at first. */
export function Opened({ summary, name, begin = false, children }) {
  const [open, set] = useState(begin);
  return html`<details class=${name} open=${begin} onToggle=${(event) => set(event.target.open)}><summary>${summary}</summary>${open && children()}</details>`;
}

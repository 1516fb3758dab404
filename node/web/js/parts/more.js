// Against slow pages with thousands of rows: lists that begin short, and parts that render when they are opened.
import { html, useState } from "../html.js";
import { count } from "../format.js";
import { Table } from "./table.js";

/**
 * The first rows of a list, and a button that shows as many again. If only a part of the list's `total` is loaded, the button
 * also calls `all`.
 */
export function useFirst(rows, first = 50, total = rows.length, all = null) {
  const [shown, show] = useState(first);
  const left = total - shown;
  const onClick = () => {
    show(2 * shown);
    if (rows.length < total) all();
  };
  const button = left > 0 && html`<p><button type="button" class="small" onClick=${onClick}>Show ${count(Math.min(shown, left))} more of ${count(left)}</button></p>`;
  return { rows: rows.slice(0, shown), button };
}

/** A table that begins short. */
export function LongTable({ rows, first, total, all, ...rest }) {
  const begin = useFirst(rows, first, total, all);
  return html`<${Table} rows=${begin.rows} ...${rest} />${begin.button}`;
}

/** `children()` renders the content once it is opened; `begin` opens it at first. */
export function Opened({ summary, name, begin = false, children }) {
  const [open, set] = useState(begin);
  return html`<details class=${name} open=${begin} onToggle=${(event) => set(event.target.open)}><summary>${summary}</summary>${open && children()}</details>`;
}

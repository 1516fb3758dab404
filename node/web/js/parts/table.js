// Tables that stack their cells on a narrow screen, and lists that grow by pages.
import { html, useRef, useState } from "../html.js";
import { get } from "../api.js";
import { Failed } from "./bits.js";

/** `columns` are { head, cell(row), num }; roles are written out, because stacked cells lose theirs. */
export const Table = ({ caption, columns, rows, rowKey, empty = "Nothing yet." }) => {
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`;
  return html`
    <table role="table">
      <caption class="hidden">${caption}</caption>
      <thead role="rowgroup"><tr role="row">${columns.map((c) => html`<th role="columnheader" scope="col" class=${c.num ? "num" : ""} key=${c.head}>${c.head}</th>`)}</tr></thead>
      <tbody role="rowgroup">${rows.map((row, i) => html`
        <tr role="row" key=${rowKey ? rowKey(row) : i}>${columns.map((c) => html`
          <td role="cell" key=${c.head} data-head=${c.head} class=${c.num ? "num" : ""}><span>${c.cell(row)}</span></td>`)}</tr>`)}
      </tbody>
    </table>`;
};

/**
 * Rows of a first page (`first` is an answer that its owner keeps fresh) and a button for more. Rows that a fresh first
 * page pushes out stay once further pages were requested.
 */
export function usePages(path, first, pick, rowKey) {
  const kept = useRef({ path: null, first: null, rows: [], next: null, grown: false });
  const [asking, ask] = useState({ loading: false, error: null });
  if (kept.current.path !== path) kept.current = { path, first: null, rows: [], next: null, grown: false };
  const list = kept.current;
  if (first && list.first !== first) {
    list.first = first;
    list.rows = list.grown ? joined(pick(first), list.rows, rowKey) : pick(first);
    if (!list.grown) list.next = first.next_from;
  }
  const load = async () => {
    ask({ loading: true, error: null });
    try {
      const page = await get(`${path}${path.includes("?") ? "&" : "?"}from=${list.next}`);
      list.rows = joined(list.rows, pick(page), rowKey);
      list.next = page.next_from;
      list.grown = true;
      list.source = page.source;
      ask({ loading: false, error: null });
    } catch (error) {
      ask({ loading: false, error });
    }
  };
  const button = html`<div>
    ${asking.error && html`<${Failed} error=${asking.error} />`}
    ${list.next != null && html`<p><button type="button" onClick=${load} disabled=${asking.loading}>${asking.loading ? "Loading…" : "Show more"}</button></p>`}
  </div>`;
  return { rows: list.rows, source: list.source ?? first?.source, button };
}

function joined(before, after, rowKey) {
  const known = new Set(before.map(rowKey));
  return before.concat(after.filter((row) => !known.has(rowKey(row))));
}

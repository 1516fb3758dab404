// Tables that stack their cells on a narrow screen, and lists that grow by pages.
import { html, useEffect, useState } from "../html.js";
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
 * Rows of a first page that `first` (an answer, kept fresh by its owner) holds, with a button for more. New rows of a
 * fresh first page push older ones down, so what was loaded behind it stays right by `rowKey`.
 */
export function usePages(path, first, pick, rowKey) {
  const [more, setMore] = useState({ path: null, rows: [], next: null, loading: false, error: null });
  useEffect(() => setMore({ path, rows: [], next: null, loading: false, error: null }), [path]);
  const head = first ? pick(first) : [];
  const seen = new Set(head.map(rowKey));
  const own = more.path === path ? more : { rows: [], next: null };
  const rows = head.concat(own.rows.filter((row) => !seen.has(rowKey(row))));
  const next = own.rows.length > 0 ? own.next : first?.next_from ?? null;
  const load = async () => {
    setMore((old) => ({ ...old, loading: true, error: null }));
    try {
      const page = await get(`${path}${path.includes("?") ? "&" : "?"}from=${next}`);
      setMore((old) => (old.path === path ? { ...old, rows: old.rows.concat(pick(page)), next: page.next_from, loading: false } : old));
    } catch (error) {
      setMore((old) => ({ ...old, loading: false, error }));
    }
  };
  const button = html`
    ${own.error && html`<${Failed} error=${own.error} />`}
    ${next != null && html`<p><button type="button" onClick=${load} disabled=${own.loading}>${own.loading ? "Loading…" : "Show more"}</button></p>`}`;
  return { rows, button };
}

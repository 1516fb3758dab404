// A part that is fetched when it is first shown, so that the first view stays small.
import { html, useEffect, useState } from "../html.js";
import { useRevival } from "../live.js";

/** `load` imports the part; `props` are handed to it. A part that did not come is tried again. */
export function Lazy({ load, ...props }) {
  const [{ Part, failed }, set] = useState({ Part: null, failed: false });
  const run = () => load().then((module) => set({ Part: module.default, failed: false }), () => set({ Part: null, failed: true }));
  useEffect(() => { run(); }, []);
  useRevival(failed, run);
  if (failed) return html`<p class="empty">This part has not come from the node yet; it is tried again.</p>`;
  return Part ? html`<${Part} ...${props} />` : html`<p class="loading" aria-busy="true">Loading…</p>`;
}

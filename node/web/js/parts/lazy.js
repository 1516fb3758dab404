// A part that loads when it is first shown, so that the first view stays small.
import { html, useEffect, useState } from "../html.js";
import { useRevival } from "../live.js";

/** `load` imports the part, which gets `props`. A failed load is retried. */
export function Lazy({ load, ...props }) {
  const [{ Part, failed }, set] = useState({ Part: null, failed: false });
  const run = () => load().then((module) => set({ Part: module.default, failed: false }), () => set({ Part: null, failed: true }));
  useEffect(() => { run(); }, []);
  useRevival(failed, run);
  if (failed) return html`<p class="empty">This part could not be loaded yet; trying again.</p>`;
  return Part ? html`<${Part} ...${props} />` : html`<p class="loading" aria-busy="true">Loading…</p>`;
}

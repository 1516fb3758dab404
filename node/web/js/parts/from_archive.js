// Marks an answer that comes from the node's archive.
import { html } from "../html.js";

export const FromArchive = ({ of }) => of.source === "archive" && html`<p class="fine" data-source="archive">From this node's archive. The node itself has forgotten it, or never had it, and has not verified it.</p>`;

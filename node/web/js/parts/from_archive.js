// Says that a node has forgotten something, and shows what its archive has.
import { html } from "../html.js";

export const FromArchive = ({ of }) => of.source === "archive" && html`<p class="fine" data-source="archive">From this node's archive: the node itself has forgotten it, or never had it, and does not vouch for it.</p>`;

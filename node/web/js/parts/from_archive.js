// Marks an answer that comes from the node's archive, or a list that ends with such answers.
import { html } from "../html.js";

const ONE = "From this node's archive. The node itself has forgotten it, or never had it, and has not verified it.";
const OLDER = "Older rows are from this node's archive. The node itself has forgotten them, or never had them, and has not verified them.";

export const FromArchive = ({ of, older = false }) => of.source === "archive" && html`<p class="fine" data-source="archive">${older ? OLDER : ONE}</p>`;

// A path that is no page.
import { html } from "../html.js";

export default function Missing({ route }) {
  return html`
    <h1>There is no such page</h1>
    <p><code class="whole">${route.path}</code> leads nowhere. The menu has all pages; the search finds addresses, ids, heights and block hashes.</p>
    <p><a href="/">Go home</a></p>`;
}

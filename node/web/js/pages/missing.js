// A path that is no page.
import { html } from "../html.js";
import { Title } from "../parts/bits.js";

export default function Missing({ route }) {
  return html`
    <${Title}>There is no such page</${Title}>
    <p><code class="whole">${route.path}</code> leads nowhere. The menu has all pages; the search finds addresses, ids, heights and block hashes.</p>
    <p><a href="/">Go home</a></p>`;
}

// A path without a page.
import { html } from "../html.js";
import { Title } from "../parts/bits.js";

export default function Missing({ route }) {
  return html`
    <${Title}>Page not found</${Title}>
    <p><code class="whole">${route.path}</code> does not exist. The menu has all pages; the search finds addresses, ids, heights, and block hashes.</p>
    <p><a href="/">Go home</a></p>`;
}

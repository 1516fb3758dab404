// Meaning of the shapes.
import { html } from "../html.js";

const sign = (content) => html`<svg width="26" height="18" viewBox="0 0 26 18" aria-hidden="true">${content}</svg>`;

export const Legend = ({ mine }) => html`
  <ul class="legend" aria-label="What the shapes mean">
    <li>${sign(html`<circle class="net-link settled" cx="13" cy="9" r="7" />`)} link, settled</li>
    <li>${sign(html`<circle class="net-link" cx="13" cy="9" r="7" />`)} link, not settled yet</li>
    <li>${sign(html`<polygon class="net-link fork" points="13,1 21,9 13,17 5,9" />`)} link on another branch</li>
    <li>${sign(html`<circle class="net-share" cx="13" cy="9" r="4" />`)} share, listed</li>
    <li>${sign(html`<circle class="net-share waiting" cx="13" cy="9" r="4" />`)} share, waits</li>
    <li>${sign(html`<polygon class="net-star" points="13,1 15,7 21,7 16,11 18,17 13,13 8,17 10,11 5,7 11,7" />`)} Bitcoin block</li>
    <li>${sign(html`<path class="net-found on" d="M3 15L23 3" />`)} found on</li>
    <li>${sign(html`<path class="net-listed on" d="M3 15Q23 15 23 3" />`)} listed by</li>
    ${mine && html`<li>${sign(html`<circle class="net-share mine" cx="13" cy="9" r="5" />`)} yours</li>`}
  </ul>`;

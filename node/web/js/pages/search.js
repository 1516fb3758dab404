// Search: by address, id, height, Bitcoin block.
import { html, useEffect } from "../html.js";
import { useApi } from "../api.js";
import { capital, sentence } from "../format.js";
import { go } from "../router.js";
import { Loaded, Notice, Tag, Title } from "../parts/bits.js";

const KINDS = { miner: "miner", link: "link", share: "share", block: "Bitcoin block of the pool", bitcoin_block: "Bitcoin block" };

const isId = (text) => /^[0-9a-f]{64}$/i.test(text);

export default function Search({ route }) {
  const text = (route.query.get("q") ?? "").trim();
  const answer = useApi(text ? `/search?q=${encodeURIComponent(text)}` : null);
  const found = answer.data?.found;
  useEffect(() => {
    // No match, or several.
    if (found?.length === 1) go(found[0].path, { replace: true });
  }, [found]);
  return html`
    <${Title}>Search</${Title}>
    ${text === "" ? html`<${What} />` : html`
      <p>For <code class="whole">${text}</code></p>
      <${Loaded} from=${answer}>${({ pruned }) => (found.length === 0
        ? pruned ? html`<${Notice} level="warn"><p>${sentence(pruned)}</p></${Notice}>` : html`<${Notice} level="warn"><p><strong>This node has no match.</strong> The text may be mistyped, too old to be kept, from another network, or unknown to this node.${isId(text) && html` <a href=${`/shares/${text.toLowerCase()}`}>Look up a share with this id</a>`}</p></${Notice}><${What} />`
        : html`<section class="card"><ul class="feed">${found.map((item) => html`<li key=${item.path}><${Tag}>${KINDS[item.kind] ?? item.kind}</${Tag}> <a href=${item.path}>${capital(item.title)}</a></li>`)}</ul></section>`)}
      </${Loaded}>`}`;
}

const What = () => html`
  <section class="card" aria-labelledby="what"><h2 id="what">What you can search for</h2>
    <ul>
      <li>a <strong>payout address</strong>: its work and its payments</li>
      <li>the <strong>id of a share or link</strong>, 64 hexadecimal digits or the last 6 or more of them, as pages show it: its status, and why it did not count if it did not</li>
      <li>a <strong>height</strong>: the links of that height, and the Bitcoin block of the pool</li>
      <li>the <strong>hash of a Bitcoin block</strong>: whether the pool found it, and its payouts</li>
    </ul>
  </section>`;

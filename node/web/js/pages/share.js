// One share: its status, and why it did not count if it did not.
import { html } from "../html.js";
import { useApi } from "../api.js";
import { BlockId, Copy, Facts, Id, LinkId, Loaded, Notice, Payee, Tag, Time, Title } from "../parts/bits.js";
import { FromArchive } from "../parts/from_archive.js";
import { FATES, ruleWords } from "../words.js";
import { btc, count, digits, sentence } from "../format.js";

export default function Share({ route }) {
  const id = route.parts[1];
  const answer = useApi(`/shares/${encodeURIComponent(id)}`, ["tip"]);
  return html`
    <${Title}>Share</${Title}>
    <p><${Copy} text=${id} /></p>
    <${Loaded} from=${answer}>${(share) => html`<${FromArchive} of=${share} /><${Fate} answer=${share} /><${Story} answer=${share} />${share.share && html`<${About} share=${share.share} id=${share.id} />`}`}</${Loaded}>`;
}

function Fate({ answer }) {
  const [level, title, words] = FATES[answer.unpaid ?? answer.fate] ?? ["info", answer.fate, ""];
  const rule = answer.refusal?.rule ?? answer.rule;
  const [meaning, todo] = answer.fate === "refused" ? ruleWords(rule) : [words, ""];
  return html`
    <${Notice} level=${level}>
      <p><strong>${title}.</strong> ${meaning} ${todo}</p>
      ${answer.fate === "refused" && html`<p class="fine">${sentence(answer.refusal?.sentence ?? answer.explanation)} Rule ${rule}.</p>`}
    </${Notice}>`;
}

/** Its history, step by step. */
function Story({ answer }) {
  const { share, refusal } = answer;
  const steps = [];
  if (share) steps.push(html`<strong>Handed out</strong> as work <${Time} at=${share.time_unix_s} />, by its finder's clock, to extend link <${LinkId} id=${share.parent} />.`);
  if (share?.validated_unix_s) steps.push(html`<strong>Found valid</strong> by this node <${Time} at=${share.validated_unix_s} />.`);
  if (refusal) steps.push(html`<strong>${share ? "An altered copy of it was rejected" : "Rejected"}</strong> by this node <${Time} at=${refusal.time_unix_s} />: it came from ${refusal.peer ? html`the peer <${Id} id=${refusal.peer} to="/peers" />` : "a miner of this node"}, and broke rule ${refusal.rule}${share ? "; the share itself is valid and unaffected" : ""}.`);
  if (answer.fate === "link") steps.push(html`<strong>Became link</strong> <a href=${`/links/${answer.id}`}>${count(answer.link_height)}</a> of the main chain: it counts.`);
  if (answer.fate === "listed") steps.push(html`<strong>Listed</strong> by link <a href=${`/links/${answer.link}`}>${count(answer.link_height)}</a>: ${answer.unpaid ? "too late to earn anything" : "so it counts"}.`);
  if (answer.fate === "pending") steps.push(html`<strong>Waits</strong> to be listed by one of the next links.`);
  if (answer.fate === "held") steps.push(html`<strong>Waits</strong> for ${answer.waits_for ?? "something missing"}.`);
  if (answer.fate === "expired") steps.push(html`<strong>Not listed</strong> by any of the links that could have listed it.`);
  if (share?.is_bitcoin_block) steps.push(html`<strong>Bitcoin block:</strong> it met Bitcoin's own target, see <${BlockId} id=${answer.id} />.`);
  if (steps.length === 0) return null;
  return html`<section class="card" aria-labelledby="story"><h2 id="story">What happened to it</h2><ol class="steps">${steps.map((step, i) => html`<li key=${i}>${step}</li>`)}</ol></section>`;
}

function About({ share, id }) {
  return html`
    <section class="card" aria-labelledby="about"><h2 id="about">The share</h2>
      <${Facts} rows=${[
        ["Found by", html`<${Payee} payee=${share} whole />`],
        ["Extends", html`link <${LinkId} id=${share.parent} />`],
        share.anchor && ["Anchor", html`link <${LinkId} id=${share.anchor} />, which decides its target and payouts`],
        ["Work handed out", html`<${Time} at=${share.time_unix_s} />`],
        ["Weight", share.weight ? `${digits(share.weight.weight_blocks)} expected Bitcoin blocks` : "no longer kept: it is deep in the chain"],
        ["Bitcoin height", html`${count(share.bitcoin_height)}${share.prev_hash && html`, on block <${Id} id=${share.prev_hash} />`}`],
        share.extranonce && ["Extranonce", html`<${Copy} text=${share.extranonce} />`],
        ["Would have paid", `${btc(share.coinbase_value_sat)} in all, as a Bitcoin block`],
        ["Bitcoin block", share.is_bitcoin_block ? html`<${Tag} tone="good">yes</${Tag}> <${BlockId} id=${id} />` : "no: its hash was not low enough, as with almost all shares"],
      ]} />
    </section>`;
}

// Events at this node, newest first.
import { html, useState } from "../html.js";
import { useApi } from "../api.js";
import { Choice, Loaded, Tag, Time, Title } from "../parts/bits.js";
import { usePages } from "../parts/table.js";
import { dateTime, sentence } from "../format.js";

/** Kind: [word, tone]. */
const KINDS = {
  block: ["block", "good"],
  payment: ["payment", "good"],
  worker: ["worker", "warn"],
  reorganisation: ["branches", "warn"],
  refused: ["rejected", "bad"],
  work: ["work", ""],
  bitcoin: ["Bitcoin", ""],
  peers: ["peers", ""],
  isolation: ["isolation", "warn"],
  conflict: ["conflict", "bad"],
  upgrade: ["upgrade", "warn"],
  start: ["start", ""],
};

export default function Log() {
  const path = "/log?limit=50";
  const answer = useApi(path, ["log"]);
  const open = useApi("/status").data?.public;
  const { rows, button } = usePages(path, answer.data, (page) => page.events, (event) => event.id);
  const [kind, setKind] = useState("all");
  const present = Object.keys(KINDS).filter((key) => rows.some((event) => event.kind === key));
  const shown = kind === "all" ? rows : rows.filter((event) => event.kind === kind);
  return html`
    <${Title}>What happened</${Title}>
    <p class="lead">Events at this node, newest first. New entries appear automatically. ${!open && "With the node's token (enter it on a miner's page), they include your own miners and payments."}</p>
    <div class="row"><${Choice} label="Which" value=${kind} onChange=${setKind} options=${[["all", "Everything"], ...present.map((key) => [key, KINDS[key][0]])]} /></div>
    <section class="card"><${Loaded} from=${answer}>${() => html`
      ${shown.length === 0 && html`<p class="empty">Nothing yet.</p>`}
      <ol class="feed log">${shown.map((event) => html`<li key=${event.id}><${Entry} event=${event} /></li>`)}</ol>
      ${button}`}
    </${Loaded}></section>`;
}

function Entry({ event }) {
  const [word, tone] = KINDS[event.kind] ?? [event.kind, ""];
  return html`
    <span class="kind"><${Tag} tone=${tone}>${word}</${Tag}></span>
    <span class="sentence">${sentence(event.sentence)} ${event.link_to && html`<a href=${event.link_to} aria-label=${`See it: ${event.sentence}`}>See it</a>`}</span>
    <span title=${dateTime(event.time_unix_s)}><${Time} at=${event.time_unix_s} /></span>`;
}

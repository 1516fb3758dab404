// The reader's devices at this node in a strip: their states, hashrates, and rejected submits.
import { html } from "../html.js";
import { useApi } from "../api.js";
import { Tag, Time } from "./bits.js";
import { useFirst } from "./more.js";
import { count, difficulty, hashrate, percent, plural } from "../format.js";

const STATES = { ok: ["good", "OK"], low: ["warn", "low"], silent: ["bad", "silent"], paused: ["", "paused"] };

/** The name without the address, which is the page's own. A name may be only an address, or have none. */
export function shortName(name, address) {
  const [first, ...rest] = name.split(".");
  const payees = first.split(",").map((part) => part.split(":")[0].trim().toLowerCase());
  return payees.includes(address?.toLowerCase()) ? rest.join(".").trim() || "no name" : name;
}

const clockTime = (unixS) => new Date(unixS * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

/** A phone has room for one line per device; the rest opens on demand. */
const isNarrow = () => matchMedia("(max-width: 720px)").matches;
/** With more devices, the states are counted above the list. */
const few = () => (isNarrow() ? 2 : 10);

const sum = (states) => Object.values(states).reduce((all, n) => all + n, 0);

/** Number of devices in each state. */
export function deviceCounts(states) {
  const counts = Object.entries(STATES).map(([state, [, word]]) => [states[state] ?? 0, word]);
  return `${plural(sum(states), "device")}: ${counts.filter(([n]) => n > 0).map(([n, word]) => `${count(n)} ${word}`).join(", ")}`;
}

/** `miner` is the answer about the address, with its devices, those that need attention first. */
export default function Devices({ miner, all }) {
  const total = sum(miner.device_states);
  const block = useApi("/pool", ["tip", "block"]).data?.bitcoin.difficulty;
  const { rows, button } = useFirst(miner.devices, few(), total, all);
  return html`
    ${total > few() && html`<p><strong>${deviceCounts(miner.device_states)}</strong></p>`}
    <ul class="feed devices" aria-label="Your devices">${rows.map((device) => html`<li key=${device.name}><${Device} device=${device} address=${miner.address} block=${block} /></li>`)}</ul>
    ${button}`;
}

const SPANS = [["1 h", "hour_hs"], ["24 h", "day_hs"], ["7 d", "week_hs"]];
const spans = (averages) => SPANS.filter(([, key]) => averages[key] != null).map(([name, key]) => `${name}: ${hashrate(averages[key])}`).join(", ");

function Device({ device, address, block }) {
  const [tone, state] = STATES[device.state];
  const word = device.paused_until_unix_s == null ? state : `${state} until ${clockTime(device.paused_until_unix_s)}`;
  const best = device.best_difficulty;
  const rejected = Object.entries(device.rejected).map(([reason, n]) => `${count(n)} ${reason.replaceAll("_", " ")}`);
  const head = html`<${Tag} tone=${tone}>${word}</${Tag}> <strong class="breakable" title=${device.name}>${shortName(device.name, address)}</strong>`;
  const about = html`<span class="fine">${spans(device.averages)}</span>${device.mean_hs > 0 ? html` <span class="fine">${percent(device.hashrate_hs / device.mean_hs)} of its 24 h average</span>` : ""}${rejected.length > 0 ? html` <span class="fine">rejected: ${rejected.join(", ")}</span>` : ""}${best == null ? "" : html` <span class="fine" title="Its difficulty; a block takes Bitcoin's difficulty.">best share today ${difficulty(device.best_today_difficulty)}, ever ${difficulty(best)}${block > 0 ? `, ${percent(Math.min(1, best / block))} of a block` : ""}</span>`}`;
  const last = html`<span class="fine">${device.last_submit_unix_s == null ? "no submit yet" : html`submit <${Time} at=${device.last_submit_unix_s} />`}</span>`;
  if (isNarrow()) return html`<details><summary>${head} ${hashrate(device.hashrate_hs)} ${last}</summary>${about}</details>`;
  return html`${head} <span>${hashrate(device.hashrate_hs)} ${about}</span> ${last}`;
}

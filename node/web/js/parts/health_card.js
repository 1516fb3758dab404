// Health of this node and the pool.
import { html } from "../html.js";
import { useApi } from "../api.js";
import { Card, Facts, Loaded, Notice, Time } from "./bits.js";
import { troubles } from "../health.js";
import { count, difficulty, hashrate, percent } from "../format.js";

const SYNC = { searching: "looking for other nodes", headers: "checking which chain has the most work", rows: "downloading past credits", shares: "downloading shares", synced: "complete" };

export function Health() {
  const status = useApi("/status", ["tip"]);
  return html`
    <${Card} title="Is anything wrong?" id="health">
      <${Loaded} from=${status}>${(data, error) => html`<${Verdict} status=${data} stale=${error !== null} />`}</${Loaded}>
    </${Card}>`;
}

function Verdict({ status, stale }) {
  const block = useApi("/pool", ["tip", "block"]).data?.bitcoin.difficulty;
  const found = stale ? [{ level: "warn", what: "The node does not answer now.", todo: "Its last answer is below." }] : troubles(status);
  const explorer = status.source === "archive";
  const tip = status.tip_age_s == null ? null : status.time_unix_s - status.tip_age_s;
  return html`
    ${found.length === 0
      ? html`<${Notice} level="ok"><p><strong>Nothing is wrong.</strong> ${explorer ? "The archive receives new data." : "This node hands out work and agrees with its peers."}</p></${Notice}>`
      : found.map(({ level, what, todo }) => html`<${Notice} level=${level} key=${what}><p><strong>${what}</strong> ${todo}</p></${Notice}>`)}
    <${Facts} rows=${[
      ["Share-chain", html`${explorer ? "from an archive" : SYNC[status.sync.state]}, newest link ${tip == null ? "none yet" : html`<${Time} at=${tip} />`}`],
      !explorer && ["Other nodes", html`<a href="/peers">${count(status.peers)} connected</a>`],
      !explorer && ["Bitcoin", status.bitcoin.height == null ? "cannot be reached" : `block ${count(status.bitcoin.height)}`],
      !explorer && ["Miners at this node", `${count(status.miners_connected)}, together ${hashrate(status.hashrate.local_hs)}`],
      ...(status.best_share.ever_difficulty == null ? [] : [["Best share", html`today ${difficulty(status.best_share.today_difficulty)}, ever ${difficulty(status.best_share.ever_difficulty)}${block > 0 ? `, ${percent(Math.min(1, status.best_share.ever_difficulty / block))} of a block` : ""}`]]),
      ["Shares", `${count(status.shares.pending)} pending, ${count(status.shares.refused_total)} rejected`],
    ]} />
    ${!explorer && html`<p class="fine"><a href="/log">Event log</a></p>`}`;
}

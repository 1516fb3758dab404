// One Bitcoin block of the pool: its finder, its payouts, and the proof that they are right.
import { html, useEffect, useState } from "../html.js";
import { passing, useApi, useExplorer } from "../api.js";
import { useRevival } from "../live.js";
import { BlockState, blockState, MATURE } from "../parts/block_state.js";
import { Bar, Card, Copy, Facts, Failed, Id, LinkId, Loaded, Notice, Payee, Time, Title } from "../parts/bits.js";
import { FromArchive } from "../parts/from_archive.js";
import { PayoutCheck } from "../parts/payout_check.js";
import { Proof } from "../proof/steps.js";
import { btc, count, percent, plural } from "../format.js";
import { luckWords } from "../chance.js";

export default function Block({ route }) {
  const named = route.parts[1];
  const answer = useApi(`/blocks/${encodeURIComponent(named)}?limit=1`, ["tip", "block"]);
  const explorer = useExplorer();
  // After a reorganization, a height may name another block; a hash never does.
  const hash = answer.data?.hash ?? named;
  const base = `/blocks/${encodeURIComponent(hash)}`;
  return html`
    <${Title}>Bitcoin block ${answer.data ? count(answer.data.height) : ""}</${Title}>
    <p><${Copy} text=${hash} /></p>
    <${Loaded} from=${answer}>${(block) => html`
      <${FromArchive} of=${block} />
      <${Standing} block=${block} />
      <section class="card" aria-labelledby="facts"><h2 id="facts">The block</h2><${About} block=${block} explorer=${explorer} /></section>
      <${PayoutCheck} hash=${block.hash} />
      <${Proven} base=${base} />`}
    </${Loaded}>`;
}

function Standing({ block }) {
  const state = blockState(block);
  if (state === "refused") return html`<${Notice} level="bad"><p><strong>Bitcoin rejected this block</strong>${block.bitcoind?.reason ? `: ${block.bitcoind.reason}` : ""}. It pays no one; the work in it still counted.</p></${Notice}>`;
  if (state === "orphaned") return html`<${Notice} level="bad"><p><strong>This block is not in Bitcoin's chain with the most work.</strong> Another block took its place, or this node's own chain has yet to catch up. Until that changes, it pays no one.</p></${Notice}>`;
  if (state === "mature") return html`<${Notice} level="ok"><p><strong>It is in Bitcoin's chain</strong> and its payments can be spent: ${count(block.confirmations)} confirmations.</p></${Notice}>`;
  return html`<${Notice}><p><strong>It is in Bitcoin's chain</strong>, and its payments can be spent when 100 blocks are on top of it. <${BlockState} block=${block} /></p><${Bar} part=${block.confirmations / MATURE} label="Confirmations" /></${Notice}>`;
}

const About = ({ block, explorer }) => html`
  <${Facts} rows=${[
    ["Found by", html`<${Payee} payee=${{ address: block.finder_address, script: block.finder_script }} whole />`],
    ["When", html`<${Time} at=${block.time_unix_s} />`],
    ["Pays", `${btc(block.value_sat)} to ${plural(block.outputs_count, "address", "addresses")}`],
    ["Effort", block.effort == null ? "unknown, since the previous block is" : `${percent(block.effort)}: ${luckWords(block.effort)}`],
    ["As a share", html`<a href=${`/shares/${block.hash}`}>its status</a>${block.listed_height == null ? "" : html`, in link <a href=${`/chain?to=${block.listed_height + 15}`}>${count(block.listed_height)}</a>`}`],
    ...(block.explorer_url ? [["Elsewhere", html`<a href=${block.explorer_url} rel="noopener noreferrer">at a Bitcoin explorer</a>, which learns of your visit`]] : []),
    ["Block before", html`<${Id} id=${block.prev_hash} />`],
    !explorer && ["This node's bitcoind said", block.bitcoind == null ? "nothing: another node submitted it, or it is too old" : block.bitcoind.verdict],
    ["Snapshot", html`work up to link <${LinkId} id=${block.snapshot} /> counts`],
  ]} />`;

/**
 * A worker fetches all weights and recomputes the payouts, so that the page is there before. The block itself never changes, so this is
 * done once.
 */
function Proven({ base }) {
  const [state, set] = useState({ rows: 0 });
  const [run, again] = useState(0);
  useRevival(passing(state.error), () => again((n) => n + 1));
  useEffect(() => {
    set({ rows: 0 });
    const waiting = [];
    const worker = new Worker(new URL("../proof/worker.js", import.meta.url), { type: "module" });
    const list = (name) => new Promise((resolve) => {
      waiting.push(resolve);
      worker.postMessage({ list: name });
    });
    worker.onmessage = ({ data }) => (data.list ? waiting.shift()(data.list) : set({ ...data, list }));
    // No status: as when the node does not answer.
    worker.onerror = () => set({ error: { message: "The check could not be loaded.", todo: "This page tries again automatically.", status: 0 } });
    worker.postMessage({ base });
    return () => {
      worker.onmessage = null;
      worker.terminate();
    };
  }, [base, run]);
  return html`
    <${Card} title="Payout check" id="proof">
      ${state.error ? html`<${Failed} error=${state.error.todo ? state.error : { message: `The proof stopped: ${state.error.message}.`, todo: "Reload the page." }} reload=${() => again(run + 1)} />`
      : state.done ? html`<div><${Proof} ...${state.done} list=${state.list} /></div>`
      : html`<label class="loading">Your browser recomputes all payouts: ${count(state.rows)} weights fetched so far… <progress></progress></label>`}
    </${Card}>`;
}

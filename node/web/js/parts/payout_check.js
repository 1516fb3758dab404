// A block's payout to one address: a proof that needs no node, verified here and offered as a file.
import { html, useState } from "../html.js";
import { get, passing } from "../api.js";
import { useRevival } from "../live.js";
import { useMe } from "../me.js";
import { Card, Failed, Notice } from "./bits.js";
import { decode, fromJson } from "../proof/payout_file.js";
import { verify } from "../proof/verify.js";
import { btc, count, plural } from "../format.js";

/** The result of a proof, in words. */
export function findingWords({ finding, sat, output, payouts, lot }) {
  if (finding === "exact") return `Output ${count(output)} pays it ${btc(sat)}, in proportion to its weight.`;
  if (finding === "drawn") return `It won the lottery: output ${count(output)} pays it ${btc(sat)}.`;
  if (finding === "not_drawn") return `It took part in the lottery for ${plural(lot.points, "output", "outputs")} and did not win, so this block pays it nothing.`;
  if (finding === "absent") return `It had no weight in the window, so none of the ${plural(payouts, "output", "outputs")} pays it.`;
  if (finding === "finder") return `It found the block and gets all of it, ${btc(sat)}.`;
  return "The block pays its finder alone, which is another address.";
}

/** Fetches a proof, and checks that it is valid and about this block. The node names the script of the address. */
async function fetchProof(hash, address) {
  const json = await get(`/blocks/${hash}/proof?address=${encodeURIComponent(address)}`);
  try {
    const bytes = fromJson(json);
    const found = verify(decode(bytes));
    if (found.block !== hash) throw new Error("it is about another block");
    const file = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
    return { address, found, file, size: bytes.length };
  } catch (error) {
    return { address, wrong: error.message };
  }
}

export function PayoutCheck({ hash }) {
  const me = useMe();
  const [text, setText] = useState(null);
  const [state, set] = useState({});
  const run = (address) => fetchProof(hash, address).then((done) => set({ done }), (error) => set({ error, address }));
  const submit = (event) => {
    event.preventDefault();
    const address = (text ?? me ?? "").trim();
    if (address) run(address);
  };
  useRevival(passing(state.error), () => run(state.address));
  return html`
    <${Card} title="Payout to an address" id="payout">
      <p>A proof of what this block pays an address, or that it pays it nothing. Your browser verifies it from Bitcoin's block header alone; the file stays valid without any node: <code>shoal proof verify FILE</code>, or <code>python3 specs/proof.py FILE</code>.</p>
      <form class="field" onSubmit=${submit}>
        <label class="hidden" for="payout-address">A payout address</label>
        <input id="payout-address" value=${text ?? me ?? ""} onInput=${(event) => setText(event.target.value)} placeholder="A payout address" autocomplete="off" spellcheck="false" autocapitalize="off" maxlength="120" />
        <button type="submit" class="main">Prove</button>
      </form>
      ${state.error && html`<${Failed} error=${state.error} />`}
      ${state.done && html`<${Shown} ...${state.done} hash=${hash} />`}
    </${Card}>`;
}

function Shown({ address, found, wrong, file, size, hash }) {
  if (wrong) return html`<${Notice} level="bad"><p><strong>The node's proof is not valid: ${wrong}.</strong> Ask another node, and report it.</p></${Notice}>`;
  return html`
    <${Notice} level="ok"><p><strong>${findingWords(found)}</strong> <code class="whole">${address}</code>, script <code class="whole">${found.script}</code></p></${Notice}>
    ${found.weight !== undefined && html`<p>Its weight is <code class="whole">${String(found.weight)}</code>, in a window of ${plural(found.dues, "address", "addresses")}.</p>`}
    ${found.lot && html`<p>Its interval in the lottery is <code class="whole">${String(found.lot.start)}</code> to <code class="whole">${String(found.lot.end)}</code>, end excluded. The first winning point is <code class="whole">${String(found.lot.point)}</code>, followed by one every <code class="whole">${String(found.lot.step)}</code>.</p>`}
    <p><a href=${file} download=${`shoal-${found.height}.proof`}>Save the proof: ${count(size)} bytes</a></p>
    <p class="fine">The proof does not show that this block is in Bitcoin's chain: look up its hash ${hash} at any Bitcoin node or explorer.</p>`;
}

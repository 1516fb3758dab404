// The payout proof, step by step, for readers.
import { html } from "../html.js";
import { Notice } from "../parts/bits.js";
import { Dues, Lot, Outputs, Tries } from "./tables.js";
import { Resum } from "./resum.js";
import { seedHeight } from "./networks.js";
import { btc, count, plural } from "../format.js";

/** `list(name)` fetches one of the proof's long lists. */
export function Proof({ block, network, proof, list }) {
  if (!proof.can) return html`<${Notice} level="warn"><p><strong>This cannot be proven here.</strong> ${proof.why}</p></${Notice}>`;
  const { selection, rows } = proof;
  const wrong = rows.filter((row) => !row.right).length;
  return html`
    ${proof.right
      ? html`<${Notice} level="ok"><p><strong>Yes: ${rows.length === 1 ? "its output follows the rules" : `all ${count(rows.length)} outputs follow the rules`}, to the satoshi.</strong> Your browser just recomputed this from the weights below, and trusted no one for the amounts.</p></${Notice}>`
      : html`<${Notice} level="bad"><p><strong>No: ${wrong > 0 ? `${plural(wrong, "output breaks", "outputs break")} the rules` : "the coinbase breaks the rules"}.</strong> Either the node that serves this page is wrong, or the rules were broken; compare with another node, and report it.</p></${Notice}>`}
    <ol class="steps">
      <li><h3>The work of each address</h3>
        <p>Up to <a href=${`/links/${block.snapshot}`}>the snapshot</a>, a link well before the block, ${plural(block.weights, "address", "addresses")} had earned weight: the work of their shares in expected Bitcoin blocks. The chain determines the snapshot; the finder has no choice.</p>
        ${selection && html`<${Dues} sum=${selection.sum} list=${list} />`}
        ${selection && html`<${Resum} block=${block} network=${network} list=${list} />`}
      </li>
      <li><h3>Is the pool old enough to share?</h3>
        <p>${count(block.snapshot_listed_total)} shares had been listed up to the snapshot; with fewer than ${count(proof.constants.listedBeforePayouts)}, only the finder would be paid. ${proof.early || !selection ? "So here, only the finder is paid." : "So all miners are paid."}</p>
      </li>
      ${selection && html`<${Shared} block=${block} proof=${proof} list=${list} />`}
      <li><h3>The amount to pay</h3>
        <p>The coinbase pays ${btc(proof.valueSat)}: the subsidy of ${btc(proof.subsidySat)} and fees of ${btc(proof.valueSat - proof.subsidySat)}. ${proof.valueRight ? "The whole subsidy is paid." : "That is less than the subsidy, which the rules forbid."}</p>
      </li>
      <li><h3>Output by output</h3>
        <p>${selection ? html`Each gets value × weight ÷ total weight, rounded down; the ${plural(Number(selection.left), "satoshi", "satoshi")} left over ${selection.left === 1n ? "goes" : "go"} to the first.` : "One output, to the finder."} Compared with the bytes of the coinbase:</p>
        <${Outputs} rows=${rows} />
      </li>
      <li><h3>The rest of the coinbase, and its block</h3>
        <ul class="checks">${proof.frame.checks.map(([what, holds]) => html`<li key=${what}><span class=${holds ? "yes" : "no"}>${holds ? "✓ right" : "✕ wrong"}</span> ${what}</li>`)}</ul>
        <details><summary>The coinbase, byte by byte</summary><pre>${block.coinbase_hex}</pre></details>
      </li>
      <li><h3>What this page cannot verify</h3>
        <p>That the block with this hash is in Bitcoin's chain, and that the seed is the hash of Bitcoin's block ${count(seedHeight(block.height, proof.constants))}: verify both at any Bitcoin node, with <code class="whole">bitcoin-cli getblock ${block.hash} 2</code> and <code class="whole">bitcoin-cli getblockhash ${seedHeight(block.height, proof.constants)}</code>. The constants are those of the network ${network}.</p>
      </li>
    </ol>`;
}

function Shared({ block, proof, list }) {
  const { selection } = proof;
  const { exact, lot } = selection;
  const { outputs } = selection.tried.at(-1);
  return html`
    <li><h3>How many outputs</h3>
      <p>At most ${count(proof.constants.outputsMax)}, and no more than ${plural(selection.dues, "address", "addresses")} with weight; fewer while the smallest would be worth less than ${btc(proof.constants.floorSat)}. That makes ${count(outputs)}: ${plural(exact, "address is", "addresses are")} paid in proportion${lot ? `, ${plural(selection.dues - exact, "smaller one draws", "smaller ones draw")} for ${plural(outputs - exact, "equal payment")}` : ", without a lottery"}.</p>
      ${selection.tried.length > 1 && html`<${Tries} tried=${selection.tried} />`}
    </li>
    ${lot && html`<li><h3>The draw</h3>
      <p>The smaller dues lie on a line, each as long as its weight, in an order that the seed decides: the hash of <span class="breakable">Bitcoin's block <code class="whole">${block.seed}</code></span>, unknown when the weights were settled. Points at equal distances of T = <code class="whole">${String(selection.tail)}</code> select the winners: each due wins with probability weight ÷ T, and is paid T, so that on average each is paid in full.</p>
      <${Lot} lot=${lot} tail=${selection.tail} list=${list} />
    </li>`}`;
}

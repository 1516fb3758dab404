// The payout proof, step by step, as a reader can follow it.
import { html } from "../html.js";
import { Notice } from "../parts/bits.js";
import { Dues, Lot, Outputs, Tries } from "./tables.js";
import { Resum } from "./resum.js";
import { seedHeight } from "./networks.js";
import { btc, count, plural } from "../format.js";

export function Proof({ block, weights, network, proof }) {
  if (!proof.can) return html`<${Notice} level="warn"><p><strong>This cannot be proven here.</strong> ${proof.why}</p></${Notice}>`;
  const { selection, rows } = proof;
  const wrong = rows.filter((row) => !row.right).length;
  return html`
    ${proof.right
      ? html`<${Notice} level="ok"><p><strong>Yes: ${rows.length === 1 ? "its output is as the rules want it" : `all ${count(rows.length)} outputs are as the rules want them`}, to the satoshi.</strong> Your browser just recomputed this from the weights below; it took nobody's word for the amounts.</p></${Notice}>`
      : html`<${Notice} level="bad"><p><strong>No: ${wrong > 0 ? `${plural(wrong, "output is", "outputs are")} not as the rules want` : "the coinbase is not as the rules want it"}.</strong> Either the node that serves this page is wrong, or the rules were broken; compare with another node, and report it.</p></${Notice}>`}
    <ol class="steps">
      <li><h3>Who had worked how much</h3>
        <p>Up to <a href=${`/links/${block.snapshot}`}>the snapshot</a>, a link well before the block, ${plural(weights.length, "address", "addresses")} had earned weight: the work of their shares in expected Bitcoin blocks. The choice of the snapshot follows from the chain; the finder has none.</p>
        ${selection && html`<${Dues} selection=${selection} weights=${weights} />`}
        ${selection && html`<${Resum} block=${block} weights=${weights} network=${network} />`}
      </li>
      <li><h3>Is the pool old enough to share?</h3>
        <p>${count(block.snapshot_listed_total)} shares had been listed up to the snapshot; with fewer than ${count(proof.constants.listedBeforePayouts)} the finder would be paid alone. ${proof.early || !selection ? "So here the finder is paid alone." : "So everyone is paid."}</p>
      </li>
      ${selection && html`<${Shared} block=${block} proof=${proof} />`}
      <li><h3>What there is to pay</h3>
        <p>The coinbase pays ${btc(proof.valueSat)}: the subsidy of ${btc(proof.subsidySat)} and fees of ${btc(proof.valueSat - proof.subsidySat)}. ${proof.valueRight ? "Nothing of the subsidy is left out." : "That is less than the subsidy, which the rules forbid."}</p>
      </li>
      <li><h3>Output by output</h3>
        <p>${selection ? html`Each gets value × weight ÷ total weight, rounded down; the ${plural(Number(selection.left), "satoshi", "satoshi")} left over ${selection.left === 1n ? "goes" : "go"} to the first.` : "One output, to the finder."} Compared with the bytes of the coinbase:</p>
        <${Outputs} rows=${rows} />
      </li>
      <li><h3>The rest of the coinbase, and its block</h3>
        <ul class="checks">${proof.frame.checks.map(([what, holds]) => html`<li key=${what}><span class=${holds ? "yes" : "no"}>${holds ? "✓ right" : "✕ wrong"}</span> ${what}</li>`)}</ul>
        <details><summary>The coinbase, byte by byte</summary><pre>${block.coinbase_hex}</pre></details>
      </li>
      <li><h3>What this page cannot see</h3>
        <p>That Bitcoin's chain has the block with this hash, and that the seed is the hash of its block ${count(seedHeight(block.height, proof.constants))}: any Bitcoin node tells with <code class="whole">bitcoin-cli getblock ${block.hash} 2</code> and <code class="whole">bitcoin-cli getblockhash ${seedHeight(block.height, proof.constants)}</code>. The constants are those of the network ${network}.</p>
      </li>
    </ol>`;
}

function Shared({ block, proof }) {
  const { selection } = proof;
  const { exact, lot } = selection;
  const { outputs } = selection.tried.at(-1);
  return html`
    <li><h3>How many outputs</h3>
      <p>At most ${count(proof.constants.outputsMax)}, and no more than ${plural(selection.ranked.length, "address", "addresses")} with weight; fewer while the smallest would be worth less than ${btc(proof.constants.floorSat)}. That makes ${count(outputs)}: ${plural(exact, "address is", "addresses are")} paid exactly${lot ? `, ${plural(selection.ranked.length - exact, "smaller one draws", "smaller ones draw")} for ${plural(outputs - exact, "even payment")}` : ", and nobody draws"}.</p>
      ${selection.tried.length > 1 && html`<${Tries} tried=${selection.tried} />`}
    </li>
    ${lot && html`<li><h3>The draw</h3>
      <p>The smaller ones lie on a line, each as long as its weight, in an order that the seed decides: the hash of <span class="breakable">Bitcoin's block <code class="whole">${block.seed}</code></span>, unknown when the weights were settled. Points at equal distances of T = <code class="whole">${String(selection.tail)}</code> select who is paid: each is drawn with the chance of its weight ÷ T, and paid T, so that all are paid what they are due on average.</p>
      <${Lot} lot=${lot} tail=${selection.tail} />
    </li>`}`;
}

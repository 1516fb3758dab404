// Expected pay of a hashrate.
import { html } from "../html.js";
import { Title } from "../parts/bits.js";
import { CalculatorForm } from "../parts/calculator_form.js";

export default function Calculator({ route }) {
  const hs = Number(route.query.get("hs")) || undefined;
  return html`
    <${Title}>What may I expect?</${Title}>
    <p class="lead">On average, a pool pays as much as mining alone, but in smaller and more frequent payments. This page shows how much more frequent.</p>
    <section class="card" aria-labelledby="numbers"><h2 id="numbers">In numbers</h2><${CalculatorForm} startHs=${hs} /></section>
    <section class="card" aria-labelledby="how-sure">
      <h2 id="how-sure">How certain is that?</h2>
      <p>Blocks are found by chance. About 1 in 20 waits is longer than three times the average, and the chance for the next hour is the same after a long wait as right after a block.</p>
    </section>`;
}

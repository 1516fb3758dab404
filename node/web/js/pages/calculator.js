// What a hashrate may expect here.
import { html } from "../html.js";
import { Title } from "../parts/bits.js";
import { CalculatorForm } from "../parts/calculator_form.js";

export default function Calculator({ route }) {
  const hs = Number(route.query.get("hs")) || undefined;
  return html`
    <${Title}>What may I expect?</${Title}>
    <p class="lead">On average a pool pays what mining alone pays; it only comes in more and smaller parts. How much more often, this page tells.</p>
    <section class="card" aria-labelledby="numbers"><h2 id="numbers">In numbers</h2><${CalculatorForm} startHs=${hs} /></section>
    <section class="card" aria-labelledby="how-sure">
      <h2 id="how-sure">How sure is that?</h2>
      <p>Blocks are found by chance. A wait of three times the average happens about 1 in 20 times, and the chance for the next hour is the same after a long wait as right after a block.</p>
    </section>`;
}

// A button that sums the weights again from the links, for readers who do not trust the node's sum.
import { html, useEffect, useRef, useState } from "../html.js";
import { Failed, Notice } from "../parts/bits.js";
import { differences, sumWindow } from "./window.js";
import { count, percent, plural } from "../format.js";

export const Resum = (props) => html`<div><${Again} ...${props} /></div>`;

function Again({ block, network, list }) {
  const [state, set] = useState({});
  const gone = useRef(false);
  useEffect(() => () => { gone.current = true; }, []);
  const start = () => {
    set({ running: true, links: 0, part: 0 });
    const summed = sumWindow(block.snapshot, network, (links, part) => !gone.current && set({ running: true, links, part }), () => gone.current);
    Promise.all([summed, list("weights")])
      .then(([done, weights]) => !gone.current && set({ done, weights }), (error) => !gone.current && set({ error }));
  };
  if (state.running) {
    return html`<div><label>Summed ${count(state.links)} links, ${percent(Math.min(1, state.part))} of the window. <progress max="1" value=${state.part}></progress></label></div>`;
  }
  if (state.error) return html`<${Failed} error=${state.error.todo ? state.error : { message: state.error.message, todo: "" }} reload=${start} />`;
  if (state.done) return html`<${Result} done=${state.done} block=${block} weights=${state.weights} />`;
  return html`<p><button type="button" onClick=${start}>Sum these weights again from the links</button> <span class="fine">One request per link of the window; this may take a while.</span></p>`;
}

function Result({ done, block, weights }) {
  if (done.missing !== undefined) return html`<${Notice} level="warn"><p>This node no longer keeps the credits of links up to ${count(done.missing)}, so it cannot compute the sum again.</p></${Notice}>`;
  const differing = differences(done.weights, weights);
  if (differing.length === 0 && done.listedTotal === block.snapshot_listed_total) {
    return html`<${Notice} level="ok"><p><strong>The same sum.</strong> ${plural(done.links, "link")} from the snapshot down credit exactly these weights.</p></${Notice}>`;
  }
  return html`<${Notice} level="bad"><p><strong>A different sum:</strong> ${plural(differing.length, "address differs", "addresses differ")} over ${plural(done.links, "link")}. Compare with another node.</p></${Notice}>`;
}

// The gaps between shares, compared with those that chance alone would produce.
import { html } from "../html.js";
import { nowS } from "../api.js";
import { Figure, Figures } from "./bits.js";
import { gapsOf, histogram } from "../mining_state.js";
import { gapPart, odds, silence } from "../chance.js";
import { count, duration } from "../format.js";

const WIDTH = 640;
const HEIGHT = 190;
const LEFT = 34;
const BOTTOM = 26;
const LEAST = 8;
/** Shares carry the times of their jobs, which are this coarse. */
const COARSE_S = 30;

export function GapPlot({ shares }) {
  const { gaps, meanS, lastS } = gapsOf(shares);
  if (meanS == null || gaps.length < LEAST) return html`<p class="empty">Too few shares: ${count(gaps.length)} gaps are known, ${LEAST} are needed.</p>`;
  if (meanS < COARSE_S) return html`<p class="empty">On average, a share came every ${duration(meanS)}. Shares carry the times of their jobs, which are too coarse to compare such gaps with chance.</p>`;
  const longest = Math.max(...gaps);
  const now = Math.max(0, nowS() - lastS);
  return html`
    <${Figures}>
      <${Figure} name="Average gap" value=${duration(meanS)}>over the last ${count(gaps.length + 1)} shares.</${Figure}>
      <${Figure} name="Since the last share" value=${duration(now)}>chance alone makes it this long: ${odds(silence(now, meanS))}.</${Figure}>
      <${Figure} name="Longest of them" value=${duration(longest)}>such a gap among ${count(gaps.length)}: ${odds(1 - (1 - silence(longest, meanS)) ** gaps.length)}.</${Figure}>
    </${Figures}>
    <${Plot} gaps=${gaps} meanS=${meanS} />
    <p class="fine">Bars: actual gaps. Dashed line: gaps expected at a steady hashrate. Many more long gaps than the line shows mean that the miner, or its connection to this node, pauses at times.</p>`;
}

function Plot({ gaps, meanS }) {
  const { width, counts } = histogram(gaps, meanS);
  const expected = counts.map((_, i) => gaps.length * gapPart(i * width, i === counts.length - 1 ? Infinity : (i + 1) * width, meanS));
  const most = Math.max(1, ...counts, ...expected) * 1.1;
  const step = (WIDTH - LEFT) / counts.length;
  const y = (value) => (HEIGHT - BOTTOM) * (1 - value / most);
  const path = expected.map((value, i) => `${i === 0 ? "M" : "L"}${LEFT + (i + 0.5) * step} ${y(value).toFixed(1)}`).join("");
  const label = `Gaps between shares. ${counts.map((n, i) => `${i === counts.length - 1 ? "longer" : `up to ${duration((i + 1) * width)}`}: ${n}, expected ${expected[i].toFixed(1)}`).join("; ")}`;
  return html`
    <svg class="plot" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${label}>
      <line class="axis" x1=${LEFT} x2=${WIDTH} y1=${y(0)} y2=${y(0)} />
      <text x=${LEFT - 6} y="12" text-anchor="end">${Math.floor(most)}</text><text x=${LEFT - 6} y=${y(0)} text-anchor="end">0</text>
      ${counts.map((n, i) => html`<rect key=${i} class="fill-a" x=${LEFT + i * step + 2} width=${step - 4} y=${y(n)} height=${y(0) - y(n)}><title>${n} gaps, ${expected[i].toFixed(1)} expected</title></rect>`)}
      <path class="line-b" d=${path} />
      ${[0, 4, 8].map((i) => html`<text key=${i} x=${LEFT + i * step} y=${HEIGHT - 8}>${duration(i * width)}</text>`)}
      <text x=${WIDTH} y=${HEIGHT - 8} text-anchor="end">longer</text>
    </svg>`;
}

// Effort of the last rounds as bars: the work of each block, in expected blocks.
import { html } from "../html.js";
import { percent } from "../format.js";
import { luckWords, roundWords } from "../chance.js";

const WIDTH = 460;
const HEIGHT = 130;
const TOP = 14;
const SHOWN = 15;

export function EffortBars({ blocks, round }) {
  const past = blocks.filter((block) => block.effort != null).slice(0, SHOWN).reverse();
  const bars = past.map((block) => ({ effort: block.effort, about: `Block ${block.height}: ${percent(block.effort)}, ${luckWords(block.effort)}` }));
  if (round?.effort != null) bars.push({ effort: round.effort, now: true, about: `This round so far: ${percent(round.effort)}. ${roundWords(round.probability)}` });
  if (bars.length < 2) return null;
  const most = Math.max(2, ...bars.map((bar) => bar.effort)) * 1.05;
  const y = (effort) => TOP + (HEIGHT - TOP) * (1 - effort / most);
  const step = (WIDTH - 60) / Math.max(bars.length, 8);
  const mean = past.reduce((sum, block) => sum + block.effort, 0) / Math.max(1, past.length);
  const label = `Effort of the last ${past.length} rounds: ${percent(mean)} on average, where 100% is average luck and less is lucky. Oldest first: ${bars.map((bar) => percent(bar.effort)).join(", ")}`;
  return html`
    <svg class="plot" viewBox=${`0 0 ${WIDTH} ${HEIGHT + 4}`} role="img" aria-label=${label}>
      <line class="axis" x1="0" x2=${WIDTH} y1=${y(0)} y2=${y(0)} />
      ${bars.map((bar, i) => html`<rect key=${bar.about} class=${bar.now ? "fill-b" : "fill-a"} x=${i * step + 3} width=${Math.max(2, step - 6)} y=${y(bar.effort)} height=${y(0) - y(bar.effort)}><title>${bar.about}</title></rect>`)}
      <line class="line-b" x1="0" x2=${WIDTH - 62} y1=${y(1)} y2=${y(1)} />
      <text x=${WIDTH} y=${y(1) + 4} text-anchor="end">average</text>
    </svg>
    <p class="fine">Effort of each round: work done over work expected; below 100% is lucky. The last bar, in orange, is this round so far. ${past.length > 0 ? `Average of the last ${past.length}: ${percent(mean)}.` : ""} Hover over a bar for its chance.</p>`;
}

// The shares of an address in the PPLNS window, oldest left, where they leave it next.
import { html } from "../html.js";
import { nowS, useApi } from "../api.js";
import { Loaded } from "./bits.js";
import { spread, stepFor } from "../spread.js";
import { count, duration, percent, plural } from "../format.js";

const WIDTH = 640;
const HEIGHT = 24;
/** Minimum opacity of a part with shares, so that it is visible. */
const FAINTEST = 0.25;

/** The answer with the shares since the window began, its steps, and the time of its beginning. */
export function usePositions(base) {
  const pool = useApi("/pool", ["tip", "block"]);
  // The genesis link has no time.
  const first = useApi(pool.data?.window.oldest_unix_s === null ? "/links/1" : null);
  const fromS = pool.data?.window.oldest_unix_s ?? first.data?.time_unix_s;
  const step = fromS ? stepFor(nowS() - fromS) : null;
  const answer = useApi(step ? `${base}/history?step=${step.s}&limit=${step.count}` : null, ["tip"]);
  return { first, fromS, step, answer };
}

export function PositionStrip({ base }) {
  const { first, fromS, step, answer } = usePositions(base);
  // The node no longer keeps the oldest link: there is no left end to draw.
  if (first.error) return null;
  return html`<${Loaded} from=${answer}>${({ points }) => html`<${Strip} parts=${spread(points, step.s, fromS, nowS())} fromS=${fromS} />`}</${Loaded}>`;
}

function Strip({ parts, fromS }) {
  const sum = (some) => some.reduce((a, b) => a + b, 0);
  const all = sum(parts);
  if (all === 0) return null;
  const most = Math.max(...parts);
  const older = sum(parts.slice(0, Math.floor(parts.length / 2)));
  const width = WIDTH / parts.length;
  const age = duration(nowS() - fromS);
  const label = `Shares of this address in the PPLNS window, oldest left: ${plural(all, "share")} over ${age}, ${percent(older / all)} of them in the older half`;
  return html`
    <figure id="positions">
      <svg class="plot" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label=${label}>
        <rect class="fill-none" width=${WIDTH} height=${HEIGHT} />
        ${parts.map((n, i) => n > 0 && html`<rect key=${i} class="fill-a" x=${i * width} width=${width} height=${HEIGHT} opacity=${FAINTEST + (1 - FAINTEST) * (n / most)}><title>${plural(n, "share")}</title></rect>`)}
      </svg>
      <figcaption class="fine">${count(all)} shares found since the window began, ${age} ago: oldest at the left, where they leave it next. ${percent(older / all)} are in its older half.</figcaption>
    </figure>`;
}

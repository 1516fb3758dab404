// Hashrate and shares over time, of the pool or of one miner, with a choice of periods.
import { html, useMemo, useState } from "../html.js";
import { nowS, useApi } from "../api.js";
import { LineChart } from "../chart.js";
import { Choice, Loaded } from "./bits.js";
import { filled } from "../steps.js";
import { count, hashrate } from "../format.js";

/** Step in seconds, points, name. */
const RANGES = { hours: [60, 180, "3 hours"], day: [600, 144, "1 day"], week: [3600, 168, "1 week"], year: [86400, 365, "1 year"] };
const shares = (n) => count(Math.round(n));

export function HashrateChart({ base, name, withShares }) {
  const [range, setRange] = useState("hours");
  const [what, setWhat] = useState("hashrate");
  const [step, limit] = RANGES[range];
  const answer = useApi(`${base}/history?step=${step}&limit=${limit}`, ["tip"]);
  const points = useMemo(() => filled(answer.data?.points ?? [], step, limit, nowS(), answer.data?.next_from === null).map((p) => ({ t: p.time_unix_s, y: what === "shares" ? p.shares : p.hashrate_hs })), [answer.data, what]);
  const stepName = { 60: "minute", 600: "ten minutes", 3600: "hour", 86400: "day" }[step];
  const label = what === "shares" ? `Shares of ${name} in each ${stepName}` : `Hashrate of ${name}`;
  return html`<div>
    <div class="row">
      <${Choice} label="How long" value=${range} onChange=${setRange} options=${Object.entries(RANGES).map(([key, [, , text]]) => [key, text])} />
      ${withShares && html`<${Choice} label="What" value=${what} onChange=${setWhat} options=${[["hashrate", "Hashrate"], ["shares", "Shares"]]} />`}
    </div>
    <${Loaded} from=${answer}>${() => html`<${LineChart} points=${points} label=${label} format=${what === "shares" ? shares : hashrate} />`}</${Loaded}>
    <p class="fine">Estimated from the shares of each ${stepName}; chance makes it vary, most where shares are few.</p>
  </div>`;
}

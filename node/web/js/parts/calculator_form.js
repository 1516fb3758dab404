// A form for a hashrate, with its expected pay by the pool's current numbers.
import { html, useEffect, useState } from "../html.js";
import { useApi } from "../api.js";
import { Figure, Figures, Loaded } from "./bits.js";
import { Table } from "./table.js";
import { expect } from "../expect.js";
import { digits, duration, hashes, percent, roughBtc } from "../format.js";
import { chance } from "../chance.js";

const UNITS = [["kH/s", 1e3], ["MH/s", 1e6], ["GH/s", 1e9], ["TH/s", 1e12], ["PH/s", 1e15], ["EH/s", 1e18]];

function split(hs) {
  const [unit, scale] = [...UNITS].reverse().find(([, size]) => hs >= size) ?? UNITS[0];
  return { unit, text: digits(hs / scale).replaceAll(",", "") };
}

/** `startHs` fills the form; `included` means that this hashrate is already part of the pool's. */
export function CalculatorForm({ startHs, included = false }) {
  const pool = useApi("/pool", ["tip", "block"]);
  const window = useApi("/window?limit=1");
  const status = useApi("/status");
  const main = status.data?.network === "main";
  const [form, set] = useState(null);
  useEffect(() => {
    if (form === null && status.data) set(split(startHs ?? (main ? 200e12 : 20e3)));
  }, [status.data, startHs]);
  const hashrateHs = form ? Number(form.text) * UNITS.find(([unit]) => unit === form.unit)[1] : 0;
  const ready = pool.data && window.data && form ? { ...pool, data: { pool: pool.data, window: window.data } } : { ...pool, data: null, error: pool.error ?? window.error ?? status.error };
  return html`<div>
    <div class="form">
      <label>Your hashrate <input type="number" min="0" step="any" inputmode="decimal" value=${form?.text ?? ""} onInput=${(e) => set({ ...form, text: e.target.value })} /></label>
      <label>Unit <select value=${form?.unit ?? "TH/s"} onChange=${(e) => set({ ...form, unit: e.target.value })}>${UNITS.map(([unit]) => html`<option key=${unit} value=${unit}>${unit}</option>`)}</select></label>
    </div>
    <${Loaded} from=${ready}>${(data) => (hashrateHs > 0 ? html`<${Result} ...${data} hashrateHs=${hashrateHs} included=${included} />` : html`<p class="empty">Enter a hashrate above zero.</p>`)}</${Loaded}>
  </div>`;
}

function Result({ pool, window, hashrateHs, included }) {
  const outputs = window.next_block?.outputs ?? [];
  const tailSat = outputs.find((output) => output.drawn)?.value_sat ?? null;
  const shareHashes = Number(pool.chain.share_work_hashes);
  const is = expect({
    hashrateHs,
    poolHs: (pool.hashrate_hs ?? 0) + (included ? 0 : hashrateHs),
    difficulty: pool.bitcoin.difficulty,
    shareHashes,
    valueSat: pool.bitcoin.next_value_sat,
    windowBlocks: pool.window.target_blocks,
    tailSat,
  });
  const ways = [{ name: "Without the pool", ...is.solo }, { name: "With the pool", ...is.pool }];
  return html`
    <${Figures}>
      <${Figure} name="A share" value=${`every ${duration(is.shareS)}`}>on average; each takes ${hashes(pool.chain.share_work_hashes)} now.</${Figure}>
      <${Figure} name="Your part of the pool" value=${percent(is.part)}>${included ? "now" : "with your hashrate added"}.</${Figure}>
      <${Figure} name="A block of the pool" value=${`every ${duration(is.poolBlockS)}`}>on average, at today's hashrate and difficulty.</${Figure}>
      <${Figure} name="Your payout" value=${roughBtc(is.dueSat)}>on average${is.drawn < 1 ? html`: small payouts go by lottery, ${roughBtc(tailSat)} with a chance of ${chance(is.drawn)}` : ", in proportion to your work"}.</${Figure}>
    </${Figures}>
    <h3 class="apart">What the pool changes: not the amount, but its regularity</h3>
    <${Table} caption="With and without the pool" rows=${ways} rowKey=${(way) => way.name} columns=${[
      { head: "Mining", cell: (way) => html`<strong>${way.name}</strong>` },
      { head: "Average time between payments", num: true, cell: (way) => duration(way.paidS) },
      { head: "Any payment in a month", num: true, cell: (way) => chance(way.month) },
      { head: "Any payment in a year", num: true, cell: (way) => chance(way.year) },
      { head: "Average a month", num: true, cell: () => roughBtc(is.monthSat) },
      { head: "Typical month (68% range)", num: true, cell: (way) => spread(way) },
    ]} />
    <p class="fine">Averages at today's difficulty, without pool fees (this pool has none) and without electricity. Difficulty changes every two weeks. The typical month is the average plus or minus one standard deviation.</p>`;
}

function spread(way) {
  if (way.spread > 1) return way.month < 0.5 ? "nothing, most likely" : `nothing to ${roughBtc(way.highSat)}`;
  return `${roughBtc(way.lowSat)} to ${roughBtc(way.highSat)}`;
}

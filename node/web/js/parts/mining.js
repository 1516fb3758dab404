// Two answers about an address: does it mine, and what would a block found now pay it.
import { html } from "../html.js";
import { useApi } from "../api.js";
import { Figure, Figures, Loaded, Notice, Time } from "./bits.js";
import { nowS } from "../clock.js";
import { estimate } from "../estimate.js";
import { gapsOf } from "../gaps.js";
import { btc, count, duration, percent, roughBtc } from "../format.js";
import { chance, odds, silence } from "../chance.js";

/** A silence that chance alone brings once in so many times is worth a word. */
const ODD = 0.001;
const CONFIRMATIONS = 100;
const BITCOIN_BLOCK_S = 600;

export function MiningNow({ address }) {
  const shares = useApi(`/miners/${encodeURIComponent(address)}/shares?limit=100`, ["tip"]);
  return html`<${Loaded} from=${shares} quiet>${({ shares: list }) => html`<${Verdict} list=${list} />`}</${Loaded}>`;
}

function Verdict({ list }) {
  const { lastS, meanS, gaps } = gapsOf(list);
  if (lastS == null) {
    return html`<${Notice} level="warn"><p><strong>No share of this address has reached this node.</strong> A new miner waits for its first one: the <a href="/calculator">calculator</a> says how long. If it waits much longer, compare the address with the user name in the miner.</p></${Notice}>`;
  }
  const gap = nowS() - lastS;
  if (meanS == null || gaps.length < 3) {
    return html`<${Notice} level="ok"><p><strong>Yes, you are mining:</strong> the last share came <${Time} at=${lastS} />. How often they come is not known yet.</p></${Notice}>`;
  }
  const p = silence(gap, meanS);
  if (p < ODD) {
    return html`<${Notice} level="warn"><p><strong>You were mining, but no share has come for ${duration(gap)}.</strong> Before, one came every ${duration(meanS)}; such a silence by chance: ${odds(p)}. See whether the miner runs and is connected.</p></${Notice}>`;
  }
  return html`<${Notice} level="ok"><p><strong>Yes, you are mining:</strong> the last share came <${Time} at=${lastS} />, one comes every ${duration(meanS)} on average.</p></${Notice}>`;
}

/** What a block found now would pay, in words, and when such a block may come. */
export function NextPay({ miner }) {
  const pool = useApi("/pool", ["tip", "block"]);
  const pay = estimate(miner);
  const wait = pool.data?.expected_block_s;
  return html`
    <${Figures}>
      <${Figure} name="If a block were found now" value=${amount(pay)}>${how(pay)}</${Figure}>
      <${Figure} name="Your part of the pool's work" value=${percent(miner.window.part)}>by ${count(miner.window.shares)} shares that count now${miner.pending_shares > 0 ? `, ${count(miner.pending_shares)} more wait to be listed` : ""}.</${Figure}>
      <${Figure} name="When" value=${wait == null ? "not known yet" : `every ${duration(wait)}`}>${when(wait)}</${Figure}>
    </${Figures}>`;
}

function amount(pay) {
  if (pay.kind === "unknown") return "not known yet";
  if (pay.kind === "alone") return "all or nothing";
  if (pay.kind === "none") return "nothing yet";
  return pay.kind === "exact" ? btc(pay.payment_sat) : `${roughBtc(pay.expected_sat)} on average`;
}

function how(pay) {
  if (pay.kind === "unknown") return "The node still lacks a part of the history.";
  if (pay.kind === "alone") return `Too few shares were listed so far: whoever finds the block gets all ${btc(pay.value_sat)}.`;
  if (pay.kind === "none") return "Work counts for payouts some time after it was listed; keep mining.";
  const of = `of ${btc(pay.value_sat)}`;
  if (pay.kind === "exact") return `Paid exactly, ${of}, by the work up to the snapshot that such a block would use.`;
  if (pay.probability == null) return `Drawn by lot, ${of}.`;
  if (pay.probability >= 0.9995) return `${roughBtc(pay.payment_sat)} by lot, ${of}; with your work the lot falls on you almost surely.`;
  return `Small parts are drawn by lot, so that a block has room for all: ${roughBtc(pay.payment_sat)} with a chance of ${chance(pay.probability)}, else nothing. ${pay.drawn ? "The draw for a block on today's tip would take you." : "The draw for a block on today's tip would not take you."} Each new Bitcoin block draws anew.`;
}

function when(wait) {
  const maturity = `Bitcoin lets a block's reward be spent after ${CONFIRMATIONS} blocks, about ${duration(CONFIRMATIONS * BITCOIN_BLOCK_S)}.`;
  if (wait == null) return `With the pool's next block; how long that takes is not known yet. ${maturity}`;
  return `The pool finds a block on average, never sooner because the last was long ago; it pays you itself. ${maturity}`;
}

// The main facts about an address: whether and how fast it mines, its pay, and its next payment.
import { html, useEffect, useState } from "../html.js";
import { nowS, useApi, useExplorer } from "../api.js";
import { Figure, Figures, Loaded, Notice, Time } from "./bits.js";
import { estimate } from "../estimate.js";
import { miningState } from "../mining_state.js";
import { btc, count, duration, hashrate, pay as roughPay, percent, roughBtc, UNKNOWN } from "../format.js";
import { chance, odds } from "../chance.js";

const CONFIRMATIONS = 100;
/** Devices submit every few seconds, so a failure shows this soon. */
const LOOK_MS = 10000;

/** Rows of its lists that an answer has at first. */
const FIRST = 20;

/** The answer about an address; a click on "more" calls its `all`, which asks for whole lists. */
export function useMiner(address) {
  const [whole, set] = useState(false);
  const path = `/miners/${encodeURIComponent(address)}`;
  const first = useApi(`${path}?limit=${FIRST}`, ["tip", "block"]);
  const all = useApi(whole ? path : null, ["tip", "block"]);
  return { ...(whole && all.data ? all : first), all: () => set(true) };
}

export function MiningNow({ address, miner }) {
  const shares = useApi(`/miners/${encodeURIComponent(address)}/shares?limit=100`, ["tip"]);
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && miner.reload(), LOOK_MS);
    return () => clearInterval(timer);
  }, [address]);
  return html`<${Loaded} from=${shares} quiet>${({ shares: list }) => html`<${Verdict} miner=${miner.data} list=${list} />`}</${Loaded}>`;
}

function Verdict({ miner, list }) {
  const state = miningState(miner, list, nowS());
  const states = Object.keys(miner.device_states ?? {});
  if (state.kind !== "here" && states.length > 0 && states.every((one) => one === "paused")) {
    return html`<${Notice} level="ok"><p><strong>Your devices are paused</strong> by this node's schedule or switch.</p></${Notice}>`;
  }
  if (state.kind === "here") return html`<${Notice} level="ok"><p><strong>Yes, you are mining</strong> at this node: the last submit was accepted <${Time} at=${state.lastS} />.</p></${Notice}>`;
  if (state.kind === "silent") {
    return html`<${Notice} level="bad"><p><strong>Your device is silent.</strong> Its last submit was accepted <${Time} at=${state.lastS} />, and working devices send one every few seconds. Check its power, its network, and its own page; if that page answers, restart the device.</p></${Notice}>`;
  }
  if (state.kind === "stopped") {
    return html`<${Notice} level="warn"><p><strong>You were mining, but no share has come for ${duration(state.gapS)}.</strong> Before, one came every ${duration(state.meanS)}; the chance of such a silence is ${odds(state.chance)}. Your device is not connected to this node: check whether it runs, and whether its own node does.</p></${Notice}>`;
  }
  if (state.kind === "elsewhere") {
    return html`<${Notice} level="ok"><p><strong>Yes, you are mining</strong>, at another node: the last share was found <${Time} at=${state.lastS} />${state.meanS == null ? "" : `, and one is found every ${duration(state.meanS)} on average`}. Only that node sees every submit of your device.</p></${Notice}>`;
  }
  return html`<${Notice} level="warn"><p><strong>No submit and no share of this address has reached this node.</strong> A new miner must wait for its first share; the <a href="/calculator">calculator</a> shows how long. If it is connected here and this notice stays, compare the address with the user name in the miner.</p></${Notice}>`;
}

/** Hashrate, pay per day, interval of payments, and payout of a block found now; `brief` leaves out the rest. */
export function NextPay({ miner, brief }) {
  const pool = useApi("/pool", ["tip", "block"]);
  const explorer = useExplorer();
  const next = estimate(miner);
  const maturityS = pool.data && CONFIRMATIONS * pool.data.bitcoin.interval_s;
  return html`
    <${Figures} brief=${brief}>
      ${miner.last_submit_unix_s == null
        ? html`<${Figure} name="Your hashrate" value=${hashrate(miner.hashrate_hour_hs)}>in the last hour, from your shares${miner.hashrate_hour_hs > 0 ? "; your devices are at other nodes" : ""}. In 24 h: ${hashrate(miner.hashrate_day_hs)}.</${Figure}>`
        : html`<${Figure} name="Your hashrate" value=${hashrate(miner.hashrate_hs)}>now, from the devices at this node. From shares at all nodes: ${hashrate(miner.hashrate_hour_hs)} in the last hour, ${hashrate(miner.hashrate_day_hs)} in 24 h.</${Figure}>`}
      ${!explorer && html`<${Figure} name="You earn per day" value=${miner.pay == null ? UNKNOWN : roughPay(miner.pay.day_sat)}>on average, from your work that counts now, at today's pool hashrate and difficulty.</${Figure}>
      <${Figure} name="You are paid" value=${often(miner.pay)}>${oftenAbout(miner.pay)}</${Figure}>
      <${Figure} name="A block now pays you" value=${amount(next, brief)}>${how(next)}</${Figure}>`}
      ${!brief && html`<${Figure} name="Your part of the pool's work" value=${percent(miner.window.part)}>by ${count(miner.window.shares)} shares that count now${miner.pending_shares > 0 ? `, ${count(miner.pending_shares)} more wait to be listed` : ""}.</${Figure}>
      <${Figure} name="A block of the pool" value=${pool.data?.expected_block_s == null ? UNKNOWN : `every ${duration(pool.data.expected_block_s)}`}>on average, no matter who finds it; a long wait does not make the next one come sooner.${maturityS ? ` Its reward can be spent ${CONFIRMATIONS} blocks later, after about ${duration(maturityS)}.` : ""}</${Figure}>`}
    </${Figures}>`;
}

function often(pay) {
  if (pay == null) return UNKNOWN;
  return pay.every_s == null ? "not yet" : `every ${duration(pay.every_s)}`;
}

function oftenAbout(pay) {
  if (pay == null) return "The pool's hashrate is not known yet.";
  if (pay.every_s == null) return "None of your work counts yet.";
  const part = pay.block_probability >= 0.9995 ? "By each block of the pool" : `By ${odds(pay.block_probability)} blocks of the pool`;
  return `on average. ${part}, about ${roughPay(pay.payout_sat)} each time. Chance of any payment within a month: ${chance(pay.month_probability)}; within a year: ${chance(pay.year_probability)}.`;
}

function amount(next, brief) {
  if (next.kind === "unknown") return UNKNOWN;
  if (next.kind === "alone") return "all or nothing";
  if (next.kind === "none") return "nothing yet";
  return next.kind === "exact" ? (brief ? roughBtc : btc)(next.payment_sat) : `${roughBtc(next.expected_sat)} on average`;
}

function how(next) {
  if (next.kind === "unknown") return "The node still lacks a part of the history.";
  if (next.kind === "alone") return `Too few shares are listed so far: the finder of the block gets all ${btc(next.value_sat)}.`;
  if (next.kind === "none") return "Work counts for payouts some time after it is listed; keep mining.";
  const of = `of ${btc(next.value_sat)}`;
  if (next.kind === "exact") return `Proportional to the work up to the snapshot that such a block would use, ${of}.`;
  if (next.probability == null) return `By lottery, ${of}.`;
  if (next.probability >= 0.9995) return `${roughBtc(next.payment_sat)} by lottery, ${of}; with your work, a win is almost certain.`;
  return `A lottery decides among small dues, since a block has no room for all: ${roughBtc(next.payment_sat)} with a chance of ${chance(next.probability)}, otherwise nothing. ${next.drawn ? "You would win the lottery for a block on today's tip." : "You would not win the lottery for a block on today's tip."} Each new Bitcoin block changes the lottery.`;
}

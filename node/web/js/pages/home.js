// Home: the health of the pool, the reader's mining and pay, and the other miners.
import { html } from "../html.js";
import { useApi } from "../api.js";
import { BlockId, Card, Figure, Figures, Loaded, Time, Title } from "../parts/bits.js";
import { HashrateChart } from "../parts/hashrate_chart.js";
import { Health } from "../parts/health_card.js";
import { You } from "../parts/you_card.js";
import { Feed } from "../parts/feed.js";
import { Spread } from "../parts/spread_card.js";
import { LastBlocks } from "../parts/last_blocks.js";
import { count, duration, hashrate, percent, plural, si, UNKNOWN } from "../format.js";
import { atLeastOne, odds, roundWords } from "../chance.js";

const DAY = 86400;

function shareOfBitcoin(pool) {
  if (pool.share_of_bitcoin == null) return [UNKNOWN, "The pool's hashrate is not known yet."];
  const of = `Bitcoin's network has about ${hashrate(pool.bitcoin.hashrate_hs)}, by its difficulty.`;
  if (pool.share_of_bitcoin >= 0.999) return ["all of it", of];
  return [percent(pool.share_of_bitcoin), of];
}

function nextBlock(pool) {
  const s = pool.expected_block_s;
  if (s == null) return [UNKNOWN, "The pool's hashrate is not known yet."];
  const span = s < DAY ? ["hour", 3600] : s < 30 * DAY ? ["day", DAY] : s < 365 * DAY ? ["month", 30 * DAY] : ["year", 365 * DAY];
  const p = odds(atLeastOne(span[1] / s));
  return [`every ${duration(s)}`, `On average, from any moment. Chance of at least one within a${span[0] === "hour" ? "n" : ""} ${span[0]}: ${p}.`];
}

function Pool({ pool }) {
  const [part, partAbout] = shareOfBitcoin(pool);
  const [wait, waitAbout] = nextBlock(pool);
  const { round } = pool;
  const since = round.since_unix_s == null ? html`Since the pool began.` : html`Since <${BlockId} id=${round.since_block} />, <${Time} at=${round.since_unix_s} />.`;
  return html`
    <${Figures}>
      <${Figure} name="Hashrate of the pool" value=${hashrate(pool.hashrate_hs)}>${pool.hashrate_hs == null ? "Too few links for an estimate yet." : `Estimated from the last ${plural(pool.hashrate_links, "link")}.`}</${Figure}>
      <${Figure} name="Part of Bitcoin's hashrate" value=${part}>${partAbout}</${Figure}>
      <${Figure} name="A Bitcoin block" value=${wait}>${waitAbout}</${Figure}>
      <${Figure} name="Round effort" value=${percent(round.effort)}>work done over work expected for a block: 100% is average, less is lucky. ${roundWords(round.probability)} ${since}</${Figure}>
      <${Figure} name="Links and shares" value=${`${si(pool.shares_minute, "shares/min")}`}>${count(pool.links_minute)} links in the last full minute; the newest has height ${count(pool.chain.height)}, and links up to ${count(pool.chain.settled_height)} are settled.</${Figure}>
      <${Figure} name="Paid addresses" value=${count(pool.window.scripts_total)}>share the next block by their work ${pool.window.oldest_unix_s == null ? "since the pool began" : html`since <${Time} at=${pool.window.oldest_unix_s} />`}.</${Figure}>
    </${Figures}>`;
}

export default function Home() {
  const pool = useApi("/pool", ["tip", "block"]);
  return html`
    <${Title}>A mining pool without an operator</${Title}>
    <p class="lead home-lead">Every block that any miner finds pays all miners directly. This is the pool as this node sees it.</p>
    <div class="cards">
      <${You} />
      <${Health} />
      <${Card} title="The pool now" id="pool" wide>
        <${Loaded} from=${pool}>${(data) => html`<${Pool} pool=${data} />`}</${Loaded}>
      </${Card}>
      <${Card} title="Hashrate over time" id="over-time" wide><${HashrateChart} base="/pool" name="the pool" withShares /></${Card}>
      <${LastBlocks} round=${pool.data?.round} />
      <${Feed} />
      <${Spread} pool=${pool} />
    </div>`;
}

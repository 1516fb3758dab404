// Numbers and sentences. Run: node --test node/tests/web
import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceCounts } from "../../web/js/parts/devices.js";
import { ago, btc, count, digits, duration, hashes, hashrate, pay, percent, plural, roughBtc, shortId, si } from "../../web/js/format.js";
import { atLeastOne, chance, gapPart, luckWords, odds, roundWords } from "../../web/js/chance.js";
import { troubles } from "../../web/js/health.js";
import { estimate } from "../../web/js/estimate.js";
import { gapsOf, histogram, miningState } from "../../web/js/mining_state.js";
import { filled } from "../../web/js/steps.js";
import { spread, stepFor } from "../../web/js/spread.js";
import { expect } from "../../web/js/expect.js";
import { percentPlaces, places } from "../../web/js/columns.js";

test("numbers have the commas of English", () => {
  const english = new Intl.NumberFormat("en", { maximumFractionDigits: 8 });
  for (const n of [0, 7, 999, 1000, 12345, 999999, 1e6, 123456789, 2 ** 53, 1e22, -1234, 12345678901234567890n]) assert.equal(count(n), english.format(n), `${n}`);
  for (const sat of [0.0123, 999.4, 1e6, 123456789012, 31.25e8]) assert.match(roughBtc(sat), new RegExp(`^${english.format(sat < 1e6 ? Number(sat.toPrecision(3)) : Number((sat / 1e8).toPrecision(4)))} `), `${sat}`);
  assert.deepEqual([digits(1234.5678, 2), digits(0.5, 3), digits(-1e6)], ["1,234.57", "0.500", "-1,000,000"]);
});

test("devices are counted by state", () => {
  assert.equal(deviceCounts({ ok: 1989, silent: 11 }), "2,000 devices: 1,989 OK, 11 silent");
  assert.equal(deviceCounts({ paused: 1 }), "1 device: 1 paused");
});

test("numbers carry units and three digits", () => {
  const table = [
    [hashrate(0), "0 H/s"], [hashrate(999.7e3), "1 MH/s"], [hashrate(145_470), "145 kH/s"], [hashrate(7.2e20), "720 EH/s"], [hashrate(null), "not known yet"],
    [si(0.00098, "s"), "980 µs"], [digits(1234.5), "1,235"], [digits(0.668), "0.668"],
    [btc(0), "0 sat"], [btc(99_999), "99,999 sat"], [btc(100_000), "0.00100000 BTC"], [btc(5_000_003_417n), "50.00003417 BTC"], [btc(2_100_000_000_000_001n), "21,000,000.00000001 BTC"], [btc(-150_000n), "-0.00150000 BTC"],
    [pay(0.0421), "0.0421 sat"], [pay(1e-9), "below 0.001 sat"], [pay(0), "0 sat"], [pay(12.3456), "12.3 sat"], [roughBtc(83_574_019), "0.8357 BTC"], [roughBtc(123_456), "123,000 sat"],
    [percent(0), "0%"], [percent(0.5), "50%"], [percent(0.00000123), "below 0.001%"], [percent(0.9995), "above 99.9%"], [percent(1), "100%"], [percent(null), "not known yet"],
    [duration(0), "0 s"], [duration(0.4), "0.4 s"], [duration(59.7), "60 s"], [duration(200), "3 min 20 s"], [duration(3661), "1 h 1 min"], [duration(86400 * 3), "3 days"], [duration(1e9), "31.7 years"], [duration(Infinity), "not known yet"],
    [hashes("19868"), "19.9 thousand hashes"], [hashes("4398046511104"), "4.4 trillion hashes"], [hashes(null), "not known yet"],
    [plural(1, "share"), "1 share"], [plural(2, "address", "addresses"), "2 addresses"],
    [ago(100, 101), "just now"], [ago(100, 160), "1 min ago"], [ago(200, 100), "just now"], [shortId("0".repeat(54) + "123456789a"), "…123456789a"],
  ];
  for (const [is, wanted] of table) assert.equal(is, wanted);
});

test("no number is shown with an exponent", () => {
  for (let power = -12; power < 30; power += 1) for (const text of [digits(3.14159 * 10 ** power), hashrate(2.5 * 10 ** power), duration(7 * 10 ** power)]) assert.doesNotMatch(text, /e[+-]?\d|NaN|undefined/, text);
});

test("the numbers of a column have the same decimals", () => {
  const decimals = (texts) => new Set(texts.map((text) => text.match(/\.(\d+)/)?.[1].length ?? 0)).size;
  const rates = [92e3, 4.9, 3.2, 0, 1.25e12, 999.999e9];
  assert.deepEqual(rates.map((hs) => hashrate(hs, 2)), ["92.00 kH/s", "4.90 H/s", "3.20 H/s", "0 H/s", "1.25 TH/s", "1.00 TH/s"]);
  assert.deepEqual([0.527, 0.031, 0.0723, 1.746, 0, 0.00001].map((part) => percent(part, 2)), ["52.70%", "3.10%", "7.23%", "174.60%", "0.00%", "below 0.01%"]);
  assert.deepEqual([5_000_003_417n, 90_000, 0].map((sat) => btc(sat, true)), ["50.00003417 BTC", "0.00090000 BTC", "0.00000000 BTC"]);
  assert.deepEqual([hashes("20000", 2), hashes("19868", 2)], ["20.00 thousand hashes", "19.87 thousand hashes"]);
  for (const column of [[2.1, 1.87, 0.5], [5e-7, 2e-6], [1234.5, 800], [0, 0], []]) {
    const fixed = places(column);
    assert.ok(decimals(column.map((value) => digits(value, fixed))) <= 1, `${column}`);
    assert.ok(column.every((value) => value === 0 || Number(digits(value, fixed).replaceAll(",", "")) > 0), `${column}`);
  }
  assert.deepEqual([percentPlaces([0.36, 0.64]), percentPlaces([0.5, 0.00001])], [1, 4]);
});

test("chances in words", () => {
  assert.equal(odds(0.05), "about 1 in 20");
  assert.equal(odds(0.5), "about 5 in 10");
  assert.equal(odds(0.25), "about 1 in 4");
  assert.equal(odds(1), "almost certain");
  assert.equal(odds(0), "none");
  assert.equal(odds(1e-9), "less than 1 in a million");
  assert.equal(chance(0.05), "about 1 in 20 (5%)");
  assert.equal(odds(null), "not known yet");
  // Effort is work done over work expected, on every page: below 100% is lucky, although half of all rounds end below 69%.
  assert.match(luckWords(0.105), /^lucky: about 1 in 10/);
  assert.match(luckWords(0.76), /^lucky: about 5 in 10/);
  assert.match(luckWords(0.99), /^lucky/);
  assert.equal(luckWords(1.004), "average");
  assert.match(luckWords(1.01), /^unlucky: about 4 in 10/);
  assert.match(luckWords(2.303), /^unlucky: about 1 in 10/);
  assert.equal(luckWords(null), "not known");
  assert.match(roundWords(0.63), /63 would have/);
  assert.ok(Math.abs(atLeastOne(1) - 0.632) < 0.001);
  assert.ok(Math.abs(gapPart(0, Infinity, 3) - 1) < 1e-12);
  // Odds never rise when the chance falls.
  let before = Infinity;
  for (let p = 0.34; p > 1e-5; p *= 0.97) {
    const n = Number(odds(p).match(/1 in ([\d,]+)/)[1].replaceAll(",", ""));
    assert.ok(n >= 1 && (before === Infinity || n >= before), `${p} ${n}`);
    before = n;
  }
});

test("gaps between shares", () => {
  const { lastS, meanS, gaps } = gapsOf([{ time_unix_s: 100 }, { time_unix_s: 130 }, { time_unix_s: 110 }]);
  assert.deepEqual([lastS, meanS, gaps], [130, 15, [20, 10]]);
  assert.deepEqual(gapsOf([]), { lastS: null, meanS: null, gaps: [] });
  assert.equal(gapsOf([{ time_unix_s: 1 }, { time_unix_s: 1 }]).meanS, null);
  const { counts } = histogram([0, 1, 44, 45, 1000], 15);
  assert.equal(counts.reduce((a, b) => a + b), 5);
  assert.equal(counts.at(-1), 2);
});

const WELL = { network: "main", link_interval_s: 10, time_unix_s: 1_000, states: [], mining: [], solo_because: null, conflict: null, handing_out_work: true, no_work_because: null, sync: { state: "synced", peers_height: 9, progress: 1 }, peers: 3, bitcoin: { height: 10, header_height: 10, trouble: null }, upgrades: [], tip_age_s: 20 };

test("what is wrong, worst first", () => {
  assert.deepEqual(troubles(WELL), []);
  const levels = (change) => troubles({ ...WELL, ...change }).map((trouble) => trouble.level);
  assert.deepEqual(levels({ conflict: "ab" }), ["bad"]);
  assert.deepEqual(levels({ handing_out_work: false, no_work_because: "it syncs" }), ["bad"]);
  assert.deepEqual(levels({ peers: 0 }), ["warn"]);
  assert.deepEqual(levels({ sync: { state: "shares", progress: 0.5 } }), ["warn"]);
  assert.deepEqual(levels({ tip_age_s: 301 }), ["warn"]);
  assert.deepEqual(levels({ archive_trouble: "the archive's database does not let this user in" }), ["warn"]);
  assert.deepEqual(levels({ tip_age_s: 400, bitcoin: { ...WELL.bitcoin, trouble: "it does not answer" } }), ["bad", "warn"]);
  assert.deepEqual(levels({ upgrades: [{ bit: 1, known: false, state: "active", active_from_height: 5 }] }), ["bad"]);
  assert.deepEqual(levels({ upgrades: [{ bit: 1, known: false, state: "locked_in", locked_in_height: 5, good_periods: 3 }] }), ["warn"]);
  assert.deepEqual(levels({ upgrades: [{ bit: 1, known: false, state: "counting", signalled: 0.5, good_periods: 3 }] }), []);
  assert.deepEqual(levels({ upgrades: [{ bit: 1, known: true, state: "active", active_from_height: 5 }] }), []);
});

test("a miner that is gone, and half of the pool, are wrong, by the names of the alerts", () => {
  const state = (kind) => ({ kind, since_unix_s: 940, what: "this is so", todo: "look" });
  const kinds = ["miners_gone", "miners_silent", "submits_rejected", "miners_lost", "hashrate_halved", "pool_halved"];
  const levels = kinds.map((kind) => troubles({ ...WELL, mining: [state(kind)] }).map(({ level }) => level));
  assert.deepEqual(levels, [["bad"], ["bad"], ["warn"], ["warn"], ["warn"], ["warn"]]);
});

test("intervals come from the network, not from main", () => {
  assert.equal(troubles({ ...WELL, link_interval_s: 1, tip_age_s: 31 }).length, 1);
  assert.equal(troubles({ ...WELL, tip_age_s: 31 }).length, 0);
});

test("whether an address mines is known by its submits, and only then by its shares", () => {
  const now = 1_800_000_000;
  const shares = Array.from({ length: 50 }, (_, i) => ({ time_unix_s: now - 40_000 - i * 14_400 }));
  const kind = (last_submit_unix_s, list, at = now) => miningState({ last_submit_unix_s }, list, at).kind;
  assert.equal(kind(now - 20, []), "here");
  assert.equal(kind(now - 20, shares), "here");
  // Shares that come every four hours would leave a dead device mining for days.
  assert.equal(kind(now - 301, shares), "silent");
  assert.equal(kind(now - 3 * 86_400, shares.slice(20)), "silent");
  assert.equal(kind(now - 86_400, shares), "elsewhere");
  assert.equal(kind(null, shares), "elsewhere");
  assert.equal(kind(null, shares, now + 86_400), "stopped");
  assert.equal(kind(null, []), "never");
  assert.equal(kind(null, shares.slice(0, 2), now + 86_400), "elsewhere");
});

test("a device that is not connected does not mine, and seconds without a share are no silence", () => {
  const now = 1_800_000_000;
  const kind = (miner, list) => miningState(miner, list, now).kind;
  // The connection ended, so its hashrate is zero.
  assert.equal(kind({ last_submit_unix_s: now - 61, hashrate_hs: 0 }, []), "silent");
  assert.equal(kind({ last_submit_unix_s: now - 59, hashrate_hs: 0 }, []), "here");
  assert.equal(kind({ last_submit_unix_s: now - 61, hashrate_hs: 1e12 }, []), "here");
  // Three shares per second: by chance alone, ten seconds without one would not happen.
  const fast = (gapS) => Array.from({ length: 100 }, (_, i) => ({ time_unix_s: now - gapS - i * 0.3 }));
  assert.equal(kind({ last_submit_unix_s: null, hashrate_hs: 0 }, fast(10)), "elsewhere");
  assert.equal(kind({ last_submit_unix_s: null, hashrate_hs: 0 }, fast(301)), "stopped");
});

test("states say since when and what to do, once each", () => {
  const state = (kind, todo = "check `p2p.peers`; wait") => ({ kind, since_unix_s: 940, what: "this is so", todo });
  const of = (change) => troubles({ ...WELL, ...change });
  assert.deepEqual(of({ peers: 0, states: [state("no_peers")] }), [{ level: "bad", what: "For 1 min: this is so.", todo: "Check p2p.peers; wait." }]);
  assert.deepEqual(of({ tip_age_s: 700, states: [state("stale_tip")] }).map(({ level }) => level), ["warn"]);
  assert.deepEqual(of({ sync: { state: "searching" }, states: [state("no_peers")] }).map(({ level }) => level), ["bad"]);
  const kinds = ["unlisted", "hashrate", "share_rate", "clock", "disk", "bitcoind", "bitcoind_alone", "one_netgroup", "outdated"];
  assert.deepEqual(kinds.map((kind) => of({ states: [state(kind)] })[0].level), ["bad", ...Array(8).fill("warn")]);
  const [solo, why] = of({ solo_because: "no peer for 300 s", states: [state("no_peers")] });
  assert.ok(solo.level === "bad" && solo.what.startsWith("Miners work solo") && why.level === "bad");
  assert.deepEqual(troubles({ ...WELL, time_unix_s: 900, states: [state("clock", "")] })[0].todo, ".");
});

test("what a block found now would pay", () => {
  const of = (next) => estimate({ next_block: next });
  assert.equal(of(null).kind, "unknown");
  assert.equal(of({ value_sat: 5, expected_sat: null, drawn_sat: null, exact: null, draws_expected: null }).kind, "alone");
  assert.equal(of({ value_sat: 5, expected_sat: 0, drawn_sat: 0, exact: false, draws_expected: 0 }).kind, "none");
  assert.deepEqual(of({ value_sat: 5000, expected_sat: 1000, drawn_sat: 1003, exact: true, draws_expected: null }), { kind: "exact", value_sat: 5000, expected_sat: 1000, probability: 1, payment_sat: 1003 });
  const missed = of({ value_sat: 5000, expected_sat: 200, drawn_sat: 0, exact: false, draws_expected: 0.2 });
  assert.deepEqual([missed.kind, missed.probability, missed.payment_sat, missed.drawn], ["drawn", 0.2, 1000, false]);
  const taken = of({ value_sat: 5000, expected_sat: 200, drawn_sat: 1000, exact: false, draws_expected: 0.2 });
  assert.deepEqual([taken.kind, taken.probability, taken.drawn], ["drawn", 0.2, true]);
  assert.equal(of({ value_sat: 5000, expected_sat: 200, drawn_sat: 0, exact: false, draws_expected: null }).probability, null);
});

test("steps in which nothing was found are zeros", () => {
  const points = [{ time_unix_s: 240, hashrate_hs: 3, shares: 1 }, { time_unix_s: 180, hashrate_hs: 2, shares: 1 }, { time_unix_s: 60, hashrate_hs: 1, shares: 1 }];
  assert.deepEqual(filled(points, 60, 10, 250).map((p) => [p.time_unix_s, p.hashrate_hs]), [[60, 1], [120, 0], [180, 2]]);
  assert.deepEqual(filled(points, 60, 2, 250).map((p) => p.time_unix_s), [120, 180]);
  assert.deepEqual(filled([], 60, 2, 250), []);
  assert.deepEqual(filled([points[0]], 60, 10, 250), []);
  // Mining began somewhere in the very first step, so that its average would be too low.
  assert.deepEqual(filled(points, 60, 10, 250, true).map((p) => p.time_unix_s), [120, 180]);
  assert.deepEqual(filled(points, 60, 2, 250, true).map((p) => p.time_unix_s), [120, 180]);
});

test("a pool changes how evenly, not how much", () => {
  const is = expect({ hashrateHs: 1e14, poolHs: 1e18, difficulty: 1e14, shareHashes: 4.4e12, valueSat: 312_500_000, windowBlocks: 8, tailSat: 3e5 });
  assert.ok(is.pool.paidS < is.solo.paidS / 50);
  assert.ok(is.pool.spread < is.solo.spread);
  assert.ok(Math.abs(is.monthSat - (312_500_000 * 2592000 * 1e14) / (1e14 * 2 ** 32)) < 1);
  assert.ok(is.drawn < 1 && Math.abs(is.drawn - is.dueSat / 3e5) < 1e-12);
  const alone = expect({ hashrateHs: 1e14, poolHs: 0, difficulty: 1e14, shareHashes: 4.4e12, valueSat: 312_500_000, windowBlocks: 8, tailSat: null });
  assert.equal(alone.part, 1);
});

test("a strip of positions has every share of the window once, oldest first", () => {
  const points = [{ time_unix_s: 660, shares: 2 }, { time_unix_s: 600, shares: 1 }, { time_unix_s: 120, shares: 5 }, { time_unix_s: 0, shares: 9 }];
  assert.deepEqual(spread(points, 60, 130, 670), [5, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
  assert.deepEqual(spread([], 60, 600, 600), [0]);
  assert.deepEqual(stepFor(3_600), { s: 60, count: 61 });
  assert.deepEqual(stepFor(8 * 86_400), { s: 3_600, count: 193 });
  assert.ok(stepFor(10 * 365 * 86_400).count <= 500, "what the node answers at once");
});

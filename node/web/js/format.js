// Numbers for display, each with its unit. Pure.
const PREFIXES = ["", "k", "M", "G", "T", "P", "E", "Z", "Y"];
const SMALL = ["", "m", "µ", "n", "p"];
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
const YEAR = 365.25 * DAY;

export const UNKNOWN = "not known yet";

const commas = (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ",");

/**
 * A number or BigInt with commas and at most eight decimals, or with `places`. Without Intl, whose first object takes a browser
 * about 15 ms.
 */
function grouped(n, places) {
  const text = places ? n.toFixed(places) : Number.isInteger(n) || typeof n !== "number" ? String(BigInt(n)) : n.toFixed(8).replace(/\.?0+$/, "");
  const [whole, decimals] = text.split(".");
  return decimals === undefined ? commas(whole) : `${commas(whole)}.${decimals}`;
}

/** Three significant digits, in columns `places` decimals; never an exponent. */
export function digits(value, places) {
  if (places) return grouped(value, places);
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 100) return grouped(Math.round(value));
  const text = value.toFixed(Math.min(12, Math.max(0, 2 - Math.floor(Math.log10(size)))));
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** A value with an SI prefix: 145 kH/s. */
export function si(value, unit, places) {
  if (value == null || !Number.isFinite(value)) return UNKNOWN;
  if (value === 0) return `0 ${unit}`;
  let step = Math.floor(Math.log10(Math.abs(value)) / 3);
  step = Math.max(-SMALL.length + 1, Math.min(PREFIXES.length - 1, step));
  let shown = value / 10 ** (3 * step);
  // 999.6 k is 1 M.
  if (Math.abs(shown) >= 999.5 && step < PREFIXES.length - 1) {
    step += 1;
    shown = value / 10 ** (3 * step);
  }
  return `${digits(shown, places)} ${step < 0 ? SMALL[-step] : PREFIXES[step]}${unit}`;
}

export const hashrate = (hs, places) => si(hs, "H/s", places);

const LARGE = ["", " thousand", " million", " billion", " trillion", " quadrillion", " quintillion", " sextillion"];

/** Expected hashes, a decimal string, because they may have 256 bits. */
export function hashes(text, places) {
  if (text == null) return UNKNOWN;
  const value = Number(text);
  const step = value < 1000 ? 0 : Math.min(LARGE.length - 1, Math.floor(Math.log10(value) / 3));
  return `${digits(value / 1000 ** step, places)}${LARGE[step]} hashes`;
}

export const count = (n) => (n == null ? UNKNOWN : grouped(n));

/** "1 share", "2 shares". */
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${Number(n) === 1 ? one : many}`;

/** Satoshi, numbers or BigInt, as BTC with all eight digits; small amounts as satoshi, but not in a `column`. */
export function btc(sat, column) {
  if (sat == null) return UNKNOWN;
  const whole = BigInt(typeof sat === "number" ? Math.round(sat) : sat);
  const size = whole < 0n ? -whole : whole;
  if (size < 100_000n && !column) return `${grouped(whole)} sat`;
  const coins = size / 100_000_000n;
  const rest = String(size % 100_000_000n).padStart(8, "0");
  return `${whole < 0n ? "-" : ""}${grouped(coins)}.${rest} BTC`;
}

/** An amount that is only an estimate: four digits. */
export function roughBtc(sat) {
  if (sat == null || !Number.isFinite(sat)) return UNKNOWN;
  if (sat < 1_000_000) return `${grouped(Number(sat.toPrecision(3)))} sat`;
  return `${grouped(Number((sat / 1e8).toPrecision(4)))} BTC`;
}

/** A rate of pay: small ones keep three digits, down to a thousandth of a satoshi. */
export const pay = (sat) => (sat > 0 && sat < 0.001 ? "below 0.001 sat" : roughBtc(sat));

export function percent(part, places) {
  if (part == null || !Number.isFinite(part)) return UNKNOWN;
  const value = part * 100;
  if (places) return value > 0 && value < 10 ** -places / 2 ? `below ${10 ** -places}%` : `${digits(value, places)}%`;
  if (value === 0) return "0%";
  if (value < 0.001) return "below 0.001%";
  if (value > 99.9 && value < 100) return "above 99.9%";
  return `${value < 10 ? digits(value) : Number(value.toFixed(1))}%`;
}

/** A length of time: "8 s", "3 min 20 s", "2 days 4 h", "5 months", "2.1 years". */
export function duration(seconds) {
  if (seconds == null || !Number.isFinite(seconds)) return UNKNOWN;
  const s = Math.max(0, seconds);
  if (s > 0 && s < 10) return `${digits(s)} s`;
  if (s < MINUTE) return `${Math.round(s)} s`;
  if (s < 10 * MINUTE) return two(s, MINUTE, "min", 1, "s");
  if (s < HOUR) return `${Math.round(s / MINUTE)} min`;
  if (s < DAY) return two(s, HOUR, "h", MINUTE, "min");
  if (s < 14 * DAY) return two(s, DAY, s < 1.98 * DAY ? "day" : "days", HOUR, "h");
  if (s < 60 * DAY) return `${Math.round(s / DAY)} days`;
  if (s < 2 * YEAR) return `${Math.round(s / (YEAR / 12))} months`;
  if (s < 1e6 * YEAR) return `${digits(s / YEAR)} years`;
  return "more than a million years";
}

function two(s, large, largeName, small, smallName) {
  let whole = Math.floor(s / large);
  let rest = Math.round((s - whole * large) / small);
  if (rest * small >= large) {
    whole += 1;
    rest = 0;
  }
  return rest === 0 ? `${whole} ${largeName}` : `${whole} ${largeName} ${rest} ${smallName}`;
}

/** One unit only, for tables: "3 min", "2 h". */
export function roughly(seconds) {
  const s = Math.max(0, seconds);
  if (s < MINUTE) return `${Math.round(s)} s`;
  if (s < HOUR) return `${Math.round(s / MINUTE)} min`;
  if (s < 2 * DAY) return `${Math.round(s / HOUR)} h`;
  return duration(Math.round(s / DAY) * DAY);
}

/** A past moment, both in seconds. A Bitcoin block may be ahead of the clock. */
export const ago = (momentS, nowS) => (nowS - momentS < 1.5 ? "just now" : `${roughly(nowS - momentS)} ago`);

/** A test network has difficulties below 1. */
export const difficulty = (value) => (value == null ? "none yet" : value < 1 ? digits(value) : si(value, "").trim());

/** Created once, since creation takes as long as formatting a hundred dates; and not before the frame is there. */
let stamp = null;
export function dateTime(unixS) {
  stamp ??= new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  return stamp.format(unixS * 1000);
}

export const capital = (words) => words.charAt(0).toUpperCase() + words.slice(1);

/** Words from the node as a sentence on the page. */
export const sentence = (words) => `${capital(words)}${/[.!?]$/.test(words) ? "" : "."}`;

/** Ids begin with zeros, so the end tells them apart. */
export const shortId = (id) => (id.length > 14 ? `…${id.slice(-10)}` : id);

export const shortAddress = (text) => (text.length > 18 ? `${text.slice(0, 9)}…${text.slice(-6)}` : text);

/** Name of a payee: its address, or its script if it has no address. */
export const payeeName = (payee) => payee.address ?? `script ${payee.script}`;

// Small pieces that every page uses.
import { html, useEffect, useState } from "../html.js";
import { nowS } from "../api.js";
import { ago, dateTime, payeeName, shortAddress, shortId, UNKNOWN } from "../format.js";

/** The page's heading, which is also the name of the tab. */
export function Title({ children, hidden }) {
  const text = [children].flat().filter((part) => part != null && part !== false).join("");
  useEffect(() => {
    document.title = `${text} · Shoal`;
  }, [text]);
  return html`<h1 class=${hidden ? "hidden" : undefined}>${children}</h1>`;
}

/** A moment as "3 s ago", the exact one in its title. */
export function Time({ at }) {
  const [, tick] = useState(0);
  useEffect(() => {
    if (!at) return undefined;
    const young = Math.abs(nowS() - at) < 90;
    const timer = setInterval(() => tick((n) => n + 1), young ? 1000 : 20000);
    return () => clearInterval(timer);
  }, [at]);
  // Genesis has no time of its own, and 1970 is not an answer.
  if (!at) return UNKNOWN;
  return html`<time datetime=${new Date(at * 1000).toISOString()} title=${dateTime(at)}>${ago(at, nowS())}</time>`;
}

/** An id or hash, shortened; the whole one in its title. */
export function Id({ id, to }) {
  if (!id) return UNKNOWN;
  if (!to) return html`<code title=${id}>${shortId(id)}</code>`;
  return html`<a href=${to} title=${id}><code>${shortId(id)}</code></a>`;
}

export const LinkId = ({ id }) => html`<${Id} id=${id} to=${`/links/${id}`} />`;
export const ShareId = ({ id }) => html`<${Id} id=${id} to=${`/shares/${id}`} />`;
export const BlockId = ({ id }) => html`<${Id} id=${id} to=${`/blocks/${id}`} />`;

/** A payee, as a link to the miner's page. */
export function Payee({ payee, whole }) {
  if (!payee) return html`<span>no one</span>`;
  const name = payeeName(payee);
  const shown = whole ? name : shortAddress(payee.address ?? payee.script);
  if (!payee.address) return html`<code class=${whole ? "whole" : undefined} title=${name}>${shown}</code>`;
  return html`<a href=${`/miners/${payee.address}`} title=${name}><code class=${whole ? "whole" : undefined}>${shown}</code></a>`;
}

/** On plain HTTP in a LAN, browsers offer no clipboard API, but can still copy a selection. */
async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "hidden";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (!done) throw new Error("the browser does not copy");
}

/** Text with a button that copies it. */
export function Copy({ text }) {
  const [done, set] = useState(false);
  useEffect(() => {
    const timer = done && setTimeout(() => set(false), 2000);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = () => copyText(text).then(() => set(true), () => {});
  return html`<span class="copy"><code class="whole">${text}</code> <button type="button" class="small" onClick=${copy} aria-label="Copy ${text.slice(0, 8)}…">${done ? "copied" : "copy"}</button></span>`;
}

export const Card = ({ title, children, wide, id, more }) => html`
  <section class=${wide ? "card wide" : "card"} aria-labelledby=${id}>
    <div class="card-head"><h2 id=${id}>${title}</h2>${more}</div>
    ${children}
  </section>`;

/** A number with its name, and a sentence about it. */
export const Figure = ({ name, value, children }) => html`
  <div class="figure">
    <dt>${name}</dt>
    <dd><span class=${value === UNKNOWN ? "value unknown" : "value"}>${value}</span>${children && html`<span class="about">${children}</span>`}</dd>
  </div>`;

/** `brief` ones leave out their sentences on a phone. */
export const Figures = ({ children, brief }) => html`<dl class=${brief ? "figures brief" : "figures"}>${children}</dl>`;

/** Rows of a name and its content. `rows` are [name, content]; false ones are left out. */
export const Facts = ({ rows }) => html`
  <dl class="facts">${rows.filter(Boolean).map(([name, content]) => html`<div key=${name}><dt>${name}</dt><dd>${content}</dd></div>`)}</dl>`;

const ICONS = { ok: "✓", warn: "!", bad: "✕", info: "i" };

/** A sentence with a level, shown by shape, word, and color. */
export const Notice = ({ level = "info", children }) => html`
  <div class=${`notice ${level}`} role=${level === "bad" ? "alert" : undefined}>
    <span class="icon" aria-hidden="true">${ICONS[level]}</span><div>${children}</div>
  </div>`;

/** Why something cannot be shown, and advice. */
export const Failed = ({ error, reload }) => html`
  <${Notice} level="bad"><p><strong>${error.message}</strong> ${error.todo} ${reload && html`<button type="button" class="small" onClick=${reload}>Try again</button>`}</p></${Notice}>`;

/**
 * Shows `children(data)` when there is an answer, and a notice if there is none, or only an old one. Always one
 * element, so that changes inside it never move its neighbors.
 */
export const Loaded = ({ from, children, quiet }) => html`<div class="loaded">${inside(from, children, quiet)}</div>`;

function inside({ data, error, reload }, children, quiet) {
  if (data) return html`${error && html`<p class="stale"><strong>May be outdated.</strong> ${error.message}</p>`}${children(data, error)}`;
  if (error) return html`<${Failed} error=${error} reload=${reload} />`;
  return quiet ? null : html`<p class="loading" aria-busy="true">Loading…</p>`;
}

/** A part of a whole as a bar, with its number beside it in the text. */
export const Bar = ({ part, label, tone = "" }) => html`
  <meter class=${`bar ${tone}`} min="0" max="1" value=${Math.max(0, Math.min(1, part ?? 0))} aria-label=${label}></meter>`;

/** A word in a frame. Its shape differs, not only its color. */
export const Tag = ({ tone = "", children }) => html`<span class=${`tag ${tone}`}>${children}</span>`;

/** Choices, one of which is active. */
export const Choice = ({ label, options, value, onChange }) => html`
  <div class="choice" role="group" aria-label=${label}>
    ${options.map(([key, text]) => html`<button type="button" key=${key} aria-pressed=${String(key === value)} onClick=${() => onChange(key)}>${text}</button>`)}
  </div>`;

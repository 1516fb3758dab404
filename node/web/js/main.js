// The frame around every page: head, menu, search, the page of the path, foot.
import { html, render, useEffect, useLayoutEffect, useRef, useState } from "./html.js";
import { get, useApi, useExplorer } from "./api.js";
import { startLive, useLiveState, useRevival } from "./live.js";
import { go, startRouter, useRoute } from "./router.js";
import { troubles } from "./health.js";
import { Failed, Notice } from "./parts/bits.js";
import { count, dateTime } from "./format.js";
import { ThemeSwitch } from "./parts/theme_switch.js";

const MENU = [["/", "Home"], ["/chain", "Chain"], ["/miners", "Miners"], ["/blocks", "Blocks"], ["/peers", "Peers"], ["/calculator", "Calculator"], ["/log", "Log"], ["/api", "API"]];

const ICON = new URL("../favicon.svg", import.meta.url).pathname;
const LIVE_AFTER_MS = 500;
const missing = () => import("./pages/missing.js");
/** First part of the path: the page for that part alone, and for a longer path. */
const PAGES = {
  "": [() => import("./pages/home.js"), missing],
  chain: [() => import("./pages/chain.js"), missing],
  links: [() => import("./pages/chain.js"), () => import("./pages/link.js")],
  shares: [() => import("./pages/search.js"), () => import("./pages/share.js")],
  miners: [() => import("./pages/miners.js"), () => import("./pages/miner.js")],
  job: [() => import("./pages/job.js"), missing],
  blocks: [() => import("./pages/blocks.js"), () => import("./pages/block.js")],
  peers: [() => import("./pages/peers.js"), missing],
  calculator: [() => import("./pages/calculator.js"), missing],
  log: [() => import("./pages/log.js"), missing],
  search: [() => import("./pages/search.js"), missing],
  api: [() => import("./pages/api_docs.js"), missing],
};

function pageOf(parts) {
  const [first = "", second, third] = parts;
  const pair = Object.hasOwn(PAGES, first) ? PAGES[first] : null;
  if (!pair || third !== undefined) return missing;
  return pair[second === undefined ? 0 : 1];
}

const LIVE_WORDS = {
  connecting: ["…", "connecting"],
  live: ["●", "live"],
  reconnecting: ["↻", "reconnecting"],
  paused: ["‖", "paused"],
};

function Live() {
  const state = useLiveState();
  const [icon, word] = LIVE_WORDS[state];
  const title = state === "live" ? "Updates arrive automatically" : "Updates come every ten seconds until the stream is back";
  return html`<span class=${`live ${state}`} role="status" title=${title}><span aria-hidden="true">${icon}</span> ${word}</span>`;
}

function Search() {
  const input = useRef(null);
  useEffect(() => {
    const onKey = (event) => {
      const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      input.current.focus();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  const submit = (event) => {
    event.preventDefault();
    const text = input.current.value.trim();
    if (text) go(`/search?q=${encodeURIComponent(text)}`);
  };
  return html`
    <form class="search" role="search" action="/search" onSubmit=${submit}>
      <label class="hidden" for="q">Search: address, id, height or block hash</label>
      <input id="q" name="q" type="search" ref=${input} placeholder="Address, id, height  ( / )" autocomplete="off" spellcheck="false" autocapitalize="off" maxlength="120" />
      <button type="submit">Search</button>
    </form>`;
}

function Head({ path }) {
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(false), [path]);
  const here = `/${path.split("/")[1] ?? ""}`;
  const explorer = useExplorer();
  const menu = MENU.filter(([to]) => !explorer || !/peers|log/.test(to));
  const owner = { "/links": "/chain", "/shares": "/chain", "/job": "/blocks" }[here] ?? here;
  return html`
    <header class="top">
      <div class="bar-top">
        <a class="brand" href="/"><img src=${ICON} alt="" width="28" height="28" /><span>Shoal</span></a>
        <button type="button" class="menu-button" aria-expanded=${String(open)} aria-controls="menu" onClick=${() => setOpen(!open)}>Menu</button>
        <nav id="menu" aria-label="Pages" class=${open ? "open" : ""}>
          <ul>${menu.map(([to, name]) => html`<li key=${to}><a href=${to} aria-current=${owner === to ? "page" : undefined}>${name}</a></li>`)}</ul>
        </nav>
        <${Search} />
        <${Live} />
        <${ThemeSwitch} />
      </div>
    </header>`;
}

/** Alarms appear above every page. */
function Alarms() {
  const { data, error, reload } = useApi("/status", ["tip"]);
  if (error) return html`<${Failed} error=${error} reload=${reload} />`;
  if (!data) return null;
  const bad = troubles(data).filter((trouble) => trouble.level === "bad");
  const local = data.network !== "main";
  return html`
    ${local && html`<p class="network">This is the <strong>${data.network}</strong> network: its coins have no value.</p>`}
    ${bad.map(({ what, todo }) => html`<${Notice} level="bad" key=${what}><p><strong>${what}</strong> ${todo}</p></${Notice}>`)}`;
}

function Foot() {
  const { data } = useApi("/status");
  return html`
    <footer>
      <p>${data ? `shoal ${data.version}, ${data.network}, link ${count(data.height)}` : "shoal"} · ${data?.source === "archive" ? "from an archive" : "as this node sees it; other nodes may know slightly more or less."}</p>
      <p><a href="/api">API</a> · <a href="/metrics" target="_self">metrics</a></p>
    </footer>`;
}

const BROKEN = { message: "A part of these pages could not be loaded.", todo: "The page reloads when the node answers; check that it runs." };

/** `begin` is the content of the first page, if its module has come. */
function Page({ route, begin }) {
  const [shown, show] = useState({ Page: begin, error: null, route });
  const load = pageOf(route.parts);
  const first = useRef(true);
  useLayoutEffect(() => {
    if (shown.Page && shown.route === route) return undefined;
    let current = true;
    load().then((module) => current && show({ Page: module.default, error: null, route }), () => current && show({ Page: null, error: BROKEN, route }));
    return () => { current = false; };
  }, [route]);
  // Browsers may remember that a file failed to load, so only a reload fetches it again.
  useRevival(shown.error !== null, () => get("/status").then(() => location.reload(), () => {}));
  useEffect(() => {
    // A followed link starts at the top of the new page, and so does the focus.
    if (first.current) {
      first.current = false;
      return;
    }
    scrollTo(0, 0);
    document.querySelector("main")?.focus({ preventScroll: true });
  }, [shown.route.path]);
  if (shown.error) return html`<div><h1>Not loaded</h1><${Failed} error=${shown.error} /></div>`;
  // Another id is another page: drop the state of the old one.
  return shown.Page && html`<div key=${shown.route.path}><${shown.Page} route=${shown.route} /></div>`;
}

function App({ begin }) {
  const route = useRoute();
  return html`
    <${Head} path=${route.path} />
    <main id="main" tabindex="-1">
      <div><${Alarms} /></div>
      <div><${Page} route=${route} begin=${begin} /></div>
    </main>
    <${Foot} />`;
}

if (location.hash.startsWith("#pair=")) import("./pair.js").then(({ pair }) => pair());
startRouter();
const start = (begin) => {
  const root = document.getElementById("app");
  root.textContent = "";
  render(html`<${App} begin=${begin} />`, root);
  // A browser's first date takes it about 10 ms; now, the page waits for its answers.
  setTimeout(() => dateTime(0));
};
// Frame and page in one piece: their modules come at the same time. The page tells of a failure.
pageOf(location.pathname.split("/").filter(Boolean))().then((module) => start(module.default), () => start(null));
// Its worker takes the processor as long as a page does. An early answer that no part has taken by then is old.
setTimeout(() => {
  globalThis.early?.clear();
  startLive();
  import("./terms.js").catch(() => {});
}, LIVE_AFTER_MS);

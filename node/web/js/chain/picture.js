// The share-chain as a chart: links in order, shares below the link on which they were found, and a thin line to
// the link that lists them. One tab stop; the arrow keys walk.
import { html, useEffect, useLayoutEffect, useMemo, useRef } from "../html.js";
import { layout, LINK_R, SHARE_R } from "./layout.js";
import { walk } from "./walk.js";
import { count } from "../format.js";

/** Distance from the right end within which a reader follows new links, in pixels. */
const FOLLOWS_PX = 60;
const clock = (t) => new Date(t * 1000).toLocaleTimeString();
const curve = (a, b) => `M${r(a.x)} ${r(a.y)}Q${r(b.x)} ${r(a.y)} ${r(b.x)} ${r(b.y)}`;
const fork = (a, b) => `M${r(a.x)} ${r(a.y)}C${r((a.x + b.x) / 2)} ${r(a.y)} ${r((a.x + b.x) / 2)} ${r(b.y)} ${r(b.x)} ${r(b.y)}`;
const r = (value) => Math.round(value * 10) / 10;

export function Picture({ graph, mode, zoom, picked, onPick, onOpen, onZoom, mine }) {
  const box = useRef(null);
  const follows = useRef(true);
  const drawn = useMemo(() => layout(graph, mode, zoom), [graph, mode, zoom]);
  const newest = graph.links.reduce((most, link) => Math.max(most, link.height), 0);
  useLayoutEffect(() => {
    if (follows.current) box.current.scrollLeft = drawn.width;
  }, [drawn.width, newest]);
  useEffect(() => {
    const place = picked && drawn.at.get(picked);
    if (place) reveal(box.current, place);
  }, [picked, mode, zoom]);
  useEffect(() => {
    const onWheel = (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      onZoom(event.deltaY < 0 ? 1 : -1);
    };
    const element = box.current;
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  }, [onZoom]);
  const onScroll = () => {
    const { scrollLeft, clientWidth, scrollWidth } = box.current;
    follows.current = scrollLeft + clientWidth > scrollWidth - FOLLOWS_PX;
  };
  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && picked) onOpen(picked);
    else if (event.key === "+" || event.key === "=") onZoom(1);
    else if (event.key === "-") onZoom(-1);
    else {
      const next = walk(graph, drawn, picked, event.key);
      if (next === undefined) return;
      onPick(next);
    }
    event.preventDefault();
  };
  const onClick = (event) => {
    const id = event.target.getAttribute("data-id");
    if (id) onPick(id);
  };
  return html`
    <div class="picture" ref=${box} onScroll=${onScroll}>
      <svg width=${drawn.width} height=${drawn.height} viewBox=${`0 0 ${drawn.width} ${drawn.height}`} tabindex="0" role="application"
        aria-label="Chart of the share-chain. Left and right move along the links, up and down to branches and shares, Enter opens, plus and minus zoom." aria-describedby="picked"
        onKeyDown=${onKey} onClick=${onClick} onDblClick=${(event) => event.target.getAttribute("data-id") && onOpen(event.target.getAttribute("data-id"))}>
        <${Ticks} drawn=${drawn} />
        <${Lines} graph=${graph} drawn=${drawn} picked=${picked} />
        ${drawn.shares.map(({ share, x, y }) => html`<${Share} key=${share.id} share=${share} x=${x} y=${y} mine=${isMine(share.finder, mine)} />`)}
        ${drawn.links.map(({ link, x, y }) => html`<${Link} key=${link.id} link=${link} x=${x} y=${y} mine=${isMine(link.finder, mine)} />${link.is_bitcoin_block && html`<${Won} x=${x} y=${y} />`}`)}
        <${Ring} place=${picked && drawn.at.get(picked)} />
      </svg>
    </div>`;
}

const isMine = (finder, mine) => mine != null && finder?.address === mine;

function reveal(box, { x, y }) {
  const left = box.scrollLeft + 60;
  const right = box.scrollLeft + box.clientWidth - 60;
  if (x < left) box.scrollLeft -= left - x + box.clientWidth / 4;
  else if (x > right) box.scrollLeft += x - right + box.clientWidth / 4;
  if (y < box.scrollTop + 30 || y > box.scrollTop + box.clientHeight - 30) box.scrollTop = y - box.clientHeight / 2;
}

const Ticks = ({ drawn }) => html`
  <g aria-hidden="true">${drawn.ticks.map(({ x, t, height }) => html`
    <line key=${`l${x}`} class="net-tick" x1=${x} x2=${x} y1="18" y2=${drawn.height} />
    <text key=${`t${x}`} x=${x} y="13" text-anchor="middle">${t === undefined ? count(height) : clock(t)}</text>`)}
  </g>`;

/** All lines of a kind are one path, since thousands of elements would be slow on a phone. */
function Lines({ graph, drawn, picked }) {
  const paths = { main: "", fork: "", found: "", listed: "", foundOn: "", listedOn: "" };
  for (const link of graph.links) {
    const [to, from] = [drawn.at.get(link.id), drawn.at.get(link.parent)];
    if (from && link.parent !== link.id) paths[link.is_main ? "main" : "fork"] += fork(from, to);
  }
  for (const share of graph.shares) {
    const to = drawn.at.get(share.id);
    const parent = drawn.at.get(share.parent);
    const lister = share.listed_in && drawn.at.get(share.listed_in);
    const on = picked !== null && (picked === share.id || picked === share.parent || picked === share.listed_in);
    if (to && parent) paths[on ? "foundOn" : "found"] += `M${r(parent.x)} ${r(parent.y)}L${r(to.x)} ${r(to.y)}`;
    if (to && lister) paths[on ? "listedOn" : "listed"] += curve(to, lister);
  }
  return html`
    <g aria-hidden="true">
      <path class="net-listed" d=${paths.listed} /><path class="net-found" d=${paths.found} />
      <path class="net-listed on" d=${paths.listedOn} /><path class="net-found on" d=${paths.foundOn} />
      <path class="net-line" d=${paths.main} /><path class="net-line fork" d=${paths.fork} />
    </g>`;
}

function star(x, y, size) {
  const points = [];
  for (let i = 0; i < 10; i += 1) {
    const radius = i % 2 === 0 ? size : size * 0.45;
    const angle = (Math.PI * i) / 5 - Math.PI / 2;
    points.push(`${r(x + radius * Math.cos(angle))},${r(y + radius * Math.sin(angle))}`);
  }
  return points.join(" ");
}

function Share({ share, x, y, mine }) {
  if (share.is_bitcoin_block) return html`<polygon class="net-star net-hit" points=${star(x, y, 8)} data-id=${share.id} />`;
  const look = `net-share net-hit${share.listed_in ? "" : " waiting"}${mine ? " mine" : ""}`;
  return html`<circle class=${look} cx=${x} cy=${y} r=${SHARE_R} data-id=${share.id} />`;
}

/** A link that is a Bitcoin block has a star in it. */
const Won = ({ x, y }) => html`<polygon class="net-star" points=${star(x, y, 7)} pointer-events="none" />`;

/** Main links are round, others are diamonds, so that shape distinguishes them, too. */
function Link({ link, x, y, mine }) {
  const look = `net-link net-hit${link.is_settled ? " settled" : ""}${link.is_main ? "" : " fork"}${mine ? " mine" : ""}`;
  if (link.is_main) return html`<circle class=${look} cx=${x} cy=${y} r=${LINK_R} data-id=${link.id} />`;
  const s = LINK_R + 1;
  return html`<polygon class=${look} points=${`${x},${y - s} ${x + s},${y} ${x},${y + s} ${x - s},${y}`} data-id=${link.id} />`;
}

const Ring = ({ place }) => place && html`<circle class="net-pick" cx=${place.x} cy=${place.y} r=${LINK_R + 4} pointer-events="none" />`;

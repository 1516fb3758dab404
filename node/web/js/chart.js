// A line over time, with its numbers as a table for readers who cannot see it. uPlot loads with the page.
import { html, useEffect, useRef, useState } from "./html.js";
import { dateTime } from "./format.js";
import { useRevival } from "./live.js";
import { Table } from "./parts/table.js";

const HEIGHT = 200;
const TABLE_ROWS = 24;
/** A minute is the shortest step. */
const TICKS_S = [60, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 7776000, 31536000];
let library = null;

function loadLibrary() {
  library ??= new Promise((resolve, reject) => {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = new URL("../vendor/uplot/uPlot.min.css", import.meta.url);
    const script = document.createElement("script");
    script.src = new URL("../vendor/uplot/uPlot.iife.min.js", import.meta.url);
    script.onload = () => resolve(globalThis.uPlot);
    script.onerror = () => {
      library = null;
      reject(new Error("the chart's library could not be loaded"));
    };
    document.head.append(style, script);
  });
  return library;
}

// A page with a chart imports this file, and the library comes while the page waits for its numbers. The chart tells of a failure.
loadLibrary().catch(() => {});

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (n) => String(n).padStart(2, "0");

/** Hours within a day, otherwise dates. */
function tickText(unixS, stepS) {
  const date = new Date(unixS * 1000);
  if (stepS < 86400 && date.getHours() + date.getMinutes() + date.getSeconds() > 0) return `${two(date.getHours())}:${two(date.getMinutes())}`;
  return `${date.getDate()} ${MONTHS[date.getMonth()]}`;
}

function options(width, label, format, onPoint) {
  const font = '12px system-ui, "Liberation Sans", sans-serif';
  const axis = { stroke: color("--soft"), font, grid: { stroke: color("--grid"), width: 1 }, ticks: { stroke: color("--grid"), width: 1 } };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
    scales: { x: { range: (_, min, max) => [min, max] }, y: { range: (_, min, max) => [0, max > 0 ? max * 1.08 : 1] } },
    axes: [{ ...axis, space: 64, incrs: TICKS_S, values: (_, ticks, __, ___, step) => ticks.map((tick) => tickText(tick, step)) }, { ...axis, size: 78, values: (_, ticks) => ticks.map((tick) => format(tick)) }],
    series: [{}, { label, stroke: color("--blue"), width: 2, fill: `${color("--blue")}22`, points: { show: false }, spanGaps: false }],
    hooks: { setCursor: [(plot) => onPoint(plot.cursor.idx)] },
  };
}

/** `points` are { t, y } with t in unix seconds, ascending; y null is a gap. */
export function LineChart({ points, label, format }) {
  const box = useRef(null);
  const plot = useRef(null);
  const [picked, pick] = useState(null);
  const [broken, setBroken] = useState(false);
  const [look, setLook] = useState(0);
  const data = [points.map((p) => p.t), points.map((p) => p.y)];
  const known = points.filter((p) => p.y != null);
  const drawn = known.length > 1;
  useRevival(broken, () => setLook((n) => n + 1));
  const latest = useRef(data);
  latest.current = data;
  useEffect(() => {
    const again = () => setLook((n) => n + 1);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    addEventListener("themechange", again);
    dark.addEventListener("change", again);
    return () => {
      removeEventListener("themechange", again);
      dark.removeEventListener("change", again);
    };
  }, []);
  useEffect(() => {
    if (!drawn) return undefined;
    let gone = false;
    let observer;
    setBroken(false);
    loadLibrary().then((UPlot) => {
      if (gone || !box.current) return;
      plot.current = new UPlot(options(box.current.clientWidth, label, format, (i) => pick(i ?? null)), latest.current, box.current);
      observer = new ResizeObserver(() => plot.current?.setSize({ width: box.current.clientWidth, height: HEIGHT }));
      observer.observe(box.current);
    }, () => setBroken(true));
    return () => {
      gone = true;
      observer?.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [look, label, drawn]);
  useEffect(() => {
    plot.current?.setData(data);
  }, [points]);
  const last = known.at(-1);
  const highest = known.reduce((most, p) => Math.max(most, p.y), 0);
  const shown = picked !== null && points[picked] ? points[picked] : last;
  // Two points make a line.
  if (known.length < 2) return html`<p class="empty">${last ? `${dateTime(last.t)}: ${format(last.y)}. The chart begins with the next number.` : "No numbers for this period yet; the first one appears when its step is over."}</p>`;
  return html`<div>
    <div class="chart" ref=${box} role="img" aria-label=${`${label}: ${format(last.y)} at the end, at most ${format(highest)}`}></div>
    <p class="readout">${broken ? "The chart could not be loaded; the numbers are below." : `${dateTime(shown.t)}: ${shown.y == null ? "none" : format(shown.y)}`}</p>
    <details><summary>The newest numbers as a table</summary>
      <${Table} caption=${label} rows=${known.slice(-TABLE_ROWS).reverse()} rowKey=${(p) => p.t} columns=${[
        { head: "From", cell: (p) => dateTime(p.t) },
        { head: label, num: true, cell: (p) => format(p.y, 2) },
      ]} />
    </details>
  </div>`;
}

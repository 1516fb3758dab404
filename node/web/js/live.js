// Live events: one stream of server-sent events for all tabs, with a visible state.
import { useEffect, useRef, useState } from "./html.js";
import { put, refreshFor } from "./api.js";

const TYPES = ["hello", "share", "link", "tip", "block", "status", "log", "reset"];
/** Delay before an interruption is shown: the server ends streams, and browsers resume them. */
const TELL_AFTER_MS = 4000;
const ANEW_MS = [2000, 5000, 10000, 20000];
/** A hidden tab fetches nothing. If tabs cannot share a stream, it closes its connection. */
const HIDDEN_MS = 15000;
const POLL_MS = 10000;

const handlers = new Map(TYPES.map((type) => [type, new Set()]));
const watchers = new Set();
let state = "connecting";
let source = null;
/** Undefined until tried, null if tabs cannot share a stream. */
let port;
let failures = 0;
let tellTimer = 0;
let anewTimer = 0;
let hiddenTimer = 0;
let missed = false;

function setState(next) {
  if (state === next) return;
  state = next;
  for (const watcher of watchers) watcher(state);
}

function receive(type, text) {
  let data;
  try {
    data = JSON.parse(text || "{}");
  } catch {
    return;
  }
  if (type === "status") put("/status", data);
  if (type === "reset") refreshFor(null);
  for (const handler of handlers.get(type)) handler(data);
  refreshFor(type);
}

function opened() {
  clearTimeout(tellTimer);
  tellTimer = 0;
  failures = 0;
  if (missed) refreshFor(null);
  missed = false;
  setState("live");
}

/** `closed`: the browser does not resume the stream, so events in between are missed. */
function broken(closed) {
  // Each failed attempt comes here; the first one starts the clock.
  tellTimer ||= setTimeout(() => setState("reconnecting"), TELL_AFTER_MS);
  missed ||= closed;
}

/** The stream that all tabs share; null where the browser has no shared workers. */
function shared() {
  try {
    const worker = new SharedWorker("/js/live_worker.js", { name: "live" });
    worker.onerror = () => {
      port = null;
      if (source !== null) open();
    };
    worker.port.onmessage = ({ data }) => {
      if (source === null) return;
      if (data.kind === "open") opened();
      else if (data.kind === "error") broken(data.closed);
      else receive(data.type, data.data);
    };
    return worker.port;
  } catch {
    return null;
  }
}

function open() {
  clearTimeout(anewTimer);
  if (port === undefined) port = shared();
  if (port !== null) {
    port.postMessage("join");
    source = { close: () => port.postMessage("leave") };
    return;
  }
  source = new EventSource("/api/v1/events");
  source.onopen = opened;
  source.onerror = () => {
    const closed = source.readyState === EventSource.CLOSED;
    broken(closed);
    if (!closed) return;
    anewTimer = setTimeout(open, ANEW_MS[Math.min(failures, ANEW_MS.length - 1)]);
    failures += 1;
  };
  for (const type of TYPES) source.addEventListener(type, (event) => receive(type, event.data));
}

function close(next) {
  clearTimeout(tellTimer);
  tellTimer = 0;
  clearTimeout(anewTimer);
  source?.close();
  source = null;
  missed = true;
  setState(next);
}

function onVisibility() {
  clearTimeout(hiddenTimer);
  if (document.hidden) hiddenTimer = setTimeout(() => close("paused"), HIDDEN_MS);
  else if (source === null) {
    setState("connecting");
    open();
  }
}

export function startLive() {
  open();
  document.addEventListener("visibilitychange", onVisibility);
  // A page must not keep its connection after the reader leaves it.
  addEventListener("pagehide", () => close("paused"));
  addEventListener("pageshow", (event) => event.persisted && source === null && open());
  setInterval(() => !document.hidden && state !== "live" && refreshFor(null), POLL_MS);
}

/** "connecting", "live", "reconnecting" or "paused". */
export function useLiveState() {
  const [now, set] = useState(state);
  useEffect(() => {
    watchers.add(set);
    set(state);
    return () => watchers.delete(set);
  }, []);
  return now;
}

/** While something has `failed`, calls `again` when the stream is back, or every ten seconds without one. */
export function useRevival(failed, again) {
  const live = useLiveState();
  useEffect(() => {
    if (!failed) return undefined;
    const timer = setInterval(again, POLL_MS);
    return () => clearInterval(timer);
  }, [failed]);
  useEffect(() => {
    if (failed && live === "live") again();
  }, [live]);
}

/** Calls `handler` for each event of a type while the component is shown. */
export function useEvent(type, handler) {
  const latest = useRef(handler);
  latest.current = handler;
  useEffect(() => {
    const call = (data) => latest.current(data);
    handlers.get(type).add(call);
    return () => handlers.get(type).delete(call);
  }, [type]);
}

// What happens, as it happens: one stream of server-sent events for the whole app, with a state that is shown.
import { useEffect, useRef, useState } from "./html.js";
import { put, refreshFor } from "./api.js";

const TYPES = ["hello", "share", "link", "tip", "block", "status", "log", "reset"];
/** A stream that the server ends and the browser resumes is not worth a word. */
const TELL_AFTER_MS = 4000;
const ANEW_MS = [2000, 5000, 10000, 20000];
/** Browsers allow few connections to one host: a tab that nobody looks at gives its own back. */
const HIDDEN_MS = 15000;
const POLL_MS = 10000;

const handlers = new Map(TYPES.map((type) => [type, new Set()]));
const watchers = new Set();
let state = "connecting";
let source = null;
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

function receive(type, event) {
  let data;
  try {
    data = JSON.parse(event.data || "{}");
  } catch {
    return;
  }
  if (type === "status") put("/status", data);
  if (type === "reset" || (type === "hello" && missed)) refreshFor(null);
  if (type === "hello") missed = false;
  for (const handler of handlers.get(type)) handler(data);
  refreshFor(type);
}

function calm() {
  clearTimeout(tellTimer);
  tellTimer = 0;
}

function open() {
  clearTimeout(anewTimer);
  source = new EventSource("/api/v1/events");
  source.onopen = () => {
    calm();
    failures = 0;
    setState("live");
  };
  source.onerror = () => {
    // Each try that fails comes here: the first one starts the clock.
    tellTimer ||= setTimeout(() => setState("reconnecting"), TELL_AFTER_MS);
    // The browser resumes by itself, unless the answer was no stream.
    if (source.readyState !== EventSource.CLOSED) return;
    missed = true;
    anewTimer = setTimeout(open, ANEW_MS[Math.min(failures, ANEW_MS.length - 1)]);
    failures += 1;
  };
  for (const type of TYPES) source.addEventListener(type, (event) => receive(type, event));
}

function close(next) {
  calm();
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
  // A page that is left for another must not keep its connection.
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

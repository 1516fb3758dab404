// Answers of the API: fetched once for all components that show them, and again after events. And the node's clock.
import { useLayoutEffect, useState } from "./html.js";
import { get, passing } from "./get.js";

export { get, passing };

const KEPT_MAX = 200;
const RETRY_MS = [2000, 4000, 8000, 15000, 30000];
const AGAIN_MS_MIN = 2000;

/** Seconds that the node's clock is ahead, so that "3 s ago" is right on a device whose own clock is wrong. */
let aheadS = 0;

function setNodeTime(unixS) {
  aheadS = unixS - Date.now() / 1000;
  // Less than two seconds may be network delay.
  if (Math.abs(aheadS) < 2) aheadS = 0;
}

/** Seconds since 1970 by the node's clock. */
export const nowS = () => Date.now() / 1000 + aheadS;

const entries = new Map();

function entry(path) {
  let found = entries.get(path);
  if (!found) {
    found = { path, data: null, error: null, loading: false, again: false, atMs: 0, failed: 0, timer: 0, users: new Set() };
    entries.set(path, found);
    forget();
  }
  return found;
}

/** Drops answers that no component shows, oldest first. */
function forget() {
  for (const [path, old] of entries) {
    if (entries.size <= KEPT_MAX) return;
    if (old.users.size === 0 && !old.loading) entries.delete(path);
  }
}

function tell(of) {
  for (const user of of.users) user.set({ data: of.data, error: of.error });
}

/** Answers that show more with the node's token. */
const WITH_TOKEN = /^\/(miners\/[^/]+$|log|peers)/;

/** A token that the node rejected: retrying would change nothing. */
let wrongToken;

/** A wrong token must not hide public data. */
async function withToken(path) {
  const kept = WITH_TOKEN.test(path) ? readToken() : undefined;
  const token = kept === wrongToken ? undefined : kept;
  try {
    return await get(path, { token });
  } catch (error) {
    if (!token || error.status !== 401) throw error;
    wrongToken = token;
    return get(path);
  }
}

async function load(of) {
  clearTimeout(of.timer);
  of.timer = 0;
  of.loading = true;
  of.again = false;
  try {
    of.data = await withToken(of.path);
    of.error = null;
    of.failed = 0;
    if (of.data.time_unix_s && of.path === "/status") setNodeTime(of.data.time_unix_s);
  } catch (error) {
    of.error = error;
    if (passing(error)) {
      of.timer = setTimeout(() => of.users.size > 0 && load(of), RETRY_MS[Math.min(of.failed, RETRY_MS.length - 1)]);
      of.failed += 1;
    }
  }
  of.loading = false;
  of.atMs = Date.now();
  tell(of);
  if (of.again) refresh(of.path);
}

/** Refetches an answer that is shown, at most every two seconds. */
export function refresh(path) {
  const of = entries.get(path);
  if (!of || of.users.size === 0) return;
  if (of.loading) {
    of.again = true;
    return;
  }
  if (of.timer) return;
  const waitMs = of.atMs + AGAIN_MS_MIN - Date.now();
  of.timer = setTimeout(() => load(of), Math.max(0, waitMs));
}

/** Refetches all shown answers that change with an event: `type` is its name, or null for all. */
export function refreshFor(type) {
  for (const of of entries.values()) {
    for (const user of of.users) {
      if (type === null || user.on.includes(type)) {
        refresh(of.path);
        break;
      }
    }
  }
}

/** Stores an answer from another source. */
export function put(path, data) {
  const of = entry(path);
  of.data = data;
  of.error = null;
  of.atMs = Date.now();
  if (path === "/status") setNodeTime(data.time_unix_s);
  tell(of);
}

/**
 * The answer to `path` (null for none) as { data, error, reload }; both may be null at first. `on` names the live
 * events after which it is refetched.
 */
export function useApi(path, on = []) {
  const [state, set] = useState({ path: null, data: null, error: null });
  const events = on.join();
  useLayoutEffect(() => {
    if (path === null) return undefined;
    const of = entry(path);
    const user = { on: events ? events.split(",") : [], set: (next) => set({ path, ...next }) };
    of.users.add(user);
    user.set({ data: of.data, error: of.error });
    if (!of.loading && (of.data === null || Date.now() - of.atMs > AGAIN_MS_MIN)) load(of);
    return () => of.users.delete(user);
  }, [path, events]);
  const fits = state.path === path;
  const kept = fits ? state : { data: entries.get(path)?.data ?? null, error: null };
  return { data: kept.data, error: kept.error, reload: () => path !== null && load(entry(path)) };
}

/** True if these pages come from an archive alone, without a node. */
export const useExplorer = () => useApi("/status").data?.source === "archive";

const TOKEN = "shoal.token";

export function readToken() {
  try {
    return localStorage.getItem(TOKEN) || undefined;
  } catch {
    return undefined;
  }
}

export function writeToken(token) {
  try {
    if (token) localStorage.setItem(TOKEN, token);
    else localStorage.removeItem(TOKEN);
  } catch {
    // Without storage, the page asks for the token again.
  }
  for (const path of entries.keys()) if (WITH_TOKEN.test(path)) refresh(path);
}

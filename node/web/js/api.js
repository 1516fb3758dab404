// Answers of the API: fetched once for all components that show them, and again after events.
import { useLayoutEffect, useState } from "./html.js";
import { setNodeTime } from "./clock.js";
import { sentence } from "./format.js";

const KEPT_MAX = 200;
const RETRY_MS = [2000, 4000, 8000, 15000, 30000];
const AGAIN_MS_MIN = 2000;
const TIMEOUT_MS = 15000;

/** Why there is no answer: the problem, and advice. */
export class Failure extends Error {
  constructor(sentence, todo, status = 0) {
    super(sentence);
    this.todo = todo;
    this.status = status;
  }
}

const GONE = "The node does not answer.";
const GONE_TODO = "Check that it runs (shoal status) and that this device reaches it; this page tries again automatically.";

function refused(status, words) {
  const text = words ? sentence(words) : `The node answered with the code ${status}.`;
  if (status === 401 || status === 403) return new Failure(text, "The token is in the file api-token in the node's data folder.", status);
  if (status === 404) return new Failure(text, "Check the address of the page, or use the search; other nodes may know more.", status);
  if (status === 410) return new Failure(text, "Ask a node that keeps the whole share-chain.", status);
  if (status === 429 || status === 503) return new Failure(text, "It is busy; this page tries again automatically.", status);
  if (status >= 500) return new Failure(text, "See the node's log.", status);
  return new Failure(text, "Correct it and try again.", status);
}

/** True for an error that ends when the node answers again. */
export const passing = (error) => error != null && (error.status === 0 || error.status === 429 || error.status >= 500);

/** One answer, without keeping it. */
export async function get(path, { token } = {}) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  let response;
  try {
    response = await fetch(`/api/v1${path}`, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new Failure(GONE, GONE_TODO);
  }
  const body = await response.json().catch(() => null);
  if (!response.ok) throw refused(response.status, body?.error);
  if (body === null) throw new Failure("The node's answer cannot be read.", "Reload the page. If that does not help, the node and this page may have different versions.");
  return body;
}

/** All pages of a list, joined. `pick` takes the rows out of a page. */
export async function getAll(path, pick, { rowsMax = 20000, onPage } = {}) {
  const sign = path.includes("?") ? "&" : "?";
  let rows = [];
  let page = await get(`${path}${sign}limit=500`);
  const first = page;
  for (;;) {
    rows = rows.concat(pick(page));
    onPage?.(rows.length);
    if (page.next_from == null || rows.length >= rowsMax) return { first, rows, whole: page.next_from == null };
    page = await get(`${path}${sign}limit=500&from=${page.next_from}`);
  }
}

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

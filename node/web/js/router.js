// Real paths without page reloads. `Route` is { path, parts, query }.
import { useEffect, useState } from "./html.js";

const listeners = new Set();
let current = read();

function read() {
  const { pathname, search } = location;
  const parts = pathname.split("/").filter(Boolean).map(decode);
  return { path: pathname, parts, query: new URLSearchParams(search) };
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function changed() {
  current = read();
  for (const listener of listeners) listener(current);
}

/** Goes to a path of this app. */
export function go(path, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", path);
  changed();
}

export function useRoute() {
  const [route, set] = useState(current);
  useEffect(() => {
    listeners.add(set);
    set(current);
    return () => listeners.delete(set);
  }, []);
  return route;
}

/** True if a path is a page of this app, and not a file or an answer of the API. */
const isPage = (href) => href.startsWith("/") && !href.startsWith("//") && !href.startsWith("/api/");

function onClick(event) {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const anchor = event.target.closest?.("a");
  const href = anchor?.getAttribute("href");
  if (!href || anchor.hasAttribute("download") || anchor.getAttribute("target") || !isPage(href)) return;
  event.preventDefault();
  go(href);
}

export function startRouter() {
  addEventListener("popstate", changed);
  document.addEventListener("click", onClick);
}

// What cannot wait for the modules: a plain script in the head. Sets dark or light before the page renders; the default follows the
// system. And asks for what the page is about to show; get.js takes the answers.
"use strict";
(function () {
  const kept = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };
  const theme = kept("shoal.theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;

  const [page, id] = location.pathname.split("/").slice(1);
  const to = Number.parseInt(new URLSearchParams(location.search).get("to"), 10);
  const address = page === "" ? kept("shoal.address") : page === "miners" && id;
  const miner = address && /^\w+$/.test(address) ? `/miners/${address}` : null;
  // As many rows of its lists as pages show at first: parts/mining.js has the same number.
  const first = `${miner}?limit=20`;
  const paths = ["/status"];
  if (page === "") paths.push("/pool", "/pool/history?step=60&limit=180", "/blocks?limit=20", "/links?limit=5");
  if (page === "chain") paths.push(`/graph?links=30${to >= 0 ? `&to=${to}` : ""}`, "/blocks?limit=100");
  if (miner) paths.push(first, `${miner}/shares?limit=100`);
  if (miner && page === "miners") paths.push("/pool", `${miner}/history?step=60&limit=180`, "/window?limit=1", `${miner}/payments?limit=10`);
  if (page === "miners" && !id) paths.push("/window?limit=100");
  const token = kept("shoal.token");
  globalThis.early = new Map(paths.map((path) => {
    const headers = token && path === first ? { Authorization: `Bearer ${token}` } : {};
    const answer = fetch(`/api/v1${path}`, { headers, signal: AbortSignal.timeout(15000) });
    answer.catch(() => {});
    return [path, answer];
  }));
  // Modules occupy a browser's network, so they come after what the page asks for.
  document.head.append(document.getElementById("modules").content);
})();

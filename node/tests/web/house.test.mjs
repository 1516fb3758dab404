// What holds for all files. Run: node --test node/tests/web
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { test } from "node:test";

const root = new URL("../../web/", import.meta.url);
const read = (path) => readFileSync(new URL(path, root), "utf8");
const files = readdirSync(new URL("js", root), { recursive: true }).filter((name) => name.endsWith(".js")).map((name) => `js/${name}`);

/** A module and all that it imports without waiting for a page. */
function graph(start, found = new Set()) {
  if (found.has(start)) return found;
  found.add(start);
  for (const [, path] of read(start).matchAll(/^(?:import|export) [^;]*? from "(\.[^"]+)";/gms)) {
    graph(new URL(path, new URL(start, root)).href.slice(root.href.length), found);
  }
  return found;
}

test("every page asks for the files of the frame at once", () => {
  const index = read("index.html");
  const preloaded = [...index.matchAll(/modulepreload" href="\/([^"]+)"/g)].map((match) => match[1]);
  const libraries = [...graph("js/main.js")].filter((path) => path.startsWith("vendor/"));
  assert.deepEqual(preloaded.sort(), ["joined/js/main.js", ...libraries].sort());
});

test("the node can join all modules", () => {
  const forms = /^(?:import \{[^;]*\} from "\.[^"]+";|export \{[^;]*\}(?: from "\.[^"]+")?;|export (?:default )?(?:async )?(?:function|const|class) \w+)/;
  for (const file of files.filter((name) => !["js/early.js", "js/modules.js"].includes(name))) {
    const text = read(file);
    for (const { index } of text.matchAll(/^(?:import|export)\b/gm)) assert.match(text.slice(index), forms, file);
    assert.doesNotMatch(text, /\$(?:define|need|load|url)\b/, `${file} hides what joins it`);
    for (const [call] of text.matchAll(/\bimport\([^)]*\)/g)) assert.match(call, /^import\("\.\.?\/[\w./]+"\)$/, file);
  }
});

test("no module imports itself through others", () => {
  const visit = (path, above) => {
    assert.ok(!above.includes(path), `${[...above, path].join(" imports ")}`);
    if (known.has(path)) return;
    for (const [, name] of read(path).matchAll(/^(?:import|export) [^;]*? from "(\.[^"]+)";/gms)) {
      visit(new URL(name, new URL(path, root)).href.slice(root.href.length), [...above, path]);
    }
    known.add(path);
  };
  const known = new Set();
  for (const file of files) visit(file, []);
});

test("a joined module runs once, when it is first needed", async () => {
  const { $define: define, $need: need, $load: load } = await import(new URL("js/modules.js", root));
  const calls = [];
  define("js/a.js", (url) => (calls.push(url), { a: 1 }));
  define("js/a.js", () => assert.fail("another file has it, too"));
  assert.deepEqual([calls.length, need("js/a.js").a, (await load("js/a.js")).a, calls.length], [0, 1, 1, 1]);
  assert.ok(calls[0].endsWith("/js/a.js"));
});

test("the first page stays small", () => {
  const first = ["index.html", "app.css", "favicon.svg", "js/early.js", "vendor/uplot/uPlot.iife.min.js", "vendor/uplot/uPlot.min.css", ...graph("js/pages/home.js", graph("js/main.js"))];
  const bytes = first.reduce((sum, path) => sum + gzipSync(read(path)).length + 300, 0);
  assert.ok(bytes < 82_000, `${bytes} bytes with heads`);
});

test("what is requested early is what the parts ask for", () => {
  const [, rows] = read("js/parts/mining.js").match(/const FIRST = (\d+);/);
  assert.ok(read("js/early.js").includes(`\`\${miner}?limit=${rows}\``));
});

test("feed readers find the feed of blocks", () => {
  assert.match(read("index.html"), /<link rel="alternate" type="application\/atom\+xml" title="[^"]+" href="\/api\/v1\/blocks\.atom">/);
});

test("a page asks the node before the style sheet has come", () => {
  const index = read("index.html");
  assert.ok(index.indexOf("early.js") < index.indexOf("stylesheet"), "browsers run no script below a style sheet that has not come");
  const [modules] = index.match(/<template id="modules">[^]*<\/template>\s*<script/);
  assert.ok(!index.replace(modules, "").includes("modulepreload"), "browsers load at once what they see outside of the template");
});

test("files are short, and nothing in them is inline or from elsewhere", () => {
  for (const file of files) {
    const text = read(file);
    assert.ok(text.split("\n").length <= 300, `${file} is long`);
    assert.doesNotMatch(text, /https?:\/\//, `${file} names another site`);
    assert.doesNotMatch(text, /\sstyle=["$]|\son[a-z]+="|innerHTML|eval\(/, `${file} has something inline`);
    assert.ok(text.startsWith("// "), `${file} does not say what it is for`);
  }
  assert.doesNotMatch(read("index.html"), /<style|style=|<script>|https?:|\son[a-z]+=/);
  assert.doesNotMatch(read("app.css"), /https?:|@import|url\(/);
});

test("the node knows the pages and their modules", () => {
  const [, list] = read("js/main.js").match(/const PAGES = {\n([^]*?)\n};/);
  const modules = (line) => line.match(/pages\/\w+(?=\.js)|missing(?!\.js)/g).map((name) => name.replace("pages/", ""));
  const own = list.split("\n").map((line) => [line.match(/\w*(?="?:)/)[0], ...modules(line)]);
  const [, served] = readFileSync(new URL("../src/api/pages.rs", root), "utf8").match(/const PAGES: [^=]*=\s*\[([^\]]*)\]/);
  const known = served.trim().split("\n").map((line) => line.match(/"\w*"|MISSING/g).map((name) => (name === "MISSING" ? "missing" : name.slice(1, -1))));
  assert.deepEqual(known, own);
});

test("what is requested early names no address that is not there", () => {
  const requested = (pathname, kept = {}) => {
    const paths = [];
    const scope = { localStorage: { getItem: (key) => kept[key] ?? null }, document: { documentElement: { dataset: {} }, head: { append: () => paths.push("modules") }, getElementById: () => ({}) },
      location: { pathname, search: "" }, fetch: (path) => { paths.push(path); return Promise.resolve(); } };
    new Function(...Object.keys(scope), read("js/early.js"))(...Object.values(scope));
    assert.equal(paths.indexOf("modules"), paths.length - 1, "modules come after all requests");
    return paths.filter((path) => path.includes("/miners/"));
  };
  for (const path of ["/", "/blocks", "/miners", "/calculator"]) assert.deepEqual(requested(path), [], path);
  assert.equal(requested("/", { "shoal.address": "tb1q" }).length, 2);
  assert.equal(requested("/miners/tb1q").length, 4);
});

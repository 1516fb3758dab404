// Modules that the node joins into one file: each is a function, which runs when the module is first needed. The file of the frame
// begins with this (`node/src/api/pages/joined.rs`). No module has names like these.
const ROOT = new URL("../../", import.meta.url);
const makers = new Map();
const made = new Map();

/** Adds a module by its path. `make` gets the module's URL and returns its exports. Two files may have the same module. */
export function $define(path, make) {
  if (!makers.has(path)) makers.set(path, make);
}

/** The exports of a module that is there. */
export function $need(path) {
  if (!made.has(path)) made.set(path, makers.get(path)(new URL(path, ROOT).href));
  return made.get(path);
}

/** The exports of a module that has a file: of itself, and of what it imports beside the frame. */
export async function $load(path) {
  if (!makers.has(path)) await import(new URL(`joined/${path}`, ROOT).href);
  return $need(path);
}

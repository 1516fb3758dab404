// One answer of the API. Workers use it, too.
import { sentence } from "./format.js";

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
  // The page may have asked already; a worker has not.
  const asked = globalThis.early?.get(path);
  globalThis.early?.delete(path);
  let response;
  try {
    response = await (asked ?? fetch(`/api/v1${path}`, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) }));
  } catch {
    throw new Failure(GONE, GONE_TODO);
  }
  const body = await response.json().catch(() => null);
  if (!response.ok) throw refused(response.status, body?.error);
  if (body === null) throw new Failure("The node's answer cannot be read.", "Reload the page. If that does not help, the node and this page may have different versions.");
  return body;
}

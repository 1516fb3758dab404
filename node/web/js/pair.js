// A pairing link: shoal pair prints it, and this browser gets the node's token for it.
import { writeToken } from "./api.js";

const HASH = "#pair=";

/**
 * A pairing link brings a code behind the path, where it is sent to nobody. It must not stay in the address or the history. The node
 * gives the token for it, once.
 */
export async function pair() {
  const code = location.hash.slice(HASH.length);
  history.replaceState(null, "", location.pathname + location.search);
  const answer = await fetch("/api/v1/pair", { method: "POST", headers: { "shoal-pairing-code": code } }).catch(() => null);
  if (answer?.ok) writeToken((await answer.json()).token);
  else alert(answer?.status === 401 ? "This link was used or has ended: shoal pair on the node's machine prints another." : "The node did not answer; open the link again.");
}

// A pairing link, printed by shoal pair: this browser exchanges it for the node's token.
import { writeToken } from "./api.js";

const HASH = "#pair=";

/**
 * A pairing link has a code in its fragment, which browsers do not send to any server. It must not stay in the address
 * or the history. The node gives the token for it once.
 */
export async function pair() {
  const code = location.hash.slice(HASH.length);
  history.replaceState(null, "", location.pathname + location.search);
  const answer = await fetch("/api/v1/pair", { method: "POST", headers: { "shoal-pairing-code": code } }).catch(() => null);
  if (answer?.ok) writeToken((await answer.json()).token);
  else alert(answer?.status === 401 ? "This link was used or has expired: shoal pair on the node's machine prints another." : "The node did not answer; open the link again.");
}

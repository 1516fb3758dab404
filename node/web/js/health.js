// Turns the node's status into sentences about problems, worst first. Pure.
import { duration, percent, plural, si } from "./format.js";

/** A silence of thirty average link intervals happens once in 10^13 links. */
const QUIET_LINKS = 30;

const item = (level, what, todo = "") => ({ level, what, todo });

/** A list of { level: "bad" | "warn", what, todo }; empty when nothing is wrong. */
export function troubles(status) {
  if (status.source === "archive") return quiet(status);
  return [...alarms(status), ...states(status), ...sync(status), ...bitcoin(status), ...archive(status), ...upgrades(status), ...quiet(status)]
    .sort((a, b) => (a.level === b.level ? 0 : a.level === "bad" ? -1 : 1));
}

function alarms(status) {
  const found = [];
  if (status.conflict) {
    found.push(item("bad", "Another branch of the share-chain has more work, but following it would undo settled links. This node keeps working on its own branch.",
      "It switches automatically once the other branch has outgrown its own for about three hours. Only if the branches split more than 2,160 links ago, ask other miners which one is the pool's; to follow the other one, restart the node once with --follow-heaviest."));
  }
  if (!status.handing_out_work) found.push(item("bad", `Miners get no work from this node: ${(status.no_work_because ?? "it does not say why").replace(/\.$/, "")}.`, "Miners with a second pool should have switched to it; they come back automatically."));
  return found;
}

/** States in which miners earn nothing, or soon will not. The others only warn. */
const COSTLY = ["no_peers", "unlisted", "miners_gone", "miners_silent"];

const holds = (status, kind) => status.states.some((state) => state.kind === kind);
const said = (text) => `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}`;

/** States of the node and its miners, by the rules of its alerts: since when, and advice. */
function states(status) {
  const found = [...status.states, ...status.mining].map(({ kind, since_unix_s: since, what, todo }) =>
    item(COSTLY.includes(kind) ? "bad" : "warn", `For ${duration(Math.max(0, status.time_unix_s - since))}: ${what}.`, `${said(todo.replaceAll("`", ""))}.`));
  if (!status.solo_because) return found;
  return [item("bad", "Miners work solo: a block pays only its finder, and nothing is shared with the pool.", "They return to the pool when the problem below is over."), ...found];
}

function sync(status) {
  const { state, progress, rate_bytes_s: rate, left_s: left } = status.sync;
  const pace = `${rate == null ? "" : `, ${si(rate, "B/s")}`}${left == null ? "" : `, ${duration(left)} left`}`;
  if (state === "waiting") return [item("warn", "The node waits for its bitcoind before it reads its share-chain.", "It continues automatically when bitcoind answers and is in sync.")];
  if (state === "searching") return holds(status, "no_peers") ? [] : [item("warn", "No other node has been reached yet.", "Name at least one in p2p.peers of the configuration, and check that it can be reached.")];
  if (state === "synced") return status.peers === 0 && !holds(status, "no_peers") ? [item("warn", "No other node is connected now.", "Shares found meanwhile are sent once one is; check the network.")] : [];
  const part = progress == null ? "" : ` (${percent(progress)} done${pace})`;
  if (state === "reading") return [item("warn", `The node reads its share-chain from its disk${part}.`, "Numbers are incomplete until it has finished; wait.")];
  return [item("warn", `The node is still downloading the share-chain${part}.`, "Numbers are incomplete until it has finished; wait.")];
}

function bitcoin(status) {
  const { trouble, height, header_height: headers } = status.bitcoin;
  if (trouble) return [item("bad", `bitcoind reports a problem: ${trouble.replace(/\.$/, "")}.`, "See bitcoind's log; the node continues when bitcoind answers.")];
  if (height != null && headers > height + 1 && !holds(status, "bitcoind")) return [item("warn", `Your bitcoind is ${plural(headers - height, "block")} behind.`, "It may be catching up; if not, see its log and its peers.")];
  return [];
}

function archive(status) {
  const trouble = status.archive_trouble;
  if (!trouble) return [];
  return [item("warn", `${said(trouble.replace(/\.$/, ""))}.`, "Mining goes on, and what the archive lacks waits on this node's disk.")];
}

function upgrades(status) {
  return status.upgrades.filter((upgrade) => !upgrade.known && upgrade.state !== "counting").map((upgrade) =>
    (upgrade.state === "active"
      ? item("bad", `The pool's rules changed at link ${upgrade.active_from_height}, and this program does not know the new ones. Blocks and shares that it finds may not count.`, "Install a newer version of shoal.")
      : item("warn", "The pool's rules will probably change within days, and this program does not know the new ones.", "Install a newer version of shoal.")));
}

function quiet(status) {
  const bound = QUIET_LINKS * status.link_interval_s;
  if (status.tip_age_s == null || status.tip_age_s <= bound || holds(status, "stale_tip")) return [];
  return [item("warn", `The newest link is ${duration(status.tip_age_s)} old.`, `Either the pool has very little hashrate now, or ${status.source === "archive" ? "the archive gets no new data" : "this node is cut off: check its peers"}.`)];
}

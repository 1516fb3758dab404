// Plain words for rules and fates: why a share did not count, and advice. Pure.

/** Meaning of a broken rule for the share's finder. Numbers and rules: specs/rules.md. */
const RULES = {
  "SC-001": ["The share was longer than any share may be.", "A program altered it in transit, or speaks another version."],
  "SC-002": ["The share ended too early.", "It was cut in transit; if that repeats, update the node that sent it."],
  "SC-003": ["Something followed the share's last byte.", "It was altered in transit; if that repeats, update the node that sent it."],
  "SC-004": ["The share is of a version that this node does not know.", "Install the newest version on both nodes."],
  "SC-005": ["It pays to a kind of script that shares cannot pay.", "Use an ordinary address: P2PKH, P2SH, P2WPKH, P2WSH or P2TR."],
  "SC-010": ["Its extra output without value is not what the rules allow.", "The node that made it is faulty; update it."],
  "SC-101": ["Its hash is not low enough for any share.", "It carries too little work; a miner does not cause this, only a faulty or hostile node."],
  "SC-102": ["Its Bitcoin header does not commit to its share header.", "The miner changed the coinbase, or the share was altered. Firmware that rewrites the coinbase cannot mine here."],
  "SC-201": ["Its parent is not a link.", "The node that made it was misled; give it other peers."],
  "SC-202": ["It names the wrong anchor.", "The node that made it is faulty; update it."],
  "SC-203": ["Its time is earlier than that of the links it builds on.", "The clock of the node that made it is wrong; set it by NTP."],
  "SC-204": ["Its Bitcoin header's time is too early for Bitcoin.", "The clock of that node or its bitcoind is wrong; set it by NTP."],
  "SC-205": ["Its two times are more than two hours apart.", "A clock is wrong, or the firmware changes the time by too much."],
  "SC-206": ["It claims a Bitcoin height that does not fit the block it builds on.", "The node that made it is faulty; update it."],
  "SC-207": ["It was mined for the wrong Bitcoin difficulty.", "It was work for an old Bitcoin period; check that the node's bitcoind is synced."],
  "SC-208": ["It builds on a Bitcoin block with less work than its parent did.", "The node's bitcoind was behind; check that it is synced."],
  "SC-209": ["Its hash is above the share target of its position: too little work.", "Sometimes a share for an older, easier target comes late. If many do, check the delay between miner and node."],
  "SC-210": ["It claims to earn less or more than a Bitcoin block may.", "The node that made it is faulty; update it."],
  "SC-211": ["It is for a Bitcoin height before the start of this pool.", "Check that the node's bitcoind is synced."],
  "SC-212": ["Its parent breaks a rule.", "The node that made it followed an invalid link; update it."],
  "SC-213": ["Bitcoin rejects its block version.", "The firmware changes version bits that it must not change; update it, or ask its maker."],
  "SC-301": ["Its coinbase does not pay what the rules require.", "The firmware changed or cut the outputs (some cannot hold so long a coinbase), or the node computes payouts wrongly. The README says which devices fit."],
  "SC-901": ["An amount is out of range.", "Report it: no known input does this."],
};

const LISTS = ["The list of this link breaks a rule.", "The link still earns as a share, but nothing is built on it."];

/** [what it means, what to do]. */
export function ruleWords(rule) {
  if (RULES[rule]) return RULES[rule];
  if (rule?.startsWith("SC-4")) return LISTS;
  if (rule?.startsWith("SC-0")) return ["Its bytes are not a share.", "It was altered in transit; if that repeats, update the node that sent it."];
  return ["It breaks a rule of the share-chain.", "See its number in specs/rules.md."];
}

/** Fate: [level, title, what it means]. */
export const FATES = {
  link: ["ok", "It counts, and is a link", "A share lucky enough to order others. It earns as a share, and a little more."],
  listed: ["ok", "It counts", "A link of the main chain lists it; its work is paid with every block as long as it is in the window."],
  stale_bitcoin_tip: ["bad", "Listed, earned nothing: stale Bitcoin tip", "It builds on a Bitcoin block that had long been replaced when a link listed it. Its node's bitcoind was behind or cut off: see that node's log of that time."],
  old_link: ["warn", "Listed, earned nothing: it builds on an old link", "It reached the finders of links too late. One such share is bad luck; many mean that its node, or its miner, was cut off."],
  pending: ["info", "It will count soon", "It is valid and waits for the next link to list it."],
  expired: ["warn", "It does not count: it was not listed in time", "It is valid, but reached the finders of links too late. One such share is bad luck; many mean that this node, or its miner, was cut off: check the peers and the log of that time."],
  held: ["info", "It cannot be judged yet", "It depends on something that has not arrived; once that arrives, it is judged automatically."],
  refused: ["bad", "It does not count: it breaks a rule", ""],
  pruned: ["warn", "This node no longer knows its status", "It is older than the links that this node keeps. A node that keeps the whole share-chain knows."],
  unknown: ["warn", "This node has never seen it", "It may never have arrived, or be too old to be kept. If a miner reports that it found it, check that the miner was connected to this node, and that the difficulty was that of a share: most submits only show that a miner works, and are not shares."],
};

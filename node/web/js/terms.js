// Explains terms in tooltips where they name a number or a column.
const TERMS = {
  "A block now pays you": "In proportion to your work, or by a lottery if that is too little for an output of its own.",
  Anchor: "A link some way below, which decides the target and the payouts of a share, and how long it can be listed.",
  "Best share": "The highest difficulty of a share; a block needs Bitcoin's difficulty.",
  Coinbase: "The transaction of a block that pays the miners.",
  "Coinbase, bytes": "Length of the transaction that pays the miners; some devices hold only short ones.",
  Difficulty: "How hard a submit is to find: on average, 2³² hashes per unit.",
  Effort: "Work done over work expected for a block: 100% is average, less is lucky.",
  "Expected blocks of work": "Work of the shares that count, in Bitcoin blocks that such work finds on average.",
  "Blocks of work": "Work of the shares, in Bitcoin blocks that such work finds on average.",
  How: "Proportional: each block pays by work. Lottery: a draw among addresses with too little work for that.",
  "Its list": "The shares that this link lists, which makes them count.",
  "Links and shares": "Shares earn. A share that is hard enough is also a link, which lists other shares and sets their order.",
  Misbehaved: "Points for data that breaks a rule; at 100, the peer is banned.",
  "Nakamoto coefficient": "The least number of addresses with more than half of the work.",
  "Round effort": "Work since the last block over work expected for one: 100% is average, less is lucky.",
  "Share-chain": "The pool's own chain, on which the nodes agree on each miner's work.",
  Shares: "Proofs of work that count for pay.",
  Snapshot: "The link up to which work counts for this block.",
  "Template makers": "Addresses whose own nodes choose the transactions of the blocks they mine.",
  "Weight in the PPLNS window": "Pay per last N shares: the recent work that payouts follow, in Bitcoin blocks that it finds on average.",
};

let waiting = false;

function explain() {
  waiting = false;
  for (const name of document.querySelectorAll("dt, th")) {
    const words = TERMS[name.textContent.trim()];
    if (words && !name.title) name.title = words;
  }
}

function soon() {
  if (!waiting) requestAnimationFrame(explain);
  waiting = true;
}

explain();
new MutationObserver(soon).observe(document.body, { childList: true, subtree: true });

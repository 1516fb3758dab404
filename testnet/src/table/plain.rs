//! Plain text: event lines, and the answer to `shoal-testnet status`.

use std::fmt::Write as _;

use super::view::{BlockRow, NodeRow, View};
use crate::network::NodeCondition;

/// Number of characters of an id to show. They suffice to tell tips apart.
pub(super) const ID_CHARS: usize = 10;

/// Returns one line about a found block.
pub fn block_line(block: &BlockRow) -> String {
    let finder = block.finder.as_deref().unwrap_or("an unknown miner");
    let mut line = format!("Bitcoin block {} found by {finder}, pays {}", block.height, bitcoins(block.value_sat));
    if block.outputs > block.payees.len() {
        write!(line, " in {} outputs", block.outputs).expect("writing to a string does not fail");
    }
    line.push(':');
    for payee in &block.payees {
        let percent = percent(payee.value_sat, block.value_sat);
        write!(line, " {} {percent}", payee.name).expect("writing to a string does not fail");
    }
    line
}

/// Returns the whole state as text.
pub fn status_text(view: &View) -> String {
    let mut text = format!(
        "test network in {}\nrunning for {}, {} Bitcoin, {} blocks found, nodes {}\n",
        view.dir,
        duration(view.running_s),
        view.bitcoin,
        view.blocks_found,
        if view.is_agreed() { "agree" } else { "differ" },
    );
    if let Some(link) = &view.link {
        text.push_str(&format!("lines: {link}; each node has a network namespace of its own\n"));
    }
    if let Some(url) = &view.archive {
        text.push_str(&format!("archive: {url}\n"));
    }
    if let Some(groups) = &view.partition {
        text.push_str(&format!("partition: {groups}\n"));
    }
    text.push_str(
        "node  height  tip         peers   hashrate  shares  pending     rss  pages                    state\n",
    );
    for node in &view.nodes {
        let NodeRow { name, height, peers, shares, pending, pages, .. } = node;
        let line = format!(
            "{name:<4}  {height:>6}  {tip:<10}  {peers:>5}  {rate:>9}  {shares:>6}  {pending:>7}  {rss:>6}  {pages:<23}  {state}\n",
            tip = short_id(&node.tip),
            rate = hashrate(node.hashrate_hs),
            rss = megabytes(node.rss_bytes),
            state = state(node),
        );
        text.push_str(&line);
    }
    for block in view.blocks.iter().take(8) {
        text.push_str(&format!("{:>6}  {}\n", duration(block.at_s), block_line(block)));
    }
    text
}

/// Returns a node's state in a few words.
pub(super) fn state(node: &NodeRow) -> String {
    match (node.condition, node.answers, &node.no_work) {
        (NodeCondition::Waiting, ..) => "not started yet".to_owned(),
        (NodeCondition::Killed, ..) => "killed".to_owned(),
        (NodeCondition::Ended, ..) => "exited on its own".to_owned(),
        (NodeCondition::Running, false, _) => "no answer yet".to_owned(),
        (NodeCondition::Running, true, Some(why)) => format!("no work: {why}"),
        (NodeCondition::Running, true, None) => "working".to_owned(),
    }
}

/// Returns the end of a hash, which differs between blocks. The beginning is zeros.
pub(super) fn short_id(id: &str) -> &str {
    id.get(id.len().saturating_sub(ID_CHARS)..).unwrap_or(id)
}

/// `1.2 MH/s`.
pub(super) fn hashrate(hs: f64) -> String {
    const UNITS: [&str; 4] = ["H/s", "kH/s", "MH/s", "GH/s"];
    let mut value = hs;
    let mut unit = 0;
    while value >= 1_000.0 && unit + 1 < UNITS.len() {
        value /= 1_000.0;
        unit += 1;
    }
    let digits = if value < 10.0 && unit > 0 { 1 } else { 0 };
    format!("{value:.digits$} {}", UNITS[unit])
}

/// `83 MB`, in millions of bytes, as in the limits.
pub(super) fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes / 1_000_000)
}

/// `50.0001 BTC`.
pub(super) fn bitcoins(sat: u64) -> String {
    format!("{}.{:08} BTC", sat / 100_000_000, sat % 100_000_000)
}

/// `33.3%`.
pub(super) fn percent(part: u64, whole: u64) -> String {
    let tenths = u128::from(part) * 1_000 / u128::from(whole.max(1));
    format!("{}.{}%", tenths / 10, tenths % 10)
}

/// `1h02m`, `3m07s` or `12s`.
pub(super) fn duration(seconds: u64) -> String {
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h{minutes:02}m"),
    }
}

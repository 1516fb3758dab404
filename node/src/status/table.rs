//! The status as a table. Rows that need attention are marked by a sign and a word. Color only repeats that, in blue
//! and yellow, which color-blind people can tell apart.

use std::fmt::Write;

use super::words::{count, duration, hashrate, memory, printable};
use crate::api::Status;
use sharechain::limits::CONFLICT_LINKS;

use crate::api::mining::NodeFee;
use crate::api::power::Resting;
use crate::api::reach::Way;
use crate::api::status::SyncStateName;
use crate::api::upgrade::Upgrade;

const LABEL_CHARS: usize = 13;
const BOLD: &str = "\u{1b}[1m";
const BLUE: &str = "\u{1b}[34m";
const YELLOW: &str = "\u{1b}[1;33m";
const RESET: &str = "\u{1b}[0m";

/// Importance of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Plain,
    Good,
    Attention,
}

#[derive(Debug)]
struct Row {
    label: &'static str,
    mood: Mood,
    words: String,
}

impl Row {
    fn new(label: &'static str, mood: Mood, words: impl Into<String>) -> Self {
        Self { label, mood, words: words.into() }
    }
}

/// Renders the table, one line per row.
pub(super) fn render(status: &Status, color: bool) -> String {
    lines(rows(status), color)
}

/// Renders the URLs for miners of Stratum v2, one line per URL.
pub(super) fn render_v2(urls: Vec<String>, color: bool) -> String {
    lines(urls.into_iter().map(|url| Row::new("stratum v2", Mood::Plain, url)).collect(), color)
}

fn lines(rows: Vec<Row>, color: bool) -> String {
    let mut out = String::new();
    for Row { label, mood, words } in rows {
        let sign = if mood == Mood::Attention { '!' } else { ' ' };
        let words = printable(&words);
        let line = match (color, mood) {
            (false, _) => format!("{sign} {label:LABEL_CHARS$} {words}"),
            (true, Mood::Plain) => format!("{sign} {BOLD}{label:LABEL_CHARS$}{RESET} {words}"),
            (true, Mood::Good) => format!("{sign} {BOLD}{label:LABEL_CHARS$}{RESET} {BLUE}{words}{RESET}"),
            (true, Mood::Attention) => {
                format!("{YELLOW}{sign}{RESET} {BOLD}{label:LABEL_CHARS$}{RESET} {YELLOW}{words}{RESET}")
            }
        };
        // Writing to a string does not fail.
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

fn rows(status: &Status) -> Vec<Row> {
    let memory = status.rss_bytes.map(|bytes| format!(", {} of memory", memory(bytes))).unwrap_or_default();
    let up = duration(status.uptime_s);
    let id = status.consensus_id.get(..16).unwrap_or(&status.consensus_id);
    let pool = if status.pool.is_empty() { String::new() } else { format!(", pool {}", status.pool) };
    let mut rows = vec![
        Row::new("node", Mood::Plain, format!("shoal {}, up {up}{memory}", status.version)),
        Row::new("network", Mood::Plain, format!("{}{pool}, share-chain {id}…", status.network)),
        work(status),
        chain(status),
        sync(status),
        reachable(status),
        bitcoin(status),
        hashrates(status),
        shares(status),
    ];
    if let Some(Resting { devices, until_unix_s }) = &status.resting {
        let until = until_unix_s.map_or("until their owner ends it".to_owned(), |until| {
            format!("the first for another {}", duration(until.saturating_sub(status.time_unix_s).into()))
        });
        rows.push(Row::new("power", Mood::Plain, format!("{} resting, {until}", devices_of(*devices))));
    }
    if let Some(NodeFee { percent, address }) = &status.fee {
        rows.push(Row::new("fee", Mood::Plain, format!("{percent}% of the miners' work pays {address}")));
    }
    if let Some(trouble) = &status.archive_trouble {
        rows.push(Row::new("archive", Mood::Attention, format!("{trouble}; mining goes on without it")));
    }
    if let Some(link) = &status.settled_link {
        rows.push(Row::new("settled link", Mood::Plain, link.clone()));
    }
    if let Some(link) = &status.trust {
        rows.push(Row::new("trust", Mood::Plain, link.clone()));
    }
    if let Some(link) = &status.conflict {
        let words = format!(
            "conflict: the heavier branch of link {link} would undo settled links; this node works on its own branch and \
             switches automatically once the other one has outgrown it for about three hours; only if they split more than \
             {CONFLICT_LINKS} links ago, choose: `shoal run --follow-heaviest`, once, follows the heavier one"
        );
        rows.insert(0, Row::new("ALARM", Mood::Attention, words));
    }
    for state in status.states.iter().chain(&status.mining).rev() {
        let for_s = status.time_unix_s.saturating_sub(state.since_unix_s);
        let words = format!("for {}: {}; {}", duration(for_s.into()), state.what, state.todo);
        rows.insert(0, Row::new("state", Mood::Attention, words));
    }
    if let Some(upgrade) = status.upgrades.iter().find(|upgrade| upgrade.asks_for_a_newer_program()) {
        rows.insert(0, Row::new("ALARM", Mood::Attention, upgrade_needed(upgrade)));
    }
    rows
}

fn devices_of(devices: u64) -> String {
    if devices == 1 { "1 device".to_owned() } else { format!("{} devices", count(devices)) }
}

fn upgrade_needed(upgrade: &Upgrade) -> String {
    let what = match upgrade.active_from_height {
        Some(from) => format!("is active from link {}", count(from)),
        None => "is locked in".to_owned(),
    };
    format!(
        "an upgrade of the pool's rules (bit {}) {what}, and this version does not know it; install a newer one",
        upgrade.bit
    )
}

fn work(status: &Status) -> Row {
    let miners = match status.miners_connected {
        0 => "no miners connected".to_owned(),
        1 => "1 miner connected".to_owned(),
        miners => format!("{} miners connected", count(miners)),
    };
    if let Some(reason) = &status.solo_because {
        return Row::new("work", Mood::Attention, format!("solo, each miner for its own address: {reason}; {miners}"));
    }
    match (&status.no_work_because, status.miners_connected) {
        (None, 0) => Row::new("work", Mood::Attention, format!("handing out jobs, but {miners}")),
        (None, _) => Row::new("work", Mood::Good, format!("handing out jobs; {miners}")),
        (Some(reason), _) => Row::new("work", Mood::Attention, format!("none: {reason}; {miners}")),
    }
}

fn chain(status: &Status) -> Row {
    let words = match status.tip_age_s {
        Some(age_s) => format!(
            "link {}, {} ago; settled up to {}",
            count(status.height),
            duration(age_s),
            count(status.settled_height)
        ),
        None => "no link yet".to_owned(),
    };
    Row::new("share-chain", Mood::Plain, words)
}

fn sync(status: &Status) -> Row {
    let peers = match status.peers {
        0 => "no peers connected".to_owned(),
        1 => "1 peer connected".to_owned(),
        peers => format!("{} peers connected", count(peers)),
    };
    let towards = match (status.sync.peers_height, status.sync.progress) {
        (Some(height), Some(progress)) => {
            format!(", link {} of {} ({:.0}%)", count(status.height), count(height), (progress * 100.0).floor())
        }
        _ => String::new(),
    };
    let part = status.sync.progress.map_or(String::new(), |part| format!(" ({:.0}%)", (part * 100.0).floor()));
    let rate = status.sync.rate_bytes_s.map_or(String::new(), |rate| format!(", {:.1} MB/s", rate / 1e6));
    let left = status.sync.left_s.map_or(String::new(), |left_s| format!(", {} left", duration(left_s)));
    let pace = format!("{rate}{left}");
    match status.sync.state {
        SyncStateName::Synced if status.peers > 0 => Row::new("sync", Mood::Good, format!("in sync; {peers}")),
        SyncStateName::Synced => Row::new("sync", Mood::Attention, format!("in sync, but {peers}")),
        SyncStateName::Searching => Row::new("sync", Mood::Attention, format!("looking for peers; {peers}")),
        SyncStateName::Waiting => Row::new("sync", Mood::Attention, "waiting for bitcoind".to_owned()),
        SyncStateName::Reading => {
            Row::new("sync", Mood::Attention, format!("reading the share-chain from disk{part}{pace}"))
        }
        SyncStateName::Headers => {
            let words = format!("checking which share-chain has the most work{part}{pace}; {peers}");
            Row::new("sync", Mood::Attention, words)
        }
        SyncStateName::Rows => {
            Row::new("sync", Mood::Attention, format!("downloading past credits{part}{pace}; {peers}"))
        }
        SyncStateName::Shares => {
            Row::new("sync", Mood::Attention, format!("downloading shares{towards}{pace}; {peers}"))
        }
    }
}

/// An unreachable node works, but does not help to connect the pool.
fn reachable(status: &Status) -> Row {
    let mood = if status.reachable.how == Way::DialedBack { Mood::Good } else { Mood::Plain };
    Row::new("reachable", mood, status.reachable.words.clone())
}

fn bitcoin(status: &Status) -> Row {
    let height = status.bitcoin.height.map(|height| format!("block {}", count(height)));
    match (&status.bitcoin.trouble, height) {
        (Some(trouble), Some(height)) => {
            Row::new("bitcoind", Mood::Attention, format!("{trouble}; last seen at {height}"))
        }
        (Some(trouble), None) => Row::new("bitcoind", Mood::Attention, trouble.clone()),
        (None, Some(height)) => Row::new("bitcoind", Mood::Good, height),
        (None, None) => Row::new("bitcoind", Mood::Attention, "no answer yet"),
    }
}

fn hashrates(status: &Status) -> Row {
    let pool = match status.hashrate.pool_hs {
        Some(pool_hs) => format!("about {}", hashrate(pool_hs)),
        None => "unknown until the second link".to_owned(),
    };
    let words = format!("{} here; pool: {pool}", hashrate(status.hashrate.local_hs));
    Row::new("hashrate", Mood::Plain, words)
}

fn shares(status: &Status) -> Row {
    let shares = &status.shares;
    let words = format!(
        "{} found here; {} pending, {} held, {} rejected",
        count(shares.found_total),
        count(shares.pending),
        count(shares.held),
        count(shares.refused_total)
    );
    Row::new("shares", Mood::Plain, words)
}

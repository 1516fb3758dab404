//! Draws the live view: the node, the pool, its hashrate over time, and the event log. Color only repeats what words
//! say.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph, Sparkline, Wrap};

use super::source::{Part, View};
use crate::api::isolation::WorkName;
use crate::api::upgrade::Upgrade;
use crate::devices::{Device, DeviceState};
use crate::status::words::{count, duration, hashrate, printable};

/// Lines of the section on node and pool, its frame included.
const HEAD_LINES: u16 = 14;

/// Lines of the hashrate chart.
const CHART_LINES: u16 = 6;

/// Number of devices shown, those that need attention first.
const DEVICES: usize = 8;

/// Characters of the longest label.
const LABEL_CHARS: usize = 12;

/// Number of miners shown by name.
const TOP: usize = 4;

/// Characters of a device's name that are shown.
const DEVICE_CHARS: usize = 20;

/// Characters of an address that are shown.
const ADDRESS_CHARS: usize = 14;

const MINUTE_S: u32 = 60;

pub(super) fn draw(frame: &mut Frame<'_>, view: &View) {
    let device_lines = devices(view, DEVICES + 1).len();
    let rows = Layout::vertical([
        Constraint::Length(HEAD_LINES),
        Constraint::Length(u16::try_from(device_lines).unwrap_or(u16::MAX).saturating_add(1)),
        Constraint::Length(CHART_LINES),
        Constraint::Min(3),
        Constraint::Length(1),
    ]);
    let [head, strip, chart, log, foot] = rows.areas(frame.area());
    let [own, pool] = Layout::horizontal([Constraint::Fill(1); 2]).areas(head);
    frame.render_widget(titled("this node", node(view)), own);
    frame.render_widget(titled("the pool", the_pool(view)), pool);
    // One line per device, however long its name is; a low terminal shows fewer.
    let devices = devices(view, usize::from(strip.height.saturating_sub(1)));
    frame.render_widget(Paragraph::new(devices).block(framed("devices")), strip);
    draw_chart(frame, chart, view);
    frame.render_widget(titled("event log", events(view)), log);
    let foot_words = match &view.trouble {
        Some(trouble) => Line::styled(format!("! {}", printable(trouble)), attention()),
        None => Line::raw("q quits; see the node's web pages for more"),
    };
    frame.render_widget(foot_words, foot);
}

fn titled<'a>(title: &'a str, lines: Vec<Line<'a>>) -> Paragraph<'a> {
    Paragraph::new(lines).block(framed(title)).wrap(Wrap { trim: true })
}

fn framed(title: &str) -> Block<'_> {
    Block::new().borders(Borders::TOP).title(format!(" {title} "))
}

fn attention() -> Style {
    Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD)
}

fn row(label: &str, words: impl Into<String>) -> Line<'static> {
    let label = Span::styled(format!("{label:LABEL_CHARS$} "), Style::new().add_modifier(Modifier::BOLD));
    Line::from(vec![label, Span::raw(printable(&words.into()))])
}

/// A row that needs attention.
fn alarm(label: &str, words: &str) -> Line<'static> {
    Line::styled(format!("! {label:LABEL_CHARS$} {}", printable(words)), attention())
}

fn node(view: &View) -> Vec<Line<'static>> {
    let status = &view.status;
    let mut lines = Vec::new();
    if status.conflict.is_some() {
        lines.push(alarm("ALARM", "a heavier branch would undo settled links; see `shoal status`"));
    }
    if status.upgrades.iter().any(Upgrade::asks_for_a_newer_program) {
        lines.push(alarm("ALARM", "the pool upgrades its rules; see `shoal status`"));
    }
    // The most urgent one; the rest is in `shoal status`.
    lines.extend(status.states.first().map(|state| alarm("state", &state.what)));
    lines.push(match &status.no_work_because {
        None if status.work == WorkName::Solo => alarm("solo work", "each for its own address"),
        None => row("work", format!("handing out jobs to {}", counted(status.miners_connected, "miner", "miners"))),
        Some(reason) => alarm("no work", reason),
    });
    lines.push(row("miners at", view.url.as_deref().unwrap_or("unknown")));
    lines.push(row("hashrate", hashrate(status.hashrate.local_hs)));
    lines.push(row("shares found", format!("{} since the start", count(status.shares.found_total))));
    let tip = status.tip_age_s.map_or_else(|| "none yet".to_owned(), |age_s| format!("{} ago", duration(age_s)));
    lines.push(row("tip", format!("{}, {tip}", count(status.height))));
    lines.push(row("settled to", count(status.settled_height)));
    lines.push(match status.peers {
        0 => alarm("peers", "none"),
        peers => row("peers", count(peers)),
    });
    lines.push(match &status.bitcoin.trouble {
        None => row("bitcoind", format!("at block {}", count(status.bitcoin.height.unwrap_or_default()))),
        Some(trouble) => alarm("bitcoind", trouble),
    });
    lines.push(row("uptime", format!("{}, version {}", duration(status.uptime_s), status.version)));
    lines
}

fn the_pool(view: &View) -> Vec<Line<'static>> {
    let (pool, status) = (&view.pool, &view.status);
    let unknown = || "unknown yet".to_owned();
    let percent = |part: f64| if part < 1.0 { format!("{:.3}%", part * 100.0) } else { "all of it".to_owned() };
    let addresses = |count: u32| counted(count.into(), "address", "addresses");
    let whole_seconds = |seconds: f64| duration(seconds as u64);
    let mut lines = vec![
        row("hashrate", status.hashrate.pool_hs.map_or_else(unknown, hashrate)),
        row("of Bitcoin", pool.share_of_bitcoin.map_or_else(unknown, percent)),
        row("block every", pool.expected_block_s.map_or_else(unknown, |s| format!("{} on average", whole_seconds(s)))),
        row("round effort", round(pool.round.effort, pool.round.probability)),
        row("pending", counted(status.shares.pending, "share", "shares")),
        row("Nakamoto", format!("{} have more than half", addresses(pool.decentralisation.nakamoto))),
        row("templates by", addresses(pool.decentralisation.template_makers)),
        row("nodes seen", format!("{}", pool.decentralisation.nodes_seen)),
    ];
    let largest: Vec<String> = pool.decentralisation.top.iter().take(TOP).map(named).collect();
    lines.push(row("largest", largest.join(", ")));
    lines
}

/// The devices that need attention, then others, in at most `room` lines.
fn devices(view: &View, room: usize) -> Vec<Line<'static>> {
    let Some(devices) = &view.devices else {
        return vec![Line::raw("shown to the user who can read the file api-token in the node's data folder")];
    };
    let shown =
        if devices.len() <= room.min(DEVICES) { devices.len() } else { room.min(DEVICES + 1).saturating_sub(1) };
    let mut lines: Vec<_> = devices.iter().take(shown).map(|known| device(known, view.status.time_unix_s)).collect();
    if devices.len() > shown {
        let rest = count((devices.len() - shown) as u64);
        lines.push(Line::raw(format!("and {rest} more; see the node's web pages")));
    }
    if devices.is_empty() {
        lines.push(Line::raw("none in the last 24 hours"));
    }
    lines
}

fn device(device: &Device, now: u32) -> Line<'static> {
    let mean = device.mean_hs.map_or_else(String::new, |mean_hs| format!(", mean {}", hashrate(mean_hs)));
    let last = device.last_submit_unix_s.map_or_else(
        || "no submit yet".to_owned(),
        |time| format!("last submit {} ago", duration(u64::from(now.saturating_sub(time)))),
    );
    let rejected: u64 = device.rejected.values().sum();
    let (name, rate) = (short_name(device), hashrate(device.hashrate_hs));
    let words = format!("{name:DEVICE_CHARS$}  {rate}{mean}, {last}, {} rejected", count(rejected));
    match device.state {
        DeviceState::Ok => row("ok", words),
        DeviceState::Low => alarm("low", &words),
        DeviceState::Silent => alarm("silent", &words),
        DeviceState::Paused => row("paused", words),
    }
}

/// The worker's name without the address before it, cut to [`DEVICE_CHARS`] characters.
fn short_name(device: &Device) -> String {
    let worker = device.addresses.iter().find_map(|address| device.name.strip_prefix(address.as_str()));
    let name = worker
        .map_or(device.name.as_str(), |worker| worker.trim_start_matches(|letter: char| !letter.is_alphanumeric()));
    let name = if name.is_empty() { &device.name } else { name };
    match name.char_indices().nth(DEVICE_CHARS) {
        Some(_) => name.chars().take(DEVICE_CHARS - 1).chain(['\u{2026}']).collect(),
        None => name.to_owned(),
    }
}

/// A number with its noun.
fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// Round effort, which is work done over work expected, and the part of rounds that end with less.
fn round(effort: f64, probability: f64) -> String {
    format!("{:.0}%; {:.0}% of rounds are shorter", effort * 100.0, probability * 100.0)
}

fn named(part: &Part) -> String {
    let name = part.address.as_ref().unwrap_or(&part.script);
    let start: String = name.chars().take(ADDRESS_CHARS).collect();
    format!("{start}… {:.1}%", part.part * 100.0)
}

fn draw_chart(frame: &mut Frame<'_>, area: Rect, view: &View) {
    let now = view.status.time_unix_s;
    let minutes = u32::from(area.width);
    // The current minute is left out, since it is not complete.
    let last = now - now % MINUTE_S;
    let at = |ago: u32| {
        let start = last.saturating_sub((ago + 1) * MINUTE_S);
        view.minutes.iter().find(|point| point.time_unix_s == start).map_or(0, |point| point.hashrate_hs as u64)
    };
    let bars: Vec<u64> = (0..minutes).rev().map(at).collect();
    let highest = bars.iter().max().copied().unwrap_or_default();
    let title = format!(" pool hashrate per minute, maximum {} ", hashrate(highest as f64));
    let chart = Sparkline::default().data(bars).style(Style::new().fg(Color::Blue));
    frame.render_widget(chart.block(Block::new().borders(Borders::TOP).title(title)), area);
}

fn events(view: &View) -> Vec<Line<'static>> {
    let ago = |time: u32| duration(u64::from(view.status.time_unix_s.saturating_sub(time)));
    let line = |event: &super::source::Event| {
        Line::raw(format!("{:>14} ago  {}", ago(event.time_unix_s), printable(&event.sentence)))
    };
    view.events.iter().map(line).collect()
}

#[cfg(test)]
mod tests;

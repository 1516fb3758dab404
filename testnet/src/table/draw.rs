//! Draws the live table. Pure: a view goes in, cells come out.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Cell, Paragraph, Row, Table};

use super::plain::{bitcoins, duration, hashrate, megabytes, percent, short_id, state};
use super::view::{BlockRow, NodeRow, View};
use crate::network::NodeCondition;

/// Colors that people with any color vision can tell apart (Okabe and Ito, 2008). Each miner has one, and each segment
/// of a bar also shows the miner's name.
const PALETTE: [Color; 7] = [
    Color::Rgb(230, 159, 0),
    Color::Rgb(86, 180, 233),
    Color::Rgb(0, 158, 115),
    Color::Rgb(240, 228, 66),
    Color::Rgb(0, 114, 178),
    Color::Rgb(213, 94, 0),
    Color::Rgb(204, 121, 167),
];

/// Lines per block: its description and its bar.
const BLOCK_LINES: usize = 2;

/// Width of a URL, `http://127.0.0.1:65535/`, and of a terminal that has room for a column of them.
const PAGES_CHARS: u16 = 23;
const WIDE: u16 = 106;

/// Draws the whole table.
pub(super) fn draw(frame: &mut Frame<'_>, view: &View) {
    let nodes = u16::try_from(view.nodes.len()).unwrap_or(u16::MAX);
    let [title, table, blocks, notes] = Layout::vertical([
        Constraint::Length(2 + u16::from(view.archive.is_some())),
        Constraint::Length(nodes.saturating_add(3)),
        Constraint::Min(4),
        Constraint::Length(7),
    ])
    .areas(frame.area());
    frame.render_widget(Paragraph::new(title_lines(view)), title);
    frame.render_widget(node_table(view, frame.area().width), table);
    draw_blocks(frame, blocks, view);
    draw_notes(frame, notes, view);
}

fn title_lines(view: &View) -> Vec<Line<'static>> {
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let agreement = match (&view.partition, view.is_agreed()) {
        (Some(groups), _) => format!("partition {groups}"),
        (None, true) => "one tip".to_owned(),
        (None, false) => "tips differ".to_owned(),
    };
    let gray = Style::new().fg(Color::DarkGray);
    let mut lines = vec![
        Line::from(vec![
            Span::styled("shoal-testnet", bold),
            Span::raw(format!(
                "  {}  {} Bitcoin  {}  {} blocks found  {agreement}",
                duration(view.running_s),
                view.bitcoin,
                hashrate(view.hashrate_hs()),
                view.blocks_found,
            )),
        ]),
        Line::from(format!("{}{}  Ctrl-C or q stops everything", view.dir, pages_of_first(view))).style(gray),
    ];
    lines.extend(view.archive.iter().map(|url| Line::from(format!("archive: {url}")).style(gray)));
    lines
}

/// Shows a URL to open in a browser, for terminals without room for a column of URLs.
fn pages_of_first(view: &View) -> String {
    view.nodes.first().map_or_else(String::new, |node| format!("  pages of {}: {}", node.name, node.pages))
}

fn node_table(view: &View, width: u16) -> Table<'static> {
    let header =
        ["node", "height", "tip", "peers", "hashrate", "shares", "pending", "rejected", "rss", "pages", "state"];
    let pages = if width < WIDE { 0 } else { PAGES_CHARS };
    let widths = [4, 7, 10, 5, 10, 7, 7, 8, 7, pages].map(Constraint::Length).into_iter().chain([Constraint::Min(8)]);
    Table::new(view.nodes.iter().map(node_row), widths)
        .header(Row::new(header).style(Style::new().add_modifier(Modifier::BOLD)))
        .block(Block::new().borders(Borders::TOP))
}

fn node_row(node: &NodeRow) -> Row<'static> {
    let cells = [
        node.name.clone(),
        node.height.to_string(),
        short_id(&node.tip).to_owned(),
        node.peers.to_string(),
        hashrate(node.hashrate_hs),
        node.shares.to_string(),
        node.pending.to_string(),
        node.refused.to_string(),
        megabytes(node.rss_bytes),
        node.pages.clone(),
        state(node),
    ];
    let style = match node.condition {
        NodeCondition::Running if node.answers => Style::new(),
        NodeCondition::Ended => Style::new().add_modifier(Modifier::REVERSED),
        _ => Style::new().fg(Color::DarkGray),
    };
    Row::new(cells.map(Cell::from)).style(style)
}

fn draw_blocks(frame: &mut Frame<'_>, area: Rect, view: &View) {
    let frame_block = Block::new().borders(Borders::TOP).title(" Bitcoin blocks found, and whom they pay ");
    let inner = frame_block.inner(area);
    let room = usize::from(inner.height) / BLOCK_LINES;
    let lines: Vec<Line<'_>> =
        view.blocks.iter().take(room).flat_map(|block| [block_head(block), bar(block, view, inner.width)]).collect();
    frame.render_widget(Paragraph::new(lines).block(frame_block), area);
}

fn block_head(block: &BlockRow) -> Line<'static> {
    let finder = block.finder.as_deref().unwrap_or("an unknown miner");
    let outputs = block.outputs;
    let text = format!(
        "{:>6}  block {}  …{}  by {finder}  {}  {outputs} {}",
        duration(block.at_s),
        block.height,
        short_id(&block.hash),
        bitcoins(block.value_sat),
        if outputs == 1 { "payee" } else { "payees" },
    );
    Line::from(text)
}

/// Draws one segment for each payee, as long as its part, with its name and percentage if they fit.
fn bar(block: &BlockRow, view: &View, width: u16) -> Line<'static> {
    let width = u64::from(width);
    let mut spans = Vec::with_capacity(block.payees.len());
    let (mut paid_sat, mut drawn) = (0_u64, 0_u64);
    for payee in &block.payees {
        paid_sat = paid_sat.saturating_add(payee.value_sat);
        let end = u128::from(paid_sat) * u128::from(width) / u128::from(block.value_sat.max(1));
        let end = u64::try_from(end).unwrap_or(width).min(width);
        let room = usize::try_from(end.saturating_sub(drawn)).unwrap_or(0);
        drawn = end;
        let label = format!("{} {}", payee.name, percent(payee.value_sat, block.value_sat));
        let text: String = if label.chars().count() < room { label } else { payee.name.clone() };
        let text: String = text.chars().take(room).collect();
        spans.push(Span::styled(format!("{text:^room$}"), Style::new().bg(color(&payee.name, view)).fg(Color::Black)));
    }
    Line::from(spans)
}

fn color(name: &str, view: &View) -> Color {
    let known = view.miners.iter().position(|miner| miner == name);
    known.map_or(Color::Gray, |index| PALETTE[index % PALETTE.len()])
}

fn draw_notes(frame: &mut Frame<'_>, area: Rect, view: &View) {
    let lines = view.notes.iter().map(|note| Line::from(format!("{:>6}  {}", duration(note.at_s), note.text)));
    let block = Block::new().borders(Borders::TOP).title(" events ");
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()).block(block), area);
}

#[cfg(test)]
mod tests;

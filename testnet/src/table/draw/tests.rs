use std::collections::VecDeque;

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::draw;
use crate::network::NodeCondition;
use crate::table::{BlockRow, NodeRow, Payee, View, block_line, status_text};

fn node(name: &str, tip: &str) -> NodeRow {
    NodeRow {
        name: name.to_owned(),
        condition: NodeCondition::Running,
        answers: true,
        tip: tip.to_owned(),
        height: 321,
        peers: 3,
        hashrate_hs: 80_123.0,
        shares: 77,
        pending: 5,
        refused: 1,
        rss_bytes: 83_500_000,
        no_work: None,
        pages: "http://127.0.0.1:23412/".to_owned(),
    }
}

fn view() -> View {
    let payee = |name: &str, value_sat| Payee { name: name.to_owned(), value_sat };
    let mut view = View {
        bitcoin: "embedded".to_owned(),
        dir: "/somewhere".to_owned(),
        running_s: 187,
        link: Some("150 ms, 1% loss, any rate".to_owned()),
        archive: Some("postgres://postgres@%2Fsomewhere%2Farchive/archive".to_owned()),
        partition: None,
        miners: vec!["m1".to_owned(), "m2".to_owned(), "m3".to_owned()],
        nodes: vec![node("A", "00000000aaaabbbbcccc"), node("B", "00000000aaaabbbbcccc")],
        blocks_found: 0,
        blocks: VecDeque::new(),
        notes: VecDeque::new(),
    };
    view.nodes[1].condition = NodeCondition::Killed;
    view.push_block(BlockRow {
        height: 133,
        hash: "0000000012345678901234".to_owned(),
        finder: Some("m2 at B".to_owned()),
        at_s: 180,
        value_sat: 5_000_000_000,
        outputs: 3,
        payees: vec![payee("m1", 2_500_000_000), payee("m2", 2_499_999_000), payee("m3", 1_000)],
    });
    view.push_note("node B was killed".to_owned());
    view
}

fn drawn(view: &View, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, view)).unwrap();
    let cells = terminal.backend().buffer().content();
    cells.chunks(usize::from(width)).map(|row| row.iter().map(|cell| cell.symbol()).collect()).collect()
}

#[test]
fn every_number_stands_on_the_screen() {
    let rows = drawn(&view(), 110, 24);
    let text = rows.join("\n");
    for expected in [
        "3m07s",
        "1 blocks found",
        "aabbbbcccc",
        "80 kH/s",
        "83 MB",
        "killed",
        "block 133",
        "m2 at B",
        "50.00000000 BTC",
    ] {
        assert!(text.contains(expected), "{expected} is missing in\n{text}");
    }
    let bar = rows.iter().find(|row| row.contains("m1 50.0%")).expect("the bar has numbers");
    assert!(bar.contains("m2 49.9%"));
}

#[test]
fn any_size_of_terminal_does() {
    for (width, height) in [(1, 1), (20, 5), (60, 10), (300, 100)] {
        drawn(&view(), width, height);
    }
}

#[test]
fn plain_text_says_the_same() {
    let view = view();
    assert_eq!(
        block_line(&view.blocks[0]),
        "Bitcoin block 133 found by m2 at B, pays 50.00000000 BTC: m1 50.0% m2 49.9% m3 0.0%"
    );
    let text = status_text(&view);
    assert!(text.contains("nodes agree") && text.contains("80 kH/s") && text.contains("killed"), "{text}");
    let url = "postgres://postgres@%2Fsomewhere%2Farchive/archive";
    assert!(text.contains(&format!("archive: {url}\n")), "{text}");
    assert!(drawn(&view, 110, 24).join("\n").contains(url));
    assert!(text.contains("lines: 150 ms") && text.contains("http://127.0.0.1:23412/  killed"), "{text}");
    let rows = drawn(&view, 110, 24);
    assert!(rows.iter().any(|row| row.starts_with("B ") && row.contains("http://127.0.0.1:23412/ killed")), "{rows:?}");
    assert!(drawn(&view, 80, 24).join("\n").contains("pages of A: http://127.0.0.1:23412/"));
}

#[test]
fn different_tips_are_told() {
    let mut view = view();
    view.nodes[1] = node("B", "00000000ffff");
    assert!(!view.is_agreed());
    assert!(drawn(&view, 110, 24).join("\n").contains("tips differ"));
}

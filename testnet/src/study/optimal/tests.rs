use super::*;
use crate::study::jobs::Size;

#[test]
fn the_reduced_search_finds_what_the_page_says() {
    let effort = Effort { threads: 1, size: Size::Reduced };
    let experiment = run(effort, 1, &|_, _| {});
    let holds: Vec<_> = experiment.findings.iter().map(|finding| finding.holds).collect();
    // A tie that the attacker always wins is worth more than the target.
    assert_eq!(holds, [Some(true), Some(true), Some(false), Some(true), Some(true)], "{:?}", experiment.findings);
    assert!(experiment.tables.iter().all(|table| table.rows.iter().all(|row| row.len() == table.columns.len())));
}

use super::*;
use crate::jobs::Size;

#[test]
fn the_reduced_search_finds_what_the_page_says() {
    let effort = Effort::new(Size::Reduced, 1);
    let experiment = run(effort, 1, &|_, _| {});
    let holds: Vec<_> = experiment.findings.iter().map(|finding| finding.holds).collect();
    assert_eq!(holds, [Some(true); 5], "{:?}", experiment.findings);
    assert!(experiment.tables.iter().all(|table| table.rows.iter().all(|row| row.len() == table.columns.len())));
}

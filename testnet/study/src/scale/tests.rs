use super::*;
use crate::jobs::Size;

#[test]
fn the_reduced_experiment_is_whole_and_the_same_again() {
    let run = || run(Effort::new(Size::Reduced, 2), 5, &|_, _| {});
    let first = run();
    for table in &first.tables {
        assert!(table.rows.iter().all(|row| row.len() == table.columns.len()), "{}", table.caption);
    }
    assert!(first.plots.iter().all(|plot| plot.series.iter().all(|series| !series.points.is_empty())));
    assert_eq!(serde_json::to_string(&first).unwrap(), serde_json::to_string(&run()).unwrap());
}

#[test]
fn ten_nodes_send_what_was_measured() {
    let difference = real::Comparison::new(3).difference();
    assert!(difference.abs() < REAL_DIFFERENCE_MAX, "{difference}");
}

use super::super::result::{Axis, Mark, Point};
use super::super::stats::Estimate;
use super::*;

fn plot(log: bool, points: Vec<Point>) -> Plot {
    let axis = |label: &str| Axis { label: label.to_owned(), log };
    Plot {
        caption: "a <caption>".to_owned(),
        x: axis("latency, s"),
        y: axis("loss, %"),
        series: vec![Series { name: "p2pool & others".to_owned(), points }],
        marks: vec![Mark { name: "target".to_owned(), y: 2.0 }],
    }
}

#[test]
fn a_plot_without_points_is_none() {
    assert_eq!(svg(&plot(false, vec![Point::exact(f64::NAN, 1.0)])), None.or_else(|| svg(&plot(false, Vec::new()))));
    assert_eq!(svg(&plot(true, vec![Point::exact(-1.0, 1.0)])), None);
}

#[test]
fn names_are_escaped_and_infinite_intervals_end_at_the_axis() {
    let endless = Estimate { mean: 1.0, low: f64::NEG_INFINITY, high: f64::INFINITY };
    let text = svg(&plot(false, vec![Point::new(0.0, endless), Point::exact(1.0, 3.0)])).unwrap();
    assert!(text.contains("p2pool &amp; others"), "{text}");
    assert!(!text.contains("NaN") && !text.contains("inf"));
}

#[test]
fn ticks_are_round() {
    let linear = Scale::of([0.0, 9.3].into_iter(), false).unwrap();
    assert_eq!(linear.ticks, [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
    let log = Scale::of([0.1, 20.0].into_iter(), true).unwrap();
    let labels: Vec<_> = log.ticks.iter().map(|tick| log.label(*tick)).collect();
    assert_eq!(labels, ["0.1", "0.2", "0.5", "1", "2", "5", "10", "20"]);
}

#[test]
fn one_value_makes_an_axis() {
    for log in [false, true] {
        let scale = Scale::of([7.0].into_iter(), log).unwrap();
        assert!(scale.low < scale.high && scale.ticks.len() > 1);
    }
}

use super::super::result::{Axis, Experiment, Mark, Plot, Point, Series, Table};
use super::super::run::Study;
use super::*;

fn sample() -> Study {
    let plot = Plot {
        caption: "loss < 1%".to_owned(),
        x: Axis { label: "latency, s".to_owned(), log: true },
        y: Axis { label: "loss, %".to_owned(), log: false },
        series: ["Shoal", "p2pool"].into_iter().zip([0.1, 3.0]).map(line).collect(),
        marks: vec![Mark { name: "target".to_owned(), y: 1.0 }],
    };
    let estimate = Estimate { mean: 1.0, low: 0.9, high: 1.1 };
    let rows = vec![
        vec![Cell::text("a | b"), Cell::number(1234567.0, 0), Cell::estimate(estimate, 2)],
        vec![Cell::text("<b>"), Cell::number(f64::NAN, 1), Cell::estimate(Estimate::exact(-0.0001), 2)],
    ];
    let columns = ["name", "count", "ratio"].map(str::to_owned).to_vec();
    let claim = |holds| Finding { claim: "loss".to_owned(), measured: "0.1%".to_owned(), holds };
    Study {
        version: 1,
        size: "reduced".to_owned(),
        seed: 7,
        experiments: vec![Experiment {
            id: "loss".to_owned(),
            title: "Honest loss".to_owned(),
            question: "How much?".to_owned(),
            method: vec!["Ten nodes.".to_owned()],
            findings: vec![claim(Some(true)), claim(Some(false)), claim(None)],
            tables: vec![Table { caption: "numbers".to_owned(), columns, rows }],
            plots: vec![plot],
            seed: 7,
        }],
    }
}

fn line((name, height): (&str, f64)) -> Series {
    let point = |x: f64| Point::new(x, Estimate { mean: height * x, low: height * x * 0.8, high: height * x * 1.2 });
    Series { name: name.to_owned(), points: [0.1, 1.0, 2.0].map(point).to_vec() }
}

#[test]
fn numbers_are_grouped_and_signed_for_people() {
    assert_eq!(number(1_234_567.8, 1), "1\u{202f}234\u{202f}567.8");
    assert_eq!(number(1234.0, 0), "1234");
    assert_eq!(number(-0.001, 2), "0.00");
    assert_eq!(number(-2.5, 1), "\u{2212}2.5");
    assert_eq!(number(f64::INFINITY, 1), "\u{2013}");
}

#[test]
fn intervals_say_as_much_as_they_know() {
    assert_eq!(estimate_text(&Estimate { mean: 1.0, low: 0.9, high: 1.1 }, 1), "1.0 \u{b1} 0.1");
    assert_eq!(estimate_text(&Estimate { mean: 1.0, low: 0.5, high: 1.1 }, 1), "1.0 (0.5 to 1.1)");
    assert_eq!(estimate_text(&Estimate::of(&[3.0]), 1), "3.0");
}

#[test]
fn the_page_loads_nothing_and_escapes_what_it_shows() {
    let page = html(&sample());
    for external in ["src=", "<script", "<link", "url(", "@import"] {
        assert!(!page.contains(external), "{external}");
    }
    assert_eq!(page.matches("http").count(), page.matches("http://www.w3.org/2000/svg").count());
    assert!(page.contains("&lt;b&gt;") && !page.contains("<b>"));
    assert!(page.contains("--reduced --only loss"));
}

#[test]
fn the_same_study_makes_the_same_bytes() {
    assert_eq!(html(&sample()), html(&sample()));
    assert_eq!(markdown(&sample()), markdown(&sample()));
}

#[test]
fn markdown_names_its_pictures() {
    let files = markdown(&sample());
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["results.md", "loss-1.svg"]);
    assert!(files[0].1.contains("![loss &lt; 1%](loss-1.svg)"));
    assert!(files[0].1.contains("| a \\| b |"));
}

#[test]
fn results_survive_being_written_and_read() {
    let mut study = sample();
    study.experiments[0].plots[0].series[0].points[0].y = Estimate::of(&[1.0]);
    let text = serde_json::to_string(&study).unwrap();
    let read: Study = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    assert_eq!(html(&read), html(&study));
}

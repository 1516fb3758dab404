//! The reduced study, as a reader of the repository would run it. Every experiment works, the page is self-contained,
//! and the same seed gives the same numbers.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed as it should")]

use std::path::Path;
use std::process::Command;

use study::result::Experiment;
use study::run::{EXPERIMENTS, Study};

/// Runs `shoal-study --reduced` and reads its output.
fn report(folder: &Path, only: &str) -> Study {
    let json = folder.join("study.json");
    let page = folder.join("study.html");
    let mut command = Command::new(env!("CARGO_BIN_EXE_shoal-study"));
    command.args(["--reduced", "--only", only, "--json"]).arg(&json).arg("--out").arg(&page);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(std::fs::read_to_string(page).unwrap().contains("This is the reduced study"));
    serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap()
}

/// Checks that every table is rectangular and that all values of a plot exist.
fn is_sound(experiment: &Experiment) {
    assert!(!experiment.findings.is_empty(), "{} finds nothing", experiment.id);
    for table in &experiment.tables {
        assert!(table.rows.iter().all(|row| row.len() == table.columns.len()), "{}: {}", experiment.id, table.caption);
    }
    for plot in &experiment.plots {
        assert!(study::plot::svg(plot).is_some(), "{}: nothing to see in {}", experiment.id, plot.caption);
    }
}

#[test]
fn the_reduced_study_runs_and_repeats() {
    let folder = tempfile::tempdir().unwrap();
    let all: Vec<_> = EXPERIMENTS.iter().map(|entry| entry.id).collect();
    let study = report(folder.path(), &all.join(","));
    assert_eq!(study.experiments.iter().map(|experiment| experiment.id.as_str()).collect::<Vec<_>>(), all);
    study.experiments.iter().for_each(is_sound);
    // Runs an experiment in the simulated world again, alone.
    let again = report(folder.path(), "partition");
    let known = |experiment: &&Experiment| again.experiments.iter().any(|other| other.id == experiment.id);
    let before: Vec<_> = study.experiments.iter().filter(known).cloned().collect();
    assert_eq!(serde_json::to_string(&again.experiments).unwrap(), serde_json::to_string(&before).unwrap());
}

#[test]
fn runs_of_parts_are_put_together_in_their_usual_order() {
    let folder = tempfile::tempdir().unwrap();
    let (mut costs, mut draw) = (report(folder.path(), "costs"), report(folder.path(), "draw"));
    draw.update(costs.clone()).unwrap();
    assert_eq!(draw.experiments.iter().map(|experiment| experiment.id.as_str()).collect::<Vec<_>>(), ["costs", "draw"]);
    costs.experiments[0].title.push('!');
    draw.update(costs.clone()).unwrap();
    assert_eq!((draw.experiments.len(), &draw.experiments[0]), (2, &costs.experiments[0]));
    costs.seed += 1;
    assert!(draw.update(costs).is_err(), "another seed is another study");
}

//! Markdown for the repository, with one picture per plot.

use std::fmt::Write as _;

use crate::plot;
use crate::result::{Experiment, Table};
use crate::run::Study;

use super::{cell_text, verdict};

/// Files by name: `results.md`, and its pictures.
pub type Files = Vec<(String, String)>;

/// Returns the study as Markdown.
#[must_use]
pub fn markdown(study: &Study) -> Files {
    let mut files = Vec::new();
    let mut text = String::from("# Results of the standard study\n\n");
    line(&mut text, "Made by the command below; do not edit. Intervals are 95% confidence intervals.");
    line(&mut text, &format!("\n```\n{}\n```\n", study.command(None)));
    line(&mut text, "| part | claim | found | verdict |\n|---|---|---|---|");
    for experiment in &study.experiments {
        for finding in &experiment.findings {
            let (sign, word) = verdict(finding);
            let (claim, measured) = (escaped(&finding.claim), escaped(&finding.measured));
            line(
                &mut text,
                &format!("| [{}](#{}) | {claim} | {measured} | {sign} {word} |", experiment.id, anchor(experiment)),
            );
        }
    }
    for experiment in &study.experiments {
        section(&mut text, &mut files, study, experiment);
    }
    files.insert(0, ("results.md".to_owned(), text));
    files
}

fn section(text: &mut String, files: &mut Files, study: &Study, experiment: &Experiment) {
    line(text, &format!("\n## {}\n\n{}\n", experiment.title, experiment.question));
    for (number, picture) in experiment.plots.iter().enumerate() {
        let Some(svg) = plot::svg(picture) else { continue };
        let name = format!("{}-{}.svg", experiment.id, number + 1);
        line(text, &format!("![{}]({name})\n\n*{}*\n", escaped(&picture.caption), escaped(&picture.caption)));
        files.push((name, svg));
    }
    for table in &experiment.tables {
        table_of(text, table);
    }
    for paragraph in &experiment.method {
        line(text, &format!("{paragraph}\n"));
    }
    line(text, &format!("```\n{}\n```", study.command(Some(&experiment.id))));
}

fn table_of(text: &mut String, table: &Table) {
    line(text, &format!("*{}*\n", escaped(&table.caption)));
    row(text, table.columns.iter().map(|column| escaped(column)));
    row(text, table.columns.iter().map(|_| "---".to_owned()));
    for cells in &table.rows {
        row(text, cells.iter().map(|cell| escaped(&cell_text(cell))));
    }
    text.push('\n');
}

fn row(text: &mut String, cells: impl Iterator<Item = String>) {
    line(text, &format!("| {} |", cells.collect::<Vec<_>>().join(" | ")));
}

fn line(text: &mut String, words: &str) {
    writeln!(text, "{words}").expect("writing into a string does not fail");
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('\n', " ")
}

/// Returns the anchor that Markdown viewers give to a heading.
fn anchor(experiment: &Experiment) -> String {
    let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-');
    experiment
        .title
        .to_lowercase()
        .chars()
        .filter(kept)
        .map(|letter| if letter == ' ' { '-' } else { letter })
        .collect()
}

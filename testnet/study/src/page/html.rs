//! One HTML file, without scripts or external resources.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::plot;
use crate::result::{Cell, Experiment, Finding, Plot, Table};
use crate::run::Study;

use super::{cell_text, verdict};

/// Colors for light and dark mode, one column, tables that scroll within their box.
const STYLE: &str = include_str!("style.css");

/// Returns the page of a study.
#[must_use]
pub fn html(study: &Study) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Shoal: the evidence" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "Shoal: the evidence" }
                    p {
                        "The standard study of the share-chain's rules, in the simulator that runs the pool's own code and in "
                        "models of its parts. Intervals are 95% confidence intervals. Everything repeats from its seed: the same "
                        "command on the same commit gives the same numbers."
                    }
                    @if study.size == "reduced" {
                        p.warning { "This is the reduced study: few runs, wide intervals. It shows that everything works, and decides nothing." }
                    }
                    pre { code { (study.command(None)) } }
                }
                nav aria-label="Contents" {
                    h2 { "Contents" }
                    ol { @for experiment in &study.experiments { li { a href={ "#" (experiment.id) } { (experiment.title) } } } }
                }
                main {
                    (summary(study))
                    @for experiment in &study.experiments { (section(study, experiment)) }
                }
            }
        }
    };
    page.into_string()
}

/// Returns all claims in one table, at the top of the page.
fn summary(study: &Study) -> Markup {
    html! {
        section {
            h2 id="summary" { "What was claimed, and what was found" }
            div.table {
                table {
                    caption { "Every claim of the study" }
                    thead { tr { th scope="col" { "Part" } th scope="col" { "Claim" } th scope="col" { "Found" } th scope="col" { "Verdict" } } }
                    tbody {
                        @for experiment in &study.experiments {
                            @for finding in &experiment.findings {
                                tr {
                                    td { a href={ "#" (experiment.id) } { (experiment.id) } }
                                    td { (finding.claim) }
                                    td { (finding.measured) }
                                    td { (verdict_mark(finding)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn verdict_mark(finding: &Finding) -> Markup {
    let (sign, word) = verdict(finding);
    let class = match finding.holds {
        Some(true) => "holds",
        Some(false) => "fails",
        None => "measured",
    };
    html! { span class=(class) { (sign) " " (word) } }
}

fn section(study: &Study, experiment: &Experiment) -> Markup {
    html! {
        section {
            h2 id=(experiment.id) { (experiment.title) }
            p.question { (experiment.question) }
            @if !experiment.findings.is_empty() {
                ul.findings {
                    @for finding in &experiment.findings { li { (verdict_mark(finding)) ": " (finding.claim) " " strong { (finding.measured) } } }
                }
            }
            @for plot in &experiment.plots { (figure(plot)) }
            @for table in &experiment.tables { (table_of(table)) }
            details {
                summary { "How it was done, and how to repeat it" }
                @for paragraph in &experiment.method { p { (paragraph) } }
                pre { code { (study.command(Some(&experiment.id))) } }
            }
        }
    }
}

fn figure(plot: &Plot) -> Markup {
    let Some(svg) = plot::svg(plot) else { return html! {} };
    html! {
        figure {
            div.plot role="img" aria-label=(plot.caption) { (PreEscaped(svg)) }
            figcaption { (plot.caption) }
        }
    }
}

fn table_of(table: &Table) -> Markup {
    html! {
        div.table tabindex="0" role="region" aria-label=(table.caption) {
            table {
                caption { (table.caption) }
                thead { tr { @for column in &table.columns { th scope="col" { (column) } } } }
                tbody {
                    @for row in &table.rows {
                        tr { @for cell in row { td.number[!matches!(cell, Cell::Text(_))] { (cell_text(cell)) } } }
                    }
                }
            }
        }
    }
}

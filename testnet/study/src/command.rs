//! The command line of `shoal-study`.

use std::io;
use std::path::{Path, PathBuf};

use super::jobs::{Effort, Size};
use super::page;
use super::run::{self, Study, UnknownExperiment};

/// The seed of the results that are kept in the repository.
const SEED: u64 = 1;

/// What the command is told.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The page
    #[arg(long, value_name = "FILE", default_value = "study.html")]
    out: PathBuf,
    /// Writes the numbers as JSON, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes the results as Markdown with pictures, too
    #[arg(long, value_name = "FOLDER")]
    markdown: Option<PathBuf>,
    /// Makes page and Markdown of numbers that were written before, without running anything
    #[arg(long, value_name = "FILE", conflicts_with_all = ["reduced", "only", "seed"])]
    from: Option<PathBuf>,
    /// Runs a few points of each experiment: minutes instead of hours
    #[arg(long)]
    reduced: bool,
    /// Runs these experiments only; --only list names them
    #[arg(long, value_name = "ID,ID", value_delimiter = ',')]
    only: Vec<String>,
    /// The number that all randomness comes from
    #[arg(long, default_value_t = SEED)]
    seed: u64,
    /// Threads [default: one a core]
    #[arg(long)]
    threads: Option<usize>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A name that no experiment has.
    #[error(transparent)]
    Unknown(#[from] UnknownExperiment),
    /// A file cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds something else than the results of a study.
    #[error("{path} holds no results of a study of this version; write them with `shoal-study --json`")]
    Results {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// Runs the study, or reads its results, and writes what was asked for.
///
/// # Errors
/// See [`ReportError`].
pub fn report(args: &Args) -> Result<(), ReportError> {
    if args.only == ["list"] {
        for entry in run::EXPERIMENTS {
            println!("{:<14} {}", entry.id, entry.about);
        }
        return Ok(());
    }
    let study = match &args.from {
        Some(path) => read(path)?,
        None => {
            let size = if args.reduced { Size::Reduced } else { Size::Standard };
            let effort = Effort::new(size, args.threads.unwrap_or_else(run::threads));
            run::run(&run::chosen(&args.only)?, effort, args.seed)
        }
    };
    if let Some(path) = &args.json {
        let text = serde_json::to_string_pretty(&study).expect("plain data can be written as JSON");
        write(path, &(text + "\n"))?;
    }
    if let Some(folder) = &args.markdown {
        std::fs::create_dir_all(folder).map_err(|source| ReportError::Write { path: folder.clone(), source })?;
        for (name, text) in page::markdown(&study) {
            write(&folder.join(name), &text)?;
        }
    }
    write(&args.out, &page::html(&study))?;
    println!("{}", args.out.display());
    Ok(())
}

fn read(path: &Path) -> Result<Study, ReportError> {
    let text = std::fs::read_to_string(path).map_err(|source| ReportError::Read { path: path.to_owned(), source })?;
    serde_json::from_str(&text).map_err(|source| ReportError::Results { path: path.to_owned(), source })
}

fn write(path: &Path, text: &str) -> Result<(), ReportError> {
    std::fs::write(path, text).map_err(|source| ReportError::Write { path: path.to_owned(), source })
}

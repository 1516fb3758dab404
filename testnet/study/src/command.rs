//! The command line of `shoal-study`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::jobs::{Effort, Size, threads};
use super::kept::Kept;
use super::page;
use super::run::{self, OtherStudy, Study, UnknownExperiment};

/// Seed of the results in the repository.
const SEED: u64 = 1;

/// Command-line options.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// HTML page to write
    #[arg(long, value_name = "FILE", default_value = "study.html")]
    out: PathBuf,
    /// Also write the numbers as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Also write the results as Markdown with pictures
    #[arg(long, value_name = "FOLDER")]
    markdown: Option<PathBuf>,
    /// Build page and Markdown from a JSON file, without running anything. With several files, the last one that has an
    /// experiment counts for it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["reduced", "only", "seed"])]
    from: Vec<PathBuf>,
    /// Keep finished runs of the simulated world in this file, and do not repeat those that it has. They are those of one
    /// program: remove the file when the code has changed
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    resume: Option<PathBuf>,
    /// Run a few points of each experiment: minutes instead of hours
    #[arg(long)]
    reduced: bool,
    /// Run only these experiments; --only list prints their names
    #[arg(long, value_name = "ID,ID", value_delimiter = ',')]
    only: Vec<String>,
    /// Seed of all randomness
    #[arg(long, default_value_t = SEED)]
    seed: u64,
    /// Number of threads [default: one per core]
    #[arg(long)]
    threads: Option<usize>,
}

/// An error that prevents a report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The result cannot be printed.
    #[error("cannot print the result")]
    Print(#[from] io::Error),
    /// No experiment has this name.
    #[error(transparent)]
    Unknown(#[from] UnknownExperiment),
    /// A file cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// Path of the file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file holds results of another study.
    #[error("cannot add {path}")]
    Apart {
        /// Path of the file.
        path: PathBuf,
        /// The cause.
        source: OtherStudy,
    },
    /// The file does not hold results of a study.
    #[error("{path} holds no results of a study of this version; write them with `shoal-study --json`")]
    Results {
        /// Path of the file.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },
}

/// Runs the study, or reads its results, and writes the requested files.
///
/// # Errors
/// See [`ReportError`].
pub fn report(args: &Args) -> Result<(), ReportError> {
    if args.only == ["list"] {
        for entry in run::EXPERIMENTS {
            writeln!(io::stdout(), "{:<14} {}", entry.id, entry.about)?;
        }
        return Ok(());
    }
    let study = match args.from.split_first() {
        Some((first, others)) => {
            let mut study = read(first)?;
            for path in others {
                study.update(read(path)?).map_err(|error| ReportError::Apart { path: path.clone(), source: error })?;
            }
            study
        }
        None => {
            let size = if args.reduced { Size::Reduced } else { Size::Standard };
            let effort = Effort::new(size, args.threads.unwrap_or_else(threads));
            let kept = args.resume.as_deref().map(kept).transpose()?;
            run::run(&run::chosen(&args.only)?, Effort { kept, ..effort }, args.seed)
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
    Ok(writeln!(io::stdout(), "{}", args.out.display())?)
}

/// Opens the file of finished runs, for as long as the program lives.
fn kept(path: &Path) -> Result<&'static Kept, ReportError> {
    let kept = Kept::open(path).map_err(|source| ReportError::Read { path: path.to_owned(), source })?;
    Ok(Box::leak(Box::new(kept)))
}

fn read(path: &Path) -> Result<Study, ReportError> {
    let text = std::fs::read_to_string(path).map_err(|source| ReportError::Read { path: path.to_owned(), source })?;
    serde_json::from_str(&text).map_err(|source| ReportError::Results { path: path.to_owned(), source })
}

fn write(path: &Path, text: &str) -> Result<(), ReportError> {
    std::fs::write(path, text).map_err(|source| ReportError::Write { path: path.to_owned(), source })
}

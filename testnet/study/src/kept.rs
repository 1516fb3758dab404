//! Finished runs in a file, a JSON line each, so that a study that was stopped goes on where it was.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::Mutex;

use bitcoin::hashes::{Hash as _, sha256};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The finished runs of a file.
#[derive(Debug)]
pub struct Kept {
    runs: BTreeMap<String, Value>,
    file: Mutex<File>,
}

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    /// Name and hash of all parameters, the seed among them.
    run: String,
    /// What the run gave.
    result: Value,
}

impl Kept {
    /// Opens a file of finished runs, or creates it.
    ///
    /// # Errors
    /// If the file cannot be read or written, or has another content.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        // A program that was stopped while it wrote leaves a part of a line.
        text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
        file.set_len(text.len() as u64)?;
        let line = |line: &str| serde_json::from_str(line).map(|Line { run, result }| (run, result));
        let runs = text.lines().map(line).collect::<Result<_, _>>()?;
        Ok(Self { runs, file: Mutex::new(file) })
    }

    /// Returns the result of a run from the file, or works for it and writes it there. `parameters` are all that the result
    /// depends on, apart from the program.
    ///
    /// # Panics
    /// If the result cannot be written as JSON: a mistake in the study.
    pub fn run<R: Serialize + DeserializeOwned>(&self, name: &str, parameters: &str, work: impl FnOnce() -> R) -> R {
        let run = format!("{name} {}", sha256::Hash::hash(parameters.as_bytes()));
        if let Some(result) = self.runs.get(&run).and_then(|result| R::deserialize(result).ok()) {
            return result;
        }
        let result = work();
        let value = serde_json::to_value(&result).expect("plain data can be written as JSON");
        let line = serde_json::to_string(&Line { run, result: value }).expect("plain data can be written as JSON");
        let written = self.file.lock().map(|mut file| file.write_all(format!("{line}\n").as_bytes()));
        if let Ok(Err(error)) = written {
            let words = "cannot keep a finished run";
            let _ = writeln!(io::stderr(), "shoal-study: {words}: {error}; the study goes on without");
        }
        result
    }
}

#[cfg(test)]
mod tests;

//! `shoal db`: checks and repairs the database of a stopped node.

use std::fmt;
use std::io::Write;

use crate::config::Config;
use crate::error::NodeError;
use crate::store::{self, Checked, FAULTS_MAX, Repaired};

/// Reads everything, and prints all faults.
///
/// # Errors
/// The database cannot be opened, or is not sound.
pub(crate) fn check(config: &Config, json: bool) -> Result<(), NodeError> {
    let checked = store::check(&config.store_path(), &config.chain_params())?;
    print(&checked, json)?;
    if checked.faults.is_empty() { Ok(()) } else { Err(NodeError::CheckFailed { config: false }) }
}

/// Replaces a damaged database with a sound one, and prints what it saved.
///
/// # Errors
/// Nothing can be read, or the disk rejects the new database.
pub(crate) fn repair(config: &Config, json: bool) -> Result<(), NodeError> {
    print(&store::repair(&config.store_path(), &config.chain_params())?, json)
}

fn print<T: serde::Serialize + fmt::Display>(found: &T, json: bool) -> Result<(), NodeError> {
    let text =
        if json { serde_json::to_string_pretty(found).map_err(std::io::Error::from)? } else { found.to_string() };
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records, links, faults } = self;
        write!(f, "{records} records read, {links} deep links compared with their proofs")?;
        if faults.is_empty() {
            return write!(f, "; the database is sound");
        }
        for fault in faults {
            write!(f, "\n- {fault}")?;
        }
        if faults.len() == FAULTS_MAX {
            write!(f, "\nThere may be more.")?;
        }
        write!(f, "\n`shoal db repair` keeps what is sound; peers send the rest again.")
    }
}

impl fmt::Display for Repaired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { copied, cut, lost, bases_dropped, damaged } = self;
        write!(f, "{copied} records kept")?;
        if *cut {
            write!(f, "; the journal was cut at its first damaged record, and peers send again what came after it")?;
        }
        if *lost > 0 {
            write!(f, "; {lost} other records could not be read")?;
        }
        if *bases_dropped > 0 {
            write!(f, "; {bases_dropped} base chunks were dropped, and peers send those links again")?;
        }
        write!(f, "\nThe damaged database is in {}; remove it once the node runs.", damaged.display())
    }
}

//! `shoal completions` and `shoal manual`: shell completions and manual pages.

use std::io::{self, Write};
use std::path::Path;

use clap::Command;
use clap_complete::Shell;

/// Prints the completions of a shell.
///
/// # Errors
/// Standard output is closed.
pub(crate) fn completions(mut program: Command, shell: Shell) -> io::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut program, "shoal", &mut script);
    io::stdout().write_all(&script)
}

/// Writes a manual page for the program and one for each subcommand into a folder.
///
/// # Errors
/// The folder cannot be written to.
pub(crate) fn manual(program: Command, folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(program, folder)
}

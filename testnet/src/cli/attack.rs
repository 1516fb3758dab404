//! The attack suite.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{CliError, as_json, print};
use crate::attack::{self, Attack, AttackError, Finding, Options, table};

#[derive(Debug, Clone, Args)]
pub(super) struct AttackArgs {
    /// Names of attacks, or all
    #[arg(required_unless_present = "list", value_name = "NAME")]
    names: Vec<String>,
    /// Print the names and descriptions of all attacks
    #[arg(long)]
    list: bool,
    /// Seconds that each attack lasts
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(4..=600))]
    seconds: u64,
    /// Folder for all files, which stays [default: a temporary one, which goes at the end]
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// Print JSON: a list with an object for each attack
    #[arg(long)]
    json: bool,
}

impl AttackArgs {
    /// Returns whether a network is started.
    pub(super) fn needs_network(&self) -> bool {
        !self.list
    }

    /// Runs the attacks and prints their figures.
    ///
    /// # Errors
    /// [`AttackError::NotHeld`] if the node did not hold against one of them; others if the suite itself fails.
    pub(super) async fn run(self) -> Result<(), CliError> {
        if self.list {
            let lines = Attack::ALL.map(|attack| format!("{:<15} {}\n", attack.name(), attack.what()));
            return print(&lines.concat());
        }
        let attacks = match self.names.as_slice() {
            [all] if all == "all" => Attack::ALL.to_vec(),
            names => names.iter().map(|name| name.parse()).collect::<Result<Vec<_>, _>>()?,
        };
        let temporary = tempfile::Builder::new().prefix("shoal-attack-").tempdir()?;
        let dir = match self.dir {
            Some(dir) => std::path::absolute(dir)?,
            None => temporary.path().to_owned(),
        };
        let findings = attack::run(Options { attacks, time: Duration::from_secs(self.seconds), dir }).await?;
        print(&if self.json { as_json(&findings)? } else { table(&findings) })?;
        let weak: Vec<_> = findings.iter().filter(|finding| !finding.held).map(|Finding { name, .. }| *name).collect();
        if weak.is_empty() { Ok(()) } else { Err(AttackError::NotHeld(weak).into()) }
    }
}

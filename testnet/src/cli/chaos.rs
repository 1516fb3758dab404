//! The drill with faults.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{CliError, as_json, print};
use crate::chaos::{self, ChaosError, Options};

#[derive(Debug, Clone, Args)]
pub(super) struct ChaosArgs {
    /// Seed of the faults' sequence
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Minutes with faults; every kind happens at least once
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=600))]
    minutes: u64,
    /// Folder for all files, which stays [default: a temporary one, which goes at the end]
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// Size of the disk of each node's data, MiB [default: 64 and 8 for each minute]
    #[arg(long, value_name = "MIB")]
    disk: Option<u32>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl ChaosArgs {
    /// Runs the drill and prints what happened.
    ///
    /// # Errors
    /// [`ChaosError::Broken`] if something did not hold; others if the drill itself fails.
    pub(super) async fn run(self) -> Result<(), CliError> {
        let temporary = tempfile::Builder::new().prefix("shoal-chaos-").tempdir()?;
        let dir = match self.dir {
            Some(dir) => std::path::absolute(dir)?,
            None => temporary.path().to_owned(),
        };
        let time = Duration::from_secs(self.minutes * 60);
        let minutes = u32::try_from(self.minutes).unwrap_or(u32::MAX);
        let disk_mib = self.disk.unwrap_or(minutes.saturating_mul(8).saturating_add(64));
        let outcome = chaos::run(Options { seed: self.seed, time, dir, disk_mib }).await?;
        let text = if self.json {
            as_json(&outcome)?
        } else {
            let faults: Vec<_> = outcome.faults.iter().map(|(name, count)| format!("{count} {name}")).collect();
            let longest = outcome.silence_s.iter().copied().fold(0.0, f64::max);
            format!(
                "{} s with faults: {}\n{} shares and {} blocks accepted, {} blocks lost\nlongest time without a word to a device: \
                 {longest:.1} s\n",
                outcome.seconds,
                faults.join(", "),
                outcome.accepted,
                outcome.blocks_found,
                outcome.blocks_lost.len()
            )
        };
        print(&text)?;
        if outcome.broken.is_empty() { Ok(()) } else { Err(ChaosError::Broken(outcome.broken.join("; ")).into()) }
    }
}

//! `shoal-testnet bench`.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::parse::{count, parse_fraction};
use super::{CliError, as_json, print};
use crate::limits::CONNECTIONS_MAX;
use crate::network::shoal_program;
use crate::rehearsal::{self, Month};
use crate::scale::{self, Protocol, StratumOptions, WindowOptions, Years, YearsOptions};

#[derive(Debug, Subcommand)]
pub(super) enum BenchCommand {
    /// Let a fresh node join a pool with a full window, over loopback
    Sync {
        /// Proofs in the window
        #[arg(long, default_value_t = 1 << 21, value_parser = clap::value_parser!(u64).range(1..=1 << 21))]
        proofs: u64,
        /// Payout scripts in the window
        #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
        scripts: u64,
        /// Folder that keeps the window for later runs [default: shoal-bench in the system's temporary folder]
        #[arg(long, value_name = "FOLDER")]
        cache: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Serve the window until Ctrl-C instead, from a node whose folder is printed
        #[arg(long, conflicts_with = "json")]
        serve: bool,
    },
    /// Measure a node with many miners: time to the last job on a new tip, memory, processor time for a submit
    Stratum {
        /// Protocol of the miners
        #[arg(long, value_enum, default_value_t = Protocol::V1)]
        protocol: Protocol,
        /// Connections
        #[arg(long, default_value_t = 1_000, value_parser = count(CONNECTIONS_MAX))]
        connections: u64,
        /// Bitcoin tips
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        tips: u32,
        /// Rounds of all connecting, submitting, seeing the tips and leaving, with floods from the second on
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        rounds: u32,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Run the real store and chain through Bitcoin's blocks around the halving in simulated time, judged by Bitcoin Core
    Month {
        /// Bitcoin's blocks; a third of them come before the halving
        #[arg(long, default_value_t = 4_320, value_parser = clap::value_parser!(u32).range(36..=4_320))]
        blocks: u32,
        /// Program with Bitcoin Core's functions, which the test `month` builds
        #[arg(long, value_name = "PROGRAM")]
        core: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Run the real store and chain through simulated years, and show memory and disk by month
    Years {
        /// Simulated years
        #[arg(long, default_value_t = 3)]
        years: u32,
        /// Simulated days instead of years
        #[arg(long, value_name = "DAYS")]
        days: Option<u32>,
        /// Divide main's rate and window by this: 1, 2, 4, 8, 16 or 32
        #[arg(long, default_value_t = 32, value_parser = parse_fraction)]
        fraction: u32,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl BenchCommand {
    pub(super) async fn run(self) -> Result<(), CliError> {
        match self {
            Self::Years { years, days, fraction, json } => {
                let days = days.unwrap_or_else(|| years.saturating_mul(365));
                bench_years(YearsOptions { days, fraction }, json)
            }
            Self::Month { blocks, core, json } => bench_month(blocks, &core, json),
            Self::Sync { proofs, scripts, cache, json, serve } => {
                let cache = cache.unwrap_or_else(|| std::env::temp_dir().join("shoal-bench"));
                let options = WindowOptions::of_proofs(proofs, scripts);
                if serve {
                    return Ok(scale::serve(options, &shoal_program()?, &cache, &mut std::io::stderr()).await?);
                }
                bench_sync(options, &cache, json).await
            }
            Self::Stratum { protocol, connections, tips, rounds, json } => {
                let connections = usize::try_from(connections).unwrap_or(CONNECTIONS_MAX);
                bench_stratum(StratumOptions { protocol, connections, tips, rounds }, json).await
            }
        }
    }
}

/// Runs the years in a folder of its own, which goes at the end.
fn bench_years(options: YearsOptions, json: bool) -> Result<(), CliError> {
    let folder = tempfile::tempdir()?;
    let found = scale::years(options, &folder.path().join("store"), &mut std::io::stderr())?;
    let text = if json {
        as_json(&found)?
    } else {
        let Years { proofs, restart_s, .. } = found;
        format!("{proofs} proofs found and checked; a restart took {restart_s:.2} s\n")
    };
    print(&text)
}

/// Runs the month in a folder of its own, which goes at the end.
fn bench_month(blocks: u32, core: &Path, json: bool) -> Result<(), CliError> {
    let folder = tempfile::tempdir()?;
    let found = rehearsal::month(blocks, core, &folder.path().join("store"), &mut std::io::stderr())?;
    let text = if json {
        as_json(&found)?
    } else {
        let Month { start, end, links, blocks, left, paid, took_s, .. } = found;
        format!(
            "blocks {start} to {end}, {links} links: {blocks} blocks of the pool are valid and pay {paid} sat, subsidy and \
             fees; {left} of them were left behind; {took_s:.0} s\n"
        )
    };
    print(&text)
}

/// Runs the sync of a fresh node.
async fn bench_sync(options: WindowOptions, cache: &Path, json: bool) -> Result<(), CliError> {
    let found = scale::sync(options, (&shoal_program()?, &[]), cache, &mut std::io::stderr()).await?;
    let text = if json {
        as_json(&found)?
    } else {
        let megabytes = |bytes: u64| bytes / 1_000_000;
        format!(
            "first work after {:.1} s; {} MB received; at most {} MB in memory; {} MB on disk; \
             first job {:.2} s after a restart\n",
            found.first_work_s,
            megabytes(found.received_bytes),
            megabytes(found.rss_bytes_max),
            megabytes(found.disk_bytes),
            found.restart_first_job_s
        )
    };
    print(&text)
}

/// Runs a node with many miners.
async fn bench_stratum(options: StratumOptions, json: bool) -> Result<(), CliError> {
    let found = scale::stratum(options, &shoal_program()?, &mut std::io::stderr()).await?;
    let text = if json {
        as_json(&found)?
    } else {
        format!(
            "{} connections after {:.1} s; last job {:.1} ms after a tip (median), {:.1} ms (99 of 100); {} bytes a \
             connection, {} after they left; {:.1} us for a submit, {:.1} of them its own; {} lost\n",
            found.connections,
            found.connected_s,
            found.tip_to_last_ms_p50,
            found.tip_to_last_ms_p99,
            found.bytes_per_connection,
            found.bytes_per_connection_after,
            found.submit_cpu_us,
            found.submit_alone_cpu_us,
            found.lost
        )
    };
    print(&text)
}

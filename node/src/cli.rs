//! The command line: subcommands, exit codes, and the printing of errors.

use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::check;
use crate::config::{Config, Overrides};
use crate::error::NodeError;
use crate::limits::STOP_TIMEOUT;
use crate::notify::test_run;
use crate::payout_proof::command as proof;
use crate::peers::command as peers;
use crate::run::StoredSettled;
use crate::{
    archiving, backup, db, exploring, logging, pair, processors, recording, run, setup, shell, status, store, switch,
    top,
};
use node_core::sentence;

/// A decentralized Bitcoin mining pool: every node is the pool
#[derive(Debug, Parser)]
#[command(name = "shoal", version = VERSION, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    overrides: Overrides,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the node until Ctrl-C or SIGTERM
    Run {
        /// Resolve a conflict: forget which links are settled, and follow the heaviest branch
        #[arg(long)]
        follow_heaviest: bool,
    },
    /// Show the status of a running node; exits with 3 if it hands out no work
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a live view of a running node in the terminal
    Top,
    /// Show a link and a QR code that let one browser see what only the node's owner may see
    Pair,
    /// Write a config file from a few answers, check it, and print the settings for a miner; any flag answers its
    /// question
    Setup {
        /// Ask nothing: use flags, and defaults for the rest
        #[arg(long)]
        yes: bool,
        /// Overwrite an existing file
        #[arg(long)]
        force: bool,
    },
    /// Send a message to each receiver of events, to see whether it arrives
    Notify {
        #[command(subcommand)]
        command: NotifyCommand,
    },
    /// Export the share-chain of a stopped node to a recording, a file that anyone can verify; see specs/recording.md
    Export {
        /// File to write
        file: PathBuf,
    },
    /// Import a recording into the empty database of a stopped node; every entry is checked
    Import {
        /// File to read
        file: PathBuf,
    },
    /// Verify a recording on its own, as specs/model/replay.py does, and show where it deviates from the rules
    Verify {
        /// File to read
        file: PathBuf,
    },
    /// Put the share-chain's history into PostgreSQL; see specs/archive.md
    Archive {
        #[command(subcommand)]
        command: ArchiveCommand,
    },
    /// Serve the pages and the public API from the archive (`--archive-url`) alone, at `--api-listen`; see specs/archive.md
    Explorer,
    /// Show the peers of a running node, or what it bans; ban and unban peers and addresses
    Peers(PeersArgs),
    /// Show which devices of a running node pause to save power, or let them pause, run part of the time, or run
    Power(switch::PowerArgs),
    /// Prove what a Bitcoin block of the pool pays an address: ask the running node, or verify a proof
    Proof(ProofArgs),
    /// Check or repair the database of a stopped node, back it up, or move it to another machine
    Db {
        #[command(subcommand)]
        command: DbCommand,
    },
    /// Check configuration, bitcoind, ports and folders without changing anything
    Check {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the completion script of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write the manual pages to a folder
    #[command(hide = true)]
    Manual {
        /// Folder to create
        folder: PathBuf,
    },
}

/// The version. A release names the commit that it was built from: `.ci/dist.sh` sets the variable.
const VERSION: &str = match option_env!("SHOAL_VERSION") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};

#[derive(Debug, Subcommand)]
enum ArchiveCommand {
    /// Load a recording into the database; every entry is checked, and existing rows stay unchanged. Repeated, it
    /// continues where it stopped
    Load {
        /// File to read
        file: PathBuf,
        /// Rows of one transaction
        #[arg(long, value_name = "ROWS", default_value_t = archive::limits::BATCH_ROWS, value_parser = archiving::rows)]
        rows: usize,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the database's tables as Parquet, one file for each table and month
    Export {
        /// Folder for the files; those of the same name are replaced
        #[arg(long, value_name = "FOLDER")]
        parquet: PathBuf,
        /// One month, as 2026-11 [default: all]
        #[arg(long, value_name = "YYYY-MM")]
        month: Option<archive::Month>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct ProofArgs {
    #[command(subcommand)]
    command: Option<ProofCommand>,
    /// Payout address
    #[arg(required = true, value_name = "ADDRESS")]
    payee: Option<String>,
    /// Hash or height of the block
    #[arg(required = true)]
    block: Option<String>,
    /// File to write the proof to
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print or write JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum ProofCommand {
    /// Verify a proof without any node, and show what it proves
    Verify {
        /// File to read
        file: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
struct PeersArgs {
    #[command(subcommand)]
    command: Option<PeersCommand>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum PeersCommand {
    /// List the bans in force, with their ends and reasons
    Bans,
    /// Ban a peer or addresses, and close the connections that this covers
    Ban {
        /// Peer id, IP address, or range like 203.0.113.0/24; an IPv6 address stands for its /64
        what: String,
        /// How long: like 30m, 12h, 1d or 2w
        #[arg(long = "for", value_name = "TIME", default_value = "1d", value_parser = peers::length)]
        for_s: u64,
        /// Why, for the list
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Connect to a node and stay connected, also after a restart
    Add {
        /// Multiaddr, like /ip4/192.0.2.7/tcp/3381, with /p2p/ID if you know whose it is
        #[arg(value_name = "ADDRESS")]
        peer: String,
    },
    /// Disconnect an added node, and stop dialing it
    Remove {
        /// Multiaddr, as the list shows it
        #[arg(value_name = "ADDRESS")]
        peer: String,
    },
    /// Lift a ban
    Unban {
        /// What it covers, as the list shows it
        what: String,
    },
}

#[derive(Debug, Subcommand)]
enum NotifyCommand {
    /// Send one message to each receiver of the sections `notify` and `webhooks`
    Test {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
enum DbCommand {
    /// Read every record, and compare deep links with their proofs
    Check {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Copy the database and the node's other files to a new folder, also while the node runs
    Backup {
        /// Folder to create; it will hold the node's secret key
        folder: PathBuf,
    },
    /// Copy a backup to the data folder, which must have no database yet
    Restore {
        /// Folder that `shoal db backup` made
        folder: PathBuf,
    },
    /// Copy all sound records into a new database; the damaged one stays beside it
    Repair {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs the program and returns its exit code: 0 on success, 2 if the configuration or the command line is invalid, 3 if
/// `status` shows a node that hands out no work, 1 for any other error.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let code = execute(&cli).map_or_else(|error| explain(&error), |()| 0);
    if !store::wait_until_closed(STOP_TIMEOUT) {
        leave(code);
    }
    ExitCode::from(code)
}

/// Prints an error, and returns its exit code.
fn explain(error: &NodeError) -> u8 {
    // `check` and `status` have already printed what they found, and a reader like `head` has read enough.
    if !matches!(error, NodeError::CheckFailed { .. } | NodeError::NoWork) && !is_left(error) {
        // Standard error may be closed as well.
        let _ = writeln!(std::io::stderr(), "shoal: {}", sentence(error));
    }
    error.exit_code()
}

/// Ends the process while a thread still uses the database, without the cleanup of C++: that would abort it.
#[expect(unsafe_code, reason = "the standard library can only exit with that cleanup; decision 0088")]
fn leave(code: u8) -> ! {
    // SAFETY: it takes a number and ends the process. Everything is written by now.
    unsafe { libc::_exit(code.into()) }
}

/// True if the reader of this program's output has closed it.
fn is_left(error: &NodeError) -> bool {
    matches!(error, NodeError::System(source) if source.kind() == ErrorKind::BrokenPipe)
}

fn execute(cli: &Cli) -> Result<(), NodeError> {
    let runtime = processors::runtime()?;
    if let Command::Setup { yes, force } = cli.command {
        return runtime.block_on(setup::setup(&cli.overrides, setup::How { yes, force }));
    }
    let config = match cli.command {
        Command::Status { .. } | Command::Explorer => Config::load_without_folders(&cli.overrides),
        _ => Config::load(&cli.overrides),
    };
    match &cli.command {
        Command::Run { follow_heaviest } => {
            let config = config?;
            let log = logging::init(&config.log, config.log_format)?;
            let settled = if *follow_heaviest { StoredSettled::Forget } else { StoredSettled::Keep };
            let reload = run::Reload::new(&config, cli.overrides.clone(), log);
            let ended = runtime.block_on(run::run(config, settled, reload));
            // Everything is written by now. A call that waits for a disk or a pipe must not delay the exit.
            runtime.shutdown_timeout(STOP_TIMEOUT);
            ended
        }
        Command::Export { file } => runtime.block_on(recording::export(&config?, file)),
        Command::Import { file } => runtime.block_on(recording::import_file(&config?, file)),
        Command::Verify { file } => recording::verify(file),
        Command::Archive { command: ArchiveCommand::Load { file, rows, json } } => {
            runtime.block_on(archiving::load(&config?, file, *rows, *json))
        }
        Command::Archive { command: ArchiveCommand::Export { parquet, month, json } } => {
            runtime.block_on(archiving::export(&config?, parquet, *month, *json))
        }
        Command::Explorer => {
            let config = config?;
            let _log = logging::init(&config.log, config.log_format)?;
            runtime.block_on(exploring::run(config))
        }
        Command::Status { json } => runtime.block_on(status::status(config?, *json)),
        Command::Peers(PeersArgs { command, json }) => {
            runtime.block_on(peers::ask(&config?, command.as_ref().map_or(peers::Ask::Peers, asked), *json))
        }
        Command::Power(what) => runtime.block_on(switch::power(&config?, what)),
        Command::Completions { shell } => Ok(shell::completions(Cli::command(), *shell)?),
        Command::Manual { folder } => Ok(shell::manual(Cli::command(), folder)?),
        Command::Top => runtime.block_on(top::top(config?)),
        Command::Pair => pair::pair(&config?),
        Command::Setup { .. } => Ok(()),
        Command::Notify { command: NotifyCommand::Test { json } } => runtime.block_on(test_run::test(&config?, *json)),
        Command::Proof(ProofArgs { command: Some(ProofCommand::Verify { file, json }), .. }) => {
            proof::verify(file, *json)
        }
        Command::Proof(ProofArgs { payee, block, out, json, .. }) => {
            let (address, block) = (payee.as_deref().unwrap_or_default(), block.as_deref().unwrap_or_default());
            runtime.block_on(proof::ask(config?, address, block, out.clone(), *json))
        }
        Command::Db { command: DbCommand::Check { json } } => db::check(&config?, *json),
        Command::Db { command: DbCommand::Backup { folder } } => backup::backup(&config?, folder),
        Command::Db { command: DbCommand::Restore { folder } } => backup::restore(&config?, folder),
        Command::Db { command: DbCommand::Repair { json } } => db::repair(&config?, *json),
        Command::Check { json } => {
            let report = match &config {
                Ok(config) => runtime.block_on(check::check(config)),
                Err(error) => check::unreadable(error),
            };
            show(&report, *json)?;
            if report.ok { Ok(()) } else { Err(NodeError::CheckFailed { config: config.is_err() }) }
        }
    }
}

/// The request that a command about peers sends to the running node.
fn asked(command: &PeersCommand) -> peers::Ask {
    match command {
        PeersCommand::Bans => peers::Ask::Bans,
        PeersCommand::Ban { what, for_s, reason } => {
            peers::Ask::Ban { what: what.clone(), for_s: *for_s, reason: reason.clone() }
        }
        PeersCommand::Add { peer } => peers::Ask::Add { address: peer.clone() },
        PeersCommand::Remove { peer } => peers::Ask::Remove { address: peer.clone() },
        PeersCommand::Unban { what } => peers::Ask::Unban { what: what.clone() },
    }
}

fn show(report: &check::Report, json: bool) -> Result<(), NodeError> {
    let text = if json {
        let json = serde_json::to_string_pretty(report).map_err(std::io::Error::from)?;
        format!("{json}\n")
    } else {
        report.to_string()
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

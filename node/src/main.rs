//! The program shoal: share-chain, peers and miners wired to one bitcoind.

use std::process::ExitCode;

fn main() -> ExitCode {
    node::cli::main()
}

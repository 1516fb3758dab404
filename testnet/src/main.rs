//! `shoal-testnet`: a local network of Shoal nodes.

use std::process::ExitCode;

fn main() -> ExitCode {
    testnet::cli::main()
}

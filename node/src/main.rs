//! The program `shoal`; see the library `node`.

use std::process::ExitCode;

fn main() -> ExitCode {
    node::cli::main()
}

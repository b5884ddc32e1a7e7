//! The command line of Consentry.

use std::process::ExitCode;

fn main() -> ExitCode {
    consentry::cli::main()
}

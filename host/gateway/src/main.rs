//! The command line of Consentry.

use std::process::ExitCode;

/// Judging a list allocates a dozen small things a row.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    consentry::cli::main()
}

//! Parse, run, exit code.

use std::process::ExitCode;

/// A message is made on one thread and freed on another, some thousand times a second: the
/// system's allocator spends a tenth of a send on that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    fieldpost::cli::main()
}

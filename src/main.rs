//! Parse, run, exit code.

use std::process::ExitCode;

/// Pages and messages are made of many small pieces, often on one thread and dropped on another,
/// which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    fieldpost::cli::main()
}

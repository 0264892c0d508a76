//! The exit codes, in one place.

use std::process::ExitCode;

/// How a command ended. Scripts rely on the numbers (`docs/commands.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done; deferred deliveries may be left and are printed.
    Done,
    /// Done, with deliveries rejected or in doubt.
    Imperfect,
    /// The command line, the configuration or the content is wrong.
    Invalid,
    /// No relay could be used.
    RelayUnavailable,
    /// The state cannot be written.
    StateUnwritable,
    /// Another process holds the state.
    Held,
    /// Interrupted by a signal.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Imperfect => 1,
            Exit::Invalid => 2,
            Exit::RelayUnavailable => 69,
            Exit::StateUnwritable => 74,
            Exit::Held => 75,
            Exit::Interrupted => 130,
        })
    }
}

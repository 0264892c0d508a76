//! Why a verb could not do its work, and which exit code that is.

use super::exit::Exit;
use super::printer;
use crate::campaign::{BuildError, OpenError, SendError};
use crate::deliver::DeliverError;
use crate::diagnostic::Diagnostic;
use crate::files::FileError;
use crate::ledger::LedgerError;

/// What ended a verb early.
#[derive(Debug)]
pub enum Failure {
    /// The user's files are wrong.
    Wrong(Vec<Diagnostic>),
    /// The command line asks for something that is not there.
    Usage {
        /// What is wrong.
        message: String,
        /// What to type instead.
        help: Option<String>,
    },
    /// The ledger failed.
    Ledger(LedgerError),
    /// A file could not be written.
    Unwritable(String),
    /// A relay refused us, not a recipient: the campaign waits for the author.
    Paused {
        /// The campaign.
        campaign: String,
        /// What the relay said.
        reason: String,
    },
    /// A relay, or the way to it, cannot be used.
    Relay(String),
}

impl Failure {
    /// A wrong command line without a remedy of its own.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), help: None }
    }

    /// Prints what happened and says how the process ends.
    pub fn explain(self) -> Exit {
        match self {
            Self::Wrong(diagnostics) => {
                printer::diagnostics(&diagnostics);
                Exit::Invalid
            }
            Self::Usage { message, help } => {
                printer::complain(&message, help.as_deref());
                Exit::Invalid
            }
            Self::Unwritable(message) => {
                printer::complain(&message, None);
                Exit::StateUnwritable
            }
            Self::Paused { campaign, reason } => {
                let help = format!("correct what the relay objects to, then `fieldpost resume {campaign}` and publish");
                printer::complain(&format!("{campaign} is paused: {reason}"), Some(&help));
                Exit::RelayUnavailable
            }
            Self::Relay(message) => {
                printer::complain(&message, Some("`fieldpost publish` goes on where this run ended"));
                Exit::RelayUnavailable
            }
            Self::Ledger(error) => {
                printer::complain(&error.to_string(), None);
                exit_of(&error)
            }
        }
    }
}

fn exit_of(error: &LedgerError) -> Exit {
    match error {
        LedgerError::Held { .. } | LedgerError::Superseded { .. } => Exit::Held,
        LedgerError::UnknownCampaign { .. } | LedgerError::WrongState { .. } => Exit::Invalid,
        LedgerError::NotWritable { .. }
        | LedgerError::Damaged { .. }
        | LedgerError::Newer { .. }
        | LedgerError::OldState { .. }
        | LedgerError::Io { .. }
        | LedgerError::Sqlite { .. } => Exit::StateUnwritable,
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::Unwritable(error.to_string())
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Ledger(error) => Self::Ledger(error),
            BuildError::Publish(error) => Self::Unwritable(error.to_string()),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Ledger(error) => Self::Ledger(error),
            OpenError::Unrenderable(diagnostics) => Self::Wrong(diagnostics),
        }
    }
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Ledger(error) => Self::Ledger(error),
            SendError::Deliver(error) => error.into(),
            SendError::Unrenderable(diagnostic) => Self::Wrong(vec![*diagnostic]),
            SendError::Relay(..) | SendError::Refused(_) => Self::Relay(error.to_string()),
        }
    }
}

impl From<DeliverError> for Failure {
    fn from(error: DeliverError) -> Self {
        match error {
            DeliverError::Unrecorded(error) => Self::Ledger(error),
            DeliverError::Unmarked(_) | DeliverError::Transport(_) | DeliverError::Issue(_) => {
                Self::Unwritable(error.to_string())
            }
        }
    }
}

//! How a message failed to be accepted, and at which stage; and why a connection broke.

use std::io;
use std::time::Duration;

use crate::domain::policy::Event;
use crate::domain::reply::{Reply, Stage};

/// A message that was not accepted: where it stopped and on what.
///
/// After it, [`Session::is_usable`](super::Session::is_usable) says whether the connection may
/// carry another message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {}", .stage.describe())]
pub struct Failure {
    /// How far it had come. [`Stage::Dot`] with [`FailureKind::Broke`] is a doubt: the relay may
    /// hold the message. At every other stage it does not.
    pub stage: Stage,
    /// What stopped it.
    pub kind: FailureKind,
}

/// What stopped a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FailureKind {
    /// The relay said no, now or for ever.
    #[error("{}", .0.masked())]
    Replied(Reply),
    /// The connection broke, timed out, lied or may not be used; the text says how and
    /// names no address.
    #[error("{0}")]
    Broke(String),
}

impl Failure {
    pub(super) fn replied(stage: Stage, reply: Reply) -> Self {
        Self { stage, kind: FailureKind::Replied(reply) }
    }

    pub(super) fn broke(stage: Stage, how: impl Into<String>) -> Self {
        Self { stage, kind: FailureKind::Broke(how.into()) }
    }

    /// The failure as the policy takes it.
    pub fn into_event(self) -> Event {
        match self.kind {
            FailureKind::Replied(reply) => Event::Replied(self.stage, reply),
            FailureKind::Broke(how) => Event::Broke(self.stage, how),
        }
    }
}

/// The whole result of a send as the policy takes it: a reply is the answer to the dot.
pub fn event_of(result: Result<Reply, Failure>) -> Event {
    match result {
        Ok(reply) => Event::Replied(Stage::Dot, reply),
        Err(failure) => failure.into_event(),
    }
}

/// Why a connection can no longer be used; a short text that names nobody.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Break(String);

impl Break {
    pub(super) fn new(how: impl Into<String>) -> Self {
        Self(how.into())
    }

    pub(super) fn after(limit: Duration, what: &str) -> Self {
        Self(format!("{what} for {} s", limit.as_secs_f32()))
    }
}

impl From<io::Error> for Break {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::new("the relay closed the connection"),
            _ => Self(error.to_string()),
        }
    }
}

impl From<Break> for String {
    fn from(broken: Break) -> Self {
        broken.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_prints_without_naming_anyone() {
        let failure = Failure::replied(Stage::Recipient, Reply::new(550, "5.1.1 <ada@example.org> unknown"));
        assert_eq!(failure.to_string(), "550 5.1.1 <***@***> unknown at RCPT TO");
        assert!(matches!(failure.into_event(), Event::Replied(Stage::Recipient, _)));
        assert!(matches!(event_of(Ok(Reply::new(250, "ok"))), Event::Replied(Stage::Dot, _)));
        assert!(matches!(event_of(Err(Failure::broke(Stage::Dot, "reset"))), Event::Broke(Stage::Dot, _)));
    }
}

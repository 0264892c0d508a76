//! The commands of a transaction, and what counts as an answer to each.

use std::time::Duration;

use crate::domain::reply::{Reply, Stage};

use super::failure::Failure;
use super::settings::Timeouts;

/// What a reply is the answer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    /// RSET.
    Reset,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Recipient,
    /// DATA.
    Data,
    /// A BDAT that more follow.
    Chunk,
    /// The final dot, or the last BDAT.
    End,
}

/// What a reply means to the command it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// As wished.
    Taken(Reply),
    /// No, now or for ever; the connection goes on.
    Refused(Reply),
    /// `421`: the relay reads no further (RFC 5321, 3.8).
    Closing(Reply),
    /// A reply with this code answers something else.
    OutOfOrder(u16),
}

impl Command {
    /// How far a message has come when it fails at this command.
    pub(super) fn stage(self) -> Stage {
        match self {
            Self::Reset | Self::Mail => Stage::Mail,
            Self::Recipient => Stage::Recipient,
            Self::Data | Self::Chunk => Stage::Data,
            Self::End => Stage::Dot,
        }
    }

    /// How long its answer may take.
    pub(super) fn limit(self, timeouts: &Timeouts) -> Duration {
        match self {
            Self::Reset | Self::Mail | Self::Recipient | Self::Chunk => timeouts.command,
            Self::Data => timeouts.data,
            Self::End => timeouts.dot,
        }
    }

    /// Reads a reply as the answer to this command.
    pub(super) fn judge(self, reply: Reply) -> Answer {
        match reply.code {
            421 => Answer::Closing(reply),
            _ if self.is_answered_well_by(&reply) => Answer::Taken(reply),
            400.. => Answer::Refused(reply),
            code => Answer::OutOfOrder(code),
        }
    }

    fn is_answered_well_by(self, reply: &Reply) -> bool {
        match self {
            Self::Reset => reply.code == 250,
            Self::Mail | Self::Recipient | Self::Chunk | Self::End => {
                reply.is_positive() && !answers_something_else(reply)
            }
            Self::Data => reply.code == 354,
        }
    }
}

/// Positive replies that belong to other commands: help, greeting, farewell, AUTH.
fn answers_something_else(reply: &Reply) -> bool {
    matches!(reply.code, 211 | 214 | 220 | 221 | 235)
}

/// What is said of a relay that answered with a code that fits no command we sent.
pub(super) fn out_of_order(code: u16) -> String {
    format!("the relay answered out of order with {code}")
}

impl Answer {
    /// The answer as a result: the outer failure is one after which the connection is over, the
    /// inner one a refusal after which it goes on.
    pub(super) fn into_result(self, command: Command) -> Result<Result<Reply, Failure>, Failure> {
        let stage = command.stage();
        match self {
            Self::Taken(reply) => Ok(Ok(reply)),
            Self::Refused(reply) => Ok(Err(Failure::replied(stage, reply))),
            Self::Closing(reply) => Err(Failure::replied(stage, reply)),
            Self::OutOfOrder(code) => Err(Failure::broke(stage, out_of_order(code))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_fitting_reply_answers_a_command() {
        let judge = |command: Command, code| match command.judge(Reply::new(code, "")) {
            Answer::Taken(_) => "taken",
            Answer::Refused(_) => "refused",
            Answer::Closing(_) => "closing",
            Answer::OutOfOrder(_) => "out of order",
        };
        for command in [Command::Reset, Command::Mail, Command::Recipient, Command::Chunk, Command::End] {
            assert_eq!(judge(command, 250), "taken");
            assert_eq!(judge(command, 354), "out of order");
            assert_eq!(judge(command, 221), "out of order");
        }
        for command in [Command::Reset, Command::Mail, Command::Recipient, Command::Data, Command::Chunk, Command::End]
        {
            assert_eq!(judge(command, 421), "closing");
            assert_eq!(judge(command, 451), "refused");
            assert_eq!(judge(command, 550), "refused");
        }
        assert_eq!(judge(Command::Data, 354), "taken");
        assert_eq!(judge(Command::Data, 250), "out of order");
        assert_eq!(judge(Command::Recipient, 251), "taken");
    }
}

//! The messages in flight: written to their last octet, and not yet answered (RFC 3030, RFC 2920).
//!
//! Replies go in, outcomes come out; nothing here reads or writes. The relay answers in the order
//! in which it was asked, so the reply at hand always belongs to the oldest message.

use std::collections::VecDeque;

use crate::domain::reply::{Reply, Stage};

use super::commands::{Answer, Command, out_of_order};
use super::failure::Failure;

/// What becomes of a message: the reply to its last chunk, or where it failed.
pub(super) type Outcome = Result<Reply, Failure>;

/// Every command of a transaction by BDAT.
const COMMANDS: [Command; 5] = [Command::Reset, Command::Mail, Command::Recipient, Command::Chunk, Command::End];
const WITHOUT_CHUNK: [Command; 4] = [Command::Reset, Command::Mail, Command::Recipient, Command::End];

/// Whether a transaction begins with RSET.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// It does: what comes before it may have failed and left a transaction open.
    Reset,
    /// It need not: the relay has nothing open.
    Clean,
}

/// The commands of one transaction, in order.
pub(super) fn commands(start: Start, has_early_chunk: bool) -> &'static [Command] {
    let commands: &'static [Command] = if has_early_chunk { &COMMANDS } else { &WITHOUT_CHUNK };
    match start {
        Start::Reset => commands,
        Start::Clean => &commands[1..],
    }
}

/// One message in flight.
#[derive(Debug)]
struct Letter {
    /// The commands whose answers have not come.
    awaited: &'static [Command],
    /// The first refusal; those behind it only follow from it.
    refusal: Option<Failure>,
}

/// Why no more answers come, and what that says of the messages that wait for them.
#[derive(Debug)]
enum End {
    /// The relay said `421` to an earlier command. It has read nothing behind it.
    Closed(String),
    /// The connection is gone. What was refused is refused, all else is in doubt.
    Broken(String),
    /// The relay's answers fit no order, so that not even a refusal is certain.
    Confused(String),
}

/// The messages in flight on one connection, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Flight {
    letters: VecDeque<Letter>,
    /// Replies the relay owes: also those to a transaction that was not written to its end.
    owed: usize,
    end: Option<End>,
}

impl Flight {
    /// How many messages wait for their answers.
    pub(super) fn len(&self) -> usize {
        self.letters.len()
    }

    /// How many replies are outstanding.
    pub(super) fn owed(&self) -> usize {
        self.owed
    }

    /// Whether no answer will come any more.
    pub(super) fn is_over(&self) -> bool {
        self.end.is_some()
    }

    /// Counts commands that are about to be written.
    pub(super) fn owe(&mut self, commands: &[Command]) {
        self.owed += commands.len();
    }

    /// Takes up a message whose commands were all [owed](Self::owe) and written.
    pub(super) fn add(&mut self, commands: &'static [Command]) {
        self.letters.push_back(Letter { awaited: commands, refusal: None });
    }

    /// The command whose answer comes next; `None` when nothing is in flight.
    pub(super) fn awaited(&self) -> Option<Command> {
        self.letters.front().and_then(|letter| letter.awaited.first()).copied()
    }

    /// The outcome of the oldest message, once [it is over](Self::is_over).
    pub(super) fn lose(&mut self) -> Option<Outcome> {
        let end = self.end.as_ref()?;
        let letter = self.letters.pop_front()?;
        Some(Err(match (end, letter.refusal) {
            (End::Broken(_) | End::Closed(_), Some(refusal)) => refusal,
            (End::Closed(how), None) => Failure::broke(Stage::Mail, how),
            (End::Broken(how), None) | (End::Confused(how), _) => Failure::broke(Stage::Dot, how),
        }))
    }

    /// The connection is gone.
    pub(super) fn break_off(&mut self, how: String) {
        self.end.get_or_insert(End::Broken(how));
    }

    /// The relay cannot be believed any more.
    pub(super) fn confuse(&mut self, how: impl Into<String>) {
        self.end = Some(End::Confused(how.into()));
    }

    /// Takes the reply to the [awaited](Self::awaited) command; returns the oldest message's
    /// outcome if it is known by it.
    pub(super) fn take(&mut self, reply: Reply) -> Option<Outcome> {
        let letter = self.letters.front_mut()?;
        let (command, rest) = letter.awaited.split_first()?;
        letter.awaited = rest;
        self.owed = self.owed.saturating_sub(1);
        match command.judge(reply) {
            Answer::Refused(reply) if *command == Command::Reset => self.confuse(out_of_order(reply.code)),
            Answer::Refused(reply) => {
                letter.refusal.get_or_insert(Failure::replied(command.stage(), reply));
            }
            Answer::Taken(reply) if *command == Command::End && letter.refusal.is_none() => {
                self.letters.pop_front();
                return Some(Ok(reply));
            }
            Answer::Taken(_) if *command == Command::End => self.confuse("the relay took what it had refused"),
            Answer::Taken(_) => {}
            Answer::Closing(reply) => {
                let how = format!("the relay had closed: {}", reply.masked());
                letter.refusal.get_or_insert(Failure::replied(command.stage(), reply));
                self.end = Some(End::Closed(how));
            }
            Answer::OutOfOrder(code) => self.confuse(out_of_order(code)),
        }
        match self.end {
            Some(_) => self.lose(),
            None => self.refused(),
        }
    }

    /// The refusal of the oldest message, once all its answers have come.
    fn refused(&mut self) -> Option<Outcome> {
        let is_answered = self.letters.front().is_some_and(|letter| letter.awaited.is_empty());
        let letter = if is_answered { self.letters.pop_front() } else { None };
        letter.and_then(|letter| letter.refusal).map(Err)
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn flight(messages: usize) -> Flight {
        let mut flight = Flight::default();
        for number in 0..messages {
            let commands = commands(if number == 0 { Start::Clean } else { Start::Reset }, number % 2 == 1);
            flight.owe(commands);
            flight.add(commands);
        }
        flight
    }

    /// Feeds the codes in order, then lets the connection break; returns what became of each.
    fn outcomes(messages: usize, codes: &[u16]) -> Vec<Outcome> {
        let mut flight = flight(messages);
        let mut outcomes = Vec::new();
        for code in codes {
            if flight.is_over() || flight.awaited().is_none() {
                break;
            }
            outcomes.extend(flight.take(Reply::new(*code, "")));
        }
        flight.break_off("gone".to_owned());
        outcomes.extend(std::iter::from_fn(|| flight.lose()));
        outcomes
    }

    fn stages(messages: usize, codes: &[u16]) -> Vec<(Stage, bool)> {
        let stage = |outcome: Outcome| match outcome {
            Ok(_) => (Stage::Dot, true),
            Err(failure) => (failure.stage, matches!(failure.kind, crate::smtp::FailureKind::Replied(_))),
        };
        outcomes(messages, codes).into_iter().map(stage).collect()
    }

    #[test]
    fn what_was_refused_before_a_break_is_refused_and_the_rest_is_in_doubt() {
        assert_eq!(stages(3, &[250, 550]), [(Stage::Recipient, true), (Stage::Dot, false), (Stage::Dot, false)]);
    }

    #[test]
    fn what_stands_behind_a_421_was_not_read() {
        assert_eq!(stages(3, &[250, 421]), [(Stage::Recipient, true), (Stage::Mail, false), (Stage::Mail, false)]);
        assert_eq!(stages(2, &[250, 250, 421]), [(Stage::Dot, true), (Stage::Mail, false)]);
    }

    #[test]
    fn answers_that_fit_no_order_leave_everything_in_doubt_even_what_seemed_refused() {
        for codes in [&[250, 550, 250][..], &[550, 250, 354], &[250, 550, 220]] {
            assert_eq!(stages(2, codes), [(Stage::Dot, false); 2], "{codes:?}");
        }
        let after_reset_refused = [250, 250, 250, 502];
        assert_eq!(stages(3, &after_reset_refused), [(Stage::Dot, true), (Stage::Dot, false), (Stage::Dot, false)]);
    }

    proptest! {
        #[test]
        fn every_message_ends_once_and_is_accepted_only_on_good_answers(
            messages in 1usize..6,
            codes in prop::collection::vec(prop_oneof![12 => Just(250u16), 1 => 200u16..600], 0..30),
        ) {
            let outcomes = outcomes(messages, &codes);
            prop_assert_eq!(outcomes.len(), messages);
            let mut rest = &codes[..];
            for (number, outcome) in outcomes.iter().enumerate() {
                let start = if number == 0 { Start::Clean } else { Start::Reset };
                let size = commands(start, number % 2 == 1).len();
                let (answers, behind) = rest.split_at(size.min(rest.len()));
                rest = behind;
                let is_good = answers.len() == size && answers.iter().all(|code| (200..300).contains(code));
                prop_assert!(outcome.is_err() || is_good, "{number} of {codes:?}");
                if codes.iter().all(|code| *code == 250) {
                    prop_assert_eq!(outcome.is_ok(), is_good);
                }
            }
        }
    }
}

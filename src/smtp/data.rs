//! One message at a time: MAIL, RCPT, DATA, body, dot (RFC 5321, 3.3).

use std::io::{self, IoSlice};

use crate::domain::reply::{Reply, Stage};
use crate::domain::spliced::Pieces;

use super::capabilities::{Capabilities, Extension};
use super::commands::Command;
use super::failure::{Break, Failure};
use super::payload::Sendable;
use super::session::{Health, Session, Transaction};

/// The end of a body: the dot and its CRLF, behind a body that ends with CRLF.
const FINAL_DOT: &[u8] = b".\r\n";
/// A long body is written up to this much before its end; only the rest shares a write with
/// the dot. So a break in a long body is a break, and no doubt.
const TAIL: usize = 16 * 1024;

/// The commands that open a transaction, each with its CRLF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opening(String);

/// The commands of an opening, in order.
const OPENING: [Command; 3] = [Command::Mail, Command::Recipient, Command::Data];

impl Opening {
    fn of(message: &Sendable<'_>, relay: &Capabilities) -> Self {
        let mut lines = message.mail_and_rcpt(relay);
        lines.push_str("DATA\r\n");
        Self(lines)
    }

    fn in_one_write(&self) -> &str {
        &self.0
    }

    /// Each command with its line.
    fn lines(&self) -> impl Iterator<Item = (Command, &str)> {
        OPENING.into_iter().zip(self.0.split_inclusive('\n'))
    }
}

/// Which commands of an opening were refused.
#[derive(Default)]
struct Refusals {
    first: Option<Failure>,
    commands: Vec<Command>,
}

impl Refusals {
    fn note(&mut self, command: Command, failure: Failure) {
        self.commands.push(command);
        self.first.get_or_insert(failure);
    }

    fn include(&self, command: Command) -> bool {
        self.commands.contains(&command)
    }
}

impl Session {
    /// Sends one message and waits for the answer to its final dot.
    ///
    /// `before_dot` is called exactly once, synchronously, immediately before the write that
    /// holds the final dot, and only after MAIL, RCPT and DATA were all taken. If it fails,
    /// nothing of that write leaves, the failure is [`Stage::Data`] and the session is over.
    ///
    /// `Ok` is a `2xx` to the dot: the relay has taken the message. See [`Failure`] for the rest.
    /// While messages are [in flight](Self::in_flight) nothing is sent.
    pub async fn send(
        &mut self,
        message: &Sendable<'_>,
        before_dot: impl FnOnce() -> io::Result<()>,
    ) -> Result<Reply, Failure> {
        self.transact(message, None, before_dot).await
    }

    /// Sends one message and, in the same write, the MAIL, RCPT and DATA of `next`, if the
    /// relay offers PIPELINING and would take `next`, and the connection may carry it. A
    /// message then costs one round trip.
    ///
    /// The next call must send `next` (the same envelope and size); any other message finds
    /// the session broken and unsent, for an open DATA cannot be taken back. Nothing of `next`
    /// but its envelope leaves here, so it may still be given up by dropping the session.
    pub async fn send_and_announce(
        &mut self,
        message: &Sendable<'_>,
        next: &Sendable<'_>,
        before_dot: impl FnOnce() -> io::Result<()>,
    ) -> Result<Reply, Failure> {
        let opening = self.may_ride(next).then(|| Opening::of(next, &self.capabilities));
        self.transact(message, opening, before_dot).await
    }

    /// Whether the commands of the next message may go out behind this one's body.
    fn may_ride(&self, next: &Sendable<'_>) -> bool {
        // An announced message's MAIL is already counted.
        let mails = if matches!(self.transaction, Transaction::Announced(_)) { 1 } else { 2 };
        self.capabilities.offers(Extension::Pipelining)
            && self.objection(next).is_ok()
            && self.life.has_room_for(mails, &self.capabilities)
    }

    async fn transact(
        &mut self,
        message: &Sendable<'_>,
        next: Option<Opening>,
        before_dot: impl FnOnce() -> io::Result<()>,
    ) -> Result<Reply, Failure> {
        if !self.is_usable() {
            return Err(Failure::broke(Stage::Mail, "the connection was already broken"));
        }
        if self.in_flight() > 0 {
            return Err(Failure::broke(Stage::Mail, "other messages are in flight"));
        }
        self.objection(message)?;
        self.health = Health::Broken;
        self.open(&Opening::of(message, &self.capabilities)).await?;
        self.transmit(message, next.as_ref(), before_dot).await?;
        let outcome = self.answer(Command::End).await?;
        self.health = Health::Usable;
        self.transaction = next.map_or(Transaction::None, Transaction::Announced);
        outcome
    }

    /// Gets the relay to answer 354, or fails with the first refusal.
    async fn open(&mut self, opening: &Opening) -> Result<(), Failure> {
        match std::mem::take(&mut self.transaction) {
            Transaction::Announced(announced) if announced == *opening => self.read_opening().await,
            Transaction::Announced(_) => Err(Failure::broke(Stage::Mail, "another message had been announced")),
            Transaction::Open => {
                self.reset().await?;
                self.write_opening(opening).await
            }
            Transaction::None => self.write_opening(opening).await,
        }
    }

    async fn reset(&mut self) -> Result<(), Failure> {
        self.say(Stage::Mail, "RSET\r\n").await?;
        let refused = |_| Failure::broke(Stage::Mail, "the relay refused RSET");
        self.answer(Command::Reset).await?.map(drop).map_err(refused)
    }

    async fn write_opening(&mut self, opening: &Opening) -> Result<(), Failure> {
        self.life.count_mail();
        if self.capabilities.offers(Extension::Pipelining) {
            self.say(Stage::Mail, opening.in_one_write()).await?;
            return self.read_opening().await;
        }
        for (command, line) in opening.lines() {
            self.say(command.stage(), line).await?;
            if let Err(refusal) = self.answer(command).await? {
                self.settle_refusal(command);
                return Err(refusal);
            }
        }
        Ok(())
    }

    /// Reads the three answers to an opening that went out in one write. The first refusal is
    /// the one that counts; those behind it only follow from it.
    async fn read_opening(&mut self) -> Result<(), Failure> {
        let mut refusals = Refusals::default();
        for command in OPENING {
            match self.answer(command).await {
                Ok(Ok(_)) => {}
                Ok(Err(refusal)) => refusals.note(command, refusal),
                Err(failure) => return Err(refusals.first.unwrap_or(failure)),
            }
        }
        let Some(first) = refusals.first.take() else { return Ok(()) };
        if refusals.include(Command::Data) {
            self.settle_refusal(refusals.commands[0]);
        } else if refusals.include(Command::Recipient) {
            self.send_lone_dot().await;
        }
        // Else MAIL was refused and RCPT and DATA were not: no dot would be safe there, and
        // the session stays broken.
        Err(first)
    }

    /// A refused command leaves the connection usable, and a transaction open unless it was MAIL.
    fn settle_refusal(&mut self, command: Command) {
        self.health = Health::Usable;
        self.transaction = if command == Command::Mail { Transaction::None } else { Transaction::Open };
    }

    /// The relay wants a body for a recipient it has refused (RFC 2920, 3.1): it gets an empty
    /// one, which goes to nobody. Whatever comes back, the recipient's refusal stands.
    async fn send_lone_dot(&mut self) {
        if self.say(Stage::Data, ".\r\n").await.is_ok()
            && let Ok(reply) = self.wire.reply(self.timeouts.dot).await
            && reply.code != 421
        {
            self.health = Health::Usable;
        }
    }

    /// Writes commands, after making sure that no reply has come before them.
    async fn say(&mut self, stage: Stage, commands: &str) -> Result<(), Failure> {
        self.wire.expect_silence().map_err(|broken| broke(stage, broken))?;
        self.wire.write(commands.as_bytes(), self.timeouts.block).await.map_err(|broken| broke(stage, broken))
    }

    /// Reads the answer to one command. The outer error is a break, a `421` or an answer to
    /// some other question; the inner one a refusal after which the connection goes on.
    async fn answer(&mut self, command: Command) -> Result<Result<Reply, Failure>, Failure> {
        let limit = command.limit(&self.timeouts);
        let reply = self.wire.reply(limit).await.map_err(|broken| broke(command.stage(), broken))?;
        command.judge(reply.into_reply()).into_result(command)
    }

    /// Writes the body, calls `before_dot`, writes the dot and what rides behind it.
    async fn transmit(
        &mut self,
        message: &Sendable<'_>,
        next: Option<&Opening>,
        before_dot: impl FnOnce() -> io::Result<()>,
    ) -> Result<(), Failure> {
        let data = |broken| broke(Stage::Data, broken);
        self.wire.expect_silence().map_err(data)?;
        let stuffed = message.stuffed();
        let body = stuffed.as_deref().map_or_else(|| message.pieces(), Pieces::from);
        let length = body.len();
        let early = length.saturating_sub(TAIL);
        if early > 0 {
            let mut pieces: Vec<IoSlice> = body.within(0..early).map(IoSlice::new).collect();
            self.wire.write_gathered(&mut pieces, self.timeouts.block).await.map_err(data)?;
        }
        let mut last = std::mem::take(&mut self.last);
        last.clear();
        body.within(early..length).for_each(|piece| last.extend_from_slice(piece));
        last.extend_from_slice(FINAL_DOT);
        if let Some(opening) = next {
            self.life.count_mail();
            last.extend_from_slice(opening.in_one_write().as_bytes());
        }
        before_dot().map_err(|error| Failure::broke(Stage::Data, format!("could not be recorded ({error})")))?;
        let before = self.wire.written();
        let written = self.wire.write(&last, self.timeouts.block).await;
        self.last = last;
        written.map_err(|broken| {
            let stage = if self.wire.written() == before { Stage::Data } else { Stage::Dot };
            broke(stage, broken)
        })
    }
}

fn broke(stage: Stage, broken: Break) -> Failure {
    Failure::broke(stage, broken)
}

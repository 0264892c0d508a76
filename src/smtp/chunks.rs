//! Several messages in flight at once: MAIL, RCPT and BDAT in one write (RFC 3030, 4.2).
//!
//! A message that is written before the one in front of it is answered cannot know how that one
//! ends. So each begins with RSET: whatever a refusal left open is closed, and no recipient falls
//! into another's transaction.

use std::io::{self, IoSlice};
use std::ops::Range;

use tokio::time::Instant;

use crate::domain::reply::{Reply, Stage};

use super::failure::Failure;
use super::flight::{self, Start};
use super::payload::Sendable;
use super::session::{Health, Session, Transaction};

/// A long body is sent in two chunks, of which the last has at most this size: what breaks
/// before it is a break, and no doubt.
const LAST_CHUNK: usize = 16 * 1024;

impl Session {
    /// Writes one message whole, behind those in flight, and waits for none of them. Its answer
    /// is [pulled](Self::pull) in its turn. Needs a relay that offers CHUNKING and PIPELINING.
    ///
    /// `before_last` is called exactly once, synchronously, immediately before the write that
    /// holds the last chunk: for a body of at most 16 KiB, before anything is written. If it
    /// fails, nothing of that write leaves and the failure is [`Stage::Data`].
    ///
    /// `Ok` says that the message is in flight. After a failure it is not: at [`Stage::Dot`]
    /// this one is in doubt, at any other stage the relay does not have it. What is in flight
    /// can be pulled whatever became of this one; [`is_usable`](Self::is_usable) says whether
    /// more may be pushed. A message the relay could not take, or one too many for the
    /// [window](Self::window), is refused before a byte is written and costs nothing.
    pub async fn push(
        &mut self,
        message: &Sendable<'_>,
        before_last: impl FnOnce() -> io::Result<()>,
    ) -> Result<(), Failure> {
        self.admit(message)?;
        self.health = Health::Broken;
        let broke = |broken| Failure::broke(Stage::Mail, broken);
        self.wire.expect_at_most(self.flight.owed()).map_err(broke)?;
        self.wire.acknowledge_at_once();
        self.write_whole(message, before_last).await?;
        self.health = Health::Usable;
        Ok(())
    }

    /// Waits for the answers to the oldest message in flight.
    ///
    /// `Ok` is a `2xx` to its last chunk, with nothing refused before it: the relay has taken
    /// the message. A refusal names the first command that was refused. After a break every
    /// message in flight fails in its turn: those the relay had refused as refused, those behind
    /// a `421` at [`Stage::Mail`] because it has not read them, all others as
    /// [in doubt](Stage::Dot).
    ///
    /// May be dropped and called again: no reply is lost, and the time-out goes on. Without
    /// a message in flight it fails at once and concerns none.
    pub async fn pull(&mut self) -> Result<Reply, Failure> {
        let outcome = loop {
            if let Some(lost) = self.flight.lose() {
                break lost;
            }
            if let Some(outcome) = self.take_answer().await? {
                break outcome;
            }
        };
        self.transaction = if outcome.is_ok() { Transaction::None } else { Transaction::Open };
        outcome
    }

    /// Waits for one reply; returns the outcome of the oldest message if it is known by it.
    async fn take_answer(&mut self) -> Result<Option<flight::Outcome>, Failure> {
        let Some(command) = self.flight.awaited() else {
            return Err(Failure::broke(Stage::Mail, "no message is in flight"));
        };
        let limit = command.limit(&self.timeouts);
        let end = *self.patience.get_or_insert_with(|| Instant::now() + limit);
        let reply = self.wire.reply_until(end, limit).await;
        self.patience = None;
        let outcome = match reply {
            Ok(reply) => self.flight.take(reply.into_reply()),
            Err(broken) => {
                self.flight.break_off(broken.into());
                None
            }
        };
        Ok(outcome.map(|outcome| self.doubt_what_is_said_twice(outcome)))
    }

    /// One reply too many among those at hand: nobody knows which answers what.
    fn doubt_what_is_said_twice(&mut self, outcome: flight::Outcome) -> flight::Outcome {
        if outcome.is_ok() && self.wire.said_too_much(self.flight.owed()) {
            let how = "the relay sent a reply that nothing had asked for";
            self.flight.confuse(how);
            return Err(Failure::broke(Stage::Dot, how));
        }
        outcome
    }

    /// Refuses what must not be pushed.
    fn admit(&self, message: &Sendable<'_>) -> Result<(), Failure> {
        let refuse = |why| Err(Failure::broke(Stage::Mail, why));
        if !self.is_usable() {
            return refuse("the connection was already broken");
        }
        if !self.takes_chunks() {
            return refuse("the relay does not take several messages at once");
        }
        if self.in_flight() >= self.window() {
            return refuse("the window is full");
        }
        if matches!(self.transaction, Transaction::Announced(_)) {
            return refuse("another message had been announced");
        }
        self.objection(message)
    }

    async fn write_whole(
        &mut self,
        message: &Sendable<'_>,
        before_last: impl FnOnce() -> io::Result<()>,
    ) -> Result<(), Failure> {
        let length = message.pieces().len();
        let early = length.saturating_sub(LAST_CHUNK);
        let start = self.start();
        let commands = flight::commands(start, early > 0);
        let mut lines = self.lines_before_chunks(message, start);
        self.life.count_mail();
        self.flight.owe(commands);
        let (data, limit) = (|broken| Failure::broke(Stage::Data, broken), self.timeouts.block);
        if early > 0 {
            lines.push_str(&bdat(early, ""));
            self.wire.write_gathered(&mut behind(&lines, message, 0..early), limit).await.map_err(data)?;
            lines.clear();
        }
        lines.push_str(&bdat(length - early, " LAST"));
        let mut last = behind(&lines, message, early..length);
        before_last().map_err(|error| Failure::broke(Stage::Data, format!("could not be recorded ({error})")))?;
        let before = self.wire.written();
        self.wire.write_gathered(&mut last, limit).await.map_err(|broken| {
            let stage = if self.wire.written() == before { Stage::Data } else { Stage::Dot };
            Failure::broke(stage, broken)
        })?;
        self.flight.add(commands);
        Ok(())
    }

    fn start(&self) -> Start {
        match self.transaction {
            Transaction::None if self.in_flight() == 0 => Start::Clean,
            Transaction::None | Transaction::Open | Transaction::Announced(_) => Start::Reset,
        }
    }

    fn lines_before_chunks(&self, message: &Sendable<'_>, start: Start) -> String {
        let lines = message.mail_and_rcpt(&self.capabilities);
        match start {
            Start::Reset => ["RSET\r\n", &lines].concat(),
            Start::Clean => lines,
        }
    }
}

fn bdat(length: usize, last: &str) -> String {
    format!("BDAT {length}{last}\r\n")
}

/// Lines, and behind them a stretch of the message.
fn behind<'a>(lines: &'a str, message: &Sendable<'a>, stretch: Range<usize>) -> Vec<IoSlice<'a>> {
    let chunk = message.pieces().within(stretch);
    std::iter::once(lines.as_bytes()).chain(chunk).map(IoSlice::new).collect()
}

//! The conversation about messages: MAIL, RCPT, DATA, body, dot (RFC 5321, 3.3).

use std::io;

use crate::domain::reply::{Reply, Stage};

use super::capabilities::{Capabilities, Extension};
use super::failure::Failure;
use super::payload::Sendable;
use super::settings::Timeouts;
use super::wire::{Break, Wire};

/// The end of a body: the dot and its CRLF, behind a body that ends with CRLF.
const FINAL_DOT: &[u8] = b".\r\n";
/// A long body is written up to this much before its end; only the rest shares a write with
/// the dot. So a break in a long body is a break, and no doubt.
const TAIL: usize = 16 * 1024;

/// An open connection to a relay, greeted, under TLS if so set, and logged in.
///
/// One message at a time. If a future of [`send`](Self::send) is dropped halfway, the session
/// is no longer usable. Dropping the session closes the socket and sends nothing.
pub struct Session {
    pub(super) wire: Wire,
    pub(super) capabilities: Capabilities,
    pub(super) timeouts: Timeouts,
    /// `Broken` while a message is under way: usable again only where that is known.
    health: Health,
    transaction: Transaction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Usable,
    Broken,
}

/// What the relay thinks is going on between two messages.
#[derive(Debug, Default)]
enum Transaction {
    /// Nothing.
    #[default]
    None,
    /// A refused command left one open: RSET goes before the next MAIL.
    Open,
    /// The next one's commands went out behind the last body; three replies are outstanding.
    Announced(Opening),
}

/// The commands that open a transaction, each with its CRLF.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Opening {
    mail: String,
    rcpt: String,
}

const DATA: &str = "DATA\r\n";

impl Opening {
    fn of(mail: &Sendable<'_>, relay: &Capabilities) -> Self {
        let (mail, rcpt) = mail.mail_and_rcpt(relay);
        Self { mail, rcpt }
    }

    fn in_one_write(&self) -> String {
        [&self.mail, &self.rcpt, DATA].concat()
    }

    fn line(&self, command: Command) -> &str {
        match command {
            Command::Mail => &self.mail,
            Command::Recipient => &self.rcpt,
            Command::Data => DATA,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Mail,
    Recipient,
    Data,
}

impl Command {
    const IN_ORDER: [Self; 3] = [Self::Mail, Self::Recipient, Self::Data];

    fn stage(self) -> Stage {
        match self {
            Self::Mail => Stage::Mail,
            Self::Recipient => Stage::Recipient,
            Self::Data => Stage::Data,
        }
    }

    fn is_answered_well_by(self, reply: &Reply) -> bool {
        match self {
            Self::Mail | Self::Recipient => reply.is_positive() && !answers_something_else(reply),
            Self::Data => reply.code == 354,
        }
    }
}

/// Positive replies that belong to other commands: help, greeting, farewell, AUTH.
fn answers_something_else(reply: &Reply) -> bool {
    matches!(reply.code, 211 | 214 | 220 | 221 | 235)
}

/// How the relay answered one command of an opening.
enum Answer {
    Taken,
    Refused(Failure),
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
    pub(super) fn new(wire: Wire, capabilities: Capabilities, timeouts: Timeouts) -> Self {
        Self { wire, capabilities, timeouts, health: Health::Usable, transaction: Transaction::None }
    }

    /// What the relay offers.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Whether the connection may carry another message. A refusal leaves it usable; a break,
    /// a `421`, a lie or a failed `before_dot` does not.
    pub fn is_usable(&self) -> bool {
        self.health == Health::Usable
    }

    /// Whether an idle connection is still there: looks, without waiting, for a close or a
    /// `421` that came meanwhile. Ask it before reusing a connection, and open another if not:
    /// no message is concerned. `true` promises nothing about the next moment.
    pub fn is_alive(&mut self) -> bool {
        let is_quiet = match self.transaction {
            Transaction::Announced(_) => true,
            Transaction::None | Transaction::Open => self.wire.expect_silence().is_ok(),
        };
        if !is_quiet {
            self.health = Health::Broken;
        }
        self.is_usable()
    }

    /// Sends one message and waits for the answer to its final dot.
    ///
    /// `before_dot` is called exactly once, synchronously, immediately before the write that
    /// holds the final dot, and only after MAIL, RCPT and DATA were all taken. If it fails,
    /// nothing of that write leaves, the failure is [`Stage::Data`] and the session is over.
    ///
    /// `Ok` is a `2xx` to the dot: the relay has taken the message. See [`Failure`] for the rest.
    pub async fn send(
        &mut self,
        message: &Sendable<'_>,
        before_dot: impl FnOnce() -> io::Result<()>,
    ) -> Result<Reply, Failure> {
        self.transact(message, None, before_dot).await
    }

    /// Sends one message and, in the same write, the MAIL, RCPT and DATA of `next`, if the
    /// relay offers PIPELINING and would take `next`. A message then costs one round trip.
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
        let may_ride = self.capabilities.offers(Extension::Pipelining) && next.objection(&self.capabilities).is_none();
        let opening = may_ride.then(|| Opening::of(next, &self.capabilities));
        self.transact(message, opening, before_dot).await
    }

    /// Says goodbye. An open or announced transaction is simply cut off, which aborts it.
    pub async fn quit(mut self) {
        if self.is_usable() && !matches!(self.transaction, Transaction::Announced(_)) {
            let limit = self.timeouts.quit;
            let said = self.wire.write(b"QUIT\r\n", limit).await;
            // Whatever it answers, we leave.
            let _ = if said.is_ok() { self.wire.reply(limit).await.map(drop) } else { said };
        }
        self.wire.close(self.timeouts.quit).await;
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
        if let Some((code, text)) = message.objection(&self.capabilities) {
            return Err(Failure::replied(Stage::Mail, Reply::new(code, &text)));
        }
        self.health = Health::Broken;
        self.open(&Opening::of(message, &self.capabilities)).await?;
        self.transmit(message, next.as_ref(), before_dot).await?;
        let outcome = self.answer_to_dot().await?;
        self.transaction = next.map_or(Transaction::None, Transaction::Announced);
        outcome
    }

    /// Gets the relay to answer 354, or fails with the first refusal.
    async fn open(&mut self, opening: &Opening) -> Result<(), Failure> {
        match std::mem::take(&mut self.transaction) {
            Transaction::Announced(announced) if announced == *opening => self.read_opening().await,
            Transaction::Announced(_) => Err(Failure::broke(Stage::Mail, "another message had been announced")),
            Transaction::Open => {
                self.say(Stage::Mail, "RSET\r\n").await?;
                self.expect_reset().await?;
                self.write_opening(opening).await
            }
            Transaction::None => self.write_opening(opening).await,
        }
    }

    async fn write_opening(&mut self, opening: &Opening) -> Result<(), Failure> {
        if self.capabilities.offers(Extension::Pipelining) {
            self.say(Stage::Mail, &opening.in_one_write()).await?;
            return self.read_opening().await;
        }
        for command in Command::IN_ORDER {
            self.say(command.stage(), opening.line(command)).await?;
            if let Answer::Refused(failure) = self.answer(command).await? {
                self.settle_refusal(command);
                return Err(failure);
            }
        }
        Ok(())
    }

    /// Reads the three answers to an opening that went out in one write. The first refusal is
    /// the one that counts; those behind it only follow from it.
    async fn read_opening(&mut self) -> Result<(), Failure> {
        let mut refusals = Refusals::default();
        for command in Command::IN_ORDER {
            match self.answer(command).await {
                Ok(Answer::Taken) => {}
                Ok(Answer::Refused(failure)) => refusals.note(command, failure),
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
        self.transaction = match command {
            Command::Mail => Transaction::None,
            Command::Recipient | Command::Data => Transaction::Open,
        };
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

    async fn expect_reset(&mut self) -> Result<(), Failure> {
        let reply = self.wire.reply(self.timeouts.command).await.map_err(|broken| broke(Stage::Mail, broken))?;
        match reply.code {
            250 => Ok(()),
            _ => Err(Failure::broke(Stage::Mail, format!("the relay answered RSET with {}", reply.code))),
        }
    }

    /// Writes commands, after making sure that no reply has come before them.
    async fn say(&mut self, stage: Stage, commands: &str) -> Result<(), Failure> {
        self.wire.expect_silence().map_err(|broken| broke(stage, broken))?;
        self.wire.write(commands.as_bytes(), self.timeouts.block).await.map_err(|broken| broke(stage, broken))
    }

    /// Reads the answer to one command. A `421` or an answer to some other question is a
    /// failure that leaves the session broken.
    async fn answer(&mut self, command: Command) -> Result<Answer, Failure> {
        let limit = match command {
            Command::Mail | Command::Recipient => self.timeouts.command,
            Command::Data => self.timeouts.data,
        };
        let stage = command.stage();
        let reply = self.wire.reply(limit).await.map_err(|broken| broke(stage, broken))?.into_reply();
        if command.is_answered_well_by(&reply) {
            return Ok(Answer::Taken);
        }
        match reply.code {
            421 => Err(Failure::replied(stage, reply)),
            400.. => Ok(Answer::Refused(Failure::replied(stage, reply))),
            _ => Err(out_of_order(stage, &reply)),
        }
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
        let mut body = message.stuffed();
        let mut last = body.split_off(body.len().saturating_sub(TAIL));
        self.wire.write(&body, self.timeouts.block).await.map_err(data)?;
        last.extend_from_slice(FINAL_DOT);
        if let Some(opening) = next {
            last.extend_from_slice(opening.in_one_write().as_bytes());
        }
        before_dot().map_err(|error| Failure::broke(Stage::Data, format!("could not be recorded ({error})")))?;
        let before = self.wire.written();
        self.wire.write(&last, self.timeouts.block).await.map_err(|broken| {
            let stage = if self.wire.written() == before { Stage::Data } else { Stage::Dot };
            broke(stage, broken)
        })
    }

    /// The outer error is a break or a `421`; the inner one a refusal after which the
    /// connection goes on.
    async fn answer_to_dot(&mut self) -> Result<Result<Reply, Failure>, Failure> {
        let limit = self.timeouts.dot;
        let reply = self.wire.reply(limit).await.map_err(|broken| broke(Stage::Dot, broken))?.into_reply();
        match reply.code {
            421 => return Err(Failure::replied(Stage::Dot, reply)),
            300..400 => return Err(out_of_order(Stage::Dot, &reply)),
            _ if answers_something_else(&reply) => return Err(out_of_order(Stage::Dot, &reply)),
            _ => self.health = Health::Usable,
        }
        Ok(if reply.is_positive() { Ok(reply) } else { Err(Failure::replied(Stage::Dot, reply)) })
    }
}

fn broke(stage: Stage, broken: Break) -> Failure {
    Failure::broke(stage, broken)
}

fn out_of_order(stage: Stage, reply: &Reply) -> Failure {
    Failure::broke(stage, format!("the relay answered out of order with {}", reply.code))
}

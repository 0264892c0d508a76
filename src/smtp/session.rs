//! A connection that may carry mail: what it can do, and whether it still may.

use tokio::time::Instant;

use crate::domain::reply::{Reply, Stage};

use super::capabilities::{Capabilities, Extension};
use super::data::Opening;
use super::failure::Failure;
use super::flight::Flight;
use super::life::Life;
use super::payload::Sendable;
use super::settings::{Settings, Timeouts};
use super::wire::Wire;

/// An open connection to a relay, greeted, under TLS if so set, and logged in.
///
/// Messages go over it one at a time by [`send`](Self::send), or several at once by
/// [`push`](Self::push) and [`pull`](Self::pull) where [`window`](Self::window) is more than 1.
/// If a future of `send` or `push` is dropped halfway, the session takes no more messages.
/// Dropping the session closes the socket and sends nothing.
pub struct Session {
    pub(super) wire: Wire,
    pub(super) capabilities: Capabilities,
    pub(super) timeouts: Timeouts,
    /// `Broken` while a message is being written: usable again only where that is known.
    pub(super) health: Health,
    pub(super) transaction: Transaction,
    pub(super) flight: Flight,
    /// When we give up on the reply that is waited for; set when the waiting began.
    pub(super) patience: Option<Instant>,
    pub(super) life: Life,
    /// Where the end of a body is put together with its dot; empty between two messages, or not.
    pub(super) last: Vec<u8>,
    window: usize,
}

/// Whether another message may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    Usable,
    Broken,
}

/// What the relay thinks is going on between two messages.
#[derive(Debug, Default)]
pub(super) enum Transaction {
    /// Nothing.
    #[default]
    None,
    /// A refused command left one open: RSET goes before the next MAIL.
    Open,
    /// The next one's commands went out behind the last body; three replies are outstanding.
    Announced(Opening),
}

impl Session {
    pub(super) fn new(wire: Wire, capabilities: Capabilities, settings: &Settings) -> Self {
        Self {
            wire,
            capabilities,
            timeouts: settings.timeouts,
            health: Health::Usable,
            transaction: Transaction::None,
            flight: Flight::default(),
            patience: None,
            life: Life::begin(settings),
            last: Vec::new(),
            window: settings.window.max(1),
        }
    }

    /// What the relay offers.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// How many messages may be in flight at once by [`push`](Self::push): what the settings
    /// say if the relay offers CHUNKING and PIPELINING, else 1.
    pub fn window(&self) -> usize {
        if self.takes_chunks() { self.window } else { 1 }
    }

    /// How many messages were pushed and not yet pulled.
    pub fn in_flight(&self) -> usize {
        self.flight.len()
    }

    /// Whether the connection may carry another message. A refusal leaves it usable; a break,
    /// a `421`, a lie or a failed `before_dot` does not. Messages in flight can be pulled
    /// nevertheless.
    pub fn is_usable(&self) -> bool {
        self.health == Health::Usable && !self.flight.is_over()
    }

    /// Whether the connection is usable and neither the relay's own limit (MAILMAX, RFC 9422)
    /// nor that of the settings is reached. If not, pull what is in flight, quit, and open
    /// another connection. An announced message may always follow.
    pub fn may_carry_another(&self) -> bool {
        let is_announced = matches!(self.transaction, Transaction::Announced(_));
        self.is_usable() && (is_announced || self.life.has_room_for(1, &self.capabilities))
    }

    /// Whether an idle connection is still there: looks, without waiting, for a close or a
    /// `421` that came meanwhile. Ask it before reusing a connection, and open another if not:
    /// no message is concerned. `true` promises nothing about the next moment.
    pub fn is_alive(&mut self) -> bool {
        let is_quiet = match self.transaction {
            Transaction::Announced(_) => true,
            Transaction::None | Transaction::Open => self.wire.expect_at_most(self.flight.owed()).is_ok(),
        };
        if !is_quiet {
            self.health = Health::Broken;
        }
        self.is_usable()
    }

    /// Says goodbye. An open or announced transaction is simply cut off, which aborts it.
    /// Messages in flight are in doubt from here on: pull them before.
    pub async fn quit(mut self) {
        let is_idle = self.in_flight() == 0 && !matches!(self.transaction, Transaction::Announced(_));
        if self.is_usable() && is_idle {
            let limit = self.timeouts.quit;
            let said = self.wire.write(b"QUIT\r\n", limit).await;
            // Whatever it answers, we leave.
            let _ = if said.is_ok() { self.wire.reply(limit).await.map(drop) } else { said };
        }
        self.wire.close(self.timeouts.quit).await;
    }

    /// Refuses a message that the relay could not take, in the words a relay would use.
    pub(super) fn objection(&self, message: &Sendable<'_>) -> Result<(), Failure> {
        match message.objection(&self.capabilities) {
            None => Ok(()),
            Some((code, text)) => Err(Failure::replied(Stage::Mail, Reply::new(code, &text))),
        }
    }

    pub(super) fn takes_chunks(&self) -> bool {
        [Extension::Chunking, Extension::Pipelining].into_iter().all(|needed| self.capabilities.offers(needed))
    }
}

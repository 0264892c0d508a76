//! What every lane does: marks, judges and settles.

use std::io;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::gate::{Held, Watch};
use super::queue::{Queue, Ready};
use super::record::Ended;
use super::relays::Relay;
use super::transport::Lane;
use super::{DeliverError, Shared, Stop, connection, outbox};
use crate::domain::delivery::Outcome;
use crate::domain::ids::CampaignId;
use crate::domain::policy::{self, Consequence, Event, Verdict};
use crate::domain::reply::{Reply, Stage};
use crate::domain::time as domain;
use crate::domain::traffic::Effect;
use crate::ledger::Settle;

/// Works until the queue is closed and empty. While the run is stopping, what comes out of
/// the queue is withdrawn: it was begun, but no byte of it was sent.
pub(super) async fn run(worker: Worker, lane: Lane, queue: Queue) {
    match lane {
        Lane::Smtp(route) => connection::run(worker, &route, &queue).await,
        Lane::Maildir(maildir) => outbox::file_all(&worker, &maildir, &queue).await,
        Lane::Memory(store) => outbox::keep_all(&worker, &store, &queue).await,
    }
}

/// A lane's hands on the ledger.
pub(super) struct Worker {
    pub shared: Arc<Shared>,
    pub relay: Arc<Relay>,
    /// The lane's number among those of its relay, from 0.
    pub number: usize,
    /// Where outcomes are recorded.
    pub ended: mpsc::UnboundedSender<Ended>,
}

/// Whether the relay may go on being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// As before.
    GoesOn,
    /// Over another connection, perhaps later.
    Interrupted,
}

impl Worker {
    /// Waits while the relay rests, unless the run is stopping or another relay is better off.
    pub async fn let_it_rest(&self) {
        let mut stop = self.shared.stop.subscribe();
        let is_resting = |until: &Instant| *until > Instant::now();
        while let Some(until) = self.relay.health.resting_until().filter(is_resting) {
            if self.shared.relays.has_better_than(&self.relay, Instant::now()) {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep_until(until) => {}
                _ = stop.wait_for(|stop| *stop != Stop::No) => return,
            }
        }
    }

    /// Whether the relay's present pace needs this lane. The first is always needed.
    pub fn is_needed(&self) -> bool {
        self.number < self.shared.gate.connections(self.relay.number)
    }

    /// Why what comes out of the queue is not to be sent now, if it is not: this one, or any.
    pub fn objection(&self, ready: Option<&Ready>) -> Option<&'static str> {
        if self.shared.is_stopping() {
            return Some("the run was stopped");
        }
        let campaign = ready.map(|ready| &ready.claim.campaign);
        if self.shared.gate.is_shut(self.relay.number, campaign, self.shared.clock.now()) {
            return Some("its campaign or its relay was paused");
        }
        let is_elsewhere = self.shared.relays.has_better_than(&self.relay, Instant::now());
        is_elsewhere.then_some("the relay rests; another one takes it")
    }

    /// Marks that the write which holds the final dot, or the last chunk, comes next.
    pub fn mark_dot(&self, ready: &Ready) -> io::Result<()> {
        if *self.shared.stop.borrow() == Stop::Broken {
            return Err(io::Error::other("an earlier outcome could not be recorded"));
        }
        let marked = self.shared.sender.mark_dot(ready.slot, ready.claim.delivery, ready.claim.attempt);
        // Not the relay's fault: without marks nothing may be sent at all.
        marked.inspect_err(|error| {
            self.shared.break_off(DeliverError::Unmarked(io::Error::new(error.kind(), error.to_string())));
        })
    }

    /// Brings an event to its outcome and its consequence; the message was given to the relay
    /// at `since`.
    pub fn judge(&self, ready: Ready, event: &Event, since: Instant) -> Relation {
        let took = since.elapsed();
        self.relay.carry(took);
        let now = self.shared.clock.now();
        let Verdict { mut outcome, consequence } = policy::decide(event, ready.history(), &self.shared.gate.rules, now);
        if let Event::Replied(Stage::Dot, reply) = event {
            self.shared.pace.note(took);
            if let Err(error) = self.mark_replied(&ready, reply) {
                self.shared.break_off(DeliverError::Unmarked(error));
            }
        }
        let relation = self.follow(&ready, event, &consequence, now);
        match self.shared.gate.watch(&ready.claim, &mut outcome) {
            Watch::GoOn(held) => self.book(&held),
            Watch::Alarm(reason) => self.pause_campaign(&ready.claim.campaign, &reason),
        }
        self.settle(ready, outcome);
        relation
    }

    fn follow(&self, ready: &Ready, event: &Event, consequence: &Consequence, now: domain::Instant) -> Relation {
        match self.shared.gate.heard(self.relay.number, &ready.claim, event, consequence, now) {
            Effect::None
                if matches!(consequence, Consequence::PauseRelay { .. } | Consequence::AbandonRelay { .. }) => {}
            Effect::None => {
                self.relay.health.succeeded();
                return Relation::GoesOn;
            }
            Effect::Reconnect => {}
            Effect::Rest(reason) => self.shared.note_failure(&self.relay, &reason),
            Effect::PauseCampaign(reason) => self.pause_campaign(&ready.claim.campaign, &reason),
        }
        Relation::Interrupted
    }

    fn book(&self, held: &[Held]) {
        if let Err(error) = self.shared.book(held) {
            self.shared.break_off(error.into());
        }
    }

    fn mark_replied(&self, ready: &Ready, reply: &Reply) -> io::Result<()> {
        self.shared.sender.mark_replied(ready.slot, ready.claim.delivery, ready.claim.attempt, reply)
    }

    fn pause_campaign(&self, campaign: &CampaignId, reason: &str) {
        self.shared.gate.halt(campaign);
        if let Err(error) = self.shared.ledger.pause(campaign, reason) {
            self.shared.break_off(error.into());
        }
    }

    /// Gives back what was begun and of which no byte was sent.
    pub fn withdraw(&self, ready: Ready, reason: &str) {
        self.settle(ready, Outcome::Withdrawn { reason: reason.to_owned() });
    }

    /// Hands the outcome to the recorder and goes on; the delivery's piece of the room comes free
    /// when the record is durable.
    pub fn settle(&self, ready: Ready, outcome: Outcome) {
        self.shared.tally.count(&outcome);
        let settle = Settle { delivery: ready.claim.delivery, attempt: ready.claim.attempt, outcome };
        let Ready { outgoing, room, load, in_hand, .. } = ready;
        self.shared.spare.give(outgoing.into_own());
        // The relay is done with it, recorded or not.
        drop(load);
        let ended = Ended { settle, held: (room, in_hand) };
        assert!(self.ended.send(ended).is_ok(), "the recorder waits for the last worker");
    }
}

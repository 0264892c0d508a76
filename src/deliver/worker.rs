//! One lane: takes begun deliveries and brings each to an outcome.

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};
use tokio::time::Instant;

use super::health::Health;
use super::supply::Ready;
use super::transport::{Lane, Route};
use super::{DeliverError, Shared, Stop};
use crate::domain::delivery::Outcome;
use crate::domain::policy::{self, Consequence, Event};
use crate::domain::reply::{Reply, Stage};
use crate::domain::rules::Rules;
use crate::files::Maildir;
use crate::ledger::Settle;
use crate::smtp::{self, Sendable, Session};

/// The queue that all lanes take from.
pub(super) type Queue = Arc<Mutex<mpsc::Receiver<Ready>>>;

/// Works until the queue is closed and empty. While the run is stopping, what comes out of
/// the queue is withdrawn: it was begun, but no byte of it was sent.
pub(super) async fn run(shared: Arc<Shared>, lane: Lane, queue: Queue) {
    let mut worker = Worker { shared, session: None };
    loop {
        if let Lane::Smtp { health, .. } = &lane {
            worker.let_it_rest(health).await;
        }
        let mut batch = Vec::new();
        if queue.lock().await.recv_many(&mut batch, lane.batch()).await == 0 {
            break;
        }
        if worker.shared.is_stopping() {
            for ready in batch {
                worker.withdraw(ready, "the run was stopped");
            }
            continue;
        }
        match &lane {
            Lane::Smtp { route, health } => {
                for ready in batch {
                    worker.send(ready, route, health).await;
                }
            }
            Lane::Maildir(maildir) => worker.file(batch, maildir),
            Lane::Memory(store) => batch.into_iter().for_each(|ready| worker.keep(ready, store)),
        }
    }
    if let Some(session) = worker.session.take() {
        session.quit().await;
    }
}

struct Worker {
    shared: Arc<Shared>,
    session: Option<Session>,
}

impl Worker {
    /// Waits while the relay rests, unless the run is stopping.
    async fn let_it_rest(&self, health: &Health) {
        let mut stop = self.shared.stop.subscribe();
        while let Some(until) = health.resting_until().filter(|until| *until > Instant::now()) {
            tokio::select! {
                () = tokio::time::sleep_until(until) => {}
                _ = stop.wait_for(|stop| *stop != Stop::No) => return,
            }
        }
    }

    async fn send(&mut self, ready: Ready, route: &Route, health: &Health) {
        let event = self.exchange(&ready, route).await;
        if !self.session.as_ref().is_some_and(Session::is_usable) {
            self.session = None;
        }
        let now = self.shared.clock.now();
        let verdict = policy::decide(&event, ready.history(), &Rules::default(), now);
        if let Event::Replied(Stage::Dot, reply) = &event
            && let Err(error) = self.mark_replied(&ready, reply)
        {
            self.shared.break_off(DeliverError::Unmarked(error));
        }
        match &verdict.consequence {
            Consequence::None | Consequence::Strain { .. } | Consequence::SlowRelay { .. } => health.succeeded(),
            Consequence::Reconnect => self.session = None,
            Consequence::RestRelay { reason } | Consequence::PauseRelay { reason, .. } => {
                self.shared.note_failure(health, reason);
            }
            Consequence::AbandonRelay { reason } | Consequence::PauseCampaign { reason } => {
                self.pause_campaign(&ready, reason);
                self.shared.note_failure(health, reason);
            }
        }
        self.settle(ready, verdict.outcome);
    }

    /// One transaction on the wire, on a connection opened if there is none.
    async fn exchange(&mut self, ready: &Ready, route: &Route) -> Event {
        let mut session = match self.live_session() {
            Some(session) => session,
            None => match Session::connect(&route.settings, &route.tls).await {
                Ok(session) => session,
                Err(failure) => return failure.into_event(),
            },
        };
        let shared = Arc::clone(&self.shared);
        let mark = || {
            if *shared.stop.borrow() == Stop::Broken {
                return Err(std::io::Error::other("an earlier outcome could not be recorded"));
            }
            shared.sender.mark_dot(ready.slot, ready.claim.delivery, ready.claim.attempt).inspect_err(|error| {
                // Not the relay's fault: without marks nothing may be sent at all.
                let error = std::io::Error::new(error.kind(), error.to_string());
                shared.break_off(DeliverError::Unmarked(error));
            })
        };
        let sendable = match Sendable::new(&ready.envelope, &ready.message.bytes) {
            Ok(sendable) => sendable,
            Err(error) => return Event::Replied(Stage::Data, Reply::new(554, &format!("5.6.0 {error}"))),
        };
        let sent = session.send(&sendable, mark).await;
        self.session = Some(session);
        smtp::event_of(sent)
    }

    /// The open connection, unless the relay has closed it meanwhile.
    fn live_session(&mut self) -> Option<Session> {
        let mut session = self.session.take()?;
        session.is_alive().then_some(session)
    }

    fn mark_replied(&self, ready: &Ready, reply: &Reply) -> std::io::Result<()> {
        self.shared.sender.mark_replied(ready.slot, ready.claim.delivery, ready.claim.attempt, reply)
    }

    fn pause_campaign(&self, ready: &Ready, reason: &str) {
        if let Err(error) = self.shared.ledger.pause(&ready.claim.campaign, reason) {
            self.shared.break_off(error.into());
        }
    }

    /// Writes messages into the outbox. Their names come from the Message-ID: a retry that
    /// finds one there settles without writing a second. The folder is synced once for all,
    /// and nothing is settled before.
    fn file(&self, batch: Vec<Ready>, maildir: &Maildir) {
        let filed: Vec<_> = batch
            .into_iter()
            .map(|ready| {
                let filed = maildir.deliver(ready.message.message_id.as_str(), &ready.message.bytes);
                (ready, filed.err())
            })
            .collect();
        let unsynced = maildir.sync().err();
        for (ready, error) in filed {
            let outcome = match error.as_ref().or(unsynced.as_ref()) {
                None => Outcome::Accepted { reply: Reply::new(250, "2.0.0 in the outbox") },
                Some(error) => {
                    self.shared.ask_to_stop(Stop::RelayGone(error.to_string()));
                    Outcome::Withdrawn { reason: error.to_string() }
                }
            };
            self.settle(ready, outcome);
        }
    }

    fn keep(&self, ready: Ready, store: &std::sync::Mutex<Vec<Vec<u8>>>) {
        store.lock().expect("no thread panics while holding this lock").push(ready.message.bytes.clone());
        self.settle(ready, Outcome::Accepted { reply: Reply::new(250, "2.0.0 in memory") });
    }

    fn withdraw(&self, ready: Ready, reason: &str) {
        self.settle(ready, Outcome::Withdrawn { reason: reason.to_owned() });
    }

    /// Hands the outcome to the ledger's writer and goes on; the delivery's piece of the room
    /// comes free when the record is durable.
    fn settle(&self, ready: Ready, outcome: Outcome) {
        self.shared.tally.count(&outcome);
        let shared = Arc::clone(&self.shared);
        let Ready { claim, room, .. } = ready;
        tokio::spawn(async move {
            let settle = Settle { delivery: claim.delivery, attempt: claim.attempt, outcome };
            if let Err(error) = shared.sender.settle(vec![settle], shared.clock.now()).await {
                shared.break_off(error.into());
            }
            drop(room);
            shared.pace.note(Instant::now());
            shared.settled.notify_one();
        });
    }
}

//! A campaign's mail, from the ledger to the relay and back.
//!
//! The order never varies: claim → assemble → begin (durable) → mark the dot → final dot →
//! mark the reply → settle (durable). `supply` does the first three, ahead of the wire and
//! never more than `begin_ahead` deliveries; one `worker` per connection does the rest. What
//! a reply or a broken connection means is decided by [`crate::domain::policy`] alone.
//!
//! When the ledger cannot record an outcome, nothing more is sent: every worker stops before
//! its next final dot, and the run ends with [`DeliverError::Unrecorded`].

mod health;
mod merge;
mod pace;
mod supply;
mod tally;
mod transport;
mod worker;

use std::sync::Arc;

use tokio::sync::{Notify, Semaphore, mpsc, watch};

use crate::config::Clock;
use crate::ledger::{Ledger, LedgerError, Sender};
use health::{Health, Prognosis};
pub use merge::Merge;
use pace::Pace;
pub use tally::{Count, Tally};
pub use transport::{Route, Transport};

/// Why a run ended before its work was done.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// The ledger refused a write; nothing was sent after that.
    #[error("the outcome of a delivery could not be recorded, so nothing more is sent: {0}")]
    Unrecorded(#[from] LedgerError),
    /// A mark could not be written; nothing was sent after that.
    #[error("the mark file cannot be written, so nothing more is sent: {0}")]
    Unmarked(std::io::Error),
    /// The outbox or the relay's set-up cannot be used at all.
    #[error("{0}")]
    Transport(String),
    /// A frozen issue cannot be read: nothing of its campaign can be sent.
    #[error("{0}")]
    Issue(String),
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Nothing is left but deferred, held or paused deliveries.
    Done,
    /// No relay could be reached; the rest stays planned.
    RelayUnavailable(String),
    /// A signal asked for the end; what was on the wire was finished.
    Interrupted,
}

/// Whether a run stays for what is deferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Return when nothing is due.
    LeaveDeferred,
    /// Stay until everything is terminal.
    WaitForDeferred,
}

/// Asks a run to stop, from a signal handler or from a part of the run itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Nobody asked.
    No,
    /// Nothing is left to send.
    Finished,
    /// Finish what is on the wire and start nothing new.
    Drain,
    /// As `Drain`, since no relay can be reached.
    RelayGone(String),
    /// As `Drain`, since an outcome cannot be recorded.
    Broken,
}

/// What a run needs.
pub struct Job {
    /// The ledger.
    pub ledger: Ledger,
    /// The ledger's one sender.
    pub sender: Sender,
    /// Where mail goes.
    pub transport: Transport,
    /// What recipients' values are made with.
    pub merge: Merge,
    /// At most this many deliveries are begun and not settled.
    pub begin_ahead: usize,
    /// Whether to stay for deferred deliveries.
    pub patience: Patience,
    /// What time it is.
    pub clock: Clock,
    /// The counts, for a progress bar.
    pub tally: Arc<Tally>,
}

/// What the parts of a run share.
struct Shared {
    ledger: Ledger,
    sender: Sender,
    clock: Clock,
    tally: Arc<Tally>,
    patience: Patience,
    /// Room for deliveries that are begun and not yet durably settled: `pace.most()` of them.
    room: Arc<Semaphore>,
    /// How much of the room may be used now.
    pace: Pace,
    /// Rung after every settle: the supply looks for work again.
    settled: Notify,
    stop: watch::Sender<Stop>,
    /// The health of every relay: the run ends when none can be reached.
    relays: Vec<Arc<Health>>,
    broken: std::sync::Mutex<Option<DeliverError>>,
}

impl Shared {
    /// Asks everybody to stop; the first reason stays.
    fn ask_to_stop(&self, reason: Stop) {
        self.stop.send_if_modified(|stop| {
            let is_first = *stop == Stop::No;
            if is_first {
                *stop = reason;
            }
            is_first
        });
    }

    /// Stops the run because an outcome cannot be recorded, or nothing can be made to send.
    fn break_off(&self, error: DeliverError) {
        self.broken.lock().expect("no thread panics while holding this lock").get_or_insert(error);
        self.ask_to_stop(Stop::Broken);
    }

    /// How many deliveries are begun and not settled.
    fn in_hand(&self) -> usize {
        self.pace.most() - self.room.available_permits()
    }

    /// Notes that a relay failed; when it was the last one, the run ends.
    fn note_failure(&self, health: &Health, reason: &str) {
        let prognosis = health.failed(tokio::time::Instant::now());
        let no_relay_is_left = prognosis == Prognosis::Gone && self.relays.iter().all(|relay| relay.is_gone());
        if no_relay_is_left && self.patience == Patience::LeaveDeferred {
            self.ask_to_stop(Stop::RelayGone(reason.to_owned()));
        }
    }

    fn is_stopping(&self) -> bool {
        *self.stop.borrow() != Stop::No
    }
}

/// Delivers whatever the ledger has to send, until nothing is due or `stop` is asked for.
///
/// A second call goes on where the first ended. Killed at any point, the next
/// [`crate::ledger::Ledger::become_sender`] finds out what became of each delivery.
pub async fn run(job: Job, stop: watch::Sender<Stop>) -> Result<Ending, DeliverError> {
    let lanes = job.transport.lanes().map_err(DeliverError::Transport)?;
    let pace = Pace::new(lanes.len(), job.begin_ahead);
    let shared = Arc::new(Shared {
        ledger: job.ledger,
        sender: job.sender,
        clock: job.clock,
        tally: Arc::clone(&job.tally),
        patience: job.patience,
        room: Arc::new(Semaphore::new(pace.most())),
        pace,
        settled: Notify::new(),
        stop,
        relays: transport::healths(&lanes),
        broken: std::sync::Mutex::new(None),
    });
    let (queue, ready) = mpsc::channel(shared.pace.most());
    let ready = Arc::new(tokio::sync::Mutex::new(ready));
    let workers: Vec<_> = lanes
        .into_iter()
        .map(|lane| tokio::spawn(worker::run(Arc::clone(&shared), lane, Arc::clone(&ready))))
        .collect();
    supply::run(Arc::clone(&shared), job.merge, job.transport.name(), queue).await;
    shared.ask_to_stop(Stop::Finished);
    for worker in workers {
        worker.await.expect("a worker does not panic");
    }
    finish(&shared).await
}

async fn finish(shared: &Shared) -> Result<Ending, DeliverError> {
    // Every settle holds a piece of the room until it is durable.
    let everything = u32::try_from(shared.pace.most()).expect("begin_ahead fits in 32 bits");
    shared.room.acquire_many(everything).await.expect("the room is never closed").forget();
    if let Some(error) = shared.broken.lock().expect("no thread panics while holding this lock").take() {
        return Err(error);
    }
    let reason = shared.stop.borrow().clone();
    shared.sender.release(shared.clock.now()).await?;
    Ok(match reason {
        Stop::No | Stop::Finished => Ending::Done,
        Stop::RelayGone(reason) => Ending::RelayUnavailable(reason),
        Stop::Drain | Stop::Broken => Ending::Interrupted,
    })
}

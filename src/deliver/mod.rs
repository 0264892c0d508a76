//! A campaign's mail, from the ledger to the relay and back.
//!
//! The order never varies: claim → assemble → begin (durable) → mark the dot → final dot →
//! mark the reply → settle (durable). `prepare` does the first two, with `make` for the message;
//! `supply` begins what was prepared, ahead of the wire and never more than `begin_ahead`
//! deliveries; one `worker` per lane does the rest, over a `connection` or into the `outbox`.
//! What a reply or a broken connection means is decided by [`crate::domain::policy`] alone.
//!
//! When the ledger cannot record an outcome, nothing more is sent: every worker stops before
//! its next final dot, and the run ends with [`DeliverError::Unrecorded`].

mod beat;
mod connection;
mod cores;
mod gate;
mod health;
mod make;
mod merge;
mod outbox;
mod pace;
mod prepare;
mod queue;
mod record;
mod relays;
mod signing;
mod spare;
mod supply;
mod tally;
mod transport;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, Semaphore, mpsc, watch};

use crate::config::Clock;
use crate::domain::time::Instant;
use crate::ledger::{Ledger, LedgerError, Sender};
pub use beat::{Beat, Phase, RelayBeat, RelayState, SenderBeat};
pub use cores::OneCore;
pub use gate::Timing;
use gate::{Gate, Held};
use health::Prognosis;
pub use merge::Merge;
use pace::Pace;
pub use prepare::OTHER_VERSION;
use queue::{Queue, Ready};
use record::Ended;
use relays::{Relay, Relays};
use spare::Spare;
pub use tally::{Count, Tally};
use tokio::task::JoinHandle;
use transport::{Lane, Place};
pub use transport::{Route, Transport};
use worker::Worker;

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
    /// The relays take no more for a good while; the rest stays planned.
    RelaysFull {
        /// Until when.
        until: Instant,
    },
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
    /// As `Drain`, since the relays take no more before a moment.
    RelaysFull(Instant),
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
    /// When mail goes, how fast, and what replies mean.
    pub timing: Timing,
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
    /// Rung after every settle: there may be room again.
    settled: Notify,
    /// Rung when outcomes are to be recorded without delay: somebody needs the room, or waits for
    /// the end.
    wanted: Notify,
    /// How many deliveries are claimed and not done with.
    in_hand: AtomicUsize,
    /// Rung when one of them is: it may be there to be claimed again.
    returned: Notify,
    stop: watch::Sender<Stop>,
    relays: Relays,
    gate: Gate,
    spare: Arc<Spare>,
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
    fn begun(&self) -> usize {
        self.pace.most() - self.room.available_permits()
    }

    /// How many deliveries are claimed and not done with.
    fn in_hand(&self) -> usize {
        self.in_hand.load(Ordering::Acquire)
    }

    /// Notes that a relay failed; when it was the last one, the run ends.
    fn note_failure(&self, relay: &Relay, reason: &str) {
        let prognosis = relay.health.failed(tokio::time::Instant::now(), reason);
        if prognosis == Prognosis::Gone && self.relays.are_gone() && self.patience == Patience::LeaveDeferred {
            self.ask_to_stop(Stop::RelayGone(reason.to_owned()));
        }
    }

    /// Books suppressions that have waited long enough.
    fn book(&self, held: &[Held]) -> Result<(), LedgerError> {
        if held.is_empty() {
            return Ok(());
        }
        let held: Vec<_> = held.iter().map(|held| (held.delivery, held.reason.clone())).collect();
        self.ledger.suppress_recipients(&held, self.clock.now())
    }

    fn is_stopping(&self) -> bool {
        *self.stop.borrow() != Stop::No
    }
}

/// One delivery this run has claimed, for as long as there is something left to do about it.
struct InHand(Arc<Shared>);

impl InHand {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.in_hand.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(shared))
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.0.in_hand.fetch_sub(1, Ordering::AcqRel);
        self.0.returned.notify_one();
    }
}

/// Delivers whatever the ledger has to send, until nothing is due or `stop` is asked for.
///
/// A second call goes on where the first ended. Killed at any point, the next
/// [`crate::ledger::Ledger::become_sender`] finds out what became of each delivery.
pub async fn run(job: Job, stop: watch::Sender<Stop>) -> Result<Ending, DeliverError> {
    let places = job.transport.places().map_err(DeliverError::Transport)?;
    let lanes = || places.iter().flat_map(|place| &place.lanes);
    let pace = Pace::new(lanes().count(), lanes().map(Lane::width).sum(), job.begin_ahead);
    let noted = job.ledger.notes(Gate::notes())?;
    let gate = Gate::new(job.timing, job.transport.limits(), noted, job.clock.now());
    let shared = Arc::new(Shared {
        ledger: job.ledger,
        sender: job.sender,
        clock: job.clock,
        tally: Arc::clone(&job.tally),
        patience: job.patience,
        room: Arc::new(Semaphore::new(pace.most())),
        pace,
        settled: Notify::new(),
        wanted: Notify::new(),
        in_hand: AtomicUsize::new(0),
        returned: Notify::new(),
        stop,
        relays: Relays::new(places.iter().map(|place| Arc::clone(&place.relay)).collect()),
        gate,
        spare: Arc::default(),
        broken: std::sync::Mutex::new(None),
    });
    let beats = tokio::spawn({
        let shared = Arc::clone(&shared);
        async move { beat::run(&shared).await }
    });
    let hand = tokio::spawn(shared.sender.lend_a_hand());
    let (ended, outcomes) = mpsc::unbounded_channel();
    let recorder = tokio::spawn(record::run(Arc::clone(&shared), outcomes));
    let (queues, workers) = start_lanes(&shared, places, &ended);
    drop(ended);
    let (batches, prepared) = mpsc::channel(prepare::AHEAD);
    let preparer = tokio::spawn(prepare::run(Arc::clone(&shared), job.merge, batches));
    let stop = supply::run(Arc::clone(&shared), prepared, queues).await;
    preparer.await.expect("the preparer does not panic");
    for worker in workers {
        worker.await.expect("a worker does not panic");
    }
    shared.wanted.notify_one();
    recorder.await.expect("the recorder does not panic");
    shared.ask_to_stop(stop);
    // The last beat is that of the end.
    end(beats).await;
    let ending = finish(&shared).await;
    end(hand).await;
    ending
}

/// Starts a worker for each lane; returns the queues they take from, one for each place.
fn start_lanes(
    shared: &Arc<Shared>,
    places: Vec<Place>,
    ended: &mpsc::UnboundedSender<Ended>,
) -> (Vec<mpsc::Sender<Ready>>, Vec<JoinHandle<()>>) {
    let mut queues = Vec::new();
    let mut workers = Vec::new();
    for Place { relay, lanes } in places {
        let (sender, queue) = Queue::new(shared.pace.most());
        queues.push(sender);
        for (number, lane) in lanes.into_iter().enumerate() {
            let (shared, relay, ended) = (Arc::clone(shared), Arc::clone(&relay), ended.clone());
            let worker = Worker { shared, relay, number, ended };
            workers.push(tokio::spawn(worker::run(worker, lane, queue.clone())));
        }
    }
    (queues, workers)
}

/// Ends a task that would go on for ever.
async fn end(task: JoinHandle<()>) {
    task.abort();
    drop(task.await);
}

async fn finish(shared: &Shared) -> Result<Ending, DeliverError> {
    // Every settle holds a piece of the room until it is durable.
    let everything = u32::try_from(shared.pace.most()).expect("begin_ahead fits in 32 bits");
    shared.room.acquire_many(everything).await.expect("the room is never closed").forget();
    if let Some(error) = shared.broken.lock().expect("no thread panics while holding this lock").take() {
        return Err(error);
    }
    shared.book(&shared.gate.close())?;
    let notes = [shared.gate.take_notes(), beat::last(shared)].concat();
    shared.sender.note(notes, shared.clock.now()).await?;
    let reason = shared.stop.borrow().clone();
    shared.sender.release(shared.clock.now()).await?;
    Ok(match reason {
        Stop::No | Stop::Finished => Ending::Done,
        Stop::RelayGone(reason) => Ending::RelayUnavailable(reason),
        Stop::RelaysFull(until) => Ending::RelaysFull { until },
        Stop::Drain | Stop::Broken => Ending::Interrupted,
    })
}

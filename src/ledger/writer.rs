//! The one writer thread of a sender: whatever is queued goes into one durable commit.
//!
//! A disk may give only 200 syncs a second, so connections never commit for themselves.
//! The thread takes the first job, gathers more for up to two milliseconds after its last commit
//! (the gap also lets short writers of other processes in), does them all in one transaction,
//! and answers when that is on disk. If a commit fails nobody's job was done, and from then
//! on nothing may be claimed or begun; outcomes are still recorded if the disk allows.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, params};
use tokio::sync::oneshot;

use super::begin::{Begin, BeginAnswer, Gate, begin};
use super::claim::Claimed;
use super::error::LedgerError;
use super::lock::Lock;
use super::marks::Marks;
use super::moves;
use super::notes::{self, Note};
use super::open::write_on;
use super::postpone::{Postpone, postpone};
use super::settle::{Settle, Settled, settle};
use super::under_way::UnderWay;
use super::witness::Witness;
use super::words::count;
use crate::domain::ids::{CampaignId, DeliveryId};
use crate::domain::time::Instant;

/// How long after its last commit the thread waits for company for a job. What comes while a
/// commit is synced shares the next one anyway: this keeps a fast disk from committing row by
/// row, and lets a writer of another process in.
const GATHER: Duration = Duration::from_millis(2);

/// Rows that are enough for one commit.
const FULL: usize = 512;

/// One job with its answer.
pub(super) struct Ask<I, O> {
    pub input: I,
    pub now: Instant,
    pub answer: oneshot::Sender<Result<O, LedgerError>>,
    pub output: Option<O>,
}

impl<I, O> Ask<I, O> {
    /// Sends the answer; a caller who no longer waits does not mind.
    fn finish(self, result: Result<(), LedgerError>) {
        let done = result.map(|()| self.output.expect("a committed job has its output"));
        drop(self.answer.send(done));
    }
}

/// What the thread is asked to do.
pub(super) enum Job {
    Begin(Ask<Vec<Begin>, Vec<BeginAnswer>>),
    Postpone(Ask<Vec<Postpone>, ()>),
    Note(Ask<Vec<Note>, ()>),
    Settle(Ask<Vec<Settle>, Vec<Settled>>),
    Release(Ask<(), ()>),
}

impl Job {
    fn rows(&self) -> usize {
        match self {
            Self::Begin(ask) => ask.input.len(),
            Self::Postpone(ask) => ask.input.len(),
            Self::Note(ask) => ask.input.len(),
            Self::Settle(ask) => ask.input.len(),
            Self::Release(_) => FULL,
        }
    }

    fn now(&self) -> Instant {
        match self {
            Self::Begin(ask) => ask.now,
            Self::Postpone(ask) => ask.now,
            Self::Note(ask) => ask.now,
            Self::Settle(ask) => ask.now,
            Self::Release(ask) => ask.now,
        }
    }

    /// Whether the job leads to more being sent: not after a failed commit.
    fn leads_to_sending(&self) -> bool {
        match self {
            Self::Begin(_) => true,
            Self::Postpone(_) | Self::Note(_) | Self::Settle(_) | Self::Release(_) => false,
        }
    }

    fn perform(&mut self, desk: &mut Desk, tx: &Connection) -> Result<(), LedgerError> {
        match self {
            Self::Begin(ask) => {
                ask.output = Some(begin(desk, tx, std::mem::take(&mut ask.input), ask.now)?);
            }
            Self::Postpone(ask) => {
                ask.output = Some(ask.input.iter().try_for_each(|one| postpone(desk, tx, one))?);
            }
            Self::Note(ask) => {
                ask.output = Some(ask.input.iter().try_for_each(|one| notes::write(tx, one, ask.now))?);
            }
            Self::Settle(ask) => {
                let settled = ask.input.iter().map(|one| settle(desk, tx, one, ask.now));
                ask.output = Some(settled.collect::<Result<_, _>>()?);
            }
            Self::Release(ask) => ask.output = Some(release(desk, tx)?),
        }
        Ok(())
    }

    fn finish(self, result: Result<(), LedgerError>) {
        match self {
            Self::Begin(ask) => ask.finish(result),
            Self::Postpone(ask) => ask.finish(result),
            Self::Note(ask) => ask.finish(result),
            Self::Settle(ask) => ask.finish(result),
            Self::Release(ask) => ask.finish(result),
        }
    }
}

/// What a sender holds besides its connection.
pub(super) struct Desk {
    pub path: PathBuf,
    pub epoch: i64,
    pub marks: Arc<Marks>,
    pub under_way: UnderWay,
    pub claimed: SharedClaims,
    /// Claims that the running transaction ends: settled, refused or given back.
    pub leaving: Vec<DeliveryId>,
    /// What the running transaction knows of campaigns.
    pub gates: HashMap<CampaignId, Gate>,
    /// Whether the running transaction may have ended a campaign's last delivery.
    pub may_be_done: bool,
    pub witness: Option<Witness>,
    /// Freed by the system when the thread ends, which is after the last commit.
    pub _lock: Lock,
}

/// What the sender has claimed: read and added to by its claims, taken from after its commits.
pub(super) type SharedClaims = Arc<Mutex<Claimed>>;

/// The claims, for a moment.
pub(super) fn lock(claims: &SharedClaims) -> MutexGuard<'_, Claimed> {
    claims.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    /// Whether a delivery is claimed and has not begun.
    pub(super) fn is_claimed_only(&self, delivery: DeliveryId) -> bool {
        !self.under_way.has(delivery) && lock(&self.claimed).contains(delivery)
    }

    pub(super) fn marks_failed(&self, source: &std::io::Error) -> LedgerError {
        LedgerError::NotWritable {
            path: super::open::beside(&self.path, ".marks"),
            why: source.to_string(),
            remedy: "make room on the disk or replace it; run the command again to resume".into(),
        }
    }

    /// Forgets the claims that the committed transaction ended. Not before: a claim that reads
    /// an older snapshot must still find them taken.
    fn end_claims(&mut self) {
        let mut claimed = lock(&self.claimed);
        for delivery in self.leaving.drain(..) {
            claimed.remove(delivery);
        }
    }

    /// Proves that no other sender took over, and numbers the commit.
    fn fence(&self, tx: &Connection) -> Result<u64, LedgerError> {
        // Not with RETURNING, which makes a table of what it returns, at every commit.
        let sql = "UPDATE ledger SET sequence = sequence + 1, ended = 'unclean' WHERE epoch = ?1";
        if tx.prepare_cached(sql)?.execute(params![self.epoch])? == 0 {
            return Err(LedgerError::Superseded { path: self.path.clone() });
        }
        Ok(tx.prepare_cached("SELECT sequence FROM ledger")?.query_row([], |row| row.get(0)).map(count)?)
    }
}

/// Works until every handle of the sender is gone.
pub(super) fn run(mut db: Connection, mut desk: Desk, jobs: &Receiver<Job>) {
    let mut broken: Option<LedgerError> = None;
    let mut last_commit = std::time::Instant::now();
    while let Ok(first) = jobs.recv() {
        let batch = gather(first, jobs, last_commit + GATHER);
        let (batch, refused): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|job| broken.is_none() || !job.leads_to_sending());
        if let Some(why) = &broken {
            for job in refused {
                job.finish(Err(why.again()));
            }
        }
        if let Err(why) = commit(&mut db, &mut desk, batch) {
            broken = Some(why);
        }
        last_commit = std::time::Instant::now();
    }
}

fn gather(first: Job, jobs: &Receiver<Job>, deadline: std::time::Instant) -> Vec<Job> {
    let mut rows = first.rows();
    let mut batch = vec![first];
    // Asleep, and not waiting at the queue: nobody who brings a job has to wake this thread.
    std::thread::sleep(deadline.saturating_duration_since(std::time::Instant::now()));
    while rows < FULL
        && let Ok(job) = jobs.try_recv()
    {
        rows += job.rows();
        batch.push(job);
    }
    batch
}

fn commit(db: &mut Connection, desk: &mut Desk, mut batch: Vec<Job>) -> Result<(), LedgerError> {
    let Some(now) = batch.iter().map(Job::now).max() else { return Ok(()) };
    let done = write_on(db, |tx| {
        desk.gates.clear();
        desk.leaving.clear();
        desk.may_be_done = false;
        let sequence = desk.fence(tx)?;
        batch.iter_mut().try_for_each(|job| job.perform(desk, tx))?;
        // Before the commit: a delivery that is begun on disk always has its slot.
        desk.marks.write_begun(&desk.under_way.beginnings()).map_err(|source| desk.marks_failed(&source))?;
        desk.under_way.write(tx, desk.epoch)?;
        if desk.may_be_done {
            moves::finish_what_is_done(tx, now)?;
        }
        Ok(sequence)
    });
    match done {
        Ok(sequence) => {
            desk.under_way.committed();
            desk.end_claims();
            let noted = desk.witness.as_ref().map_or(Ok(()), |witness| witness.note(count(desk.epoch), sequence));
            for job in batch {
                job.finish(Ok(()));
            }
            noted
        }
        Err(why) => {
            let why = why.at(&desk.path);
            desk.under_way.rolled_back();
            for job in batch {
                job.finish(Err(why.again()));
            }
            Err(why)
        }
    }
}

/// A clean stop: what is claimed is given back. Whatever had begun has been settled; if not,
/// the end is not clean, and the next sender recovers.
fn release(desk: &Desk, tx: &Connection) -> Result<(), LedgerError> {
    lock(&desk.claimed).clear();
    if desk.under_way.ends() {
        tx.execute("UPDATE ledger SET ended = 'clean'", [])?;
    }
    Ok(())
}

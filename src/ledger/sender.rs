//! The one sender: claim, begin, settle.

use std::collections::HashMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::{Connection, TransactionBehavior, params};
use tokio::sync::oneshot;

use super::Ledger;
use super::begin::{Begin, BeginAnswer};
use super::claim::{Claim, Search, find, policy_word};
use super::desk::{self, Desk, SharedClaims};
use super::error::LedgerError;
use super::job::{Ask, Job};
use super::lock::{Lock, lock_sender, try_lock_drafting};
use super::marks::{Mark, MarkSlot, Marks};
use super::notes::Note;
use super::open::{beside, connect};
use super::postpone::Postpone;
use super::recovery::{Drafts, Recovery, before, integrity_check, is_under_way, recover};
use super::settle::{Settle, Settled};
use super::under_way::UnderWay;
use super::witness::{self, Witness};
use super::words::{count, maybe_moment};
use super::work::{Table, Work};
use super::writer::run;
use crate::domain::delivery::InDoubtPolicy;
use crate::domain::ids::DeliveryId;
use crate::domain::reply::Reply;
use crate::domain::rules::Rules;
use crate::domain::time::{Instant, to_millis};

/// What is left to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pending {
    /// Can be claimed now.
    pub ready: u64,
    /// Claimed or begun and not settled.
    pub in_hand: u64,
    /// To be tried again later, or of a campaign whose time has not come.
    pub waiting: u64,
    /// The earliest moment at which one of those is due.
    pub next_due: Option<Instant>,
}

/// The right to send. One per state file; when it is dropped or its process killed, the
/// operating system frees the lock. Dropping it without [`Sender::release`] is what a crash
/// is, except that jobs already queued are still done. All methods take `&self`: share it
/// in an `Arc`.
#[derive(Debug)]
pub struct Sender {
    ledger: Ledger,
    policy: InDoubtPolicy,
    claimed: SharedClaims,
    /// Claims read here, beside the writer.
    reader: Mutex<Connection>,
    marks: Arc<Marks>,
    /// `None` only while it is being dropped.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    /// Where the thread lays its open transaction.
    table: Arc<Table>,
    /// Freed when the thread has ended, and not by a panic in it: until whoever has the wire lets go
    /// of the sender, a dot may still leave.
    _lock: Lock,
}

/// On what terms a process becomes the sender.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// What becomes of deliveries in doubt.
    pub in_doubt: InDoubtPolicy,
    /// What the replies mean that an earlier sender marked and did not record.
    pub rules: Rules,
    /// The folder of the witness of guarantee 8; without one, an old state is not known as one.
    pub witness: Option<PathBuf>,
}

impl Ledger {
    /// Becomes the sender: takes the lock, checks the file after an unclean end, compares the
    /// witness (guarantee 8), and recovers in one transaction which also raises the
    /// epoch. Killed in between, the next sender does it all again. [`LedgerError::Held`]
    /// names the process that sends already.
    pub fn become_sender(&self, terms: &Terms, now: Instant) -> Result<(Sender, Recovery), LedgerError> {
        let lock = lock_sender(self.path(), now)?;
        self.take_over(lock, terms, now).map_err(|error| error.at(self.path()))
    }

    fn take_over(&self, lock: Lock, terms: &Terms, now: Instant) -> Result<(Sender, Recovery), LedgerError> {
        let (path, folder) = (self.path(), terms.witness.as_deref());
        let mut db = connect(path)?;
        self.refuse_damage_and_old_copies(&db, folder)?;
        let recovery = recover_durably(&mut db, path, &terms.rules, now)?;
        let marks = Marks::create(path, recovery.epoch)
            .map_err(|source| LedgerError::Io { path: beside(path, ".marks"), source })?;
        let marks = Arc::new(marks);
        let witness = folder.map(|folder| Witness::create(folder, path, &before(&db)?.age)).transpose()?;
        let claimed = SharedClaims::default();
        let reader = Mutex::new(connect(path)?);
        let desk = Desk {
            path: path.to_path_buf(),
            epoch: i64::try_from(recovery.epoch).expect("an epoch is counted up from 0 in an i64"),
            marks: Arc::clone(&marks),
            under_way: UnderWay::default(),
            claimed: Arc::clone(&claimed),
            leaving: Vec::new(),
            gates: HashMap::new(),
            may_be_done: false,
            witness,
        };
        let table = Arc::new(Table::new(Work::new(db, desk)));
        let (jobs, queue) = mpsc::channel();
        let writer = {
            let table = Arc::clone(&table);
            move || run(&table, &queue)
        };
        let thread = std::thread::Builder::new()
            .name("ledger writer".into())
            .spawn(writer)
            .map_err(|source| LedgerError::Io { path: path.to_path_buf(), source })?;
        let jobs = Some(jobs);
        let policy = terms.in_doubt;
        let sender = Sender {
            ledger: self.clone(),
            policy,
            claimed,
            reader,
            marks,
            jobs,
            thread: Some(thread),
            table,
            _lock: lock,
        };
        Ok((sender, recovery))
    }

    fn refuse_damage_and_old_copies(&self, db: &Connection, folder: Option<&Path>) -> Result<(), LedgerError> {
        let before = before(db)?;
        if (!before.ended_clean || is_under_way(db)?)
            && let Some(what) = integrity_check(db)?
        {
            return Err(LedgerError::Damaged { path: self.path().to_path_buf(), what });
        }
        folder.map_or(Ok(()), |folder| witness::check(folder, self.path(), &before.age))
    }
}

fn recover_durably(db: &mut Connection, path: &Path, rules: &Rules, now: Instant) -> Result<Recovery, LedgerError> {
    let drafting = try_lock_drafting(path)?;
    let drafts = if drafting.is_some() { Drafts::Dead } else { Drafts::PerhapsAlive };
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let recovery = recover(&tx, path, drafts, rules, now)?;
    tx.commit()?;
    Ok(recovery)
}

impl Sender {
    /// Claims up to `limit` deliveries of planned and running campaigns: those in doubt that
    /// may be resent, deferred and postponed ones that are due, and untouched ones. Each comes
    /// back by [`Sender::settle`], or all by [`Sender::release`]. Fewer than `limit` means that
    /// no more are ready. Blocks for as long as reading them takes; writes nothing.
    pub fn claim(&self, limit: usize, now: Instant) -> Result<Vec<Claim>, LedgerError> {
        let mut db = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let search = Search { policy: self.policy, hashing: self.ledger.hashing(), now };
        // Held over the whole read, so that no claim ends meanwhile: what is found planned is not what
        // was settled since. Others may look who is claimed while the disk takes its time.
        let claimed = desk::read(&self.claimed);
        let tx = db.transaction().map_err(LedgerError::from);
        let found = tx.and_then(|tx| find(&tx, &search, &claimed, limit));
        drop(claimed);
        let found = found.map_err(|error| error.at(self.ledger.path()))?;
        Ok(desk::write(&self.claimed).add(found))
    }

    /// Makes deliveries begun, all checks inside the transaction; durable when the future
    /// resolves, one answer per delivery in the order asked. Queued at the call; shares its
    /// commit with whatever else is queued. An error means that none of them may be sent.
    pub fn begin(
        &self,
        begins: Vec<Begin>,
        now: Instant,
    ) -> impl Future<Output = Result<Vec<BeginAnswer>, LedgerError>> + Send + 'static {
        self.ask(Job::Begin, begins, now)
    }

    /// Gives claims back until their time has come; durable when the future resolves.
    pub fn postpone(
        &self,
        postpones: Vec<Postpone>,
        now: Instant,
    ) -> impl Future<Output = Result<(), LedgerError>> + Send + 'static {
        self.ask(Job::Postpone, postpones, now)
    }

    /// Writes notes, each in the place of the last one of its scope; durable when the future
    /// resolves, in a commit with whatever else is queued.
    pub fn note(
        &self,
        notes: Vec<Note>,
        now: Instant,
    ) -> impl Future<Output = Result<(), LedgerError>> + Send + 'static {
        self.ask(Job::Note, notes, now)
    }

    /// Records outcomes; durable when the future resolves. Queued at the call: the future may
    /// be awaited later or dropped. `Withdrawn` also gives back a claim that never began. An
    /// error means that nothing more may be sent: later begins fail with it.
    pub fn settle(
        &self,
        settles: Vec<Settle>,
        now: Instant,
    ) -> impl Future<Output = Result<Vec<Settled>, LedgerError>> + Send + 'static {
        self.ask(Job::Settle, settles, now)
    }

    /// A clean stop: what is claimed is given back, and the clean end is noted if
    /// nothing is left begun. Settle first, then release, then drop the sender.
    pub fn release(&self, now: Instant) -> impl Future<Output = Result<(), LedgerError>> + Send + 'static {
        self.ask(Job::Release, (), now)
    }

    fn ask<I, O: Send + 'static>(
        &self,
        job: impl FnOnce(Ask<I, O>) -> Job,
        input: I,
        now: Instant,
    ) -> impl Future<Output = Result<O, LedgerError>> + Send + 'static {
        let (answer, wait) = oneshot::channel();
        let jobs = self.jobs.as_ref().expect("taken only in drop");
        // If the thread is gone, so is `answer`, and the wait below says so.
        drop(jobs.send(job(Ask { input, now, answer, output: None })));
        let path = self.ledger.path().to_path_buf();
        async move {
            wait.await.unwrap_or_else(|_| {
                let why = "the ledger's writer thread has ended".to_owned();
                let remedy = "run the command again: it resumes".to_owned();
                Err(LedgerError::NotWritable { path, why, remedy })
            })
        }
    }

    /// Does the rows of begins and settles in the transaction that the writer has open, and gives
    /// everybody else on this thread their turn after every few. Never ends; whoever
    /// has the wire runs it beside, so that the two take turns on one core. Without it, and
    /// when it is kept from its work, the writer's thread does the rows.
    pub fn lend_a_hand(&self) -> impl Future<Output = ()> + Send + 'static {
        let table = Arc::clone(&self.table);
        async move { table.lend_a_hand().await }
    }

    /// Marks that the next write contains the final dot. Before that write, always; if it
    /// fails, nothing may be written.
    pub fn mark_dot(&self, slot: MarkSlot, delivery: DeliveryId, attempt: u32) -> std::io::Result<()> {
        self.marks.write(slot, delivery, attempt, &Mark::Dot)
    }

    /// Marks the reply to the final dot, with its addresses masked, before it is settled.
    pub fn mark_replied(
        &self,
        slot: MarkSlot,
        delivery: DeliveryId,
        attempt: u32,
        reply: &Reply,
    ) -> std::io::Result<()> {
        self.marks.write(slot, delivery, attempt, &Mark::Replied(reply.clone()))
    }

    /// The earliest moment at which a postponed delivery comes back, if there is one.
    pub fn next_postponed(&self, now: Instant) -> Result<Option<Instant>, LedgerError> {
        self.ledger.read(|tx| {
            let sql = "SELECT min((SELECT min(d.next) FROM not_accepted d
                    WHERE d.campaign = c.id AND d.state = 'planned' AND d.next > ?1)) AS next
                FROM campaigns c WHERE c.state IN ('planned', 'running') AND coalesce(c.not_before, 0) <= ?1";
            let next = tx.prepare_cached(sql)?.query_row([to_millis(now)], |row| maybe_moment(row, "next"))?;
            Ok(next)
        })
    }

    /// What is left to send in all campaigns that are planned or running.
    pub fn pending(&self, now: Instant) -> Result<Pending, LedgerError> {
        let claimed = desk::read(&self.claimed).len() as u64;
        let mut pending = self.ledger.read(|tx| Ok(pending(tx, self.policy, now)?))?;
        pending.ready = pending.ready.saturating_sub(claimed);
        pending.in_hand = claimed;
        Ok(pending)
    }
}

impl Drop for Sender {
    /// Waits until the queued jobs are on disk, and with them the lock is free.
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A panic over there has been reported by its own hook; its callers got errors.
            drop(thread.join());
        }
    }
}

fn pending(tx: &Connection, policy: InDoubtPolicy, now: Instant) -> rusqlite::Result<Pending> {
    const SQL: &str = "WITH open AS (SELECT id, coalesce(not_before, 0) AS start FROM campaigns
                WHERE state IN ('planned', 'running')),
            due AS (SELECT max(open.start, coalesce(d.next, 0)) AS at, count(*) AS n FROM open
                CROSS JOIN not_accepted d ON d.campaign = open.id
                WHERE d.state IN ('planned', 'deferred')
                    OR (d.state = 'in_doubt' AND (d.resend = 'ordered' OR (d.resend = 'none' AND ?2 = 'resend')))
                GROUP BY 1)
        SELECT coalesce(sum(n) FILTER (WHERE at <= ?1), 0) AS ready, coalesce(sum(n) FILTER (WHERE at > ?1), 0) AS waiting,
            min(at) FILTER (WHERE at > ?1) AS next_due
        FROM due";
    tx.prepare_cached(SQL)?.query_row(params![to_millis(now), policy_word(policy)], |row| {
        Ok(Pending {
            ready: count(row.get("ready")?),
            in_hand: 0,
            waiting: count(row.get("waiting")?),
            next_due: maybe_moment(row, "next_due")?,
        })
    })
}

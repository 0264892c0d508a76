//! The transaction that a sender's writer has open, and the hands that work on it.
//!
//! Its rows take a good part of the time that a message costs. Done in one go by the writer's own
//! thread they keep a core busy for up to a millisecond, again and again, and on few cores the wire
//! or the relay waits for that core, and soon each for the other: of two cores more than a fifth
//! was idle. So an open transaction lies on the table. Whoever lends a hand does some rows of it
//! between two messages; the thread opens it, does what nobody did in time, and makes it durable.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::Notify;

use super::desk::Desk;
use super::error::LedgerError;
use super::job::{Job, Progress};
use super::moves;

/// So many outcomes are settled in one go, which takes some thirty microseconds: less than what a
/// relay has to do meanwhile with the messages that are on their way.
const PIECE: usize = 8;

/// So long the thread waits for hands. They need less; when they are kept from it, a delivery waits
/// no longer than it does for the next commit anyway. Nor may it be for ever: a hand that writes to
/// the ledger by itself waits for just this transaction.
const PATIENCE: Duration = Duration::from_millis(4);

/// The writer's connection, what it knows, and the jobs of the transaction that is open.
pub(super) struct Work {
    db: Connection,
    desk: Desk,
    jobs: Vec<Job>,
    /// How many of them are done.
    done: usize,
    failed: Option<LedgerError>,
}

impl Work {
    pub(super) fn new(db: Connection, desk: Desk) -> Self {
        Self { db, desk, jobs: Vec::new(), done: 0, failed: None }
    }

    /// Opens the transaction in which these jobs are to be done; returns the number of the commit.
    pub(super) fn open(&mut self, jobs: Vec<Job>) -> Result<u64, LedgerError> {
        (self.jobs, self.done) = (jobs, 0);
        self.db.execute_batch("BEGIN IMMEDIATE")?;
        self.desk.open(&self.db)
    }

    /// Does up to `most` rows, and more where a job is not divided. When one fails, nothing more is
    /// done.
    fn perform(&mut self, most: usize) {
        let mut left = most;
        while left > 0 && !self.is_done() {
            let rows = match self.jobs[self.done].perform(&mut self.desk, &self.db, left) {
                Ok(Progress::Partly(rows)) => rows,
                Ok(Progress::Done(rows)) => {
                    self.done += 1;
                    rows
                }
                Err(why) => {
                    self.failed = Some(why);
                    return;
                }
            };
            left = left.saturating_sub(rows);
        }
    }

    fn is_done(&self) -> bool {
        self.failed.is_some() || self.done == self.jobs.len()
    }

    /// Does what is left, makes it durable, and answers all jobs. If that fails, none of them was
    /// done.
    pub(super) fn conclude(&mut self, opened: Result<u64, LedgerError>) -> Result<(), LedgerError> {
        let done = opened.and_then(|sequence| self.commit().map(|()| sequence));
        self.done = 0;
        let jobs = std::mem::take(&mut self.jobs);
        match done {
            Ok(sequence) => {
                let noted = self.desk.committed(sequence);
                for job in jobs {
                    job.finish(Ok(()));
                }
                noted
            }
            Err(why) => {
                let why = why.at(&self.desk.path);
                self.roll_back();
                for job in jobs {
                    job.finish(Err(why.again()));
                }
                Err(why)
            }
        }
    }

    fn commit(&mut self) -> Result<(), LedgerError> {
        self.perform(usize::MAX);
        if let Some(why) = self.failed.take() {
            return Err(why);
        }
        self.desk.close(&self.db)?;
        if self.desk.may_be_done {
            let now = self.jobs.iter().map(Job::now).max().expect("no job, no commit");
            moves::finish_what_is_done(&self.db, now)?;
        }
        Ok(self.db.execute_batch("COMMIT")?)
    }

    fn roll_back(&mut self) {
        self.abandon();
        self.desk.under_way.rolled_back();
    }

    /// Ends the transaction on the disk, if one is open.
    fn abandon(&mut self) {
        // Some failures have rolled it back already; what fails here is undone when the file is closed.
        if !self.db.is_autocommit() {
            drop(self.db.execute_batch("ROLLBACK"));
        }
    }
}

/// Where the open transaction lies.
pub(super) struct Table {
    work: Mutex<Work>,
    /// How many lend a hand.
    hands: AtomicUsize,
    /// Whether the writer waits for them. Changed only under the lock.
    is_laid: AtomicBool,
    /// Rung when it begins to.
    laid: Notify,
    /// Rung when all rows are done, or one failed.
    performed: Condvar,
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("hands", &self.hands).finish_non_exhaustive()
    }
}

impl Table {
    pub(super) fn new(work: Work) -> Self {
        Self {
            work: Mutex::new(work),
            hands: AtomicUsize::new(0),
            is_laid: AtomicBool::new(false),
            laid: Notify::new(),
            performed: Condvar::new(),
        }
    }

    /// The work, for the writer.
    pub(super) fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().expect("what a panic left half done is not committed")
    }

    /// Waits until the hands, if there are any, have done what lies open, but not for ever.
    pub(super) fn wait_for_hands(&self) {
        if self.hands.load(Ordering::Acquire) == 0 {
            return;
        }
        let work = self.work();
        self.is_laid.store(true, Ordering::Release);
        self.laid.notify_one();
        let waited = self.performed.wait_timeout_while(work, PATIENCE, |work| !work.is_done());
        self.is_laid.store(false, Ordering::Release);
        drop(waited.expect("what a panic left half done is not committed"));
    }

    /// Gives up what lies open when the writer's thread ends, in whatever way: nothing of it has
    /// happened, whoever waits for an answer hears that there is none, and others may write.
    pub(super) fn give_up(&self) {
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        work.jobs.clear();
        work.abandon();
    }

    /// Does a piece whenever something lies open, and lets everybody else have their turn between
    /// two. Never ends; when it is dropped, the writer does everything by itself.
    pub(super) async fn lend_a_hand(&self) {
        let _hand = Hand::of(self);
        loop {
            self.laid.notified().await;
            while self.do_a_piece() {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Whether there is more to do.
    fn do_a_piece(&self) -> bool {
        if !self.is_laid.load(Ordering::Acquire) {
            return false;
        }
        // Not waited for: it is the writer's while it opens and commits. As long as something is laid
        // open it takes the lock for no more than a moment.
        let mut work = match self.work.try_lock() {
            Ok(work) => work,
            Err(TryLockError::WouldBlock) => return true,
            Err(TryLockError::Poisoned(_)) => return false,
        };
        // Asked again: the writer may have taken it up meanwhile.
        if !self.is_laid.load(Ordering::Acquire) {
            return false;
        }
        work.perform(PIECE);
        let is_done = work.is_done();
        drop(work);
        if is_done {
            self.performed.notify_one();
        }
        !is_done
    }
}

/// Somebody who lends a hand.
struct Hand<'a>(&'a Table);

impl<'a> Hand<'a> {
    fn of(table: &'a Table) -> Self {
        table.hands.fetch_add(1, Ordering::AcqRel);
        Self(table)
    }
}

impl Drop for Hand<'_> {
    fn drop(&mut self) {
        self.0.hands.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::path::Path;
    use std::sync::{Arc, mpsc};

    use tokio::sync::oneshot;
    use tokio::sync::oneshot::error::TryRecvError;

    use super::super::desk::SharedClaims;
    use super::super::job::Ask;
    use super::super::marks::Marks;
    use super::super::open::connect;
    use super::super::settle::{Settle, Settled};
    use super::super::under_way::UnderWay;
    use super::super::writer::run;
    use super::super::{Ledger, Note};
    use super::*;
    use crate::domain::delivery::Outcome;
    use crate::domain::ids::DeliveryId;
    use crate::domain::time::{Instant, from_millis};

    fn now() -> Instant {
        from_millis(1_790_000_000_000)
    }

    /// The table of a sender whose ledger is new.
    fn table(folder: &Path) -> Table {
        let path = folder.join("state.db");
        Ledger::open(&path, now()).unwrap();
        let desk = Desk {
            epoch: 0,
            marks: Arc::new(Marks::create(&path, 0).unwrap()),
            under_way: UnderWay::default(),
            claimed: SharedClaims::default(),
            leaving: Vec::new(),
            gates: HashMap::new(),
            may_be_done: false,
            witness: None,
            path: path.clone(),
        };
        Table::new(Work::new(connect(&path).unwrap(), desk))
    }

    type Answer<T> = oneshot::Receiver<Result<T, LedgerError>>;

    fn ask<I, O>(input: I) -> (Ask<I, O>, Answer<O>) {
        let (answer, wait) = oneshot::channel();
        (Ask { input, now: now(), answer, output: None }, wait)
    }

    /// Outcomes of deliveries that nobody has: each is a row of its own, and comes too late.
    fn outcomes(count: usize) -> (Job, Answer<Vec<Settled>>) {
        let late = |n| Settle {
            delivery: DeliveryId(n),
            attempt: 1,
            outcome: Outcome::Withdrawn { reason: "nothing was sent".to_owned() },
        };
        let (ask, wait) = ask((1..).map(late).take(count).collect());
        (Job::Settle(ask), wait)
    }

    fn current_thread() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[test]
    fn a_hand_does_what_lies_open_and_others_have_their_turn_after_each_piece() {
        let folder = tempfile::tempdir().unwrap();
        let table = table(folder.path());
        let (job, answer) = outcomes(3 * PIECE + 1);
        let opened = table.work().open(vec![job]);
        table.is_laid.store(true, Ordering::Release);
        table.laid.notify_one();
        let turns = current_thread().block_on(async {
            let others = async {
                let mut turns = 0;
                while !table.work().is_done() && turns < 1000 {
                    turns += 1;
                    tokio::task::yield_now().await;
                }
                turns
            };
            tokio::select! {
                turns = others => turns,
                () = table.lend_a_hand() => unreachable!("a hand is lent for ever"),
            }
        });
        assert!(table.work().is_done() && turns >= 3, "others had {turns} turns");
        table.work().conclude(opened).unwrap();
        assert_eq!(answer.blocking_recv().unwrap().unwrap(), vec![Settled::Late; 3 * PIECE + 1]);
        assert_eq!(table.hands.load(Ordering::Acquire), 0, "who goes lends no hand");
    }

    #[test]
    fn what_no_hand_does_in_time_the_writer_does() {
        let folder = tempfile::tempdir().unwrap();
        let table = table(folder.path());
        let (job, answer) = outcomes(3);
        let _idle = Hand::of(&table);
        let opened = table.work().open(vec![job]);
        table.wait_for_hands();
        assert!(!table.work().is_done());
        assert!(!table.do_a_piece(), "what is no longer laid open is the writer's");
        table.work().conclude(opened).unwrap();
        assert_eq!(answer.blocking_recv().unwrap().unwrap(), [Settled::Late; 3]);
        assert!(!table.do_a_piece() && table.work().is_done(), "nothing is left of it");
    }

    #[test]
    fn when_one_job_fails_in_a_hand_none_was_done_and_the_next_transaction_is_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let table = table(folder.path());
        let note = |scope: &str| Note { scope: scope.to_owned(), note: "{}".to_owned() };
        let (first, noted) = ask(vec![note("relay a")]);
        let (job, answer) = outcomes(1);
        table.work().db.execute_batch("CREATE TEMP TABLE deliveries (other)").unwrap();
        let opened = table.work().open(vec![Job::Note(first), job]);
        table.is_laid.store(true, Ordering::Release);
        assert!(!table.do_a_piece());
        assert!(table.work().conclude(opened).is_err());
        assert!(noted.blocking_recv().unwrap().is_err() && answer.blocking_recv().unwrap().is_err());

        table.work().db.execute_batch("DROP TABLE temp.deliveries").unwrap();
        let (second, noted) = ask(vec![note("relay b")]);
        let opened = table.work().open(vec![Job::Note(second)]);
        table.work().conclude(opened).unwrap();
        noted.blocking_recv().unwrap().unwrap();
        let kept: Vec<String> = {
            let work = table.work();
            let mut statement = work.db.prepare("SELECT scope FROM sender_notes").unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
        };
        assert_eq!(kept, ["relay b"]);
    }

    #[test]
    fn after_a_panic_in_a_hand_the_writer_ends_whoever_waits_hears_of_it_and_others_may_write() {
        let folder = tempfile::tempdir().unwrap();
        let table = table(folder.path());
        let (open, first) = outcomes(3);
        table.work().open(vec![open]).unwrap();
        let hand = std::thread::scope(|scope| {
            let hand = scope.spawn(|| {
                let _work = table.work();
                panic!("a hand that fails in its row, as the test wants it");
            });
            hand.join()
        });
        assert!(hand.is_err() && !table.do_a_piece(), "nobody goes on with it");

        let (jobs, queue) = mpsc::channel();
        let (job, second) = outcomes(1);
        jobs.send(job).unwrap_or_else(|_| panic!("the queue is there"));
        let table = &table;
        let ended = std::thread::scope(|scope| scope.spawn(move || run(table, &queue)).join());
        assert!(ended.is_err(), "the writer goes on with what a panic left half done");
        for mut answer in [first, second] {
            assert_eq!(answer.try_recv().unwrap_err(), TryRecvError::Closed, "somebody still waits");
        }
        connect(&folder.path().join("state.db")).unwrap().execute_batch("BEGIN IMMEDIATE").unwrap();
    }
}

//! The one writer of a sender: whatever is queued goes into one durable commit.
//!
//! A disk may give only 200 syncs a second, so connections never commit for themselves.
//! The thread takes the first job, gathers more for up to two milliseconds after its last commit
//! (the gap also lets short writers of other processes in), opens one transaction for them all,
//! lets whoever lends a hand do them ([`super::work`]), and answers when that is on disk. If a
//! commit fails nobody's job was done, and from then on nothing may be claimed or begun;
//! outcomes are still recorded if the disk allows.

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use super::error::LedgerError;
use super::job::{FULL, Job};
use super::work::Table;

/// How long after its last commit the thread waits for company for a job. What comes while a
/// commit is synced shares the next one anyway: this keeps a fast disk from committing row by
/// row, and lets a writer of another process in.
const GATHER: Duration = Duration::from_millis(2);

/// The end of the thread, be it a panic.
struct End<'a>(&'a Table);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

/// Works until every handle of the sender is gone.
pub(super) fn run(table: &Table, queue: &Receiver<Job>) {
    let _end = End(table);
    let mut broken: Option<LedgerError> = None;
    let mut last_commit = Instant::now();
    while let Ok(first) = queue.recv() {
        let mut jobs = gather(first, queue, last_commit + GATHER);
        if let Some(why) = &broken {
            let refused = jobs.extract_if(.., |job| job.leads_to_sending());
            refused.for_each(|job| job.finish(Err(why.again())));
        }
        if let Err(why) = commit(table, jobs) {
            broken = Some(why);
        }
        last_commit = Instant::now();
    }
}

fn gather(first: Job, queue: &Receiver<Job>, deadline: Instant) -> Vec<Job> {
    let mut rows = first.rows();
    let mut jobs = vec![first];
    // Asleep, and not waiting at the queue: nobody who brings a job has to wake this thread.
    std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
    while rows < FULL
        && let Ok(job) = queue.try_recv()
    {
        rows += job.rows();
        jobs.push(job);
    }
    jobs
}

fn commit(table: &Table, jobs: Vec<Job>) -> Result<(), LedgerError> {
    if jobs.is_empty() {
        return Ok(());
    }
    let opened = table.work().open(jobs);
    if opened.is_ok() {
        table.wait_for_hands();
    }
    table.work().conclude(opened)
}

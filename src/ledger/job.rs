//! What the writer of a sender is asked to do. Outcomes, which come in hundreds, are settled in pieces
//! that fit between two looks at the wire.

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::begin::{Begin, BeginAnswer, begin};
use super::desk::Desk;
use super::error::LedgerError;
use super::notes::{self, Note};
use super::postpone::{Postpone, postpone};
use super::settle::{Settle, Settled, settle};
use crate::domain::time::Instant;

/// Rows that are enough for one commit.
pub(super) const FULL: usize = 512;

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

/// What the writer is asked to do.
pub(super) enum Job {
    Begin(Ask<Vec<Begin>, Vec<BeginAnswer>>),
    Postpone(Ask<Vec<Postpone>, ()>),
    Note(Ask<Vec<Note>, ()>),
    Settle(Ask<Vec<Settle>, Vec<Settled>>),
    Release(Ask<(), ()>),
}

/// How far a job has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// So many rows of it were done; there are more.
    Partly(usize),
    /// It is done, with so many rows at last.
    Done(usize),
}

impl Job {
    pub(super) fn rows(&self) -> usize {
        match self {
            Self::Begin(ask) => ask.input.len(),
            Self::Postpone(ask) => ask.input.len(),
            Self::Note(ask) => ask.input.len(),
            Self::Settle(ask) => ask.input.len(),
            Self::Release(_) => FULL,
        }
    }

    pub(super) fn now(&self) -> Instant {
        match self {
            Self::Begin(ask) => ask.now,
            Self::Postpone(ask) => ask.now,
            Self::Note(ask) => ask.now,
            Self::Settle(ask) => ask.now,
            Self::Release(ask) => ask.now,
        }
    }

    /// Whether the job leads to more being sent: not after a failed commit.
    pub(super) fn leads_to_sending(&self) -> bool {
        match self {
            Self::Begin(_) => true,
            Self::Postpone(_) | Self::Note(_) | Self::Settle(_) | Self::Release(_) => false,
        }
    }

    /// Does up to `most` rows in the open transaction, or all of a kind that comes in few.
    pub(super) fn perform(&mut self, desk: &mut Desk, tx: &Connection, most: usize) -> Result<Progress, LedgerError> {
        let rows = self.rows();
        match self {
            Self::Settle(ask) => return settle_some(ask, desk, tx, most),
            Self::Begin(ask) => {
                ask.output = Some(begin(desk, tx, std::mem::take(&mut ask.input), ask.now)?);
            }
            Self::Postpone(ask) => {
                ask.output = Some(ask.input.iter().try_for_each(|one| postpone(desk, tx, one))?);
            }
            Self::Note(ask) => {
                ask.output = Some(ask.input.iter().try_for_each(|one| notes::write(tx, one, ask.now))?);
            }
            Self::Release(ask) => ask.output = Some(desk.release(tx)?),
        }
        Ok(Progress::Done(rows))
    }

    pub(super) fn finish(self, result: Result<(), LedgerError>) {
        match self {
            Self::Begin(ask) => ask.finish(result),
            Self::Postpone(ask) => ask.finish(result),
            Self::Note(ask) => ask.finish(result),
            Self::Settle(ask) => ask.finish(result),
            Self::Release(ask) => ask.finish(result),
        }
    }
}

/// Settles the next few. The output grows with what is done, so it says where to go on.
fn settle_some(
    ask: &mut Ask<Vec<Settle>, Vec<Settled>>,
    desk: &mut Desk,
    tx: &Connection,
    most: usize,
) -> Result<Progress, LedgerError> {
    let settled = ask.output.get_or_insert_default();
    let next = ask.input[settled.len()..].iter().take(most);
    let rows = next.len();
    settle(desk, tx, next, ask.now, settled)?;
    Ok(if settled.len() == ask.input.len() { Progress::Done(rows) } else { Progress::Partly(rows) })
}

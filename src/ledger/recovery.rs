//! Becoming the sender after whatever became of the last one.

use rusqlite::Connection;

use super::draft::discard_drafts;
use super::error::{LedgerError, unreadable};
use super::letters::{self, Letter};
use super::marks::{self, Mark, Marked};
use super::moves;
use super::settle::{Settle, settle_begun};
use super::standing::{self, Standing};
use super::witness::Age;
use super::words::count;
use crate::domain::delivery::{DeliveryState, Outcome};
use crate::domain::ids::DeliveryId;
use crate::domain::policy::{self, Event, History};
use crate::domain::reply::Stage;
use crate::domain::rules::Rules;
use crate::domain::time::Instant;

/// What a new sender found, and did about it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovery {
    /// The epoch of this sender: 1 for the first.
    pub epoch: u64,
    /// Deliveries proved unsent: planned again.
    pub planned_again: u64,
    /// Deliveries settled from the reply in the mark file.
    pub settled_from_marks: u64,
    /// Deliveries that came into doubt now.
    pub in_doubt: Vec<DeliveryId>,
    /// Drafts of campaigns discarded.
    pub drafts_discarded: u64,
    /// Why the mark file could not be believed, if it was needed and could not.
    pub marks_unusable: Option<String>,
}

impl Recovery {
    /// Counts a delivery that was begun: what it came to, by which mark, and where it is now.
    fn count(&mut self, settle: &Settle, mark: Option<&Mark>, state: DeliveryState) {
        match (&settle.outcome, mark) {
            (Outcome::InDoubt { .. }, _) => self.in_doubt.push(settle.delivery),
            (_, Some(Mark::Replied(_))) => self.settled_from_marks += 1,
            _ if state == DeliveryState::Planned => self.planned_again += 1,
            _ => {}
        }
    }
}

/// Whether campaigns in drafting are dead, or another process is at work on one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Drafts {
    Dead,
    PerhapsAlive,
}

/// How the last sender ended, and who the file says it is.
pub(super) struct Before {
    pub age: Age,
    pub ended_clean: bool,
}

/// Reads what the last sender left.
pub(super) fn before(db: &Connection) -> rusqlite::Result<Before> {
    db.query_row("SELECT identity, epoch, sequence, ended FROM ledger", [], |row| {
        let age = Age {
            identity: row.get("identity")?,
            epoch: count(row.get("epoch")?),
            sequence: count(row.get("sequence")?),
        };
        Ok(Before { age, ended_clean: row.get::<_, String>("ended")? == "clean" })
    })
}

/// Whether a campaign is under way: then a row that damage hides is a reader who gets nothing.
pub(super) fn is_under_way(db: &Connection) -> rusqlite::Result<bool> {
    db.prepare("SELECT 1 FROM campaigns WHERE state IN ('planned', 'running', 'paused')")?.exists([])
}

/// `SQLite`'s own check of tables and indexes, some ten seconds for a million deliveries: what
/// it finds, or nothing.
pub(super) fn integrity_check(db: &Connection) -> rusqlite::Result<Option<String>> {
    let found: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    Ok((found != "ok").then_some(found))
}

/// Recovers inside one transaction, which also raises the epoch: killed before it is
/// durable, nothing has happened, and the mark file still belongs to the epoch on disk.
pub(super) fn recover(
    tx: &Connection,
    state: &std::path::Path,
    drafts: Drafts,
    rules: &Rules,
    now: Instant,
) -> Result<Recovery, LedgerError> {
    let epoch = before(tx)?.age.epoch;
    let mut recovery = Recovery { epoch: epoch + 1, ..Recovery::default() };
    if drafts == Drafts::Dead {
        recovery.drafts_discarded = discard_drafts(tx)?;
    }
    let under_way = letters::under_way(tx)?;
    if !under_way.is_empty() {
        let marked = marks::read(state, epoch).unwrap_or_else(|why| {
            recovery.marks_unusable = Some(why);
            Marked::new()
        });
        for letter in under_way {
            let mark = marked.get(&(letter.delivery(), letter.attempt()));
            let decide = |standing: &Standing| outcome(&letter, standing, mark, rules, now);
            let (settle, state) = settle_letter(tx, &letter, decide, now)?;
            recovery.count(&settle, mark, state);
        }
    }
    letters::clear(tx)?;
    moves::finish_what_is_done(tx, now)?;
    tx.execute("UPDATE ledger SET epoch = epoch + 1, sequence = sequence + 1, ended = 'unclean'", [])?;
    Ok(recovery)
}

/// Settles what a dead sender had begun by the outcome that is decided for it.
pub(super) fn settle_letter(
    tx: &Connection,
    letter: &Letter,
    decide: impl FnOnce(&Standing) -> Outcome,
    now: Instant,
) -> rusqlite::Result<(Settle, DeliveryState)> {
    let (delivery, attempt) = (letter.delivery(), letter.attempt());
    let standing = standing::find(tx, delivery)?
        .filter(|standing| standing.attempt + 1 == attempt && standing.awaits_an_outcome())
        .ok_or_else(|| unreadable("delivery that could have begun", &delivery.0.to_string()))?;
    let settle = Settle { delivery, attempt, outcome: decide(&standing) };
    let epoch = i64::try_from(before(tx)?.age.epoch).expect("an epoch is counted up from 0 in an i64");
    let state = settle_begun(tx, &settle, standing, letter, epoch, now)?;
    Ok((settle, state))
}

/// What a begun delivery of a dead sender came to. Silence of the mark file is no proof:
/// only a slot that says `begun` proves that no byte of the dot had left.
fn outcome(letter: &Letter, standing: &Standing, mark: Option<&Mark>, rules: &Rules, now: Instant) -> Outcome {
    let died = |when: &str| format!("the process ended {when}");
    match mark {
        Some(Mark::Begun) => Outcome::Withdrawn { reason: died("before the final dot") },
        Some(Mark::Dot) => Outcome::InDoubt { reason: died("after the final dot, before a reply") },
        Some(Mark::Replied(reply)) => {
            let history = History {
                first_try: standing.first_try.unwrap_or(letter.begun()),
                failures: standing.failures,
                spread: letter.delivery().0.unsigned_abs(),
            };
            policy::decide(&Event::Replied(Stage::Dot, reply.clone()), history, rules, now).outcome
        }
        None => Outcome::InDoubt { reason: died("after this had begun; no mark of it is left") },
    }
}

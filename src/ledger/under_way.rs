//! What the living sender has begun and not settled: its letters, their slots in the mark file, and
//! the rows of the log that hold them.
//!
//! All of it changes with the transaction that runs: what begins or is settled in it counts only
//! once that is committed.

use std::collections::{BTreeSet, HashMap};

use rusqlite::Connection;

use super::letters::{self, Letter};
use super::marks::MarkSlot;
use crate::domain::ids::DeliveryId;

/// Everything under way, and what the running transaction does to it.
#[derive(Default)]
pub(super) struct UnderWay {
    begun: HashMap<DeliveryId, Begun>,
    /// How many of each row of the log are not settled.
    rows: HashMap<i64, usize>,
    slots: Slots,
    /// Those that the running transaction begins.
    beginning: Vec<DeliveryId>,
    /// Those that it settles.
    ending: Vec<DeliveryId>,
}

/// One delivery under way.
struct Begun {
    letter: Letter,
    slot: MarkSlot,
    phase: Phase,
}

/// How far a delivery has come between its two commits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The running transaction begins it.
    Beginning,
    /// It stands in that row of the log.
    Logged(i64),
    /// It stands there, and the running transaction settles it.
    Ending(i64),
}

/// The slots of the mark file. One is free again only when the settle of its delivery is durable.
#[derive(Default)]
struct Slots {
    free: BTreeSet<MarkSlot>,
    ever: u32,
}

impl Slots {
    /// The first free one: so those that are taken together are mostly neighbours.
    fn take(&mut self) -> MarkSlot {
        self.free.pop_first().unwrap_or_else(|| {
            self.ever += 1;
            MarkSlot(self.ever - 1)
        })
    }
}

impl UnderWay {
    /// Whether a delivery has begun, or begins in the running transaction.
    pub(super) fn has(&self, delivery: DeliveryId) -> bool {
        self.begun.contains_key(&delivery)
    }

    /// Begins a delivery in the running transaction; returns its slot.
    pub(super) fn begin(&mut self, letter: Letter) -> MarkSlot {
        let (delivery, slot) = (letter.delivery(), self.slots.take());
        self.beginning.push(delivery);
        self.begun.insert(delivery, Begun { letter, slot, phase: Phase::Beginning });
        slot
    }

    /// Settles an attempt in the running transaction; its letter, if just that attempt is under way.
    pub(super) fn end(&mut self, delivery: DeliveryId, attempt: u32) -> Option<&Letter> {
        let begun = self.begun.get_mut(&delivery).filter(|begun| begun.letter.attempt() == attempt)?;
        let Phase::Logged(row) = begun.phase else { return None };
        begun.phase = Phase::Ending(row);
        self.ending.push(delivery);
        Some(&begun.letter)
    }

    /// Whether nothing is under way once the running transaction is committed.
    pub(super) fn ends(&self) -> bool {
        self.ending.len() == self.begun.len()
    }

    /// What the running transaction begins, in the order of the slots.
    pub(super) fn beginnings(&self) -> Vec<(MarkSlot, DeliveryId, u32)> {
        let begun = self.beginning.iter().map(|delivery| &self.begun[delivery]);
        let mut begun: Vec<_> = begun.map(|one| (one.slot, one.letter.delivery(), one.letter.attempt())).collect();
        begun.sort_unstable();
        begun
    }

    /// Brings the log to where the running transaction leads, at its end.
    pub(super) fn write(&mut self, tx: &Connection, epoch: i64) -> rusqlite::Result<()> {
        // In this order: a row gets a number that no other one has.
        self.write_beginning(tx, epoch)?;
        let mut ended: HashMap<i64, usize> = HashMap::new();
        for delivery in &self.ending {
            if let Phase::Ending(row) = self.begun[delivery].phase {
                *ended.entry(row).or_default() += 1;
            }
        }
        for (row, ended) in ended {
            if self.rows[&row] == ended {
                letters::remove(tx, row)?;
            }
        }
        Ok(())
    }

    fn write_beginning(&mut self, tx: &Connection, epoch: i64) -> rusqlite::Result<()> {
        if self.beginning.is_empty() {
            return Ok(());
        }
        let letters: Vec<&Letter> = self.beginning.iter().map(|delivery| &self.begun[delivery].letter).collect();
        let row = letters::write(tx, epoch, &letters)?;
        for delivery in &self.beginning {
            self.begun.get_mut(delivery).expect("it was put there when it began").phase = Phase::Logged(row);
        }
        self.rows.insert(row, self.beginning.len());
        Ok(())
    }

    /// The transaction is durable.
    pub(super) fn committed(&mut self) {
        self.beginning.clear();
        for delivery in self.ending.drain(..) {
            let Some(Begun { slot, phase: Phase::Ending(row), .. }) = self.begun.remove(&delivery) else { continue };
            self.slots.free.insert(slot);
            let left = self.rows.get_mut(&row).expect("a row is kept until its last letter is settled");
            *left -= 1;
            if *left == 0 {
                self.rows.remove(&row);
            }
        }
    }

    /// Nothing of the transaction has happened.
    pub(super) fn rolled_back(&mut self) {
        for delivery in self.beginning.drain(..) {
            self.slots.free.extend(self.begun.remove(&delivery).map(|begun| begun.slot));
        }
        for delivery in self.ending.drain(..) {
            if let Some(begun) = self.begun.get_mut(&delivery)
                && let Phase::Ending(row) = begun.phase
            {
                begun.phase = Phase::Logged(row);
            }
        }
    }
}

//! What a sender's writer knows, and what each of its transactions begins and ends with.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rusqlite::{Connection, params};

use super::begin::Gate;
use super::claim::Claimed;
use super::error::LedgerError;
use super::marks::Marks;
use super::open::beside;
use super::under_way::UnderWay;
use super::witness::Witness;
use super::words::count;
use crate::domain::ids::{CampaignId, DeliveryId};

/// What the writer holds besides its connection.
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
}

/// What the sender has claimed: read and added to by its claims, taken from after its commits.
pub(super) type SharedClaims = Arc<RwLock<Claimed>>;

/// The claims, to look at.
pub(super) fn read(claims: &SharedClaims) -> RwLockReadGuard<'_, Claimed> {
    claims.read().unwrap_or_else(PoisonError::into_inner)
}

/// The claims, to change.
pub(super) fn write(claims: &SharedClaims) -> RwLockWriteGuard<'_, Claimed> {
    claims.write().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    /// Clears what was known of the last transaction, proves that no other sender took over,
    /// and numbers the commit.
    pub(super) fn open(&mut self, tx: &Connection) -> Result<u64, LedgerError> {
        self.gates.clear();
        self.leaving.clear();
        self.may_be_done = false;
        // Not with RETURNING, which makes a table of what it returns, at every commit.
        let sql = "UPDATE ledger SET sequence = sequence + 1, ended = 'unclean' WHERE epoch = ?1";
        if tx.prepare_cached(sql)?.execute(params![self.epoch])? == 0 {
            return Err(LedgerError::Superseded { path: self.path.clone() });
        }
        Ok(tx.prepare_cached("SELECT sequence FROM ledger")?.query_row([], |row| row.get(0)).map(count)?)
    }

    /// Writes what the transaction begins and ends, once its rows are done.
    pub(super) fn close(&mut self, tx: &Connection) -> Result<(), LedgerError> {
        // Before the commit: a delivery that is begun on disk always has its slot.
        self.marks.write_begun(&self.under_way.beginnings()).map_err(|source| self.marks_failed(&source))?;
        self.under_way.write(tx, self.epoch)?;
        Ok(())
    }

    /// The transaction is durable. Claims that it ended are forgotten, and not before: a claim
    /// that reads an older snapshot must still find them taken.
    pub(super) fn committed(&mut self, sequence: u64) -> Result<(), LedgerError> {
        self.under_way.committed();
        let mut claimed = write(&self.claimed);
        for delivery in self.leaving.drain(..) {
            claimed.remove(delivery);
        }
        drop(claimed);
        self.witness.as_ref().map_or(Ok(()), |witness| witness.note(count(self.epoch), sequence))
    }

    /// Whether a delivery is claimed and has not begun.
    pub(super) fn is_claimed_only(&self, delivery: DeliveryId) -> bool {
        !self.under_way.has(delivery) && read(&self.claimed).contains(delivery)
    }

    /// A clean stop: what is claimed is given back. Whatever had begun has been settled; if not,
    /// the end is not clean, and the next sender recovers.
    pub(super) fn release(&self, tx: &Connection) -> Result<(), LedgerError> {
        write(&self.claimed).clear();
        if self.under_way.ends() {
            tx.execute("UPDATE ledger SET ended = 'clean'", [])?;
        }
        Ok(())
    }

    fn marks_failed(&self, source: &std::io::Error) -> LedgerError {
        LedgerError::NotWritable {
            path: beside(&self.path, ".marks"),
            why: source.to_string(),
            remedy: "make room on the disk or replace it; run the command again to resume".into(),
        }
    }
}

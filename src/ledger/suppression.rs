//! Addresses that must never be mailed: a keyed hash outlives the person.

use rusqlite::{Connection, OptionalExtension, params};

use super::Ledger;
use super::error::LedgerError;
use super::secrets::address_hash;
use crate::domain::address::Address;
use crate::domain::audience::Suppressed;
use crate::domain::time::{Instant, to_millis};

impl Ledger {
    /// Never mail this address again. The first reason and date are kept.
    pub fn suppress(&self, address: &Address, reason: &str, now: Instant) -> Result<(), LedgerError> {
        let hash = address_hash(self.hashing(), address);
        self.write(|tx| Ok(suppress_hash(tx, &hash, reason, now)?))
    }

    /// Whether the address is on the suppression list.
    pub fn is_suppressed(&self, address: &Address) -> Result<Suppressed, LedgerError> {
        let hash = address_hash(self.hashing(), address);
        self.read(|tx| Ok(hash_is_suppressed(tx, &hash)?))
    }
}

pub(super) fn suppress_hash(tx: &Connection, hash: &[u8; 32], reason: &str, now: Instant) -> rusqlite::Result<()> {
    let sql = "INSERT INTO suppressions (hash, reason, at) VALUES (?1, ?2, ?3) ON CONFLICT (hash) DO NOTHING";
    tx.prepare_cached(sql)?.execute(params![hash, reason, to_millis(now)])?;
    Ok(())
}

pub(super) fn hash_is_suppressed(tx: &Connection, hash: &[u8; 32]) -> rusqlite::Result<Suppressed> {
    let found: Option<i64> = tx
        .prepare_cached("SELECT 1 FROM suppressions WHERE hash = ?1")?
        .query_row(params![hash], |row| row.get(0))
        .optional()?;
    Ok(if found.is_some() { Suppressed::Yes } else { Suppressed::No })
}

//! What a sender says of itself: its relays, its paces, its rate. Written beside the
//! deliveries, so that it is as durable as they are, and read by `status` and the next sender.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::Ledger;
use super::error::LedgerError;
use crate::domain::time::{Instant, to_millis};

/// One note: JSON under a name such as `relay mail.example.org:465` or `domain gmail.com`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What it is about.
    pub scope: String,
    /// JSON that its writer can read back.
    pub note: String,
}

impl Ledger {
    /// The notes whose scope begins with that prefix, by scope.
    pub fn notes(&self, prefix: &str) -> Result<BTreeMap<String, String>, LedgerError> {
        self.read(|tx| {
            let sql = "SELECT scope, note FROM sender_notes WHERE substr(scope, 1, length(?1)) = ?1";
            let mut statement = tx.prepare_cached(sql)?;
            let rows = statement.query_map([prefix], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Rewrites notes beside a sender, each in the place of the last one of its scope. A sender
    /// at work goes by what it has in memory, and writes over them.
    pub fn rewrite_notes(&self, notes: &[Note], now: Instant) -> Result<(), LedgerError> {
        self.write(|tx| Ok(notes.iter().try_for_each(|note| write(tx, note, now))?))
    }
}

/// Writes a note in the place of the one of its scope.
pub(super) fn write(tx: &Connection, note: &Note, now: Instant) -> rusqlite::Result<()> {
    let sql = "INSERT INTO sender_notes (scope, note, at) VALUES (?1, ?2, ?3)
        ON CONFLICT (scope) DO UPDATE SET note = excluded.note, at = excluded.at";
    tx.prepare_cached(sql)?.execute(params![note.scope, note.note, to_millis(now)])?;
    Ok(())
}

//! Migrations: an append-only list, each run once in a transaction of its own.

use rusqlite::{Connection, TransactionBehavior};

use super::error::LedgerError;
use super::letters;

/// `PRAGMA application_id` of our files: `fldp`.
pub(super) const APPLICATION: i32 = 0x666c_6470;

/// Brings a schema to the next one.
type Step = fn(&Connection) -> rusqlite::Result<()>;

/// Entry n brings schema n to schema n + 1. Never edited, only appended to.
const MIGRATIONS: &[Step] = &[|tx| tx.execute_batch(include_str!("schema.sql")), to_schema_2];

fn to_schema_2(tx: &Connection) -> rusqlite::Result<()> {
    tx.execute_batch(include_str!("schema_2.sql"))?;
    letters::adopt(tx)?;
    tx.execute_batch("DROP TABLE temp.kept_begun")
}

/// The newest schema this program knows.
pub(super) fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).expect("a list in memory has fewer than 2^63 entries")
}

/// The schema of an open file.
pub(super) fn version(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Brings the file to the newest schema. Each step is one transaction that also raises
/// `user_version`: killed in between, the file is at the old schema or at the next one.
/// Two processes that migrate at once take turns, and the second finds nothing to do.
pub(super) fn migrate(db: &mut Connection) -> Result<(), LedgerError> {
    while version(db)? < newest() {
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let at = version(&tx)?;
        let Some(step) = usize::try_from(at).ok().and_then(|at| MIGRATIONS.get(at)) else { break };
        step(&tx)?;
        tx.pragma_update(None, "application_id", APPLICATION)?;
        tx.pragma_update(None, "user_version", at + 1)?;
        tx.commit()?;
    }
    Ok(())
}

//! A state restored from a backup: what the author's word for it makes of the gap.

use std::path::Path;

use rusqlite::{Connection, params};

use super::Ledger;
use super::error::LedgerError;
use super::letters;
use super::lock::lock_sender;
use super::recovery::{before, settle_letter};
use super::witness::{self, Gap};
use crate::domain::delivery::Outcome;
use crate::domain::time::Instant;

/// How the reason of a campaign begins that is held because its state was restored.
pub const OLD_COPY: &str = "this state is an older copy";

/// What was done with an old state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Campaigns that wait for the author now.
    pub paused: u64,
    /// Deliveries that may have been sent since the copy was made.
    pub in_doubt: u64,
}

impl Ledger {
    /// The author decides for a state file that is older than its witness, or another one. In
    /// one transaction every campaign that could send is paused, and whatever the lost state may
    /// have sent since becomes a doubt that only the author resolves; then the witness is
    /// forgotten. Killed in between, a second call does the same again and changes nothing more.
    pub fn accept_old_state(&self, folder: &Path, now: Instant) -> Result<Accepted, LedgerError> {
        let _lock = lock_sender(self.path(), now)?;
        let accepted = self.write(|tx| {
            let gap = witness::gap(folder, self.path(), &before(tx)?.age)?;
            let in_doubt = match gap {
                Gap::None => 0,
                Gap::UpTo(delivery) => doubt_under_way(tx, now)? + doubt_up_to(tx, delivery.0)?,
                Gap::Unknown => doubt_under_way(tx, now)? + doubt_up_to(tx, i64::MAX)?,
            };
            Ok(Accepted { paused: pause_all(tx)?, in_doubt })
        })?;
        witness::forget(folder, self.path())?;
        Ok(accepted)
    }
}

/// Why whatever is not settled is in doubt.
const REASON: &str = "it may have been sent after this copy of the state was made";

/// What was under way when the copy was made went on.
fn doubt_under_way(tx: &Connection, now: Instant) -> rusqlite::Result<u64> {
    let under_way = letters::under_way(tx)?;
    for letter in &under_way {
        settle_letter(tx, letter, |_| Outcome::InDoubt { reason: REASON.to_owned() }, now)?;
    }
    letters::clear(tx)?;
    Ok(under_way.len() as u64)
}

/// Whatever is not settled up to that delivery may have been sent, and with other bytes than
/// this state would make: nothing of it goes out again but by the author's order.
fn doubt_up_to(tx: &Connection, furthest: i64) -> rusqlite::Result<u64> {
    let sql = "UPDATE deliveries SET state = 'in_doubt', doubts = doubts + 1, resend = 'held', next = NULL, reason = ?2
        WHERE id <= ?1 AND state IN ('planned', 'deferred')
            AND campaign IN (SELECT id FROM campaigns WHERE state IN ('planned', 'running', 'paused'))";
    let doubted = tx.execute(sql, params![furthest, REASON])?;
    let sql = "UPDATE deliveries SET resend = 'held', next = NULL, reason = ?2
        WHERE id <= ?1 AND state = 'in_doubt' AND resend IN ('none', 'ordered')";
    tx.execute(sql, params![furthest, REASON])?;
    Ok(doubted as u64)
}

fn pause_all(tx: &Connection) -> rusqlite::Result<u64> {
    let reason = format!("{OLD_COPY}: some of these may have been sent since");
    let sql = "UPDATE campaigns SET state = 'paused', reason = ?1 WHERE state IN ('planned', 'running')";
    tx.execute(sql, [reason]).map(|paused| paused as u64)
}

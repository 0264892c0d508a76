//! Postponing: a claimed delivery goes back until its time has come.

use rusqlite::{Connection, params};

use super::desk::Desk;
use super::error::LedgerError;
use crate::domain::ids::DeliveryId;
use crate::domain::time::{Instant, to_millis};

/// One claimed delivery that is not sent yet: a pace, quiet hours or a schedule speak against
/// it, not a relay. It counts no attempt and no failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Postpone {
    /// The delivery.
    pub delivery: DeliveryId,
    /// It is not claimed before that moment.
    pub until: Instant,
    /// Why, in a few words for the report.
    pub reason: String,
}

/// Gives one claim back inside the writer's transaction. What is no longer planned or deferred
/// is left as it is; a doubt is never postponed beyond its claim.
pub(super) fn postpone(desk: &mut Desk, tx: &Connection, ask: &Postpone) -> Result<(), LedgerError> {
    let sql = "UPDATE deliveries SET next = ?2, reason = ?3 WHERE id = ?1 AND state IN ('planned', 'deferred')";
    tx.prepare_cached(sql)?.execute(params![ask.delivery.0, to_millis(ask.until), ask.reason])?;
    desk.leaving.push(ask.delivery);
    Ok(())
}

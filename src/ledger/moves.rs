//! What goes with a delivery's change of state: coverage given back, a campaign finished.

use rusqlite::{Connection, params};

use crate::domain::delivery::DeliveryState;
use crate::domain::ids::DeliveryId;
use crate::domain::time::{Instant, to_millis};

/// Whether a state gives the person's coverage back: nothing was, or will be, sent.
pub(super) fn releases_coverage(state: DeliveryState) -> bool {
    match state {
        DeliveryState::Suppressed | DeliveryState::Cancelled | DeliveryState::Expired => true,
        DeliveryState::Planned
        | DeliveryState::Claimed
        | DeliveryState::Begun
        | DeliveryState::Accepted
        | DeliveryState::Deferred
        | DeliveryState::Rejected
        | DeliveryState::InDoubt
        | DeliveryState::Abandoned => false,
    }
}

/// Gives back the coverage of one delivery.
pub(super) fn release_coverage(tx: &Connection, delivery: DeliveryId) -> rusqlite::Result<()> {
    let sql = "DELETE FROM coverage WHERE delivery = ?1 AND (post, generation, subscriber) =
        (SELECT post, generation, subscriber FROM deliveries JOIN campaigns ON campaigns.id = deliveries.campaign
            WHERE deliveries.id = ?1)";
    tx.prepare_cached(sql)?.execute([delivery.0])?;
    Ok(())
}

/// Gives back the coverage of all deliveries of a campaign that are in that state.
pub(super) fn release_coverage_of(tx: &Connection, campaign: i64, state: DeliveryState) -> rusqlite::Result<()> {
    let sql = "DELETE FROM coverage
        WHERE (post, generation) = (SELECT post, generation FROM campaigns WHERE id = ?1)
            AND delivery IN (SELECT id FROM deliveries WHERE campaign = ?1 AND state = ?2)";
    tx.prepare_cached(sql)?.execute(params![campaign, state.word()])?;
    Ok(())
}

/// Finishes a campaign whose every delivery is terminal; any other is left as it is.
pub(super) fn finish_if_done(tx: &Connection, campaign: i64, now: Instant) -> rusqlite::Result<()> {
    let sql = "UPDATE campaigns SET state = 'finished', reason = NULL, finished = ?2
        WHERE id = ?1 AND state IN ('planned', 'running', 'paused') AND NOT EXISTS
            (SELECT 1 FROM deliveries WHERE campaign = ?1
                AND state IN ('planned', 'claimed', 'begun', 'deferred', 'in_doubt'))";
    tx.prepare_cached(sql)?.execute(params![campaign, to_millis(now)])?;
    Ok(())
}

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
        | DeliveryState::Begun
        | DeliveryState::Accepted
        | DeliveryState::Deferred
        | DeliveryState::Rejected
        | DeliveryState::InDoubt
        | DeliveryState::Abandoned => false,
    }
}

/// Gives back the coverage of one delivery: of its post, or of all that a digest carries.
pub(super) fn release_coverage(tx: &Connection, delivery: DeliveryId) -> rusqlite::Result<()> {
    let sql = "DELETE FROM coverage WHERE delivery = ?1 AND (post, generation, subscriber) IN
        (SELECT p.post, c.generation, d.subscriber FROM deliveries d JOIN campaigns c ON c.id = d.campaign
            JOIN (SELECT id AS campaign, post FROM campaigns UNION ALL SELECT campaign, post FROM carried) p
                ON p.campaign = c.id
            WHERE d.id = ?1)";
    tx.prepare_cached(sql)?.execute([delivery.0])?;
    Ok(())
}

/// Gives back the coverage of all deliveries of a campaign that are in that state.
pub(super) fn release_coverage_of(tx: &Connection, campaign: i64, state: DeliveryState) -> rusqlite::Result<()> {
    let sql = "DELETE FROM coverage
        WHERE generation = (SELECT generation FROM campaigns WHERE id = ?1)
            AND post IN (SELECT post FROM campaigns WHERE id = ?1 UNION ALL SELECT post FROM carried WHERE campaign = ?1)
            AND delivery IN (SELECT id FROM not_accepted WHERE campaign = ?1 AND state = ?2)";
    tx.prepare_cached(sql)?.execute(params![campaign, state.word()])?;
    Ok(())
}

/// Finishes every campaign whose every delivery is terminal; the others are left as they are.
pub(super) fn finish_what_is_done(tx: &Connection, now: Instant) -> rusqlite::Result<()> {
    let sql = "UPDATE campaigns SET state = 'finished', reason = NULL, finished = ?1
        WHERE state IN ('planned', 'running', 'paused')
            AND NOT EXISTS (SELECT 1 FROM not_accepted WHERE campaign = campaigns.id
                AND state IN ('planned', 'deferred', 'in_doubt'))";
    tx.prepare_cached(sql)?.execute(params![to_millis(now)])?;
    Ok(())
}

/// Keeps the last attempt of a delivery, whose row is about to speak of the next one. What came
/// late for it stays beside it.
pub(super) fn archive_attempt(tx: &Connection, delivery: DeliveryId) -> rusqlite::Result<()> {
    let sql = "INSERT INTO attempts (delivery, attempt, epoch, relay, begun, settled, outcome, reply, reason)
        SELECT id, attempt, coalesce(epoch, 0), relay, begun, settled, outcome, reply, reason FROM deliveries
            WHERE id = ?1 AND outcome IS NOT NULL
        ON CONFLICT (delivery, attempt) DO UPDATE SET epoch = excluded.epoch, relay = excluded.relay,
            begun = excluded.begun, settled = excluded.settled, outcome = excluded.outcome,
            reply = excluded.reply, reason = excluded.reason";
    tx.prepare_cached(sql)?.execute([delivery.0])?;
    Ok(())
}

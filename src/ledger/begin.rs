//! Beginning: the last moment at which a delivery can still be stopped.

use rusqlite::{Connection, params};

use super::claim::Frozen;
use super::error::LedgerError;
use super::marks::{Mark, MarkSlot};
use super::moves;
use super::standing::{self, Person, Standing};
use super::words::Resend;
use super::writer::Desk;
use crate::domain::delivery::{CampaignState, DeliveryState};
use crate::domain::ids::DeliveryId;
use crate::domain::time::{Instant, to_millis};

/// One delivery whose final dot is about to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begin {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The attempt, as claimed.
    pub attempt: u32,
    /// What is frozen with it.
    pub frozen: Frozen,
}

/// What a `begin` answers, one per delivery in the order asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BeginAnswer {
    /// It is durable: the dot may leave, once marked in this slot.
    Begun {
        /// Where to mark.
        slot: MarkSlot,
    },
    /// Nothing may be sent.
    Refused(Refusal),
}

/// Why a delivery may not begin. The ledger has already moved it accordingly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The address was suppressed meanwhile.
    Suppressed,
    /// The person left meanwhile.
    Unsubscribed,
    /// The campaign was cancelled meanwhile.
    Cancelled,
    /// The campaign was paused meanwhile; the delivery waits.
    Paused,
    /// The campaign's time is over.
    Expired,
    /// A resend would not be byte-identical; it stays in doubt, with the reason.
    DigestDiffers,
    /// It is not claimed by this sender for this attempt.
    NotClaimed,
}

/// Begins one delivery inside the writer's transaction, or refuses it and moves it to where
/// the reason belongs.
pub(super) fn begin(desk: &mut Desk, tx: &Connection, ask: &Begin, now: Instant) -> Result<BeginAnswer, LedgerError> {
    let Some(standing) = standing::find(tx, ask.delivery)? else {
        return Ok(BeginAnswer::Refused(Refusal::NotClaimed));
    };
    let refusal = refusal(desk, &standing, ask, now);
    desk.resending().remove(&ask.delivery);
    if let Some(refusal) = refusal {
        turn_away(tx, ask.delivery, &standing, refusal)?;
        moves::finish_if_done(tx, standing.campaign, now)?;
        return Ok(BeginAnswer::Refused(refusal));
    }
    record(tx, desk.epoch, standing.state, ask, now)?;
    let slot = desk.slots.take(ask.delivery, ask.attempt);
    // Before the commit: a delivery that is begun on disk always has its slot.
    desk.marks.write(slot, ask.delivery, ask.attempt, &Mark::Begun).map_err(|source| desk.marks_failed(&source))?;
    Ok(BeginAnswer::Begun { slot })
}

fn refusal(desk: &Desk, standing: &Standing, ask: &Begin, now: Instant) -> Option<Refusal> {
    let held = match standing.state {
        DeliveryState::Claimed => standing.epoch == Some(desk.epoch),
        DeliveryState::InDoubt => {
            desk.resending().contains(&ask.delivery) && matches!(standing.resend, Resend::None | Resend::Ordered)
        }
        DeliveryState::Cancelled => return Some(Refusal::Cancelled),
        DeliveryState::Planned
        | DeliveryState::Begun
        | DeliveryState::Accepted
        | DeliveryState::Deferred
        | DeliveryState::Rejected
        | DeliveryState::Abandoned
        | DeliveryState::Suppressed
        | DeliveryState::Expired => false,
    };
    if !held || ask.attempt != standing.attempt + 1 {
        return Some(Refusal::NotClaimed);
    }
    match standing.campaign_state {
        CampaignState::Planned | CampaignState::Running => {}
        CampaignState::Paused => return Some(Refusal::Paused),
        CampaignState::Drafting | CampaignState::Finished | CampaignState::Cancelled => {
            return Some(Refusal::Cancelled);
        }
    }
    match standing.person {
        Person::Reachable => {}
        Person::Suppressed => return Some(Refusal::Suppressed),
        Person::Gone => return Some(Refusal::Unsubscribed),
    }
    if standing.expires.is_some_and(|end| end <= now) {
        return Some(Refusal::Expired);
    }
    let same = standing.digest.as_deref() == Some(&ask.frozen.digest[..]);
    (standing.state == DeliveryState::InDoubt && !same).then_some(Refusal::DigestDiffers)
}

fn turn_away(tx: &Connection, id: DeliveryId, standing: &Standing, refusal: Refusal) -> rusqlite::Result<()> {
    let (state, reason) = match refusal {
        Refusal::Cancelled | Refusal::NotClaimed => return Ok(()),
        Refusal::Suppressed => (DeliveryState::Suppressed, "the address was suppressed before anything was sent"),
        Refusal::Unsubscribed => (DeliveryState::Suppressed, "unsubscribed before anything was sent"),
        Refusal::Expired => (DeliveryState::Expired, "the campaign's time was over"),
        Refusal::Paused => (DeliveryState::Planned, "the campaign was paused"),
        Refusal::DigestDiffers => (DeliveryState::InDoubt, ""),
    };
    if standing.state == DeliveryState::InDoubt {
        return hold(tx, id, refusal);
    }
    assert!(standing.state.may_become(state), "a claimed delivery may leave to every side");
    let sql = "UPDATE deliveries SET state = ?2, reason = ?3 WHERE id = ?1 AND state = 'claimed'";
    tx.prepare_cached(sql)?.execute(params![id.0, state.word(), reason])?;
    if moves::releases_coverage(state) {
        moves::release_coverage(tx, id)?;
    }
    Ok(())
}

/// A resend that may not be: the doubt stays, with the reason. A pause only postpones it.
fn hold(tx: &Connection, id: DeliveryId, refusal: Refusal) -> rusqlite::Result<()> {
    let reason = match refusal {
        Refusal::Suppressed => "in doubt; not resent: the address was suppressed",
        Refusal::Unsubscribed => "in doubt; not resent: unsubscribed",
        Refusal::Expired => "in doubt; not resent: the campaign's time was over",
        Refusal::DigestDiffers => "in doubt; not resent: the message would not be the same bytes",
        Refusal::Paused | Refusal::Cancelled | Refusal::NotClaimed => return Ok(()),
    };
    let sql = "UPDATE deliveries SET resend = 'held', reason = ?2 WHERE id = ?1 AND state = 'in_doubt'";
    tx.prepare_cached(sql)?.execute(params![id.0, reason]).map(|_| ())
}

fn record(tx: &Connection, epoch: i64, from: DeliveryState, ask: &Begin, now: Instant) -> rusqlite::Result<()> {
    assert!(from.may_become(DeliveryState::Begun), "only what is claimed or in doubt begins");
    let frozen = &ask.frozen;
    let sql = "UPDATE deliveries SET state = 'begun', epoch = ?3, attempt = ?4, first_try = coalesce(first_try, ?5),
            next = NULL, resend = iif(doubts > 0, 'spent', resend),
            date = ?6, merge = ?7, message_id = ?8, relay = ?9, digest = ?10
        WHERE id = ?1 AND state = ?2";
    let changed = tx.prepare_cached(sql)?.execute(params![
        ask.delivery.0,
        from.word(),
        epoch,
        ask.attempt,
        to_millis(now),
        to_millis(frozen.date),
        frozen.merge,
        frozen.message_id.as_str(),
        frozen.relay,
        frozen.digest
    ])?;
    assert!(changed == 1, "the row was read in that state inside this transaction");
    let sql = "INSERT INTO attempts (delivery, attempt, epoch, relay, begun) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (delivery, attempt) DO UPDATE SET epoch = excluded.epoch, relay = excluded.relay, begun = excluded.begun";
    tx.prepare_cached(sql)?
        .execute(params![ask.delivery.0, ask.attempt, epoch, frozen.relay, to_millis(now)])
        .map(|_| ())
}

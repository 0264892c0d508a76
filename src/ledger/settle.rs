//! Settling: what an attempt came to, and what that makes of the delivery.

use rusqlite::{Connection, Statement, params};

use super::Ledger;
use super::desk::Desk;
use super::error::LedgerError;
use super::letters::Letter;
use super::moves;
use super::standing::{self, Standing};
use super::words::Resend;
use crate::domain::delivery::{CampaignState, DeliveryState, Outcome, Suppress};
use crate::domain::ids::DeliveryId;
use crate::domain::reply::Reply;
use crate::domain::time::{Instant, to_millis};

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settle {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The attempt, as claimed.
    pub attempt: u32,
    /// What it came to.
    pub outcome: Outcome,
}

/// What became of a [`Settle`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It stands in the ledger; the delivery is now in that state.
    Recorded(DeliveryState),
    /// The delivery was no longer this sender's, or not in that attempt, or the outcome
    /// cannot follow its state: it is untouched, and the outcome is kept with the attempt.
    Late,
}

/// Settles deliveries inside the writer's transaction, each behind those that are settled already.
pub(super) fn settle<'a>(
    desk: &mut Desk,
    tx: &Connection,
    asks: impl Iterator<Item = &'a Settle>,
    now: Instant,
    settled: &mut Vec<Settled>,
) -> Result<(), LedgerError> {
    // Looked up once: that costs a tenth of what it does.
    let mut plainly = tx.prepare_cached(ACCEPT_PLAINLY)?;
    for ask in asks {
        settled.push(settle_one(desk, tx, &mut plainly, ask, now)?);
    }
    Ok(())
}

fn settle_one(
    desk: &mut Desk,
    tx: &Connection,
    plainly: &mut Statement<'_>,
    ask: &Settle,
    now: Instant,
) -> Result<Settled, LedgerError> {
    let Some(letter) = desk.under_way.end(ask.delivery, ask.attempt) else {
        return settle_unbegun(desk, tx, ask, now);
    };
    desk.leaving.push(ask.delivery);
    if let Outcome::Accepted { reply } = &ask.outcome
        && ask.attempt == 1
        && accept_plainly(plainly, desk.epoch, letter, reply, now)?
    {
        desk.may_be_done = true;
        return Ok(Settled::Recorded(DeliveryState::Accepted));
    }
    let standing = standing::find(tx, ask.delivery)?;
    let Some(standing) =
        standing.filter(|standing| standing.attempt + 1 == ask.attempt && standing.awaits_an_outcome())
    else {
        keep_as_evidence(tx, desk.epoch, ask)?;
        return Ok(Settled::Late);
    };
    desk.may_be_done = true;
    let state = settle_begun(tx, ask, standing, letter, desk.epoch, now)?;
    Ok(Settled::Recorded(state))
}

/// The way of nearly all: a first attempt, and the relay took it. Changes nothing where a row is not as
/// it is for nearly all.
const ACCEPT_PLAINLY: &str =
    "UPDATE deliveries SET state = 'accepted', epoch = ?2, attempt = 1, tries = 1, first_try = ?3, next = NULL,
        message_id = ?4, relay = ?5, begun = ?3, settled = ?6, outcome = 'accepted', reply = ?7, reason = NULL
    WHERE id = ?1 AND state = 'planned' AND attempt = 0";

/// Whether it was done by [`ACCEPT_PLAINLY`].
fn accept_plainly(
    plainly: &mut Statement<'_>,
    epoch: i64,
    letter: &Letter,
    reply: &Reply,
    now: Instant,
) -> rusqlite::Result<bool> {
    let changed = plainly.execute(params![
        letter.delivery().0,
        epoch,
        letter.begun_millis(),
        letter.message_id(),
        letter.relay(),
        to_millis(now),
        reply.masked()
    ])?;
    Ok(changed == 1)
}

/// Records what an attempt came to that had begun, with all that follows from it, and keeps what
/// another one needs. Shared by the living sender and by recovery; the campaign may be done after it.
pub(super) fn settle_begun(
    tx: &Connection,
    ask: &Settle,
    mut standing: Standing,
    letter: &Letter,
    epoch: i64,
    now: Instant,
) -> rusqlite::Result<DeliveryState> {
    moves::archive_attempt(tx, ask.delivery)?;
    let sql = "UPDATE deliveries SET epoch = ?2, attempt = ?3, first_try = coalesce(first_try, ?4), message_id = ?5,
            relay = ?6, begun = ?4 WHERE id = ?1";
    let begun = letter.begun_millis();
    tx.prepare_cached(sql)?.execute(params![
        ask.delivery.0,
        epoch,
        ask.attempt,
        begun,
        letter.message_id(),
        letter.relay()
    ])?;
    if standing.doubts > 0 {
        standing.resend = Resend::Spent;
    }
    let state = apply(tx, ask, &standing, DeliveryState::Begun, now)?;
    if !state.is_terminal() {
        letter.freeze(tx)?;
    }
    Ok(state)
}

/// What was claimed and never begun: given back, or found impossible to send. Anything else comes
/// too late.
fn settle_unbegun(desk: &mut Desk, tx: &Connection, ask: &Settle, now: Instant) -> Result<Settled, LedgerError> {
    let Some(standing) = standing::find(tx, ask.delivery)? else { return Ok(Settled::Late) };
    if desk.is_claimed_only(ask.delivery) {
        desk.leaving.push(ask.delivery);
        if standing.state == DeliveryState::InDoubt {
            return Ok(never_resent(tx, ask)?);
        }
        if let Outcome::Withdrawn { .. } = ask.outcome {
            return Ok(Settled::Recorded(standing.state));
        }
        if standing.state.may_become(ending(&standing, &ask.outcome).state) && ask.attempt == standing.attempt + 1 {
            moves::archive_attempt(tx, ask.delivery)?;
            desk.may_be_done = true;
            return Ok(Settled::Recorded(apply(tx, ask, &standing, standing.state, now)?));
        }
    }
    keep_as_evidence(tx, desk.epoch, ask)?;
    Ok(Settled::Late)
}

/// Records an outcome for a delivery that stands `from` there, with all that follows from it.
fn apply(
    tx: &Connection,
    ask: &Settle,
    standing: &Standing,
    from: DeliveryState,
    now: Instant,
) -> rusqlite::Result<DeliveryState> {
    let end = ending(standing, &ask.outcome);
    assert!(from.may_become(end.state), "the caller has seen that this outcome may follow");
    end.write(tx, ask, standing, now)?;
    if let Outcome::Rejected { suppress: Suppress::Yes, reason, .. } = &ask.outcome {
        suppress(tx, standing.subscriber, reason, now)?;
    }
    if moves::releases_coverage(end.state) {
        moves::release_coverage(tx, ask.delivery)?;
    }
    follow_a_cancelled_campaign(tx, ask.delivery, standing, end.state)
}

/// Where an outcome leads.
struct Ending<'a> {
    state: DeliveryState,
    word: &'static str,
    reply: Option<&'a Reply>,
    reason: Option<&'a str>,
    next: Option<Instant>,
    tries: u32,
    failures: u32,
    doubts: u32,
    resend: Resend,
}

/// Decides where an outcome leads. Once a delivery was in doubt it is never planned,
/// deferred or expired again, whatever becomes of the resend: the first copy may still have
/// arrived. A resend that proved unsent or was deferred may be made again.
fn ending<'a>(standing: &Standing, outcome: &'a Outcome) -> Ending<'a> {
    use DeliveryState as S;
    let doubtful = standing.doubts > 0;
    let end = |state, word, reply, reason, tries| Ending {
        state,
        word,
        reply,
        reason,
        next: None,
        tries,
        failures: 0,
        doubts: 0,
        resend: standing.resend,
    };
    match outcome {
        Outcome::Accepted { reply } => end(S::Accepted, "accepted", Some(reply), None, 1),
        Outcome::Rejected { reply, reason, .. } => end(S::Rejected, "rejected", reply.as_ref(), Some(reason), 1),
        Outcome::InDoubt { reason } => Ending { doubts: 1, ..end(S::InDoubt, "in_doubt", None, Some(reason), 1) },
        Outcome::Withdrawn { reason } => {
            let state = if doubtful { S::InDoubt } else { S::Planned };
            Ending { resend: Resend::None, ..end(state, "withdrawn", None, Some(reason), 0) }
        }
        Outcome::Deferred { reply, reason, next } => {
            let state = if doubtful { S::InDoubt } else { S::Deferred };
            let end = end(state, "deferred", reply.as_ref(), Some(reason), 1);
            Ending { next: Some(*next), failures: 1, resend: Resend::None, ..end }
        }
        Outcome::Expired { reason } => {
            let state = if doubtful { S::InDoubt } else { S::Expired };
            let resend = if doubtful { Resend::Held } else { Resend::None };
            Ending { failures: 1, resend, ..end(state, "expired", None, Some(reason), 1) }
        }
    }
}

impl Ending<'_> {
    fn write(&self, tx: &Connection, ask: &Settle, standing: &Standing, now: Instant) -> rusqlite::Result<()> {
        let sql = "UPDATE deliveries SET state = ?3, attempt = iif(?4 > 0, ?5, attempt), tries = tries + ?4,
                failures = failures + ?6, doubts = doubts + ?7, resend = ?8, next = ?9, reply = ?10, reason = ?11,
                first_try = iif(?4 > 0, coalesce(first_try, ?12), first_try), settled = ?12, outcome = ?13
            WHERE id = ?1 AND state = ?2";
        let changed = tx.prepare_cached(sql)?.execute(params![
            ask.delivery.0,
            standing.state.word(),
            self.state.word(),
            self.tries,
            ask.attempt,
            self.failures,
            self.doubts,
            self.resend.word(),
            self.next.map(to_millis),
            self.reply.map(Reply::masked),
            self.reason,
            to_millis(now),
            self.word
        ])?;
        assert!(changed == 1, "the row was read in that state inside this transaction");
        Ok(())
    }
}

/// A resend that was claimed and never begun: the doubt is what it was. Anything but a
/// withdrawal says that it cannot be made, and holds it.
fn never_resent(tx: &Connection, ask: &Settle) -> rusqlite::Result<Settled> {
    let (resend, reason, next) = match &ask.outcome {
        Outcome::Withdrawn { .. } => return Ok(Settled::Recorded(DeliveryState::InDoubt)),
        Outcome::Deferred { reason, next, .. } => ("none", reason.as_str(), Some(to_millis(*next))),
        Outcome::Rejected { reason, .. } | Outcome::Expired { reason } | Outcome::InDoubt { reason } => {
            ("held", reason.as_str(), None)
        }
        Outcome::Accepted { .. } => ("held", "a reply came for a resend that had not begun", None),
    };
    let sql = "UPDATE deliveries SET resend = ?2, reason = ?3, next = ?4 WHERE id = ?1 AND state = 'in_doubt'";
    tx.prepare_cached(sql)?.execute(params![ask.delivery.0, resend, reason, next])?;
    Ok(Settled::Recorded(DeliveryState::InDoubt))
}

/// What a cancelled campaign gets back unsent is cancelled too: nobody would claim it.
fn follow_a_cancelled_campaign(
    tx: &Connection,
    id: DeliveryId,
    standing: &Standing,
    state: DeliveryState,
) -> rusqlite::Result<DeliveryState> {
    let unsent = matches!(state, DeliveryState::Planned | DeliveryState::Deferred);
    if standing.campaign_state != CampaignState::Cancelled || !unsent {
        return Ok(state);
    }
    let sql = "UPDATE deliveries SET state = 'cancelled', next = NULL, reason = 'the campaign was cancelled'
        WHERE id = ?1 AND state = ?2";
    tx.prepare_cached(sql)?.execute(params![id.0, state.word()])?;
    moves::release_coverage(tx, id)?;
    Ok(DeliveryState::Cancelled)
}

impl Ledger {
    /// Books suppressions that had waited, each with its reason: never mail the people of
    /// these deliveries again. A second call changes nothing.
    pub fn suppress_recipients(&self, held: &[(DeliveryId, String)], now: Instant) -> Result<(), LedgerError> {
        self.write(|tx| {
            for (delivery, reason) in held {
                let sql = "SELECT subscriber FROM deliveries WHERE id = ?1";
                let subscriber = tx.prepare_cached(sql)?.query_row([delivery.0], |row| row.get(0))?;
                suppress(tx, subscriber, reason, now)?;
            }
            Ok(())
        })
    }
}

fn suppress(tx: &Connection, subscriber: i64, reason: &str, now: Instant) -> rusqlite::Result<()> {
    let sql = "INSERT INTO suppressions (hash, reason, at) SELECT hash, ?2, ?3 FROM subscribers WHERE id = ?1
        ON CONFLICT (hash) DO NOTHING";
    tx.prepare_cached(sql)?.execute(params![subscriber, reason, to_millis(now)])?;
    let sql = "UPDATE subscribers SET state = 'bounced', changed = ?2 WHERE id = ?1 AND state IN ('pending', 'active')";
    tx.prepare_cached(sql)?.execute(params![subscriber, to_millis(now)])?;
    Ok(())
}

/// Keeps an outcome that came too late to count.
fn keep_as_evidence(tx: &Connection, epoch: i64, ask: &Settle) -> rusqlite::Result<()> {
    let late = match &ask.outcome {
        Outcome::Accepted { reply } => format!("accepted: {}", reply.masked()),
        Outcome::Deferred { reason, .. } => format!("deferred: {reason}"),
        Outcome::Rejected { reason, .. } => format!("rejected: {reason}"),
        Outcome::InDoubt { reason } => format!("in doubt: {reason}"),
        Outcome::Withdrawn { reason } => format!("withdrawn: {reason}"),
        Outcome::Expired { reason } => format!("expired: {reason}"),
    };
    let sql = "INSERT INTO attempts (delivery, attempt, epoch, late) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (delivery, attempt) DO UPDATE SET late = excluded.late";
    tx.prepare_cached(sql)?.execute(params![ask.delivery.0, ask.attempt, epoch, late]).map(|_| ())
}

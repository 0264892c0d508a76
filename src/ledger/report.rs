//! What did happen, from the ledger alone.

use std::ops::RangeInclusive;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Ledger;
use super::campaigns::find;
use super::error::LedgerError;
use super::letters;
use super::words::{self, count};
use crate::domain::address::Address;
use crate::domain::delivery::{DeliveryState, Totals};
use crate::domain::ids::{CampaignId, DeliveryId, MessageId};
use crate::domain::time::Instant;

/// One delivery, as a report shows it. It holds an address: data, never a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// The row.
    pub id: DeliveryId,
    /// To whom.
    pub address: Address,
    /// Where it stands.
    pub state: DeliveryState,
    /// Known from the first `begin` on.
    pub message_id: Option<MessageId>,
    /// Attempts that came to something; a withdrawn one does not count.
    pub attempts: u32,
    /// How often it came into doubt.
    pub doubts: u32,
    /// The relay's last reply, addresses masked.
    pub reply: Option<String>,
    /// What happened, in a few words.
    pub reason: Option<String>,
    /// When it is tried again.
    pub next: Option<Instant>,
    /// The relay of the last attempt.
    pub relay: Option<String>,
    /// When the first attempt began.
    pub first_try: Option<Instant>,
    /// When the outcome of the last attempt was recorded.
    pub settled: Option<Instant>,
}

/// One attempt, as a report shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRow {
    /// Its number, from 1; numbers of attempts that never began may be missing.
    pub number: u32,
    /// The relay it was made for.
    pub relay: Option<String>,
    /// When it began; `None` if it came to something before that.
    pub begun: Option<Instant>,
    /// When its outcome was recorded.
    pub settled: Option<Instant>,
    /// The outcome in one word.
    pub outcome: Option<String>,
    /// The reply, addresses masked.
    pub reply: Option<String>,
    /// What happened, in a few words.
    pub reason: Option<String>,
    /// An outcome that came after another sender had taken over.
    pub late: Option<String>,
}

impl Ledger {
    /// The account of a campaign; it balances, whatever happened.
    pub fn totals(&self, id: &CampaignId) -> Result<Totals, LedgerError> {
        self.read(|tx| {
            let (number, _) = find(tx, id)?;
            Ok(totals(tx, number)?)
        })
    }

    /// Calls `each` for every delivery of a campaign, in the order of planning. They are read
    /// a page at a time, and no transaction is open while `each` runs: however slowly it
    /// prints a million of them, it holds up nobody. So beside a sender each page is of its
    /// own moment.
    pub fn each_delivery(&self, id: &CampaignId, each: &mut dyn FnMut(DeliveryRow)) -> Result<(), LedgerError> {
        let (number, mut from, last) = self.read(|tx| {
            let (number, _) = find(tx, id)?;
            let sql = "SELECT coalesce(min(id), 1), coalesce(max(id), 0) FROM deliveries WHERE campaign = ?1";
            Ok(tx.query_row(sql, [number], |row| Ok((number, row.get(0)?, row.get(1)?)))?)
        })?;
        while from <= last {
            let page = self.read(|tx| Ok(page(tx, number, from..=last)?))?;
            let Some(end) = page.last().map(|row| row.id.0) else { break };
            page.into_iter().for_each(&mut *each);
            from = end + 1;
        }
        Ok(())
    }

    /// One delivery, wherever it belongs; `None` if there is none.
    pub fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryRow>, LedgerError> {
        self.read(|tx| {
            let sql = format!("{SELECT} WHERE d.id = ?1");
            let found = tx.prepare_cached(&sql)?.query_row([id.0], delivery).optional()?;
            Ok(with_letters(tx, found.into_iter().collect())?.pop())
        })
    }

    /// The attempts of one delivery, oldest first; the last one may not have come to anything yet.
    pub fn attempts(&self, id: DeliveryId) -> Result<Vec<AttemptRow>, LedgerError> {
        self.read(|tx| {
            let sql = "SELECT attempt, relay, begun, settled, outcome, reply, reason, late FROM attempts
                    WHERE delivery = ?1 AND attempt <> (SELECT attempt FROM deliveries WHERE id = ?1)
                UNION ALL SELECT d.attempt, d.relay, d.begun, d.settled, d.outcome, d.reply, d.reason, a.late
                    FROM deliveries d LEFT JOIN attempts a ON a.delivery = d.id AND a.attempt = d.attempt
                    WHERE d.id = ?1 AND d.attempt > 0
                ORDER BY 1";
            let mut statement = tx.prepare_cached(sql)?;
            let rows = statement.query_map([id.0], attempt)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// What is under way has perhaps its Message-ID in its letter alone: see [`with_letters`].
const SELECT: &str = "SELECT d.id, s.address, iif(d.id IN (SELECT id FROM under_way), 'begun', d.state) AS state,
        d.message_id, d.tries, d.doubts, d.reply, d.reason, d.next, d.relay, d.first_try, d.settled
    FROM deliveries d JOIN subscribers s ON s.id = d.subscriber";

/// So many rows are read at a time.
const PAGE: i64 = 1_000;

/// A campaign's first deliveries with an id in that range. The `+` keeps `SQLite` from sorting a
/// million rows for each page: a campaign's deliveries lie together in the order of their ids.
fn page(tx: &Connection, campaign: i64, ids: RangeInclusive<i64>) -> rusqlite::Result<Vec<DeliveryRow>> {
    let sql = format!("{SELECT} WHERE d.id BETWEEN ?2 AND ?3 AND +d.campaign = ?1 ORDER BY d.id LIMIT {PAGE}");
    let mut statement = tx.prepare_cached(&sql)?;
    let rows = statement.query_map([campaign, *ids.start(), *ids.end()], delivery)?;
    with_letters(tx, rows.collect::<Result<_, _>>()?)
}

/// The rows with the Message-IDs that only letters name.
fn with_letters(tx: &Connection, mut rows: Vec<DeliveryRow>) -> rusqlite::Result<Vec<DeliveryRow>> {
    let is_in_a_letter = |row: &DeliveryRow| row.state == DeliveryState::Begun && row.message_id.is_none();
    if rows.iter().any(is_in_a_letter) {
        let mut known = letters::message_ids(tx)?;
        for row in rows.iter_mut().filter(|row| is_in_a_letter(row)) {
            row.message_id = known.remove(&row.id);
        }
    }
    Ok(rows)
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<DeliveryRow> {
    Ok(DeliveryRow {
        id: DeliveryId(row.get("id")?),
        address: words::address(row, "address")?,
        state: words::delivery_state(row, "state")?,
        message_id: words::message_id(row, "message_id")?,
        attempts: row.get("tries")?,
        doubts: row.get("doubts")?,
        reply: words::said(row, "reply")?,
        reason: words::said(row, "reason")?,
        next: words::maybe_moment(row, "next")?,
        relay: row.get("relay")?,
        first_try: words::maybe_moment(row, "first_try")?,
        settled: words::maybe_moment(row, "settled")?,
    })
}

fn attempt(row: &Row<'_>) -> rusqlite::Result<AttemptRow> {
    Ok(AttemptRow {
        number: row.get("attempt")?,
        relay: row.get("relay")?,
        begun: words::maybe_moment(row, "begun")?,
        settled: words::maybe_moment(row, "settled")?,
        outcome: row.get("outcome")?,
        reply: words::said(row, "reply")?,
        reason: words::said(row, "reason")?,
        late: words::said(row, "late")?,
    })
}

/// Counts a campaign's deliveries by state.
pub(super) fn totals(tx: &Connection, campaign: i64) -> rusqlite::Result<Totals> {
    let mut totals = Totals::default();
    let sql = "WITH others AS (SELECT state, count(*) AS n FROM not_accepted
                WHERE campaign = ?1 AND id NOT IN (SELECT id FROM under_way) GROUP BY state
            UNION ALL SELECT 'begun', count(*) FROM under_way WHERE campaign = ?1)
        SELECT state, n FROM others UNION ALL SELECT 'accepted',
            (SELECT count(*) FROM deliveries WHERE campaign = ?1) - (SELECT sum(n) FROM others)";
    let mut statement = tx.prepare_cached(sql)?;
    let mut rows = statement.query([campaign])?;
    while let Some(row) = rows.next()? {
        totals.add(words::delivery_state(row, "state")?, count(row.get("n")?));
    }
    let sql = "SELECT count(*) FROM deliveries WHERE campaign = ?1 AND doubts > 0";
    totals.ever_in_doubt = count(tx.prepare_cached(sql)?.query_row([campaign], |row| row.get(0))?);
    totals.bounced = feedback(tx, campaign, "bounced")?;
    totals.complained = feedback(tx, campaign, "complained")?;
    Ok(totals)
}

fn feedback(tx: &Connection, campaign: i64, word: &str) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM deliveries WHERE campaign = ?1 AND feedback IS NOT NULL AND feedback = ?2";
    tx.prepare_cached(sql)?.query_row(params![campaign, word], |row| row.get(0)).map(count)
}

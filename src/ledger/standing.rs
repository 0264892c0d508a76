//! Everything the ledger knows that decides what may become of one delivery now.

use rusqlite::{Connection, OptionalExtension, Row};

use super::error::unreadable;
use super::words::{self, Resend};
use crate::domain::delivery::{CampaignState, DeliveryState};
use crate::domain::ids::DeliveryId;
use crate::domain::subscriber::SubscriberState;
use crate::domain::time::Instant;

/// One delivery with its campaign and its person.
pub(super) struct Standing {
    pub state: DeliveryState,
    pub attempt: u32,
    pub failures: u32,
    pub first_try: Option<Instant>,
    pub doubts: u32,
    pub resend: Resend,
    pub digest: Option<Vec<u8>>,
    pub campaign_state: CampaignState,
    pub expires: Option<Instant>,
    pub subscriber: i64,
    pub person: Person,
}

impl Standing {
    /// Whether an attempt that has begun may come to something: neither the author nor another
    /// attempt has said what became of the delivery.
    pub(super) fn awaits_an_outcome(&self) -> bool {
        match self.state {
            DeliveryState::Planned | DeliveryState::Deferred | DeliveryState::InDoubt => true,
            DeliveryState::Begun
            | DeliveryState::Accepted
            | DeliveryState::Rejected
            | DeliveryState::Abandoned
            | DeliveryState::Suppressed
            | DeliveryState::Cancelled
            | DeliveryState::Expired => false,
        }
    }
}

/// Whether the person may still be mailed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Person {
    /// They may.
    Reachable,
    /// The address is suppressed, bounced, or called us spam.
    Suppressed,
    /// They left, or were taken off the list.
    Gone,
}

/// Reads one; `None` if there is no such delivery.
pub(super) fn find(tx: &Connection, id: DeliveryId) -> rusqlite::Result<Option<Standing>> {
    const SQL: &str = "SELECT d.state, d.attempt, d.failures, d.first_try, d.doubts, d.resend,
            (SELECT digest FROM frozen WHERE frozen.delivery = d.id) AS digest, c.state AS campaign_state, c.expires,
            d.subscriber, s.state AS person, s.removed,
            EXISTS (SELECT 1 FROM suppressions WHERE suppressions.hash = s.hash) AS suppressed
        FROM deliveries d JOIN campaigns c ON c.id = d.campaign JOIN subscribers s ON s.id = d.subscriber
        WHERE d.id = ?1";
    tx.prepare_cached(SQL)?.query_row([id.0], standing).optional()
}

fn standing(row: &Row<'_>) -> rusqlite::Result<Standing> {
    Ok(Standing {
        state: words::delivery_state(row, "state")?,
        attempt: row.get("attempt")?,
        failures: row.get("failures")?,
        first_try: words::maybe_moment(row, "first_try")?,
        doubts: row.get("doubts")?,
        resend: words::resend(row, "resend")?,
        digest: row.get("digest")?,
        campaign_state: words::campaign_state(row, "campaign_state")?,
        expires: words::maybe_moment(row, "expires")?,
        subscriber: row.get("subscriber")?,
        person: person(row)?,
    })
}

fn person(row: &Row<'_>) -> rusqlite::Result<Person> {
    let word: String = row.get("person")?;
    let state = SubscriberState::from_word(&word).ok_or_else(|| unreadable("state of a subscriber", &word))?;
    let removed: String = row.get("removed")?;
    Ok(match state {
        SubscriberState::Bounced | SubscriberState::Complained => Person::Suppressed,
        SubscriberState::Pending | SubscriberState::Active if row.get("suppressed")? => Person::Suppressed,
        SubscriberState::Unsubscribed => Person::Gone,
        SubscriberState::Pending | SubscriberState::Active if removed == "yes" => Person::Gone,
        SubscriberState::Pending | SubscriberState::Active => Person::Reachable,
    })
}

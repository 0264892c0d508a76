//! Claiming: which deliveries this sender works on next.
//!
//! A claim is a read. It is kept in the sender's memory and nowhere else: there is nobody who
//! could act on it, and of what a dead sender had claimed nothing was sent.

use std::collections::{HashMap, HashSet};

use aws_lc_rs::hmac;
use rusqlite::{Connection, Row, params};

use super::error::{LedgerError, unreadable};
use super::secrets::address_hash;
use super::words::{self, campaign_id};
use crate::domain::address::Address;
use crate::domain::delivery::InDoubtPolicy;
use crate::domain::ids::{CampaignId, DeliveryId, Generation, IssueId, MessageId, PostId, SubscriberId};
use crate::domain::time::{Instant, to_millis};

/// One delivery that this sender may work on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Its campaign.
    pub campaign: CampaignId,
    /// What to send.
    pub issue: IssueId,
    /// The post it is about.
    pub post: PostId,
    /// Which sending of the post.
    pub generation: Generation,
    /// To whom.
    pub subscriber: SubscriberId,
    /// Where.
    pub address: Address,
    /// The name, if known.
    pub name: Option<String>,
    /// The number of the attempt this would be, from 1.
    pub attempt: u32,
    /// Whether the relay may hold a copy already.
    pub purpose: Purpose,
    /// What an earlier attempt froze; present once one has begun.
    pub frozen: Option<Frozen>,
    /// When it was first tried.
    pub first_try: Option<Instant>,
    /// How often it was deferred.
    pub failures: u32,
    /// When its campaign began, or was to begin.
    pub start: Instant,
    /// The IANA name of the zone where the reader lives, as the list says.
    pub time_zone: Option<String>,
    /// What else the list says of the subscriber: a JSON object of texts, not read yet, since
    /// few issues use it.
    pub attributes: String,
}

/// Why a delivery was claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The relay does not hold a copy: none was sent, or all were refused.
    Send,
    /// The relay may hold a copy: the bytes must be the same, or `begin` holds it.
    Resend,
}

/// What a `begin` freezes for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    /// The Date header, to the millisecond.
    pub date: Instant,
    /// The merge values, as JSON.
    pub merge: String,
    /// The Message-ID.
    pub message_id: MessageId,
    /// The ids of the keys that signed it, divided by spaces; empty when none did.
    pub keys: String,
    /// The digest of the signed message before dot-stuffing; what it is over says `docs/LEDGER.md`.
    pub digest: [u8; 32],
}

/// What a sender has claimed and neither settled nor given back.
#[derive(Debug, Default)]
pub(super) struct Claimed {
    deliveries: HashSet<DeliveryId>,
    /// Per campaign, the last fresh delivery that was claimed: the search goes on behind it.
    served: HashMap<i64, i64>,
}

impl Claimed {
    pub(super) fn contains(&self, delivery: DeliveryId) -> bool {
        self.deliveries.contains(&delivery)
    }

    pub(super) fn len(&self) -> usize {
        self.deliveries.len()
    }

    /// Forgets a claim; returns whether there was one.
    pub(super) fn remove(&mut self, delivery: DeliveryId) -> bool {
        self.deliveries.remove(&delivery)
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Adds what a search has found; returns it as claims.
    pub(super) fn add(&mut self, found: Found) -> Vec<Claim> {
        self.deliveries.extend(found.claims.iter().map(|claim| claim.delivery));
        self.served.extend(found.served);
        found.claims
    }
}

/// What a search has found that nobody had claimed.
#[derive(Default)]
pub(super) struct Found {
    claims: Vec<Claim>,
    /// As in [`Claimed`], of the campaigns that were served.
    served: Vec<(i64, i64)>,
}

/// What a search for deliveries goes by.
pub(super) struct Search<'a> {
    pub policy: InDoubtPolicy,
    pub hashing: &'a hmac::Key,
    pub now: Instant,
}

/// A campaign that claims can see.
struct Open {
    number: i64,
    id: CampaignId,
    post_number: i64,
    post: PostId,
    issue: IssueId,
    generation: Generation,
    start: Instant,
}

/// Where candidates come from, in the order they are served.
#[derive(Clone, Copy)]
enum Pool {
    /// In doubt, and to be resent.
    Doubt,
    /// Deferred or postponed, and due.
    Deferred,
    Postponed,
    /// Never touched.
    Fresh,
}

impl Pool {
    const ALL: [Self; 4] = [Self::Doubt, Self::Deferred, Self::Postponed, Self::Fresh];

    /// `?4` is now, `?5` says whether policy resends by itself, `?7` is the last one served.
    fn condition(self) -> &'static str {
        match self {
            Self::Doubt => {
                "d.state = 'in_doubt' AND (d.next IS NULL OR d.next <= ?4)
                    AND (d.resend = 'ordered' OR (d.resend = 'none' AND ?5 = 'resend')) AND ?7 >= 0"
            }
            Self::Deferred => "d.state = 'deferred' AND d.next <= ?4 AND ?5 IS NOT NULL AND ?7 >= 0",
            Self::Postponed => "d.state = 'planned' AND d.next <= ?4 AND ?5 IS NOT NULL AND ?7 >= 0",
            Self::Fresh => "d.state = 'planned' AND d.next IS NULL AND d.id > ?7 AND ?4 IS NOT NULL AND ?5 IS NOT NULL",
        }
    }

    fn sql(self) -> String {
        format!(
            "SELECT d.id, d.subscriber, d.attempt, d.failures, d.first_try, s.address, s.name, s.hash,
                (SELECT delivery FROM coverage WHERE coverage.post = ?2 AND coverage.generation = ?3
                    AND coverage.subscriber = d.subscriber) AS voucher,
                f.date, f.merge, f.message_id, f.keys, f.digest,
                iif(s.attributes = '{{}}', NULL, s.attributes ->> 'time_zone'), s.attributes
            FROM not_accepted d CROSS JOIN subscribers s ON s.id = d.subscriber
                LEFT JOIN frozen f ON f.delivery = d.id
            WHERE d.campaign = ?1 AND {} ORDER BY d.next, d.id LIMIT ?6",
            self.condition()
        )
    }
}

/// The word `?5` of [`Pool::condition`].
pub(super) fn policy_word(policy: InDoubtPolicy) -> &'static str {
    match policy {
        InDoubtPolicy::Resend => "resend",
        InDoubtPolicy::Hold => "hold",
    }
}

/// Looks for up to `limit` deliveries to claim, campaign by campaign in the order of opening.
pub(super) fn find(
    tx: &Connection,
    search: &Search<'_>,
    claimed: &Claimed,
    limit: usize,
) -> Result<Found, LedgerError> {
    let mut found = Found::default();
    for open in open_campaigns(tx, search.now)? {
        for pool in Pool::ALL {
            let room = limit - found.claims.len();
            if room > 0 {
                find_in(tx, search, claimed, &open, pool, room, &mut found)?;
            }
        }
    }
    Ok(found)
}

fn open_campaigns(tx: &Connection, now: Instant) -> rusqlite::Result<Vec<Open>> {
    let mut statement = tx.prepare_cached(
        "SELECT c.id, c.post AS post_number, posts.id AS post, issues.id AS issue, generation,
            coalesce(not_before, opened) AS start
        FROM campaigns c JOIN posts ON posts.number = c.post JOIN issues ON issues.number = c.issue
        WHERE c.state IN ('planned', 'running') AND coalesce(not_before, 0) <= ?1 ORDER BY c.id",
    )?;
    let rows = statement.query_map([to_millis(now)], |row| {
        let number = row.get("id")?;
        Ok(Open {
            number,
            id: campaign_id(number),
            post_number: row.get("post_number")?,
            post: words::post_id(row, "post")?,
            issue: words::issue_id(row, "issue")?,
            generation: Generation(row.get("generation")?),
            start: words::moment(row, "start")?,
        })
    })?;
    rows.collect()
}

fn find_in(
    tx: &Connection,
    search: &Search<'_>,
    claimed: &Claimed,
    open: &Open,
    pool: Pool,
    room: usize,
    found: &mut Found,
) -> Result<(), LedgerError> {
    let Pool::Fresh = pool else {
        found.claims.extend(candidates(tx, search, claimed, open, pool, room, 0)?);
        return Ok(());
    };
    let served = claimed.served.get(&open.number).copied().unwrap_or(0);
    let mut claims = candidates(tx, search, claimed, open, pool, room, served)?;
    if claims.len() < room && served > 0 {
        // What was given back lies before the last one served.
        claims = candidates(tx, search, claimed, open, pool, room, 0)?;
    }
    found.served.extend(claims.last().map(|last| (open.number, last.delivery.0)));
    found.claims.extend(claims);
    Ok(())
}

fn candidates(
    tx: &Connection,
    search: &Search<'_>,
    claimed: &Claimed,
    open: &Open,
    pool: Pool,
    room: usize,
    served: i64,
) -> Result<Vec<Claim>, LedgerError> {
    let limit = i64::try_from(room + claimed.len()).unwrap_or(i64::MAX);
    let policy = policy_word(search.policy);
    let mut statement = tx.prepare_cached(&pool.sql())?;
    let mut rows = statement.query(params![
        open.number,
        open.post_number,
        open.generation.0,
        to_millis(search.now),
        policy,
        limit,
        served
    ])?;
    let mut claims = Vec::new();
    while claims.len() < room
        && let Some(row) = rows.next()?
    {
        if !claimed.contains(DeliveryId(row.get(0)?)) {
            claims.push(read(row, search, open, pool)?);
        }
    }
    Ok(claims)
}

/// A delivery's coverage must name it, and the address must have the hash it was stored
/// with: a damaged row could otherwise send somebody a second copy.
fn vouched_for(row: &Row<'_>, search: &Search<'_>, id: i64, address: &Address) -> rusqlite::Result<()> {
    let (hash, voucher) = (row.get_ref(7)?.as_blob()?, row.get::<_, Option<i64>>(8)?);
    if voucher == Some(id) && hash == address_hash(search.hashing, address) {
        return Ok(());
    }
    Err(unreadable("delivery vouched for by its coverage and its address's hash", &id.to_string()))
}

/// By number, since looking a column up by its name takes longer than reading it.
fn read(row: &Row<'_>, search: &Search<'_>, open: &Open, pool: Pool) -> rusqlite::Result<Claim> {
    let (id, address) = (row.get(0)?, words::address(row, 5)?);
    vouched_for(row, search, id, &address)?;
    Ok(Claim {
        delivery: DeliveryId(id),
        campaign: open.id.clone(),
        issue: open.issue.clone(),
        post: open.post.clone(),
        generation: open.generation,
        subscriber: SubscriberId(row.get(1)?),
        address,
        name: row.get(6)?,
        attempt: row.get::<_, u32>(2)? + 1,
        purpose: match pool {
            Pool::Doubt => Purpose::Resend,
            Pool::Deferred | Pool::Postponed | Pool::Fresh => Purpose::Send,
        },
        frozen: frozen(row)?,
        first_try: words::maybe_moment(row, 4)?,
        failures: row.get(3)?,
        start: open.start,
        time_zone: row.get(14)?,
        attributes: row.get(15)?,
    })
}

fn frozen(row: &Row<'_>) -> rusqlite::Result<Option<Frozen>> {
    let Some(message_id) = words::message_id(row, 11)? else { return Ok(None) };
    Ok(Some(Frozen {
        date: words::moment(row, 9)?,
        merge: row.get(10)?,
        message_id,
        keys: row.get(12)?,
        digest: row.get(13)?,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::Ledger;
    use super::super::tests::first_step;
    use super::*;

    #[test]
    fn no_claim_looks_at_what_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("state.db"), crate::domain::time::from_millis(0)).unwrap();
        for pool in Pool::ALL {
            let first = first_step(&ledger, &pool.sql());
            assert!(first.contains("INDEX deliveries_by_state (campaign=? AND state=?"), "{first}");
        }
    }
}

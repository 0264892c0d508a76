//! Claiming: which deliveries this sender works on next.

use rusqlite::{Connection, Row, params};

use super::error::{LedgerError, unreadable};
use super::secrets::address_hash;
use super::words::{self, campaign_id};
use super::writer::Desk;
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
}

/// Why a delivery was claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The relay does not hold a copy: none was sent, or all were refused.
    Send,
    /// The relay may hold a copy: the bytes must be the same, or `begin` holds it.
    Resend,
}

/// What a `begin` froze in the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    /// The Date header, to the millisecond.
    pub date: Instant,
    /// The merge values, as JSON.
    pub merge: String,
    /// The Message-ID.
    pub message_id: MessageId,
    /// The relay it was made for.
    pub relay: String,
    /// SHA-256 of the signed message before dot-stuffing.
    pub digest: [u8; 32],
}

/// A campaign that claims can see.
struct Open {
    number: i64,
    post_number: i64,
    post: PostId,
    issue: IssueId,
    generation: Generation,
}

/// Where candidates come from, in the order they are served.
#[derive(Clone, Copy)]
enum Pool {
    Doubt,
    Deferred,
    Planned,
}

impl Pool {
    const ALL: [Self; 3] = [Self::Doubt, Self::Deferred, Self::Planned];

    /// `?4` is now, `?5` says whether policy resends by itself.
    fn condition(self) -> &'static str {
        match self {
            Self::Doubt => {
                "d.state = 'in_doubt' AND (d.next IS NULL OR d.next <= ?4)
                    AND (d.resend = 'ordered' OR (d.resend = 'none' AND ?5 = 'resend'))"
            }
            Self::Deferred => "d.state = 'deferred' AND d.next <= ?4 AND ?5 IS NOT NULL",
            Self::Planned => "d.state = 'planned' AND ?4 IS NOT NULL AND ?5 IS NOT NULL",
        }
    }
}

/// The word `?5` of [`Pool::condition`].
pub(super) fn policy_word(policy: InDoubtPolicy) -> &'static str {
    match policy {
        InDoubtPolicy::Resend => "resend",
        InDoubtPolicy::Hold => "hold",
    }
}

/// Claims up to `limit` deliveries, campaign by campaign in the order of opening.
pub(super) fn claim(desk: &mut Desk, tx: &Connection, limit: usize, now: Instant) -> Result<Vec<Claim>, LedgerError> {
    let mut claims = Vec::new();
    for open in open_campaigns(tx, now)? {
        let before = claims.len();
        for pool in Pool::ALL {
            let room = limit - claims.len();
            if room > 0 {
                claims.extend(claim_from(desk, tx, &open, pool, room, now)?);
            }
        }
        if claims.len() > before {
            let sql = "UPDATE campaigns SET state = 'running' WHERE id = ?1 AND state = 'planned'";
            tx.prepare_cached(sql)?.execute([open.number])?;
        }
    }
    Ok(claims)
}

fn open_campaigns(tx: &Connection, now: Instant) -> rusqlite::Result<Vec<Open>> {
    let mut statement = tx.prepare_cached(
        "SELECT c.id, c.post AS post_number, posts.id AS post, issues.id AS issue, generation
        FROM campaigns c JOIN posts ON posts.number = c.post JOIN issues ON issues.number = c.issue
        WHERE c.state IN ('planned', 'running') AND coalesce(not_before, 0) <= ?1 ORDER BY c.id",
    )?;
    let rows = statement.query_map([to_millis(now)], |row| {
        Ok(Open {
            number: row.get("id")?,
            post_number: row.get("post_number")?,
            post: words::post_id(row, "post")?,
            issue: words::issue_id(row, "issue")?,
            generation: Generation(row.get("generation")?),
        })
    })?;
    rows.collect()
}

fn claim_from(
    desk: &mut Desk,
    tx: &Connection,
    open: &Open,
    pool: Pool,
    room: usize,
    now: Instant,
) -> Result<Vec<Claim>, LedgerError> {
    let mut claims = candidates(desk, tx, open, pool, room, now)?;
    match pool {
        Pool::Doubt => {
            // The state does not change before `begin`: that this sender works on it is
            // known to this sender alone, and forgotten with it.
            let mut resending = desk.resending();
            claims.retain(|claim| !resending.contains(&claim.delivery));
            claims.truncate(room);
            resending.extend(claims.iter().map(|claim| claim.delivery));
        }
        Pool::Deferred | Pool::Planned => {
            let state = if matches!(pool, Pool::Planned) { "planned" } else { "deferred" };
            for claim in &claims {
                take(tx, claim.delivery, state, desk.epoch)?;
            }
        }
    }
    Ok(claims)
}

fn take(tx: &Connection, delivery: DeliveryId, from: &str, epoch: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE deliveries SET state = 'claimed', epoch = ?3, next = NULL WHERE id = ?1 AND state = ?2";
    match tx.prepare_cached(sql)?.execute(params![delivery.0, from, epoch])? {
        1 => Ok(()),
        // The index named a row that says otherwise.
        _ => Err(unreadable("delivery whose row and index agree", &delivery.0.to_string())),
    }
}

fn candidates(
    desk: &Desk,
    tx: &Connection,
    open: &Open,
    pool: Pool,
    room: usize,
    now: Instant,
) -> Result<Vec<Claim>, LedgerError> {
    let sql = format!(
        "SELECT d.id, d.subscriber, d.attempt, d.failures, d.first_try, d.date, d.merge, d.message_id, d.relay,
            d.digest, s.address, s.name, s.hash,
            (SELECT delivery FROM coverage WHERE coverage.post = ?2 AND coverage.generation = ?3
                AND coverage.subscriber = d.subscriber) AS voucher
        FROM deliveries d CROSS JOIN subscribers s ON s.id = d.subscriber
        WHERE d.campaign = ?1 AND {} ORDER BY d.next, d.id LIMIT ?6",
        pool.condition()
    );
    let limit = match pool {
        Pool::Doubt => room + desk.resending().len(),
        Pool::Deferred | Pool::Planned => room,
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let policy = policy_word(desk.policy);
    let mut statement = tx.prepare_cached(&sql)?;
    let rows = statement.query_map(
        params![open.number, open.post_number, open.generation.0, to_millis(now), policy, limit],
        |row| {
            vouched_for(desk, row)?;
            read(row, open, pool)
        },
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A delivery's coverage must name it, and the address must have the hash it was stored
/// with: a damaged row could otherwise send somebody a second copy.
fn vouched_for(desk: &Desk, row: &Row<'_>) -> rusqlite::Result<()> {
    let (id, voucher): (i64, Option<i64>) = (row.get("id")?, row.get("voucher")?);
    let hash: Vec<u8> = row.get("hash")?;
    let address = words::address(row, "address")?;
    if voucher == Some(id) && hash == address_hash(&desk.hashing, &address) {
        return Ok(());
    }
    Err(unreadable("delivery vouched for by its coverage and its address's hash", &id.to_string()))
}

fn read(row: &Row<'_>, open: &Open, pool: Pool) -> rusqlite::Result<Claim> {
    Ok(Claim {
        delivery: DeliveryId(row.get("id")?),
        campaign: campaign_id(open.number),
        issue: open.issue.clone(),
        post: open.post.clone(),
        generation: open.generation,
        subscriber: SubscriberId(row.get("subscriber")?),
        address: words::address(row, "address")?,
        name: row.get("name")?,
        attempt: row.get::<_, u32>("attempt")? + 1,
        purpose: match pool {
            Pool::Doubt => Purpose::Resend,
            Pool::Deferred | Pool::Planned => Purpose::Send,
        },
        frozen: frozen(row)?,
        first_try: words::maybe_moment(row, "first_try")?,
        failures: row.get("failures")?,
    })
}

fn frozen(row: &Row<'_>) -> rusqlite::Result<Option<Frozen>> {
    let Some(message_id) = words::message_id(row, "message_id")? else { return Ok(None) };
    Ok(Some(Frozen {
        date: words::moment(row, "date")?,
        merge: row.get("merge")?,
        message_id,
        relay: row.get("relay")?,
        digest: row.get("digest")?,
    }))
}

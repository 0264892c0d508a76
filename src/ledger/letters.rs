//! The log of what is under way: all deliveries that begin in one commit stand in one row, each
//! as a letter, and their own rows are not touched until they are settled.
//!
//! Which deliveries a row is about stands in it twice, in a list that the view `under_way` reads
//! and in the letters: a damaged byte cannot make one delivery's beginning another's.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize, Serializer as _};

use super::begin::Begin;
use super::error::unreadable;
use super::recovery::before;
use super::words::count;
use crate::domain::ids::{DeliveryId, MessageId};
use crate::domain::time::{Instant, from_millis, to_millis};

/// One delivery that has begun and is not settled: what its row will say once it is, and what a
/// second attempt would need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Letter {
    delivery: i64,
    attempt: u32,
    begun: i64,
    relay: String,
    date: i64,
    merge: String,
    message_id: MessageId,
    keys: String,
    digest: [u8; 32],
}

impl Letter {
    pub(super) fn new(ask: Begin, now: Instant) -> Self {
        let Begin { delivery, attempt, relay, frozen, .. } = ask;
        Self {
            delivery: delivery.0,
            attempt,
            begun: to_millis(now),
            relay,
            date: to_millis(frozen.date),
            merge: frozen.merge,
            message_id: frozen.message_id,
            keys: frozen.keys,
            digest: frozen.digest,
        }
    }

    pub(super) fn delivery(&self) -> DeliveryId {
        DeliveryId(self.delivery)
    }

    pub(super) fn attempt(&self) -> u32 {
        self.attempt
    }

    /// When it began, in milliseconds since 1970.
    pub(super) fn begun_millis(&self) -> i64 {
        self.begun
    }

    pub(super) fn begun(&self) -> Instant {
        from_millis(self.begun)
    }

    pub(super) fn relay(&self) -> &str {
        &self.relay
    }

    pub(super) fn message_id(&self) -> &str {
        self.message_id.as_str()
    }

    /// Keeps with the delivery what a second attempt needs.
    pub(super) fn freeze(&self, tx: &Connection) -> rusqlite::Result<()> {
        let sql = "INSERT INTO frozen (delivery, date, merge, message_id, keys, digest) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            ON CONFLICT (delivery) DO UPDATE SET date = excluded.date, merge = excluded.merge,
                message_id = excluded.message_id, keys = excluded.keys, digest = excluded.digest";
        let Self { delivery, date, merge, message_id, keys, digest, .. } = self;
        tx.prepare_cached(sql)?.execute(params![delivery, date, merge, message_id.as_str(), keys, digest]).map(|_| ())
    }
}

/// Writes the letters of one commit; returns the number of their row.
pub(super) fn write(tx: &Connection, epoch: i64, letters: &[&Letter]) -> rusqlite::Result<i64> {
    let deliveries = list(letters);
    let letters = postcard::to_stdvec(letters).expect("numbers and texts can be written into memory");
    let sql = "INSERT INTO beginnings (epoch, deliveries, letters) VALUES (?1, ?2, ?3)";
    tx.prepare_cached(sql)?.insert(params![epoch, deliveries, letters])
}

/// Which deliveries the letters are of, and in which attempt.
fn list(letters: &[&Letter]) -> String {
    let mut list = Vec::with_capacity(16 * letters.len());
    let entries = letters.iter().map(|letter| (letter.delivery, letter.attempt));
    serde_json::Serializer::new(&mut list).collect_map(entries).expect("numbers have a JSON form");
    String::from_utf8(list).expect("JSON is text")
}

/// Writes the letters of what had begun under schema 1, of which step 2 leaves a table.
pub(super) fn adopt(tx: &Connection) -> rusqlite::Result<()> {
    let mut epoch = 0;
    let mut letters = Vec::new();
    let mut statement = tx.prepare("SELECT * FROM temp.kept_begun")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        epoch = epoch.max(row.get("epoch")?);
        letters.push(Letter {
            delivery: row.get("id")?,
            attempt: row.get("attempt")?,
            begun: row.get("date")?,
            relay: row.get("relay")?,
            date: row.get("date")?,
            merge: row.get("merge")?,
            message_id: MessageId::parse(row.get_ref("message_id")?.as_str()?).map_err(|_| damaged())?,
            keys: String::new(),
            digest: row.get("digest")?,
        });
    }
    if !letters.is_empty() {
        write(tx, epoch, &letters.iter().collect::<Vec<_>>())?;
    }
    Ok(())
}

/// Removes a row of which everything is settled.
pub(super) fn remove(tx: &Connection, number: i64) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM beginnings WHERE number = ?1")?.execute([number]).map(|_| ())
}

/// Removes every row: their senders are dead, and what they began has been settled.
pub(super) fn clear(tx: &Connection) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM beginnings", []).map(|_| ())
}

/// The letters of all that is under way, in the order of the deliveries. An error is a damaged row.
pub(super) fn under_way(tx: &Connection) -> rusqlite::Result<Vec<Letter>> {
    let epoch = before(tx)?.age.epoch;
    let mut statement = tx.prepare("SELECT epoch, deliveries, letters FROM beginnings")?;
    let mut rows = statement.query([])?;
    let mut letters = Vec::new();
    while let Some(row) = rows.next()? {
        letters.extend(read(row, epoch)?);
    }
    let mut settled = tx.prepare("SELECT 1 FROM deliveries WHERE id = ?1 AND attempt >= ?2")?;
    let mut open = Vec::new();
    for letter in letters {
        if !settled.exists(params![letter.delivery, letter.attempt])? {
            open.push(letter);
        }
    }
    open.sort_by_key(|letter| letter.delivery);
    Ok(open)
}

/// The Message-IDs of all that is under way.
pub(super) fn message_ids(tx: &Connection) -> rusqlite::Result<HashMap<DeliveryId, MessageId>> {
    Ok(under_way(tx)?.into_iter().map(|letter| (letter.delivery(), letter.message_id)).collect())
}

fn damaged() -> rusqlite::Error {
    unreadable("list of what has begun", "(hidden)")
}

fn read(row: &Row<'_>, epoch: u64) -> rusqlite::Result<Vec<Letter>> {
    let deliveries: BTreeMap<i64, u32> =
        serde_json::from_str(row.get_ref("deliveries")?.as_str()?).map_err(|_| damaged())?;
    let (letters, rest): (Vec<Letter>, _) =
        postcard::take_from_bytes(row.get_ref("letters")?.as_blob()?).map_err(|_| damaged())?;
    let named: BTreeMap<i64, u32> = letters.iter().map(|letter| (letter.delivery, letter.attempt)).collect();
    let is_sound = rest.is_empty()
        && named == deliveries
        && letters.len() == named.len()
        && letters.iter().all(|letter| letter.attempt > 0)
        && count(row.get("epoch")?) == epoch;
    if is_sound { Ok(letters) } else { Err(damaged()) }
}

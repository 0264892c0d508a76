//! The people, how they joined, and how they leave.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Ledger;
use super::error::{LedgerError, unreadable};
use super::suppression::hash_is_suppressed;
use super::words::{self, moment};
use crate::domain::address::Address;
use crate::domain::audience::Suppressed;
use crate::domain::ids::SubscriberId;
use crate::domain::subscriber::{Cadence, Enrolment, ImportCount, Subscriber, SubscriberState};
use crate::domain::time::{Instant, to_millis};

/// How someone joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// `file`, `import`, `command line`, later `form`.
    pub source: String,
    /// When.
    pub at: Instant,
    /// The text of the form they agreed to, if there was one.
    pub form: Option<String>,
}

/// What [`Ledger::remove`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It is off the list.
    Removed,
    /// It was not on the list.
    Unknown,
}

/// How many people one transaction of an import takes, so that others can write in between.
const SLICE: usize = 1000;

/// The columns of a [`Subscriber`].
pub(super) const COLUMNS: &str = "subscribers.id, address, name, topics, cadence, attributes, subscribers.state, since";

impl Ledger {
    /// Takes a list in: new people become active with a consent record, known ones get the
    /// list's topics, cadence and attributes, and its name if it has one. Nobody who
    /// unsubscribed, bounced, complained or is suppressed is revived: those count as
    /// `kept_out`. Running it again changes nothing. One transaction per 1,000.
    pub fn enrol(&self, list: &[Enrolment], now: Instant) -> Result<ImportCount, LedgerError> {
        let mut count = ImportCount::default();
        for slice in list.chunks(SLICE) {
            let done = self.write(|tx| {
                let mut count = ImportCount::default();
                for enrolment in slice {
                    *self.enrol_one(tx, enrolment, now)?.counter(&mut count) += 1;
                }
                Ok(count)
            })?;
            count.added += done.added;
            count.updated += done.updated;
            count.unchanged += done.unchanged;
            count.kept_out += done.kept_out;
        }
        Ok(count)
    }

    fn enrol_one(&self, tx: &Connection, new: &Enrolment, now: Instant) -> Result<Enrolled, LedgerError> {
        let hash = super::secrets::address_hash(self.hashing(), &new.address);
        if hash_is_suppressed(tx, &hash)? == Suppressed::Yes {
            return Ok(Enrolled::KeptOut);
        }
        let sql = format!("SELECT {COLUMNS}, removed FROM subscribers WHERE key = ?1");
        let known = tx
            .prepare_cached(&sql)?
            .query_row([new.address.key()], |row| Ok((subscriber(row)?, row.get::<_, String>("removed")?)))
            .optional()?;
        let Some((known, removed)) = known else {
            let id = insert(tx, new, &hash, now)?;
            record_consent(tx, id, &new.source, now)?;
            return Ok(Enrolled::Added);
        };
        match known.state {
            SubscriberState::Unsubscribed | SubscriberState::Bounced | SubscriberState::Complained => {
                Ok(Enrolled::KeptOut)
            }
            SubscriberState::Active if removed == "no" && says_nothing_new(new, &known) => Ok(Enrolled::Unchanged),
            SubscriberState::Active | SubscriberState::Pending => {
                update(tx, known.id, new, now)?;
                if removed == "no" && known.state == SubscriberState::Active {
                    return Ok(Enrolled::Updated);
                }
                record_consent(tx, known.id, &new.source, now)?;
                Ok(if removed == "yes" { Enrolled::Added } else { Enrolled::Updated })
            }
        }
    }

    /// Everybody who was not removed, in the order of joining.
    pub fn subscribers(&self) -> Result<Vec<Subscriber>, LedgerError> {
        let mut all = Vec::new();
        self.each_subscriber(&mut |subscriber| all.push(subscriber))?;
        Ok(all)
    }

    /// Calls `each` for everybody who was not removed, in the order of joining, without
    /// holding the list in memory. `each` must not call the ledger.
    pub fn each_subscriber(&self, each: &mut dyn FnMut(Subscriber)) -> Result<(), LedgerError> {
        self.read(|tx| {
            let sql = format!("SELECT {COLUMNS} FROM subscribers WHERE removed = 'no' ORDER BY id");
            let mut statement = tx.prepare_cached(&sql)?;
            for row in statement.query_map([], subscriber)? {
                each(row?);
            }
            Ok(())
        })
    }

    /// The subscriber of that address, letters' case ignored; `None` if unknown or removed.
    pub fn subscriber_by_address(&self, address: &Address) -> Result<Option<Subscriber>, LedgerError> {
        self.read(|tx| {
            let sql = format!("SELECT {COLUMNS} FROM subscribers WHERE key = ?1 AND removed = 'no'");
            Ok(tx.prepare_cached(&sql)?.query_row([address.key()], subscriber).optional()?)
        })
    }

    /// The subscriber of that row; `None` if unknown or removed.
    pub fn subscriber(&self, id: SubscriberId) -> Result<Option<Subscriber>, LedgerError> {
        self.read(|tx| {
            let sql = format!("SELECT {COLUMNS} FROM subscribers WHERE id = ?1 AND removed = 'no'");
            Ok(tx.prepare_cached(&sql)?.query_row([id.0], subscriber).optional()?)
        })
    }

    /// How they joined, oldest first.
    pub fn consents(&self, id: SubscriberId) -> Result<Vec<Consent>, LedgerError> {
        self.read(|tx| {
            let mut statement =
                tx.prepare_cached("SELECT source, at, form FROM consents WHERE subscriber = ?1 ORDER BY id")?;
            let rows = statement.query_map([id.0], |row| {
                Ok(Consent { source: row.get("source")?, at: moment(row, "at")?, form: row.get("form")? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Someone leaves. Durable on return; whatever has not begun for them is not sent. The
    /// second call, and one for somebody unknown, change nothing. A complaint or a bounce
    /// on record stays what it is.
    pub fn unsubscribe(&self, id: SubscriberId, now: Instant) -> Result<(), LedgerError> {
        self.write(|tx| {
            let sql = "UPDATE subscribers SET state = 'unsubscribed', changed = ?2
                WHERE id = ?1 AND state IN ('pending', 'active')";
            tx.execute(sql, params![id.0, to_millis(now)])?;
            Ok(())
        })
    }

    /// Takes an address off the list; what was sent to it stays on record, and joining again
    /// brings the same row back, so that no post reaches it twice.
    pub fn remove(&self, address: &Address, now: Instant) -> Result<Removal, LedgerError> {
        self.write(|tx| {
            let sql = "UPDATE subscribers SET removed = 'yes', changed = ?2 WHERE key = ?1 AND removed = 'no'";
            let changed = tx.execute(sql, params![address.key(), to_millis(now)])?;
            Ok(if changed == 0 { Removal::Unknown } else { Removal::Removed })
        })
    }
}

#[derive(Clone, Copy)]
enum Enrolled {
    Added,
    Updated,
    Unchanged,
    KeptOut,
}

impl Enrolled {
    fn counter(self, count: &mut ImportCount) -> &mut u64 {
        match self {
            Self::Added => &mut count.added,
            Self::Updated => &mut count.updated,
            Self::Unchanged => &mut count.unchanged,
            Self::KeptOut => &mut count.kept_out,
        }
    }
}

fn says_nothing_new(new: &Enrolment, known: &Subscriber) -> bool {
    (new.name.is_none() || new.name == known.name)
        && new.topics == known.topics
        && new.cadence == known.cadence
        && new.attributes == known.attributes
}

fn insert(tx: &Connection, new: &Enrolment, hash: &[u8; 32], now: Instant) -> rusqlite::Result<SubscriberId> {
    let sql = "INSERT INTO subscribers (address, key, hash, name, topics, cadence, attributes, state, since, changed)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'active', ?8, ?8)";
    let (topics, attributes) = (json(&new.topics), json(&new.attributes));
    tx.prepare_cached(sql)?.execute(params![
        new.address.as_str(),
        new.address.key(),
        hash,
        new.name,
        topics,
        new.cadence.word(),
        attributes,
        to_millis(now)
    ])?;
    Ok(SubscriberId(tx.last_insert_rowid()))
}

fn update(tx: &Connection, id: SubscriberId, new: &Enrolment, now: Instant) -> rusqlite::Result<()> {
    let sql = "UPDATE subscribers SET name = coalesce(?2, name), topics = ?3, cadence = ?4, attributes = ?5,
            changed = iif(state = 'active' AND removed = 'no', changed, ?6), state = 'active', removed = 'no'
        WHERE id = ?1";
    let (topics, attributes) = (json(&new.topics), json(&new.attributes));
    tx.prepare_cached(sql)?.execute(params![id.0, new.name, topics, new.cadence.word(), attributes, to_millis(now)])?;
    Ok(())
}

fn record_consent(tx: &Connection, id: SubscriberId, source: &str, now: Instant) -> rusqlite::Result<()> {
    let sql = "INSERT INTO consents (subscriber, source, at) VALUES (?1, ?2, ?3)";
    tx.prepare_cached(sql)?.execute(params![id.0, source, to_millis(now)])?;
    Ok(())
}

/// Reads a row of [`COLUMNS`].
pub(super) fn subscriber(row: &Row<'_>) -> rusqlite::Result<Subscriber> {
    let (state, cadence): (String, String) = (row.get("state")?, row.get("cadence")?);
    Ok(Subscriber {
        id: SubscriberId(row.get("id")?),
        address: words::address(row, "address")?,
        name: row.get("name")?,
        topics: from_json(row, "topics")?,
        cadence: Cadence::from_word(&cadence).ok_or_else(|| unreadable("cadence", &cadence))?,
        attributes: from_json(row, "attributes")?,
        state: SubscriberState::from_word(&state).ok_or_else(|| unreadable("state of a subscriber", &state))?,
        since: moment(row, "since")?,
    })
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("texts in lists and maps are always JSON")
}

fn from_json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|_| unreadable(column, "(hidden)"))
}

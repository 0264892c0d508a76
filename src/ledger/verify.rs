//! `state verify`: reads the whole file and lists what is wrong with it.

use aws_lc_rs::hmac;
use rusqlite::Connection;

use super::Ledger;
use super::error::LedgerError;
use super::letters;
use super::report::totals;
use super::secrets::address_hash;
use super::words::{address, campaign_id, campaign_state, count};
use crate::domain::delivery::CampaignState;

/// One thing `state verify` found wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong, in one sentence.
    pub what: String,
}

impl Ledger {
    /// Lists what is wrong with the file: `SQLite`'s own integrity, words that are no state,
    /// accounts that do not balance, finished campaigns that are not, coverage and deliveries
    /// that do not vouch for each other, doubts of which nothing is frozen, addresses that were
    /// altered. An empty list is a sound ledger.
    pub fn verify(&self) -> Result<Vec<Finding>, LedgerError> {
        self.read(|tx| {
            let mut findings = integrity(tx)?;
            if findings.is_empty() {
                findings.extend(beginnings(tx));
            }
            if findings.is_empty() {
                findings.extend(accounts(tx)?);
                findings.extend(deliveries(tx)?);
                findings.extend(addresses(tx, self.hashing())?);
            }
            Ok(findings)
        })
    }
}

/// Subscribers whose address is not the one whose keyed hash stands beside it.
fn addresses(tx: &Connection, hashing: &hmac::Key) -> rusqlite::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut statement = tx.prepare("SELECT id, address, hash FROM subscribers")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, hash): (i64, Vec<u8>) = (row.get("id")?, row.get("hash")?);
        let is_sound = address(row, "address").is_ok_and(|address| hash == address_hash(hashing, &address));
        if !is_sound {
            findings.push(Finding { what: format!("the address of subscriber {id} is not what was stored") });
        }
    }
    Ok(findings)
}

fn integrity(tx: &Connection) -> rusqlite::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut statement = tx.prepare("PRAGMA integrity_check")?;
    for line in statement.query_map([], |row| row.get::<_, String>(0))? {
        let what = line?;
        if what != "ok" {
            findings.push(Finding { what });
        }
    }
    let mut statement = tx.prepare("PRAGMA foreign_key_check")?;
    for line in statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(2)?)))? {
        let (table, parent) = line?;
        findings.push(Finding { what: format!("a row of `{table}` refers to a missing row of `{parent}`") });
    }
    Ok(findings)
}

/// Whether what is under way can be read, by this program and by the queries of the others.
fn beginnings(tx: &Connection) -> Option<Finding> {
    let error = letters::under_way(tx).err()?;
    Some(Finding { what: error.to_string() })
}

fn accounts(tx: &Connection) -> rusqlite::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut statement = tx.prepare("SELECT id, state FROM campaigns WHERE state <> 'drafting'")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, i64>("id")?, campaign_state(row, "state")?)))?;
    for row in rows {
        let (number, state) = row?;
        let (id, totals) = (campaign_id(number), totals(tx, number)?);
        let sql = "SELECT count(*) FROM deliveries NOT INDEXED WHERE campaign = ?1";
        let all: i64 = tx.query_row(sql, [number], |row| row.get(0))?;
        if !totals.balances() || totals.planned != count(all) {
            findings.push(Finding { what: format!("the account of campaign `{id}` does not balance") });
        }
        if state == CampaignState::Finished && totals.pending + totals.deferred + totals.in_doubt > 0 {
            findings.push(Finding { what: format!("campaign `{id}` is finished with deliveries left") });
        }
    }
    Ok(findings)
}

fn deliveries(tx: &Connection) -> rusqlite::Result<Vec<Finding>> {
    const UNCOVERED: &str = "SELECT d.id FROM deliveries d JOIN campaigns c ON c.id = d.campaign
        WHERE (d.state NOT IN ('suppressed', 'cancelled', 'expired')) <> EXISTS (SELECT 1 FROM coverage v
            WHERE v.post = c.post AND v.generation = c.generation AND v.subscriber = d.subscriber AND v.delivery = d.id)";
    const ORPHANED: &str = "SELECT delivery FROM coverage
        WHERE NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.id = coverage.delivery)";
    // What was never begun here came into doubt by a lost ledger, which took what it froze with it.
    const UNFROZEN: &str = "SELECT id FROM deliveries WHERE state = 'in_doubt' AND begun IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM frozen WHERE frozen.delivery = deliveries.id)";
    let mut findings = Vec::new();
    for (sql, what) in [
        (UNCOVERED, "does not agree with its coverage: somebody could be mailed twice, or never"),
        (ORPHANED, "is covered and does not exist"),
        (UNFROZEN, "may be with a relay, and nothing is frozen of it"),
    ] {
        let mut statement = tx.prepare(sql)?;
        for id in statement.query_map([], |row| row.get::<_, i64>(0))? {
            findings.push(Finding { what: format!("delivery {} {what}", id?) });
        }
    }
    Ok(findings)
}

//! What of a campaign waits, until when and why: from the deliveries in those states alone.
//!
//! `status` asks beside a sender, of a campaign of a million: so nothing here touches what was
//! accepted. Every query goes by the index of campaign, state and time.

use std::collections::HashMap;

use rusqlite::{Connection, Row, params};

use super::Ledger;
use super::campaigns::find;
use super::error::LedgerError;
use super::words::{self, count, maybe_moment};
use crate::domain::delivery::DeliveryState;
use crate::domain::ids::CampaignId;
use crate::domain::time::{Instant, to_millis};

/// What waits, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survey {
    /// Planned or deferred deliveries whose time has come.
    pub ready: u64,
    /// Planned or deferred deliveries whose time has not come.
    pub waiting: u64,
    /// When the first of those is due.
    pub next_due: Option<Instant>,
    /// When the longest deferred delivery was first tried.
    pub oldest_deferred: Option<Instant>,
    /// Why deliveries are deferred, rejected or in doubt, the most frequent first.
    pub reasons: Vec<Reason>,
}

/// One reason, and how many deliveries of one domain it holds back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The recipients' domain.
    pub domain: String,
    /// Deferred, rejected or in doubt.
    pub state: DeliveryState,
    /// What the relay said, masked, or what happened: of one of them, where the words
    /// differ only in what is different in every reply.
    pub said: String,
    /// How many.
    pub count: u64,
}

impl Ledger {
    /// Surveys a campaign: what waits, and the `most` most frequent reasons.
    pub fn survey(&self, id: &CampaignId, most: usize, now: Instant) -> Result<Survey, LedgerError> {
        self.read(|tx| {
            let (number, _) = find(tx, id)?;
            let mut survey = waiting(tx, number, now)?;
            survey.oldest_deferred = tx.prepare_cached(OLDEST)?.query_row([number], |row| maybe_moment(row, "at"))?;
            survey.reasons = reasons(tx, number)?;
            survey.reasons.truncate(most);
            Ok(survey)
        })
    }
}

const WAITING: &str = "SELECT count(*) FILTER (WHERE next IS NULL OR next <= ?2) AS ready,
        count(*) FILTER (WHERE next > ?2) AS waiting, min(next) FILTER (WHERE next > ?2) AS next_due
    FROM not_accepted WHERE campaign = ?1 AND state IN ('planned', 'deferred')
        AND id NOT IN (SELECT id FROM under_way)";

const OLDEST: &str = "SELECT min(first_try) AS at FROM not_accepted WHERE campaign = ?1 AND state = 'deferred'";

/// `CROSS JOIN` fixes the order: first the few deliveries, then their people.
const REASONS: &str = "SELECT d.state, substr(s.key, instr(s.key, '@') + 1) AS domain,
        coalesce(d.reason, d.reply, '') AS said, count(*) AS n
    FROM not_accepted d CROSS JOIN subscribers s ON s.id = d.subscriber
    WHERE d.campaign = ?1 AND d.state IN ('deferred', 'rejected', 'in_doubt')
    GROUP BY 1, 2, 3";

fn waiting(tx: &Connection, campaign: i64, now: Instant) -> rusqlite::Result<Survey> {
    tx.prepare_cached(WAITING)?.query_row(params![campaign, to_millis(now)], |row| {
        Ok(Survey {
            ready: count(row.get("ready")?),
            waiting: count(row.get("waiting")?),
            next_due: maybe_moment(row, "next_due")?,
            ..Survey::default()
        })
    })
}

fn reasons(tx: &Connection, campaign: i64) -> rusqlite::Result<Vec<Reason>> {
    let mut kinds: HashMap<(String, &'static str, String), Reason> = HashMap::new();
    let mut statement = tx.prepare_cached(REASONS)?;
    for reason in statement.query_map([campaign], reason)? {
        let reason = reason?;
        let kind = (reason.domain.clone(), reason.state.word(), gist(&reason.said));
        kinds.entry(kind).and_modify(|known| known.count += reason.count).or_insert(reason);
    }
    let mut reasons: Vec<Reason> = kinds.into_values().collect();
    reasons.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| (&a.domain, &a.said).cmp(&(&b.domain, &b.said))));
    Ok(reasons)
}

fn reason(row: &Row<'_>) -> rusqlite::Result<Reason> {
    Ok(Reason {
        domain: row.get("domain")?,
        state: words::delivery_state(row, "state")?,
        said: row.get("said")?,
        count: count(row.get("n")?),
    })
}

/// What a reply has in common with others of its kind: the codes, and the words without a
/// digit. Relays put queue names, times and numbers into their replies, each another one.
fn gist(said: &str) -> String {
    let word = |(place, word): (usize, &str)| {
        let is_code = place < 2 && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let is_plain = !word.bytes().any(|byte| byte.is_ascii_digit());
        (is_code || is_plain).then(|| word.to_owned())
    };
    said.split_whitespace().enumerate().filter_map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::tests::first_step;
    use super::*;

    #[test]
    fn replies_that_differ_in_numbers_alone_are_one_reason() {
        let gist_of = "451 4.7.1 greylisted, try again in seconds";
        assert_eq!(gist("451 4.7.1 greylisted, try again in 27 seconds"), gist_of);
        assert_eq!(gist("451 4.7.1 greylisted, try again in 300 seconds (q8Z1x)"), gist_of);
        assert_ne!(gist("452 4.2.2 over quota"), gist("552 5.2.2 over quota"));
        assert_eq!(gist(""), "");
    }

    #[test]
    fn no_query_touches_what_was_accepted() {
        let folder = tempfile::tempdir().unwrap();
        let now = crate::domain::time::from_millis(0);
        let ledger = Ledger::open(&folder.path().join("state.db"), now).unwrap();
        for sql in [WAITING, OLDEST, REASONS] {
            let first = first_step(&ledger, sql);
            assert!(first.contains("INDEX deliveries_by_state (campaign=? AND state=?"), "{sql}\n{first}");
        }
    }
}

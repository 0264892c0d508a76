//! What the ledger promises, each promise as a sentence. One suite: a second kind of ledger
//! has only to pass it.

mod campaigns;
mod files;
mod model;
mod people;
mod recovery;
mod sending;

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;

use chrono::Duration;
use tempfile::TempDir;

use super::*;
use crate::domain::address::Address;
use crate::domain::delivery::{DeliveryState, InDoubtPolicy, Outcome, Suppress};
use crate::domain::ids::{CampaignId, DeliveryId, Generation, IssueId, MessageId, PostId};
use crate::domain::reply::Reply;
use crate::domain::subscriber::{Cadence, Enrolment};
use crate::domain::time::{Instant, from_millis};

/// A moment some seconds after the tests' beginning.
fn at(seconds: i64) -> Instant {
    from_millis(1_700_000_000_000) + Duration::seconds(seconds)
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Every second delivery is begun and settled with a hand lent to the writer, which must not make
/// a difference.
fn done<F: Future>(sender: &Sender, delivery: DeliveryId, ask: impl FnOnce() -> F) -> F::Output {
    if delivery.0 % 2 == 0 {
        return wait(ask());
    }
    wait(async {
        tokio::select! {
            // The hand is there before anything is asked.
            biased;
            () = sender.lend_a_hand() => unreachable!("a hand is lent for ever"),
            result = async { ask().await } => result,
        }
    })
}

/// How `SQLite` would begin to answer a query.
pub(super) fn first_step(ledger: &Ledger, sql: &str) -> String {
    let step = ledger.read(|tx| {
        let mut statement = tx.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
        let given = vec![1_i64; statement.parameter_count()];
        let step = statement.query_row(rusqlite::params_from_iter(given), |row| row.get("detail"))?;
        Ok(step)
    });
    step.unwrap()
}

fn address(n: usize) -> Address {
    Address::parse(&format!("reader{n}@example.org")).unwrap()
}

fn enrolment(n: usize) -> Enrolment {
    Enrolment {
        address: address(n),
        name: Some(format!("Reader {n}")),
        topics: Vec::new(),
        cadence: Cadence::Every,
        attributes: BTreeMap::new(),
        source: "file".into(),
    }
}

fn post() -> PostId {
    PostId::parse("tag:example.org,2026:a").unwrap()
}

/// A ledger in a folder of its own (in memory where the system has one: it is the states
/// that are tested here, not the disk).
struct House {
    folder: TempDir,
    ledger: Ledger,
}

impl House {
    fn with_readers(n: usize) -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let ledger = Ledger::open(&folder.path().join("state.db"), at(0)).unwrap();
        let list: Vec<_> = (0..n).map(enrolment).collect();
        ledger.enrol(&list, at(0)).unwrap();
        Self { folder, ledger }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("state.db")
    }

    fn new_campaign(&self) -> NewCampaign {
        let issue = IssueId::parse("issue-a").unwrap();
        let row = IssueRow {
            id: issue.clone(),
            post: post(),
            subject: "A".into(),
            frozen: vec![1, 2, 3],
            web_url: "https://example.org/a/".into(),
            commit: None,
        };
        self.ledger.freeze_issue(&row).unwrap();
        let audience = self.ledger.resolve_audience(&[], &post(), Generation::FIRST).unwrap();
        NewCampaign {
            post: post(),
            carried: Vec::new(),
            issue,
            generation: Generation::FIRST,
            audience,
            not_before: None,
            expires: None,
        }
    }

    fn open_campaign(&self) -> CampaignId {
        self.ledger.open_campaign(&self.new_campaign(), at(0)).unwrap()
    }

    fn sender(&self) -> Sender {
        self.recovered(InDoubtPolicy::Resend).0
    }

    fn recovered(&self, policy: InDoubtPolicy) -> (Sender, Recovery) {
        self.ledger.become_sender(&Terms { in_doubt: policy, ..Terms::default() }, at(1)).unwrap()
    }

    fn state(&self, id: DeliveryId) -> DeliveryState {
        self.ledger.delivery(id).unwrap().unwrap().state
    }

    fn sound(&self) {
        assert_eq!(self.ledger.verify().unwrap(), Vec::new());
    }

    /// Runs SQL beside the ledger, as a hand in the file would.
    fn tamper(&self, sql: &str) {
        rusqlite::Connection::open(self.path()).unwrap().execute_batch(sql).unwrap();
    }

    /// The house with another state file moved into the place of its own.
    fn restored(self, copy: &std::path::Path) -> Self {
        let Self { folder, ledger } = self;
        drop(ledger);
        for suffix in ["", "-wal", "-shm"] {
            drop(std::fs::remove_file(folder.path().join(format!("state.db{suffix}"))));
        }
        std::fs::rename(copy, folder.path().join("state.db")).unwrap();
        let ledger = Ledger::open(&folder.path().join("state.db"), at(2)).unwrap();
        Self { folder, ledger }
    }
}

fn frozen(delivery: DeliveryId, digest: u8) -> Frozen {
    Frozen {
        date: at(2),
        merge: "{}".into(),
        message_id: MessageId::parse(&format!("m{}@example.org", delivery.0)).unwrap(),
        keys: String::new(),
        digest: [digest; 32],
    }
}

fn beginning(claim: &Claim) -> Begin {
    Begin {
        delivery: claim.delivery,
        campaign: claim.campaign.clone(),
        attempt: claim.attempt,
        relay: "relay".into(),
        frozen: frozen(claim.delivery, 7),
    }
}

fn claim_one(sender: &Sender) -> Claim {
    sender.claim(1, at(2)).unwrap().pop().expect("something is ready")
}

fn begin_one(sender: &Sender, claim: &Claim) -> BeginAnswer {
    done(sender, claim.delivery, || sender.begin(vec![beginning(claim)], at(2))).unwrap()[0]
}

fn begun(sender: &Sender, claim: &Claim) -> MarkSlot {
    match begin_one(sender, claim) {
        BeginAnswer::Begun { slot } => slot,
        BeginAnswer::Refused(why) => panic!("refused: {why:?}"),
    }
}

fn settle_one(sender: &Sender, claim: &Claim, outcome: Outcome) -> Settled {
    let settle = Settle { delivery: claim.delivery, attempt: claim.attempt, outcome };
    done(sender, claim.delivery, || sender.settle(vec![settle], at(3))).unwrap()[0]
}

fn accepted() -> Outcome {
    Outcome::Accepted { reply: Reply::new(250, "2.0.0 ok") }
}

fn in_doubt() -> Outcome {
    Outcome::InDoubt { reason: "connection reset after the final dot".into() }
}

fn withdrawn() -> Outcome {
    Outcome::Withdrawn { reason: "connection refused while connecting".into() }
}

fn deferred(until: i64) -> Outcome {
    let reply = Reply::new(450, "4.2.1 busy");
    Outcome::Deferred { reason: reply.masked(), reply: Some(reply), next: at(until) }
}

fn rejected(suppress: Suppress) -> Outcome {
    let reply = Reply::new(550, "5.1.1 <reader0@example.org> unknown");
    Outcome::Rejected { reason: reply.masked(), reply: Some(reply), suppress }
}

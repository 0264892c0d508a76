//! How many deliveries a second the ledger makes durable, from claim over begin to settle,
//! beside how often the same disk syncs in the same minute.
//!
//! `cargo bench --bench ledger`. Figures, no verdict. Each delivery costs three durable
//! changes; a loop of one `fdatasync` for each thing recorded is what group commit saves.
//! The state lies in cargo's target folder: point `CARGO_TARGET_DIR` at the disk in question.
#![expect(clippy::print_stdout, reason = "the figures are what a benchmark is for")]

mod support;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use fieldpost::domain::address::Address;
use fieldpost::domain::delivery::Outcome;
use fieldpost::domain::ids::{Generation, IssueId, MessageId, PostId};
use fieldpost::domain::reply::Reply;
use fieldpost::domain::subscriber::{Cadence, Enrolment};
use fieldpost::domain::time::{Instant, from_millis};
use fieldpost::ledger::{Begin, BeginAnswer, Claim, Frozen, IssueRow, Ledger, NewCampaign, Sender, Settle, Terms};
use support::{ClockId, ROUNDS, Rates, line};

/// Deliveries in one round.
const DELIVERIES: usize = 20_000;
/// So many are claimed, begun and settled together, as the sender does.
const BATCH: usize = 64;
/// So many batches are under way at a time: 256 deliveries, the default of `begin_ahead`.
const LANES: usize = 4;
/// How often the plain loop syncs in one round.
const SYNCS: usize = 200;
/// What the plain loop writes before each sync: a page.
const PAGE: [u8; 4096] = [0x5a; 4096];

fn main() {
    let (mut syncs, mut deliveries) = (Rates::default(), Rates::default());
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be made");
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the target folder can be written");
        syncs.measure(ClockId::Monotonic, || sync_plainly(&folder.path().join("plain")));
        let ledger = campaign(&folder.path().join("state.db"));
        let (sender, _) = ledger.become_sender(&Terms::default(), now()).expect("nobody else sends");
        deliveries.measure(ClockId::Monotonic, || runtime.block_on(send_all(&sender)));
    }
    println!("{}", line("plain loop, 4 KiB each", "fdatasync/s", &syncs));
    println!("{}", line("claim, begin, settle", "deliveries/s", &deliveries));
    println!(
        "{:<28}{:>10.1} durable deliveries for each plain fdatasync",
        "ratio",
        deliveries.median() / syncs.median()
    );
}

fn sync_plainly(path: &Path) -> usize {
    let mut file = File::create(path).expect("the folder was just made");
    for _ in 0..SYNCS {
        file.write_all(&PAGE).expect("the disk has room");
        file.sync_data().expect("the disk works");
    }
    SYNCS
}

async fn send_all(sender: &Sender) -> usize {
    let lanes: [usize; LANES] = tokio::join!(lane(sender), lane(sender), lane(sender), lane(sender)).into();
    let sent = lanes.iter().sum();
    assert_eq!(sent, DELIVERIES, "not everybody was sent to");
    sent
}

/// Takes batch after batch through its states until nothing is left; returns how many.
async fn lane(sender: &Sender) -> usize {
    let mut sent = 0;
    loop {
        let claims = sender.claim(BATCH, now()).expect("the state can be written");
        if claims.is_empty() {
            return sent;
        }
        let begins = claims.iter().map(begin).collect();
        let answers = sender.begin(begins, now()).await.expect("the state can be written");
        assert!(answers.iter().all(|answer| matches!(answer, BeginAnswer::Begun { .. })), "{answers:?}");
        let settles = claims.iter().map(settle).collect();
        sent += sender.settle(settles, now()).await.expect("the state can be written").len();
    }
}

fn begin(claim: &Claim) -> Begin {
    let id = format!("{:064x}@notes.example.org", claim.delivery.0);
    let frozen = Frozen {
        date: now(),
        merge: "{}".to_owned(),
        message_id: MessageId::parse(&id).expect("an id"),
        keys: String::new(),
        digest: [7; 32],
    };
    Begin {
        delivery: claim.delivery,
        campaign: claim.campaign.clone(),
        attempt: claim.attempt,
        relay: "mail.example.org:465".to_owned(),
        frozen,
    }
}

fn settle(claim: &Claim) -> Settle {
    let reply = Reply::new(250, "2.0.0 Ok: queued as 4Xk2Lq1z2Bz9sWT");
    Settle { delivery: claim.delivery, attempt: claim.attempt, outcome: Outcome::Accepted { reply } }
}

/// A state file with one campaign to [`DELIVERIES`] subscribers.
fn campaign(path: &Path) -> Ledger {
    let ledger = Ledger::open(path, now()).expect("the folder was just made");
    let people: Vec<Enrolment> = (0..DELIVERIES).map(enrolment).collect();
    ledger.enrol(&people, now()).expect("the state can be written");
    let post = PostId::parse("tag:notes.example.org,2026:first").expect("an id");
    let issue = IssueId::parse("issue").expect("an id");
    let row = IssueRow {
        id: issue.clone(),
        post: post.clone(),
        subject: "First".to_owned(),
        frozen: vec![0; 50 << 10],
        web_url: "https://notes.example.org/first/".to_owned(),
        commit: None,
    };
    ledger.freeze_issue(&row).expect("the state can be written");
    let generation = Generation::FIRST;
    let audience = ledger.resolve_audience(&[], &post, generation).expect("the state can be read");
    let campaign =
        NewCampaign { post, carried: Vec::new(), issue, generation, audience, not_before: None, expires: None };
    ledger.open_campaign(&campaign, now()).expect("the state can be written");
    ledger
}

fn enrolment(number: usize) -> Enrolment {
    Enrolment {
        address: Address::parse(&format!("reader{number}@example.org")).expect("an address"),
        name: Some(format!("Reader {number}")),
        topics: Vec::new(),
        cadence: Cadence::Every,
        attributes: BTreeMap::new(),
        source: "file".to_owned(),
    }
}

fn now() -> Instant {
    from_millis(1_790_000_000_000)
}

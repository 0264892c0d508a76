//! FAULTS.md, row by row: each test injects exactly that fault into the built binary over real
//! sockets and files, prints how often it struck, and fails if it never did.
//!
//! `.ci/run` has the time for the small size; `scripts/torture` runs the full one and prints the
//! figures.
//!
//! | row | tests | in CI | full |
//! |---|---|---|---|
//! | F1 | `kills`: before a good, a slow, a greylisting and a closing relay, and with windows in flight; `kills_while_filing_…` | 15 kills, 1,000 readers each | 200 kills, 10,000 readers each |
//! | F2 | `points`: at each sync, mark, write to the log, write and read of the wire | 3 readers, every 5th write to the log | every write |
//! | F3 | `sender::a_signal_finishes_what_is_on_the_wire_…` | full | |
//! | F4 | `kills::kills_under_hold_…` | 15 kills, 1,000 readers | 200 kills, 10,000 readers |
//! | F5 | `migration` | at each sync of it | |
//! | F6 | `disk::no_group_of_final_dots_…` | 60 readers | 1,000 readers |
//! | F7 | `disk::a_full_disk_…`, `disk::a_disk_that_fails_…` | 600 readers | 10,000 readers |
//! | F8 | `disk`: read-only file and disk, wrong owner, network file system (a forged `mountinfo`) | full | |
//! | F9 | `damage`: state file after a kill and after a clean stop, log, mark file | 25 flips, 25 cuts each | 200 flips, 200 cuts each |
//! | F10 | `relays::answers_lost_by_a_reset_…`, `relays::answers_that_never_come_…` | 300 readers | 10,000 readers |
//! | F11 | `relays::a_421_after_any_command_…` | k = 1 to 12, 40 readers each | 400 readers each |
//! | F12 | `relays::greylisted_readers_…`, `relays::a_quota_rests_the_relay_…` | 500 and 50 readers | 10,000 and 1,000 |
//! | F13 | `relays::a_tenth_refused_…` | 500 readers | 10,000 readers |
//! | F14 | `relays::a_refused_sender_…`, `relays::a_login_revoked_…` | 200 and 300 readers | 10,000 readers |
//! | F15 | `hostile::a_relay_that_cannot_prove_itself_…` | full | |
//! | F16 | `hostile::no_attack_of_a_relay_…` | full | |
//! | F17 | `relays::a_relay_that_closes_after_every_fifty_…` | 500 readers | 10,000 readers |
//! | F18 | `beside::of_fifty_senders_…`, `beside::beside_a_sender_…` (a removal stands for the one-click POST) | 50 senders, 1,200 readers | 10,000 readers |
//! | F22 | `restored`: in place, by rename | 400 readers | 10,000 readers |
//! | F23 | `schedule::a_campaign_found_five_hours_late_…` | full | |
//! | F24 | `schedule`: clock changes, a leap day, jumps between runs and (libfaketime) in mid-send | 1,500 readers | 8,000 readers |
//! | F25 | `ledger::tests::model::five_hundred_actions_…`; `beside::pauses_resumes_edits_…` | 500 actions; 60 beside a sender | 500 beside a sender |
//! | F26 | `beside::whoever_leaves_…` (a removal stands for the POST) | 40 leave | 400 leave |
//! | F27 | `edits` | 300 readers | 10,000 readers |
//! | F28 | `people::a_thousand_poison_recipients_…` | 2,000 rows | 10,000 rows |
//! | F29 | `people::a_long_list_…` | 50,000 listed, 5,000 mailed | 1,000,000 listed, 100,000 mailed |
//! | F30 | `feeds::kill` | full | |
//! | C1 | `people::a_post_that_tries_to_smuggle_…`; `smtp`, `message` | full | |
//! | C2 | `people::a_thousand_poison_recipients_…`; `message` | as F28 | |
//! | C3 | `smtp::secure`; `hostile::a_relay_that_cannot_prove_itself_…` | full | |
//! | C4 | `people::each_message_bears_its_own_marks_…`; `message` | 2,000 readers | 10,000 readers |
//! | C5 | `people::when_one_of_two_issues_…`, `people::a_thousand_poison_recipients_…` | full | |
//!
//! `identity` holds each resend against its first copy after templates, names, keys, relays and the
//! assembler were changed; `postfix` counts what lies in the mailbox of a real one, with PIPELINING and
//! with CHUNKING (1,500 readers and 6 kills, or 20,000 and 60). The rows about `PostgreSQL` have no test: there is no such ledger.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::sink::{Received, Sink};
use crate::support::site::Site;

mod beside;
mod damage;
mod disk;
mod edits;
mod hostile;
mod identity;
mod kills;
mod migration;
mod people;
mod points;
mod postfix;
mod relays;
mod restored;
mod schedule;

/// Connections of a sender under test: at most so many may be in doubt after one kill.
const CONNECTIONS: usize = 4;

/// The small size, which continuous integration has the time for, or the full one of FAULTS.md, which
/// `scripts/torture` asks for.
fn size(small: usize, full: usize) -> usize {
    if std::env::var_os("FIELDPOST_TORTURE").is_some() { full } else { small }
}

/// A publication with one post, news to that many readers, and this configuration.
fn site(more: &str, readers: usize) -> Site {
    let site = Site::with_config(&format!(
        "[mail]\nfrom = \"Test Notes <notes@example.org>\"\nsince = \"2020-01-01\"\n\
         [subscribers]\nfile = \"subscribers.toml\"\n{more}"
    ));
    site.write("content/hello.md", "---\ntitle: Hello\ndate: 2026-01-02\n---\n\nA post about **nothing** much.\n");
    site.write_subscribers(readers);
    site
}

/// The same for people with these local parts.
fn site_for(more: &str, local_parts: &[String]) -> Site {
    let site = site(more, 0);
    let list = local_parts.iter().map(|name| format!("[[subscriber]]\nemail = \"{name}@example.org\"\n\n"));
    site.write("subscribers.toml", list.collect::<String>());
    site
}

fn readers(n: usize) -> Vec<String> {
    (0..n).map(|number| format!("reader-{number}")).collect()
}

/// The table for a relay in clear text.
fn relay(sink: &Sink, connections: usize) -> String {
    format!("[[relay]]\nurl = \"smtp://127.0.0.1:{}\"\nconnections = {connections}\n", sink.port())
}

/// Points the site at another relay.
fn change_relay(site: &Site, from: &Sink, to: &Sink) {
    let config = site.read("fieldpost.toml").replace(&format!(":{}\"", from.port()), &format!(":{}\"", to.port()));
    site.write("fieldpost.toml", config);
}

#[track_caller]
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited too long: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Asks a process to finish what is on the wire and to end.
fn interrupt(child: &Child) {
    let id = Pid::from_raw(i32::try_from(child.id()).expect("a process id")).expect("not zero");
    kill_process(id, Signal::TERM).expect("the process is ours");
}

fn count(totals: &Value, state: &str) -> usize {
    let n = totals[state].as_u64().unwrap_or_else(|| panic!("no {state} in {totals}"));
    usize::try_from(n).expect("a count")
}

/// The addresses in that state, with what the report says of each.
fn in_state(site: &Site, state: &str) -> BTreeMap<String, Value> {
    let report = site.report();
    let campaigns = report["campaigns"].as_array().expect("campaigns").iter();
    let deliveries = campaigns.flat_map(|campaign| campaign["deliveries"].as_array().expect("deliveries"));
    let found = deliveries.filter(|delivery| delivery["state"] == state);
    found.map(|delivery| (text(&delivery["address"]).to_owned(), delivery.clone())).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// What FAULTS.md's word *Clean* found.
#[derive(Debug, Default)]
struct Account {
    accepted: usize,
    duplicates: usize,
    /// Everybody who was ever in doubt.
    doubted: BTreeSet<String>,
}

/// FAULTS.md's word *Clean*, figure by figure: the ledger and the sink agree on everybody but
/// those that were in doubt; a second copy went to nobody else and is the first, byte for byte;
/// the account balances and the file is sound.
#[track_caller]
fn check_clean(site: &Site, received: &[Received]) -> Account {
    let report = site.report();
    let mut copies: HashMap<&str, Vec<&Received>> = HashMap::new();
    for message in received {
        copies.entry(message.recipient.as_str()).or_default().push(message);
    }
    let mut account = Account::default();
    for campaign in report["campaigns"].as_array().expect("campaigns") {
        assert_balanced(&campaign["totals"]);
        for delivery in campaign["deliveries"].as_array().expect("deliveries") {
            let copies = copies.remove(text(&delivery["address"])).unwrap_or_default();
            account.add(delivery, &copies);
        }
    }
    assert!(copies.is_empty(), "{} people were mailed of whom the ledger knows nothing", copies.len());
    site.run(&["state", "verify"]).expect_code(0);
    account
}

impl Account {
    #[track_caller]
    fn add(&mut self, delivery: &Value, copies: &[&Received]) {
        let address = text(&delivery["address"]);
        let was_in_doubt = delivery["ever_in_doubt"] == true;
        match (text(&delivery["state"]), was_in_doubt) {
            ("accepted", true) => assert!(!copies.is_empty(), "accepted and never taken: {address}"),
            ("accepted", false) => assert_eq!(copies.len(), 1, "of a message that was accepted: {address}"),
            (_, true) => {}
            (state, false) => assert_eq!(copies.len(), 0, "mailed although {state}: {address}"),
        }
        for copy in copies {
            let id = copy.header("Message-ID").unwrap_or_default();
            // Of what a lost ledger sent, a restored one does not know the id.
            let is_unknown = was_in_doubt && delivery["message_id"].is_null();
            let recorded = format!("<{}>", text(&delivery["message_id"]));
            assert!(is_unknown || id == recorded, "the Message-ID of {address}: {id}, recorded {recorded}");
            assert!(copy.bytes == copies[0].bytes, "a resend differs: {address}");
        }
        self.accepted += usize::from(delivery["state"] == "accepted");
        self.duplicates += copies.len().saturating_sub(1);
        if was_in_doubt {
            self.doubted.insert(address.to_owned());
        }
    }
}

#[track_caller]
fn assert_balanced(totals: &Value) {
    let states =
        ["accepted", "rejected", "suppressed", "cancelled", "expired", "abandoned", "deferred", "in_doubt", "pending"];
    let sum: usize = states.iter().map(|state| count(totals, state)).sum();
    assert_eq!(count(totals, "planned"), sum, "{totals:#}");
}

#[track_caller]
fn assert_all_accepted(site: &Site, readers: usize) {
    let totals = site.totals();
    assert_eq!((count(&totals, "planned"), count(&totals, "accepted")), (readers, readers), "{totals:#}");
}

/// Publishes until nobody is left: who was deferred is tried again at once, who was in doubt
/// twice is sent one more copy by the author's order, what was paused goes on.
#[track_caller]
fn until_settled(site: &Site) {
    for _ in 0..20 {
        site.run(&["publish", "--yes"]);
        let status = site.run(&["status", "--json"]).expect_code(0).json();
        let campaign = &status["campaigns"][0];
        let left = |state| count(&campaign["totals"], state);
        if left("pending") + left("deferred") + left("in_doubt") == 0 {
            return;
        }
        if campaign["state"] == "paused" {
            site.run(&["resume", "c1"]).expect_code(0);
        }
        site.run(&["retry", "c1"]).expect_code(0);
        if left("in_doubt") > 0 {
            site.run(&["resolve", "c1", "resend"]).expect_code(0);
        }
    }
    panic!("after twenty runs still not settled: {:#}", site.totals());
}

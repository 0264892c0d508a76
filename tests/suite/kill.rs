//! F1: killed at any moment, again and again, nobody is lost and every duplicate was announced.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::sink::{Received, Script, Sink};
use crate::support::site::Site;

/// Connections of the sender under test: at most so many may be in doubt after one kill.
const CONNECTIONS: usize = 4;
/// How long the sink takes for a message: an undisturbed send outlasts the kills.
const DELAY: Duration = Duration::from_millis(20);

/// A small generator of pauses, printed so that a run can be repeated.
struct Pauses(u64);

impl Pauses {
    fn next(&mut self) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Duration::from_millis(100 + (self.0 >> 33) % 300)
    }
}

#[derive(Debug, Default)]
struct Account {
    kills: usize,
    kills_with_doubt: usize,
    largest_doubt: u64,
    ever_in_doubt: u64,
}

impl Account {
    /// Reads how many deliveries the recovery after the last kill found in doubt.
    fn note_doubt(&mut self, site: &Site) {
        let status = site.run(&["status", "--json"]).expect_code(0).json();
        let ever = status["campaigns"][0]["totals"]["ever_in_doubt"].as_u64().unwrap_or_default();
        let fresh = ever - self.ever_in_doubt;
        assert!(fresh <= CONNECTIONS as u64, "{fresh} in doubt after one kill");
        self.ever_in_doubt = ever;
        self.largest_doubt = self.largest_doubt.max(fresh);
        self.kills_with_doubt += usize::from(fresh > 0);
    }
}

#[test]
fn fifty_kills_in_one_send_lose_nobody_and_announce_every_duplicate() {
    let recipients = 5_000;
    let sink = Sink::start(Script { delay: DELAY, ..Script::default() });
    let relay = format!("[[relay]]\nurl = \"smtp://127.0.0.1:{}\"\nconnections = {CONNECTIONS}\n", sink.port());
    let site = site_for(&relay, recipients);
    let mut account = Account::default();
    let mut pauses = Pauses(20_261_124);
    let deadline = Instant::now() + Duration::from_mins(5);
    while account.kills < 50 {
        assert!(Instant::now() < deadline, "the kills took too long: {account:?}");
        kill_once(&site, &mut pauses, || sink.accepted_count(), &mut account);
    }
    let held = finish(&site, &mut account);
    let received = sink.messages();
    check_clean(&site, &received, recipients);
    assert!(
        account.kills_with_doubt * 4 >= account.kills,
        "a quarter of the kills leave someone in doubt: {account:?}"
    );
    println!(
        "F1: {} kills that counted, {} left someone in doubt, at most {} at once, {} duplicates, {held} in doubt twice, \
         {recipients} recipients",
        account.kills,
        account.kills_with_doubt,
        account.largest_doubt,
        received.len() - recipients,
    );
}

/// Sends the rest undisturbed. A delivery that two kills in a row struck is held for the
/// author, who orders one more copy; returns how many there were.
fn finish(site: &Site, account: &mut Account) -> u64 {
    let ran = site.run(&["publish", "--yes"]);
    account.note_doubt(site);
    let held = site.totals()["in_doubt"].as_u64().expect("a count");
    assert_eq!(ran.code(), i32::from(held > 0), "{}", ran.stderr());
    if held > 0 {
        site.run(&["resolve", "c1", "resend"]).expect_code(0);
        site.run(&["publish", "--yes"]).expect_code(0);
    }
    held
}

/// Starts a publish and kills it after a pause. The kill counts only if the sink took
/// something since the start.
fn kill_once(site: &Site, pauses: &mut Pauses, taken: impl Fn() -> usize, account: &mut Account) {
    let before = taken();
    let mut child = site.start(&["publish", "--yes"]);
    let started = Instant::now();
    while taken() == before && started.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(pauses.next());
    child.kill().expect("the process is ours");
    child.wait().expect("the process is ours");
    account.kills += usize::from(taken() > before);
    account.note_doubt(site);
    // What the killed process had on the wire is not to be taken for the next one's.
    std::thread::sleep(2 * DELAY);
}

/// FAULTS.md's word *Clean*, figure by figure.
fn check_clean(site: &Site, received: &[Received], recipients: usize) {
    let report = site.report();
    let deliveries = report["campaigns"][0]["deliveries"].as_array().expect("deliveries");
    let announced: HashSet<&str> = deliveries
        .iter()
        .filter(|delivery| delivery["ever_in_doubt"] == true)
        .map(|delivery| delivery["address"].as_str().expect("an address"))
        .collect();
    let mut copies: HashMap<&str, Vec<&Received>> = HashMap::new();
    for message in received {
        copies.entry(message.recipient.as_str()).or_default().push(message);
    }
    assert_eq!(copies.len(), recipients, "nobody is lost");
    for (address, copies) in &copies {
        assert!(copies.len() == 1 || announced.contains(address), "a duplicate that nobody announced");
        for copy in copies {
            assert_eq!(copy.bytes, copies[0].bytes, "a resend is the same message, byte for byte");
        }
    }
    let totals = site.totals();
    assert_balanced(&totals, recipients);
    assert_eq!(totals["accepted"], recipients);
    site.run(&["state", "verify"]).expect_code(0);
}

fn assert_balanced(totals: &Value, recipients: usize) {
    let states =
        ["accepted", "rejected", "suppressed", "cancelled", "expired", "abandoned", "deferred", "in_doubt", "pending"];
    let sum: u64 = states.iter().map(|state| totals[state].as_u64().expect("a count")).sum();
    assert_eq!(totals["planned"].as_u64(), Some(sum), "{totals:#}");
    assert_eq!(sum, recipients as u64);
}

fn site_for(relay: &str, recipients: usize) -> Site {
    let site = Site::with_config(&format!(
        "[mail]\nfrom = \"Test Notes <notes@example.org>\"\nsince = \"2020-01-01\"\n\
         [subscribers]\nfile = \"subscribers.toml\"\n{relay}"
    ));
    site.write("content/hello.md", "---\ntitle: Hello\ndate: 2026-01-02\n---\n\nA post about **nothing** much.\n");
    site.write_subscribers(recipients);
    site
}

#[test]
fn fifty_kills_while_filing_into_the_outbox_lose_nobody_and_duplicate_nothing() {
    let recipients = 5_000;
    let site = site_for("", recipients);
    let outbox = site.file(".fieldpost/outbox/new");
    let filed = || std::fs::read_dir(&outbox).map_or(0, Iterator::count);
    let mut pauses = Pauses(7);
    let mut kills = 0;
    let mut interrupted = 0;
    while kills < 50 {
        let before = filed();
        let mut child = site.start(&["publish", "--yes"]);
        while filed() == before && child.try_wait().expect("the process is ours").is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(pauses.next() / 40);
        child.kill().expect("the process is ours");
        child.wait().expect("the process is ours");
        kills += 1;
        interrupted += usize::from(filed() > before && filed() < recipients);
    }
    site.run(&["publish", "--yes"]).expect_code(0);
    assert_eq!(filed(), recipients, "0 lost, 0 duplicates");
    let totals = site.totals();
    assert_balanced(&totals, recipients);
    assert_eq!(totals["accepted"], recipients);
    assert!(interrupted > 0, "no kill struck while mail was being filed");
    println!("F1 (outbox): {kills} kills, {interrupted} while mail was being filed, 0 lost, 0 duplicates");
}

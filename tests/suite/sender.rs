//! The sender beside other commands, under signals, and before relays that refuse.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use rusqlite::Connection;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::sink::{Received, Script, Sink};
use crate::support::site::{Ran, Site};

/// Connections of the sender under test.
const CONNECTIONS: usize = 2;
/// How many deliveries it may have begun and not settled.
const BEGIN_AHEAD: usize = 16;
/// How long the sink takes for a message where a send has to last.
const DELAY: Duration = Duration::from_millis(40);

/// One post, news, for the people with these local parts.
fn site(port: u16, local_parts: &[String]) -> Site {
    let site = Site::with_config(&format!(
        "[mail]\nfrom = \"Test Notes <notes@example.org>\"\nsince = \"2020-01-01\"\n\
         [subscribers]\nfile = \"subscribers.toml\"\n[delivery]\nbegin_ahead = {BEGIN_AHEAD}\n\
         [[relay]]\nurl = \"smtp://127.0.0.1:{port}\"\nconnections = {CONNECTIONS}\n"
    ));
    site.write("content/hello.md", "---\ntitle: Hello\ndate: 2026-01-02\n---\n\nA post about **nothing** much.\n");
    let list: Vec<String> =
        local_parts.iter().map(|name| format!("[[subscriber]]\nemail = \"{name}@example.org\"\n\n")).collect();
    site.write("subscribers.toml", list.concat());
    site
}

fn readers(n: usize) -> Vec<String> {
    (0..n).map(|number| format!("reader-{number}")).collect()
}

fn named(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A slow sink, a site of that many readers, and a publish that is sending to them.
fn in_full_flight(recipients: usize) -> (Sink, Site, Child) {
    let sink = Sink::start(Script { delay: DELAY, ..Script::default() });
    let site = site(sink.port(), &readers(recipients));
    let child = start(&site);
    wait_until("mail flows", || sink.accepted_count() > 4);
    (sink, site, child)
}

fn start(site: &Site) -> Child {
    site.command(&["publish", "--yes"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary starts")
}

fn end(child: Child) -> Ran {
    Ran::of(child.wait_with_output().expect("the process is ours"))
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited too long: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// How often each address was reached.
fn copies(sink: &Sink) -> BTreeMap<String, Vec<Received>> {
    let mut copies: BTreeMap<String, Vec<Received>> = BTreeMap::new();
    for message in sink.messages() {
        copies.entry(message.recipient.clone()).or_default().push(message);
    }
    copies
}

#[track_caller]
fn assert_everybody_got_one(sink: &Sink, recipients: usize) {
    let copies = copies(sink);
    assert_eq!(copies.len(), recipients, "nobody is lost");
    assert_eq!(sink.accepted_count(), recipients, "0 duplicates");
}

fn count(totals: &Value, state: &str) -> u64 {
    totals[state].as_u64().unwrap_or_else(|| panic!("no {state} in {totals}"))
}

/// The addresses' local parts in that state, with the relay's last words.
fn in_state(site: &Site, state: &str) -> BTreeMap<String, String> {
    let report = site.report();
    let deliveries = report["campaigns"][0]["deliveries"].as_array().expect("deliveries");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    deliveries
        .iter()
        .filter(|delivery| delivery["state"] == state)
        .map(|delivery| (text(&delivery["address"]).replace("@example.org", ""), text(&delivery["reply"])))
        .collect()
}

#[test]
fn of_ten_senders_started_at_once_one_sends_and_the_others_name_it() {
    let recipients = 100;
    let sink = Sink::start(Script { delay: DELAY, ..Script::default() });
    let site = site(sink.port(), &readers(recipients));
    let children: Vec<Child> = (0..10).map(|_| start(&site)).collect();
    let ended: Vec<(u32, Ran)> = children.into_iter().map(|child| (child.id(), end(child))).collect();
    let (winners, losers): (Vec<_>, Vec<_>) = ended.iter().partition(|(_, ran)| ran.code() == 0);
    let [(winner, _)] = winners[..] else { panic!("{} senders ended well", winners.len()) };
    for (_, ran) in losers {
        assert_eq!(ran.code(), 75, "{}", ran.stderr());
        assert!(names_number(&ran.stderr(), *winner), "not process {winner}: {}", ran.stderr());
    }
    assert_everybody_got_one(&sink, recipients);
}

fn names_number(text: &str, number: u32) -> bool {
    text.split(|c: char| !c.is_ascii_digit()).any(|word| word == number.to_string())
}

#[test]
fn beside_a_sender_status_answers_and_pause_is_obeyed() {
    let recipients = 200;
    let (sink, site, child) = in_full_flight(recipients);
    let asked = Instant::now();
    let status = site.run(&["status", "--json"]).expect_code(0).json();
    assert!(asked.elapsed() < Duration::from_secs(5), "status waited for the sender");
    assert_eq!(status["campaigns"][0]["state"], "running");
    assert!(count(&status["campaigns"][0]["totals"], "pending") > 0, "{status:#}");

    site.run(&["pause", "c1"]).expect_code(0);
    let at_the_pause = sink.accepted_count();
    let sender = end(child);
    assert!([0, 1].contains(&sender.code()), "{}: {}", sender.code(), sender.stderr());
    let more = sink.accepted_count() - at_the_pause;
    assert!(more <= BEGIN_AHEAD, "{more} messages left after the pause");
    let totals = site.totals();
    assert_eq!(count(&totals, "pending"), (recipients - sink.accepted_count()) as u64, "{totals:#}");
    assert!(count(&totals, "pending") > 0, "the pause came too late to be seen");
    let stopped_at = sink.accepted_count();
    site.run(&["publish", "--yes"]).expect_code(0);
    assert_eq!(sink.accepted_count(), stopped_at, "a paused campaign stays paused");

    site.run(&["resume", "c1"]).expect_code(0);
    site.run(&["publish", "--yes"]).expect_code(0);
    assert_everybody_got_one(&sink, recipients);
    assert_eq!(count(&site.totals(), "accepted"), recipients as u64);
}

#[test]
fn cancel_beside_a_sender_ends_the_campaign_and_the_rest_is_never_sent() {
    let recipients = 200;
    let (sink, site, child) = in_full_flight(recipients);
    site.run(&["cancel", "c1"]).expect_code(0);
    let at_the_cancel = sink.accepted_count();
    end(child).expect_code(0);
    let sent = sink.accepted_count();
    assert!(sent - at_the_cancel <= BEGIN_AHEAD, "{} messages left after the cancel", sent - at_the_cancel);
    site.run(&["publish", "--yes"]).expect_code(0);
    assert_eq!(sink.accepted_count(), sent);
    let totals = site.totals();
    assert_eq!(count(&totals, "accepted"), sent as u64, "{totals:#}");
    assert_eq!(count(&totals, "cancelled"), (recipients - sent) as u64, "{totals:#}");
}

#[test]
fn a_signal_finishes_what_is_on_the_wire_and_the_next_publish_does_the_rest() {
    for signal in [Signal::TERM, Signal::INT] {
        let recipients = 120;
        let (sink, site, child) = in_full_flight(recipients);
        let pid = Pid::from_raw(child.id().try_into().expect("a process id")).expect("a process id");
        let at_the_signal = sink.accepted_count();
        kill_process(pid, signal).expect("the process is ours");
        let ran = end(child);
        assert_eq!(ran.code(), 130, "{}", ran.stderr());
        let more = sink.accepted_count() - at_the_signal;
        assert!(more <= 2 * CONNECTIONS, "{more} messages were sent after the signal");
        let totals = site.totals();
        assert_eq!(count(&totals, "accepted"), sink.accepted_count() as u64, "{totals:#}");
        assert_eq!(count(&totals, "ever_in_doubt"), 0, "{totals:#}");
        assert!(count(&totals, "pending") > 0, "the signal came too late to be seen");
        site.run(&["publish", "--yes"]).expect_code(0);
        assert_everybody_got_one(&sink, recipients);
    }
}

#[test]
fn refused_recipients_are_rejected_with_the_relays_words_and_nobody_else_is() {
    let sink = Sink::start(Script::default());
    let refused = ["550-gone", "554-closed", "data-552-large"];
    let site = site(sink.port(), &[readers(20), named(&refused)].concat());
    site.run(&["publish", "--yes"]).expect_code(1);
    let rejected = in_state(&site, "rejected");
    assert_eq!(rejected.keys().map(String::as_str).collect::<Vec<_>>(), refused);
    for (name, code) in [("550-gone", "550 5.1.1"), ("554-closed", "554 5.7.1"), ("data-552-large", "552 5.6.0")] {
        assert!(rejected[name].starts_with(code), "{name}: {}", rejected[name]);
    }
    assert_everybody_got_one(&sink, 20);
    assert_eq!(count(&site.totals(), "accepted"), 20);
    site.run(&["publish", "--yes"]).expect_code(0);
    assert_everybody_got_one(&sink, 20);
}

#[test]
fn deferred_recipients_wait_until_they_are_due_or_retried() {
    let sink = Sink::start(Script::default());
    let busy = ["once-451-busy", "once-data-451-late", "once-tempfail-grey"];
    let site = site(sink.port(), &[readers(20), named(&busy)].concat());
    site.run(&["publish", "--yes"]).expect_code(0);
    let deferred = in_state(&site, "deferred");
    assert_eq!(deferred.keys().map(String::as_str).collect::<Vec<_>>(), busy);
    assert!(deferred["once-451-busy"].starts_with("451 4.7.1"), "{deferred:?}");
    site.run(&["publish", "--yes"]).expect_code(0);
    assert_everybody_got_one(&sink, 20);

    site.run(&["retry", "c1"]).expect_code(0);
    site.run(&["publish", "--yes"]).expect_code(0);
    assert_everybody_got_one(&sink, 23);
    let totals = site.totals();
    assert_eq!((count(&totals, "accepted"), count(&totals, "ever_in_doubt")), (23, 0), "{totals:#}");
}

#[test]
fn without_a_relay_nothing_is_lost_and_the_exit_code_says_so() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
    let site = site(port, &readers(20));
    let ran = site.run(&["publish", "--yes"]).expect_code(69);
    assert!(ran.stderr().contains(&port.to_string()) || ran.stderr().contains("refused"), "{}", ran.stderr());
    let totals = site.totals();
    assert_eq!((count(&totals, "pending"), count(&totals, "ever_in_doubt")), (20, 0), "{totals:#}");

    let sink = Sink::start(Script::default());
    let config = site.read("fieldpost.toml").replace(&port.to_string(), &sink.port().to_string());
    site.write("fieldpost.toml", config);
    site.run(&["publish", "--yes"]).expect_code(0);
    assert_everybody_got_one(&sink, 20);
}

#[test]
fn a_lost_answer_is_named_and_resent_once_byte_for_byte() {
    let sink = Sink::start(Script::default());
    let lost = ["once-drop-after-data-ada", "once-reset-after-data-bob"];
    let site = site(sink.port(), &[readers(20), named(&lost)].concat());
    site.run(&["publish", "--yes"]);
    site.run(&["publish", "--yes"]).expect_code(0);
    let copies = copies(&sink);
    assert_eq!(copies.len(), 22);
    for (address, copies) in &copies {
        let is_lost = lost.iter().any(|name| address.starts_with(name));
        assert_eq!(copies.len(), if is_lost { 2 } else { 1 }, "{address}");
        assert!(copies.iter().all(|copy| copy.bytes == copies[0].bytes), "{address}: the resend differs");
    }
    let totals = site.totals();
    assert_eq!((count(&totals, "accepted"), count(&totals, "ever_in_doubt")), (22, 2), "{totals:#}");
}

#[test]
fn a_doubt_that_the_first_ledgers_know_by_a_plain_digest_is_resent_too() {
    let sink = Sink::start(Script::default());
    let site = site(sink.port(), &[readers(5), named(&["once-drop-after-data-ada"])].concat());
    let config = site.read("fieldpost.toml").replace("begin_ahead", "in_doubt = \"hold\"\nbegin_ahead");
    site.write("fieldpost.toml", config);
    site.run(&["publish", "--yes"]).expect_code(1);
    let copies_of_ada = || copies(&sink)["once-drop-after-data-ada@example.org"].clone();
    let plain = digest(&SHA256, &copies_of_ada()[0].bytes);
    let ledger = Connection::open(site.file(".fieldpost/state.db")).expect("the state can be opened");
    assert_eq!(ledger.execute("UPDATE frozen SET digest = ?1", [plain.as_ref()]), Ok(1));
    drop(ledger);
    site.run(&["resolve", "c1", "resend"]).expect_code(0);
    site.run(&["publish", "--yes"]).expect_code(0);
    let ada = copies_of_ada();
    assert_eq!(ada.len(), 2);
    assert_eq!(ada[0].bytes, ada[1].bytes);
}

#[test]
fn a_second_doubt_is_held_until_the_author_decides() {
    let sink = Sink::start(Script::default());
    let site = site(sink.port(), &[readers(5), named(&["drop-after-data-eve"])].concat());
    site.run(&["publish", "--yes"]).expect_code(1);
    site.run(&["publish", "--yes"]).expect_code(1);
    site.run(&["publish", "--yes"]).expect_code(1);
    let eve = &copies(&sink)["drop-after-data-eve@example.org"];
    assert_eq!(eve.len(), 2, "resent once, then held");
    assert_eq!(eve[0].bytes, eve[1].bytes);
    assert_eq!(in_state(&site, "in_doubt").len(), 1);
    site.run(&["resolve", "c1", "abandon"]).expect_code(0);
    site.run(&["publish", "--yes"]).expect_code(0);
    let totals = site.totals();
    assert_eq!((count(&totals, "accepted"), count(&totals, "abandoned")), (5, 1), "{totals:#}");
}

#[test]
fn a_relay_that_offers_dsn_is_asked_to_report_failures_by_the_name_of_the_copy() {
    let offers = ["PIPELINING", "DSN"].map(str::to_owned).to_vec();
    let sink = Sink::start(Script { offers, ..Script::default() });
    let site = site(sink.port(), &named(&["ada"]));
    end(start(&site)).expect_code(0);
    let own = site.report()["campaigns"][0]["deliveries"][0]["message_id"]
        .as_str()
        .and_then(|id| id.split_once('@'))
        .map(|(own, _)| own.to_owned())
        .expect("a Message-ID");
    let commands = sink.commands();
    assert!(commands.contains(&format!("MAIL FROM:<notes@example.org> RET=HDRS ENVID={own}")), "{commands:?}");
    let asked = "RCPT TO:<ada@example.org> NOTIFY=FAILURE ORCPT=rfc822;ada@example.org".to_owned();
    assert!(commands.contains(&asked), "{commands:?}");
}

//! F10 to F14 and F17: relays that lose answers, refuse, put off, close.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{
    CONNECTIONS, assert_all_accepted, assert_balanced, change_relay, check_clean, count, in_state, interrupt, readers,
    relay, site, site_for, size, text, until_settled, wait_until,
};
use crate::support::sink::{Fault, Login, Loss, Script, Sink, is_chosen};
use crate::support::site::{Ran, Site};

/// No relay is waited for any longer.
const IMPATIENT: [(&str, &str); 1] = [("FIELDPOST_SMTP_TIMEOUT", "1")];

fn breaking(faults: Vec<Fault>) -> Sink {
    Sink::start(Script { faults, ..Script::default() })
}

/// Publishes until nothing is pending; what was paused goes on.
fn until_nothing_is_pending(site: &Site) {
    for _ in 0..40 {
        site.run_with(&IMPATIENT, &["publish", "--yes"]);
        if count(&site.totals(), "pending") == 0 {
            return;
        }
        site.run(&["resume", "c1"]).expect_code(0);
    }
    panic!("after forty runs still pending: {:#}", site.totals());
}

/// F10: under `hold`, so that nothing is resent before it was looked at.
fn lose_answers(loss: Loss) {
    let n = size(300, 10_000);
    let sink = breaking(vec![Fault::LoseAnswers(5, loss)]);
    let more = format!("{}[delivery]\nin_doubt = \"hold\"\n", relay(&sink, CONNECTIONS));
    let site = site(&more, n);
    until_nothing_is_pending(&site);
    let everybody = readers(n).into_iter().map(|name| format!("{name}@example.org"));
    let lost: BTreeSet<String> = everybody.filter(|address| is_chosen(address, 5)).collect();
    let doubtful: BTreeSet<String> = in_state(&site, "in_doubt").into_keys().collect();
    assert!(!lost.is_empty());
    assert_eq!(doubtful, lost, "in doubt is whose answer was lost, and nobody else");
    let account = check_clean(&site, &sink.messages());
    assert_eq!((account.accepted, account.duplicates), (n - lost.len(), 0));
    site.run(&["resolve", "c1", "resend"]).expect_code(0);
    until_settled(&site);
    assert_eq!(check_clean(&site, &sink.messages()).duplicates, lost.len());
    assert_all_accepted(&site, n);
    println!("F10 ({loss:?}): {} answers of {n} lost, those in doubt, the others untouched", lost.len());
}

#[test]
fn answers_lost_by_a_reset_leave_exactly_their_readers_in_doubt() {
    lose_answers(Loss::Reset);
}

#[test]
fn answers_that_never_come_leave_exactly_their_readers_in_doubt() {
    lose_answers(Loss::Silence);
}

/// F11 for one k; returns how many connections the tired relay saw.
fn tire_after(k: u32) -> usize {
    let n = size(40, 400);
    let sink = breaking(vec![Fault::CloseAfterCommands(k)]);
    let site = site(&relay(&sink, 2), n);
    let mut child = site.start(&["publish", "--yes"]);
    // EHLO, MAIL, RCPT, DATA and the dot are five: with less, nothing ever gets through.
    if k < 5 {
        wait_until("the relay was tried", || sink.connection_count() >= 4);
        interrupt(&child);
    }
    child.wait().expect("the process is ours");
    assert_eq!(sink.accepted_count() == 0, k < 5, "k = {k}");
    let good = Sink::start(Script::default());
    change_relay(&site, &sink, &good);
    until_settled(&site);
    let account = check_clean(&site, &[sink.messages(), good.messages()].concat());
    assert_eq!((account.duplicates, account.doubted.len()), (0, 0), "k = {k}");
    assert_all_accepted(&site, n);
    sink.connection_count()
}

#[test]
fn a_421_after_any_command_loses_and_doubles_nobody() {
    let connections: Vec<usize> = thread::scope(|scope| {
        let tired: Vec<_> = (1..=12).map(|k| scope.spawn(move || tire_after(k))).collect();
        tired.into_iter().map(|one| one.join().expect("each k passes")).collect()
    });
    assert!(connections.iter().all(|n| *n > 1), "a relay did not close: {connections:?}");
    println!("F11: 421 after the k-th command, k = 1 to 12, connections closed: {connections:?}; 0 lost, 0 duplicates");
}

#[test]
fn greylisted_readers_are_accepted_on_the_retry_and_the_relay_is_not_pestered() {
    let n = size(500, 10_000);
    let sink = breaking(vec![Fault::Greylist(30)]);
    let site = site(&relay(&sink, CONNECTIONS), n);
    site.run(&["publish", "--yes"]).expect_code(0);
    let greylisted = in_state(&site, "deferred").len();
    assert!(greylisted * 10 > n * 2 && greylisted * 10 < n * 4, "{greylisted} of {n}");
    let asked = |sink: &Sink| sink.commands().iter().filter(|line| line.starts_with("RCPT")).count();
    assert_eq!(asked(&sink), n, "nobody is asked for twice before the time has come");
    site.run(&["publish", "--yes"]).expect_code(0);
    assert_eq!(asked(&sink), n, "nor by a second run");
    site.run(&["retry", "c1"]).expect_code(0);
    site.run(&["publish", "--yes"]).expect_code(0);
    assert_eq!(asked(&sink), n + greylisted);
    assert_eq!(check_clean(&site, &sink.messages()).duplicates, 0);
    assert_all_accepted(&site, n);
    println!("F12 (greylisting): {greylisted} of {n} put off, all accepted on the retry, {} RCPT", n + greylisted);
}

#[test]
fn a_quota_rests_the_relay_and_leaves_the_list_alone() {
    let n = size(50, 1_000);
    let sink = breaking(vec![Fault::Refuse("MAIL", "452 4.3.1 quota exceeded, come back later")]);
    let site = site(&relay(&sink, 2), n);
    let ran = site.run(&["publish", "--yes"]).expect_code(69);
    assert!(ran.stderr().contains("quota exceeded"), "{}", ran.stderr());
    let pestered = sink.commands().iter().filter(|line| line.starts_with("MAIL")).count();
    // Once on each connection, and once more behind it: a busy loop would have asked thousands of times.
    assert!((1..=4).contains(&pestered), "asked {pestered} times");
    let status = site.run(&["status", "--json"]).expect_code(0).json();
    assert_ne!(status["campaigns"][0]["state"], "paused", "{status:#}");
    assert_eq!(count(&status["campaigns"][0]["totals"], "pending"), n, "{status:#}");
    assert_eq!(active(&site), n, "nobody was taken off the list");
    let good = Sink::start(Script::default());
    change_relay(&site, &sink, &good);
    site.run(&["publish", "--yes"]).expect_code(0);
    assert_eq!(check_clean(&site, &good.messages()).duplicates, 0);
    assert_all_accepted(&site, n);
    println!("F12 (quota): MAIL refused {pestered} times, 0 lost, {n} still on the list");
}

fn people(site: &Site) -> Vec<Value> {
    let list = site.run(&["subscribers", "list", "--json"]).expect_code(0).json();
    list["subscribers"].as_array().expect("people").clone()
}

fn active(site: &Site) -> usize {
    people(site).iter().filter(|person| person["state"] == "active").count()
}

#[test]
fn a_tenth_refused_is_rejected_with_the_relays_words_and_only_missing_mailboxes_are_suppressed() {
    let n = size(500, 10_000);
    let name = |i: usize| match i % 20 {
        7 => format!("550-gone-{i}"),
        13 => format!("554-closed-{i}"),
        _ => format!("reader-{i}"),
    };
    let names: Vec<String> = (0..n).map(name).collect();
    let sink = Sink::start(Script::default());
    let site = site_for(&relay(&sink, CONNECTIONS), &names);
    site.run(&["publish", "--yes"]).expect_code(1);
    let rejected = in_state(&site, "rejected");
    let refused: BTreeSet<String> =
        names.iter().filter(|name| name.starts_with("55")).map(|name| format!("{name}@example.org")).collect();
    assert_eq!(rejected.keys().cloned().collect::<BTreeSet<_>>(), refused);
    for (address, delivery) in &rejected {
        let reply =
            if address.starts_with("550") { "550 5.1.1 <***@***>: no such user" } else { "554 5.7.1 not this one" };
        assert_eq!(delivery["reply"], reply, "{address}");
    }
    assert_eq!(check_clean(&site, &sink.messages()).accepted, n - refused.len());
    let bounced = people(&site).iter().filter(|person| person["state"] == "bounced").count();
    assert_eq!((bounced, active(&site)), (n / 20, n - n / 20));
    println!("F13: {} of {n} refused, exactly those rejected, {bounced} suppressed", refused.len());
}

/// Starts a publish that a refusal of us, not of a reader, must pause; how it ended, and how
/// long after the first refusal.
fn paused_by(site: &Site, has_struck: impl Fn() -> bool) -> (Ran, Duration) {
    let mut command = site.command(&["publish", "--yes"]);
    command.env("FIELDPOST_RELAY_PASSWORD", "opensesame").stderr(std::process::Stdio::piped());
    let child = command.stdout(std::process::Stdio::null()).spawn().expect("the binary starts");
    wait_until("the relay refuses", has_struck);
    let refused = Instant::now();
    let ran = Ran::of(child.wait_with_output().expect("the process is ours"));
    (ran, refused.elapsed())
}

#[track_caller]
fn assert_paused(site: &Site, ran: &Ran, took: Duration, words: &str) {
    assert_eq!(ran.code(), 69, "{}", ran.stderr());
    assert!(took < Duration::from_secs(5), "paused after {took:?}\n{}", ran.stderr());
    let status = site.run(&["status", "--json"]).expect_code(0).json();
    let campaign = &status["campaigns"][0];
    assert_eq!(campaign["state"], "paused", "{status:#}");
    assert!(text(&campaign["reason"]).contains(words), "{status:#}");
    assert_balanced(&campaign["totals"]);
    assert_eq!(count(&campaign["totals"], "rejected"), 0, "{status:#}");
    assert_eq!(active(site), count(&campaign["totals"], "planned"), "somebody was suppressed");
}

#[test]
fn a_refused_sender_pauses_the_campaign_and_suppresses_nobody() {
    let n = size(200, 10_000);
    let sink = breaking(vec![Fault::Refuse("MAIL", "550 5.7.515 access denied, sender not known")]);
    let site = site(&relay(&sink, CONNECTIONS), n);
    let struck = || sink.commands().iter().any(|line| line.starts_with("MAIL"));
    let (ran, took) = paused_by(&site, struck);
    assert_paused(&site, &ran, took, "5.7.515");
    let good = Sink::start(Script::default());
    change_relay(&site, &sink, &good);
    until_settled(&site);
    assert_eq!(check_clean(&site, &good.messages()).duplicates, 0);
    println!("F14 (MAIL refused): paused after {took:?}, nobody suppressed, all {n} sent after the resume");
}

#[test]
fn a_login_revoked_in_mid_run_pauses_the_campaign_and_suppresses_nobody() {
    let n = size(300, 10_000);
    let login = Login { mechanisms: "PLAIN", user: "ada", password: "opensesame" };
    let faults = vec![Fault::CloseAfterMessages(10), Fault::RevokeLogin(n / 2)];
    let sink = Sink::start(Script { login: Some(login), faults, ..Script::default() });
    let table = relay(&sink, CONNECTIONS).replace("smtp://", "smtp://ada@");
    let site = site(&table, n);
    let welcome = Cell::new(usize::MAX);
    let struck = || {
        if sink.accepted_count() < n / 2 {
            // Each connection logs in once; the next login is the first that is refused.
            welcome.set(sink.login_count());
        }
        sink.login_count() > welcome.get()
    };
    let (ran, took) = paused_by(&site, struck);
    assert_paused(&site, &ran, took, "535");
    let taken = sink.accepted_count();
    assert!(taken >= n / 2 && taken < n, "{taken} of {n}");
    assert_eq!(count(&site.totals(), "accepted"), taken);
    let good = Sink::start(Script::default());
    change_relay(&site, &sink, &good);
    site.write("fieldpost.toml", site.read("fieldpost.toml").replace("ada@", ""));
    until_settled(&site);
    assert_eq!(check_clean(&site, &[sink.messages(), good.messages()].concat()).duplicates, 0);
    println!("F14 (AUTH revoked): after {taken} of {n}, paused after {took:?}, nobody suppressed");
}

#[test]
fn a_relay_that_closes_after_every_fifty_messages_gets_them_all_and_nothing_is_paused() {
    let n = size(500, 10_000);
    let sink = breaking(vec![Fault::CloseAfterMessages(50)]);
    let site = site(&relay(&sink, CONNECTIONS), n);
    site.run(&["publish", "--yes"]).expect_code(0);
    let account = check_clean(&site, &sink.messages());
    assert_eq!((account.duplicates, account.doubted.len()), (0, 0));
    assert_all_accepted(&site, n);
    let closed = sink.connection_count();
    assert!(closed >= n / 50, "the relay closed {closed} connections");
    println!("F17: {closed} connections for {n} messages, 0 in doubt, no pause");
}

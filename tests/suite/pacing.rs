//! How fast, through which relay, and at what time of the day: the built binary before sinks.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::sink::{Fault, Login, Script, Sink};
use crate::support::site::{Ran, Site};

mod day;

/// One post, news, for the people with these addresses (and, behind a space, their time zone).
fn site(more: &str, people: &[String]) -> Site {
    let site = Site::with_config(&format!(
        "time_zone = \"Europe/Vienna\"\n[mail]\nfrom = \"Test Notes <notes@example.org>\"\nsince = \"2020-01-01\"\n\
         [subscribers]\nfile = \"subscribers.toml\"\n{more}"
    ));
    site.write("content/hello.md", "---\ntitle: Hello\ndate: 2026-01-02\n---\n\nA post about **nothing** much.\n");
    let entry = |person: &String| match person.split_once(' ') {
        None => format!("[[subscriber]]\nemail = \"{person}\"\n\n"),
        Some((address, zone)) => {
            format!("[[subscriber]]\nemail = \"{address}\"\n[subscriber.attributes]\ntime_zone = \"{zone}\"\n\n")
        }
    };
    site.write("subscribers.toml", people.iter().map(entry).collect::<String>());
    site
}

fn people(n: usize, domain: &str) -> Vec<String> {
    (0..n).map(|number| format!("reader-{number}@{domain}")).collect()
}

fn relay(sink: &Sink, more: &str) -> String {
    format!("[[relay]]\nurl = \"smtp://127.0.0.1:{}\"\n{more}", sink.port())
}

/// Publishes while the clock stands at a moment.
fn publish_at(site: &Site, moment: &str) -> Ran {
    site.run_with(&[("FIELDPOST_NOW", moment)], &["publish", "--yes"])
}

fn count(site: &Site, state: &str) -> usize {
    usize::try_from(site.totals()[state].as_u64().expect("a count")).expect("a count")
}

fn campaign(site: &Site) -> Value {
    site.run(&["status", "--json"]).expect_code(0).json()["campaigns"][0].clone()
}

fn good() -> Sink {
    Sink::start(Script::default())
}

#[test]
fn relays_share_the_work_by_weight() {
    let (first, second, reserve) = (good(), good(), good());
    let relays = [relay(&first, "weight = 3\n"), relay(&second, "weight = 1\n"), relay(&reserve, "weight = 0\n")];
    let site = site(&relays.concat(), &people(100, "example.org"));
    site.run(&["publish", "--yes"]).expect_code(0);
    let [first, second, reserve] = [&first, &second, &reserve].map(Sink::accepted_count);
    assert_eq!((first + second, reserve), (100, 0));
    assert!((65..=85).contains(&first), "{first} to {second} at 3 to 1");
}

#[test]
fn a_relay_that_refuses_the_login_is_replaced_and_nothing_is_paused() {
    let login = Login { mechanisms: "PLAIN", user: "ada", password: "another" };
    let bad = Sink::start(Script { login: Some(login), ..Script::default() });
    let backup = good();
    let first = relay(&bad, "").replace("smtp://", "smtp://ada@");
    let site = site(&[first, relay(&backup, "weight = 0\n")].concat(), &people(60, "example.org"));
    let ran = site.run_with(&[("FIELDPOST_RELAY_PASSWORD", "opensesame")], &["publish", "--yes"]);
    ran.expect_code(0);
    assert_eq!((bad.accepted_count(), backup.accepted_count(), count(&site, "accepted")), (0, 60, 60));
    assert!(bad.login_count() >= 1, "the bad relay was never tried");
    println!("F14 (failover): {} logins refused, 60 of 60 through the reserve", bad.login_count());
}

#[test]
fn a_relay_that_dies_in_mid_run_is_replaced() {
    let (dying, backup) = (
        Sink::start(Script { faults: vec![Fault::Refuse("MAIL", "421 4.3.2 shutting down")], ..Script::default() }),
        good(),
    );
    let site = site(&[relay(&dying, ""), relay(&backup, "")].concat(), &people(80, "example.org"));
    site.run(&["publish", "--yes"]).expect_code(0);
    let refused = dying.commands().iter().filter(|line| line.starts_with("MAIL")).count();
    assert!(refused > 0, "the dying relay was never tried");
    assert_eq!((backup.accepted_count(), count(&site, "accepted")), (80, 80));
}

#[test]
fn a_quota_pauses_the_relay_and_not_the_list() {
    let sink = good();
    let names: Vec<String> = (0..6).map(|n| format!("once-data-452-{n}@example.org")).collect();
    let rule = "[[rule]]\ncode = \"452\"\naction = \"pause relay\"\nfor = \"1 s\"\n";
    let site = site(&[relay(&sink, "connections = 4\n"), rule.to_owned()].concat(), &names);
    let begun = Instant::now();
    site.run(&["publish", "--yes"]).expect_code(0);
    let asked = sink.commands().iter().filter(|line| line.starts_with("RCPT")).count();
    assert_eq!((count(&site, "accepted"), count(&site, "deferred")), (6, 0));
    assert!((12..48).contains(&asked), "asked {asked} times: a busy loop, or never");
    assert!(begun.elapsed() >= Duration::from_secs(1), "the relay was not left alone");
    println!("F12 (quota): 6 refused once, all accepted after {:?}, {asked} RCPT", begun.elapsed());
}

#[test]
fn a_long_quota_ends_the_run_with_its_reason_and_the_next_run_leaves_the_relay_alone() {
    let sink = Sink::start(Script {
        faults: vec![Fault::Refuse("MAIL", "454 Throttling failure: Daily message quota exceeded.")],
        ..Script::default()
    });
    let site = site(&relay(&sink, "connections = 2\n"), &people(50, "example.org"));
    let asked = || sink.commands().iter().filter(|line| line.starts_with("MAIL")).count();
    let ran = site.run(&["publish", "--yes"]).expect_code(69);
    assert!(ran.stderr().contains("Daily message quota exceeded"), "{}", ran.stderr());
    let first = asked();
    assert!((1..=4).contains(&first), "asked {first} times");
    site.run(&["publish", "--yes"]).expect_code(69);
    assert_eq!(asked(), first, "the pause outlives the process");
    assert_eq!((count(&site, "pending"), count(&site, "deferred")), (50, 0), "no attempt was counted");
    assert_ne!(campaign(&site)["state"], "paused");
}

#[test]
fn more_than_a_fifth_refused_pauses_the_campaign_and_suppresses_nobody() {
    let sink = good();
    let name = |n: usize| {
        if n.is_multiple_of(2) { format!("550-gone-{n}@example.org") } else { format!("reader-{n}@example.org") }
    };
    let n = 300;
    let site = site(&relay(&sink, "connections = 2\n"), &(0..n).map(name).collect::<Vec<_>>());
    let begun = Instant::now();
    let ran = site.run(&["publish", "--yes"]).expect_code(69);
    assert!(begun.elapsed() < Duration::from_secs(5), "paused after {:?}", begun.elapsed());
    assert!(ran.stderr().contains("were refused for good"), "{}", ran.stderr());
    let rejected = count(&site, "rejected");
    assert!((9..150).contains(&rejected), "{rejected} rejected before the pause");
    let list = site.run(&["subscribers", "list", "--json"]).expect_code(0).json();
    let people = list["subscribers"].as_array().expect("people");
    assert!(people.len() == n && people.iter().all(|person| person["state"] == "active"), "somebody was suppressed");
    println!("F14 (a half refused): paused after {rejected} refusals, nobody suppressed");
}

#[test]
fn an_authors_rule_decides_before_the_shipped_ones() {
    let sink = good();
    let rules = "[[rule]]\ncode = \"554\"\ntext = \"NOT this\"\naction = \"suppress\"\n\
                 [[rule]]\ncode = \"550\"\nstage = \"recipient\"\naction = \"plain\"\n\
                 [[rule]]\ncode = \"553\"\naction = \"pause campaign\"\n";
    let people: Vec<String> = ["554-a@b.example", "reader@b.example"].map(str::to_owned).to_vec();
    let site = site(&[relay(&sink, ""), rules.to_owned()].concat(), &people);
    site.run(&["publish", "--yes"]).expect_code(1);
    let list = site.run(&["subscribers", "list", "--json"]).expect_code(0).json();
    let state = |address: &str| {
        let people = list["subscribers"].as_array().expect("people").iter();
        people.clone().find(|person| person["address"] == address || person["email"] == address).expect("is there")["state"].clone()
    };
    assert_eq!((state("554-a@b.example"), state("reader@b.example")), ("bounced".into(), "active".into()));
}

#[test]
fn a_domains_rate_holds_over_a_restart_and_holds_nobody_else_up() {
    let sink = good();
    let more = [relay(&sink, ""), "[delivery]\ndomain_rates = { \"slow.example\" = \"1/min\" }\n".to_owned()].concat();
    let site = site(&more, &[people(3, "slow.example"), people(5, "quick.example")].concat());
    let mut accepted = Vec::new();
    for moment in ["10:00:00", "10:00:30", "10:01:00", "10:01:10", "10:02:00"] {
        publish_at(&site, &format!("2026-03-01T{moment}Z")).expect_code(0);
        accepted.push(count(&site, "accepted"));
    }
    assert_eq!(accepted, [6, 6, 7, 7, 8]);
    assert_eq!(sink.accepted_count(), 8);
}

#[test]
fn a_relays_rate_and_daily_cap_hold_over_a_restart() {
    let sink = good();
    let site = site(&relay(&sink, "daily = 5\n"), &people(8, "example.org"));
    let ran = publish_at(&site, "2026-03-01T10:00:00Z").expect_code(0);
    assert!(
        ran.stdout().contains("2026-03-02 10:1") || ran.stderr().contains("2026-03-02 10:1"),
        "{} {}",
        ran.stdout(),
        ran.stderr()
    );
    assert_eq!((count(&site, "accepted"), count(&site, "pending")), (5, 3));
    publish_at(&site, "2026-03-02T09:00:00Z").expect_code(0);
    assert_eq!(count(&site, "accepted"), 5);
    publish_at(&site, "2026-03-02T10:15:00Z").expect_code(0);
    assert_eq!((count(&site, "accepted"), sink.accepted_count()), (8, 8));
}

#[test]
fn a_rate_is_kept_while_the_run_goes_on() {
    let sink = good();
    let site = site(&relay(&sink, "rate = \"20/s\"\n"), &people(40, "example.org"));
    let begun = Instant::now();
    site.run(&["publish", "--yes"]).expect_code(0);
    // Three may go at once, the others each a twentieth of a second after the one before.
    assert!(begun.elapsed() >= Duration::from_millis(1850), "forty messages in {:?}", begun.elapsed());
    assert_eq!(count(&site, "accepted"), 40);
}

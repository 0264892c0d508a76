//! F23 and F24: the machine was down over a scheduled time, and clocks that jump.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::{CONNECTIONS, assert_all_accepted, check_clean, count, relay, site, size, text, until_settled, wait_until};
use crate::support::sink::{Fault, Script, Sink};
use crate::support::site::{Ran, Site};

const READERS: usize = 20;

fn at(site: &Site, now: &str, arguments: &[&str]) -> Ran {
    site.run_with(&[("FIELDPOST_NOW", now)], arguments)
}

fn campaign(site: &Site) -> Value {
    site.run(&["status", "--json"]).expect_code(0).json()["campaigns"][0].clone()
}

/// A publication of a zone with clock changes, its one post to be mailed at that local time.
fn scheduled(sink: &Sink, when: &str) -> Site {
    let site = site(&relay(sink, 1), READERS);
    let config = site.read("fieldpost.toml").replacen("[mail]", "time_zone = \"Europe/Vienna\"\n[mail]", 1);
    site.write("fieldpost.toml", config);
    at(&site, "2026-02-01T08:00:00Z", &["publish", "--yes", "--at", when]).expect_code(0);
    assert_eq!(sink.accepted_count(), 0, "mailed before its time");
    site
}

#[test]
fn a_campaign_found_five_hours_late_is_held_with_one_line_and_overdue_sends_it() {
    let sink = Sink::start(Script::default());
    let site = scheduled(&sink, "2026-02-02 09:00");
    at(&site, "2026-02-02T07:59:00Z", &["publish", "--yes"]).expect_code(0);
    assert_eq!(sink.accepted_count(), 0, "mailed a minute before its time");
    let ran = at(&site, "2026-02-02T13:00:00Z", &["publish", "--yes"]).expect_code(1);
    let lines: Vec<String> = ran.stderr().lines().filter(|line| line.contains("is held")).map(str::to_owned).collect();
    assert_eq!(lines.len(), 1, "{}", ran.stderr());
    assert!(lines[0].contains("2026-02-02 08:00 UTC") && lines[0].contains("--overdue"), "{}", lines[0]);
    assert_eq!(campaign(&site)["state"], "paused");
    at(&site, "2026-02-02T13:15:00Z", &["publish", "--yes"]).expect_code(1);
    assert_eq!(sink.accepted_count(), 0, "an overdue campaign was mailed");
    at(&site, "2026-02-02T13:20:00Z", &["publish", "--yes", "--overdue"]).expect_code(0);
    assert_all_accepted(&site, READERS);
    check_clean(&site, &sink.messages());
    println!("F23: found 5 h late, held with one line, 0 mailed; sent by --overdue");
}

#[test]
fn a_campaign_found_less_than_an_hour_late_is_mailed_and_resume_sends_an_overdue_one() {
    let sink = Sink::start(Script::default());
    let site = scheduled(&sink, "2026-02-02 09:00");
    at(&site, "2026-02-02T08:45:00Z", &["publish", "--yes"]).expect_code(0);
    assert_all_accepted(&site, READERS);

    let sink = Sink::start(Script::default());
    let site = scheduled(&sink, "2026-02-02 09:00");
    at(&site, "2026-02-02T13:00:00Z", &["publish", "--yes"]).expect_code(1);
    at(&site, "2026-02-02T13:10:00Z", &["resume", "c1"]).expect_code(0);
    at(&site, "2026-02-02T15:00:00Z", &["publish", "--yes"]).expect_code(0);
    assert_all_accepted(&site, READERS);
    assert_eq!(sink.accepted_count(), READERS);
}

#[test]
fn what_was_put_off_past_its_last_moment_expires_and_is_mailed_no_more() {
    let sink = Sink::start(Script { faults: vec![Fault::Greylist(50)], ..Script::default() });
    let site = site(&relay(&sink, 1), READERS);
    let publish = ["publish", "--yes", "--deliver-by", "2026-02-01T08:30:00Z"];
    at(&site, "2026-02-01T08:00:00Z", &publish).expect_code(0);
    let (put_off, taken) = (count(&site.totals(), "deferred"), sink.accepted_count());
    assert!(put_off > 0 && taken > 0, "{put_off} put off, {taken} taken");
    at(&site, "2026-02-01T09:00:00Z", &["publish", "--yes"]).expect_code(0);
    assert_eq!((count(&site.totals(), "expired"), sink.accepted_count()), (put_off, taken));

    let backwards = ["publish", "--yes", "--at", "2026-02-02 09:00", "--deliver-by", "2026-02-02 08:00"];
    assert!(at(&site, "2026-02-01T08:00:00Z", &backwards).expect_code(2).stderr().contains("--deliver-by"));
}

#[test]
fn a_moment_that_has_passed_or_is_none_is_refused() {
    let sink = Sink::start(Script::default());
    let site = site(&relay(&sink, 1), 1);
    for when in ["2026-01-31 09:00", "tomorrow", "2026-02-30 09:00"] {
        let ran = at(&site, "2026-02-01T08:00:00Z", &["publish", "--yes", "--at", when]).expect_code(2);
        assert!(ran.stderr().contains(when), "{}", ran.stderr());
    }
    assert_eq!(sink.accepted_count(), 0);
}

#[test]
fn clock_changes_and_a_leap_day_neither_skip_nor_repeat_a_scheduled_campaign() {
    // Local time, the moment it is in UTC: skipped by the change, twice because of it, a leap day.
    let moments = [
        ("2026-03-29 02:30", "2026-03-29T01:30:00Z", "2026-03-29T01:29:00Z"),
        ("2026-10-25 02:30", "2026-10-25T00:30:00Z", "2026-10-25T00:29:00Z"),
        ("2028-02-29 09:00", "2028-02-29T08:00:00Z", "2028-02-29T07:59:00Z"),
    ];
    for (local, utc, before) in moments {
        let sink = Sink::start(Script::default());
        let site = scheduled(&sink, local);
        assert_eq!(text(&campaign(&site)["not_before"]), utc.replace('Z', "+00:00"), "{local}");
        at(&site, before, &["publish", "--yes"]).expect_code(0);
        assert_eq!(sink.accepted_count(), 0, "{local}: too early");
        for _ in 0..2 {
            at(&site, utc, &["publish", "--yes"]).expect_code(0);
            assert_eq!(sink.accepted_count(), READERS, "{local}");
        }
        check_clean(&site, &sink.messages());
    }
    println!("F24 (clock changes): {} scheduled moments, each mailed once", moments.len());
}

#[test]
fn a_clock_that_jumps_between_two_runs_sends_nobody_twice_and_skips_nobody() {
    let sink = Sink::start(Script { faults: vec![Fault::Greylist(50)], ..Script::default() });
    let site = site(&relay(&sink, 1), READERS);
    at(&site, "2026-02-01T08:00:00Z", &["publish", "--yes"]).expect_code(0);
    let deferred = count(&site.totals(), "deferred");
    assert!(deferred > 0, "nobody was put off");
    let first = sink.accepted_count();
    at(&site, "2026-02-01T06:00:00Z", &["publish", "--yes"]).expect_code(0);
    assert_eq!(sink.accepted_count(), first, "two hours back, nothing is due");
    at(&site, "2036-02-01T06:00:00Z", &["publish", "--yes"]).expect_code(0);
    assert_all_accepted(&site, READERS);
    at(&site, "2026-02-01T09:00:00Z", &["publish", "--yes"]).expect_code(0);
    assert_eq!(check_clean(&site, &sink.messages()).duplicates, 0);
    println!("F24 (between runs): 2 h back, 10 years on and back; {deferred} deferred, each mailed once");
}

fn libfaketime() -> PathBuf {
    let found = fs::read_dir("/usr/lib").expect("a library folder").flatten().map(|entry| entry.path());
    let mut candidates = found.map(|folder| folder.join("faketime/libfaketime.so.1"));
    candidates.find(|path| path.exists()).expect("libfaketime is installed (scripts/install-test-tools)")
}

/// The system's own clock, set in mid-run under the binary by libfaketime.
#[test]
fn a_clock_that_jumps_in_mid_send_sends_nobody_twice_and_skips_nobody() {
    // More than is prepared ahead of the wire, which keeps the date it was prepared at.
    let n = size(1_500, 8_000);
    let sink = Sink::start(Script { delay: Duration::from_millis(5), ..Script::default() });
    let site = site(&relay(&sink, CONNECTIONS), n);
    site.write("clock", "+0\n");
    let mut command = site.command(&["publish", "--yes"]);
    command.env("LD_PRELOAD", libfaketime()).env("FAKETIME_TIMESTAMP_FILE", site.file("clock"));
    command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("DONT_FAKE_MONOTONIC", "1");
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().expect("the binary starts");
    let mut dates = Vec::new();
    for (jump, share) in [("-2h\n", 8), ("+10y\n", 4), ("+0\n", 2)] {
        wait_until("mail flows", || sink.accepted_count() > n / share);
        site.write("clock", jump);
    }
    assert!(child.wait().expect("the process is ours").success());
    let received = sink.messages();
    dates.extend(received.iter().filter_map(|message| message.header("Date")?.split(' ').nth(3).map(str::to_owned)));
    dates.sort();
    dates.dedup();
    assert!(dates.len() > 1, "the clock never jumped: {dates:?}");
    until_settled(&site);
    assert_eq!(check_clean(&site, &received).duplicates, 0);
    assert_all_accepted(&site, n);
    println!(
        "F24 (in mid-send): 2 h back, 10 years on and back; years in the Date headers: {dates:?}; each mailed once"
    );
}

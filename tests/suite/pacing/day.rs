//! Quiet hours, sends at a time of the day, and what comes too late.

use std::time::Duration;

use chrono::{TimeDelta, Timelike, Utc};

use super::{Script, Sink, count, good, people, publish_at, relay, site};

#[test]
fn nobody_is_woken_where_they_live() {
    let sink = good();
    let more = [relay(&sink, ""), "[delivery]\nquiet_hours = \"22:00-07:00\"\n".to_owned()].concat();
    let readers = ["vienna@a.example", "york@a.example America/New_York", "nowhere@a.example Mars/Olympus"];
    let site = site(&more, &readers.map(str::to_owned));
    publish_at(&site, "2026-01-10T22:30:00Z").expect_code(0);
    let got = |site: &_| (count(site, "accepted"), count(site, "pending"), count(site, "deferred"));
    assert_eq!(got(&site), (1, 2, 0), "only New York is awake");
    assert_eq!(sink.messages()[0].recipient, "york@a.example");
    publish_at(&site, "2026-01-11T05:59:00Z").expect_code(0);
    assert_eq!(got(&site), (1, 2, 0));
    publish_at(&site, "2026-01-11T06:00:00Z").expect_code(0);
    assert_eq!(got(&site), (3, 0, 0));
}

#[test]
fn everybody_gets_it_at_nine_by_their_own_clock() {
    let sink = good();
    let more = [relay(&sink, ""), "[delivery]\nsend_at = \"09:00\"\n".to_owned()].concat();
    let readers = ["vienna@a.example", "tokyo@a.example Asia/Tokyo", "york@a.example America/New_York"];
    let site = site(&more, &readers.map(str::to_owned));
    let mut got = Vec::new();
    for moment in ["01-10T12:00", "01-10T13:59", "01-10T14:00", "01-11T00:00", "01-11T07:59", "01-11T08:00"] {
        publish_at(&site, &format!("2026-{moment}:00Z")).expect_code(0);
        got.push(count(&site, "accepted"));
    }
    assert_eq!(got, [0, 0, 1, 2, 2, 3]);
    let order: Vec<String> = sink.messages().into_iter().map(|message| message.recipient).collect();
    assert_eq!(order, ["york@a.example", "tokyo@a.example", "vienna@a.example"]);
}

#[test]
fn what_comes_too_late_is_not_sent() {
    let sink = good();
    let delivery = "[delivery]\nquiet_hours = \"22:00-07:00\"\nexpires_after = \"6 hours\"\n";
    let site = site(&[relay(&sink, ""), delivery.to_owned()].concat(), &people(3, "example.org"));
    publish_at(&site, "2026-01-10T22:00:00Z").expect_code(0);
    assert_eq!(count(&site, "pending"), 3);
    publish_at(&site, "2026-01-11T08:00:00Z").expect_code(0);
    assert_eq!((count(&site, "expired"), sink.accepted_count()), (3, 0));
}

/// By the machine's own clock, at the next full minute: what was claimed and made before it, and is much more
/// than what may be begun ahead, does not leave in the quiet hours.
#[test]
fn what_was_made_ready_before_the_quiet_hours_waits_for_their_end() {
    let sink = Sink::start(Script { delay: Duration::from_millis(250), ..Script::default() });
    let start = (Utc::now() + TimeDelta::seconds(80)).with_second(0).expect("a minute begins with 0");
    let hours = format!("{}-{}", start.format("%H:%M"), (start + TimeDelta::hours(6)).format("%H:%M"));
    let delivery = format!("connections = 1\n[delivery]\nquiet_hours = \"{hours}\"\n");
    let readers = people(600, "example.org").into_iter().map(|reader| format!("{reader} UTC")).collect::<Vec<_>>();
    let site = site(&relay(&sink, &delivery), &readers);
    let mut publish = site.start(&["publish", "--yes"]);
    std::thread::sleep((start - Utc::now()).to_std().expect("the minute has not begun") + Duration::from_secs(1));
    let before = sink.accepted_count();
    assert!(publish.wait().expect("it ends").success());
    let (after, waiting) = (sink.accepted_count() - before, count(&site, "pending"));
    println!("{before} left before the quiet hours, {after} of those that had begun in them, {waiting} wait");
    assert!(before > 0 && after <= 3, "{after} left in the quiet hours");
    assert_eq!(before + after + waiting, 600);
}

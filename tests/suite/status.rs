//! What `status` and `report` say beside a sender, after it and after its death.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::sink::{Fault, Script, Sink};
use crate::support::site::Site;

/// A publication with news for these readers, and these relays.
fn site(relays: &[u16], readers: &[String]) -> Site {
    let relay = |port| format!("[[relay]]\nurl = \"smtp://127.0.0.1:{port}\"\nconnections = 2\n");
    let relays: Vec<String> = relays.iter().map(relay).collect();
    let site = Site::with_config(&format!(
        "[mail]\nfrom = \"Test Notes <notes@example.org>\"\nsince = \"2020-01-01\"\n\
         [subscribers]\nfile = \"subscribers.toml\"\n[delivery]\nbegin_ahead = 16\n{}",
        relays.concat()
    ));
    site.write("content/hello.md", "---\ntitle: Hello\ndate: 2026-01-02\n---\n\nA post about nothing.\n");
    let list: Vec<String> = readers.iter().map(|email| format!("[[subscriber]]\nemail = \"{email}\"\n")).collect();
    site.write("subscribers.toml", list.concat());
    site
}

fn readers(n: usize) -> Vec<String> {
    (0..n).map(|number| format!("reader-{number}@example.org")).collect()
}

fn start(site: &Site, arguments: &[&str]) -> Child {
    site.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts")
}

fn kill(mut child: Child) {
    child.kill().expect("the process is ours");
    child.wait().expect("the process is ours");
}

/// Asks until the answer is as wanted.
fn wait_for(site: &Site, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let status = site.run(&["status", "--json"]).expect_code(0).json();
        if is_so(&status) {
            return status;
        }
        assert!(Instant::now() < deadline, "waited too long: {what}: {status:#}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The notes of the state file, as bytes would show them to whoever looks.
fn notes(site: &Site) -> String {
    let script = "import sqlite3, sys\n\
        for scope, note in sqlite3.connect(sys.argv[1]).execute('SELECT scope, note FROM sender_notes'): print(scope, note)";
    let python =
        std::process::Command::new("python3").args(["-c", script]).arg(site.file(".fieldpost/state.db")).output();
    String::from_utf8(python.expect("python3 runs").stdout).expect("notes are text")
}

#[test]
fn beside_a_sender_status_tells_its_rate_and_the_time_left_and_after_a_kill_that_it_is_silent() {
    let sink = Sink::start(Script { delay: Duration::from_millis(30), ..Script::default() });
    let site = site(&[sink.port()], &readers(1_500));
    let child = start(&site, &["publish", "--yes"]);
    let status = wait_for(&site, "a sender has a rate", |status| status["sender"]["rate"].as_f64() > Some(0.0));
    let sender = &status["sender"];
    assert_eq!(sender["state"], "sending");
    assert!(sender["eta_seconds"].as_u64() > Some(0), "{status:#}");
    assert!(sender["begun"].as_u64() <= Some(16), "{status:#}");
    assert!(status["campaigns"][0]["ready"].as_u64() > Some(0), "{status:#}");
    let relay = &status["relays"][0];
    assert_eq!((&relay["name"], &relay["state"]), (&format!("127.0.0.1:{}", sink.port()).into(), &"working".into()));
    assert!(relay["wire_average"].as_f64() > Some(0.02), "the sink ponders each for 30 ms: {relay}");
    let text = site.run(&["status"]).expect_code(0).stdout();
    assert!(text.contains("\nsending ") && text.contains(" left; "), "{text}");
    kill(child);
    let status = wait_for(&site, "a dead sender is not alive", |status| status["sender"]["state"] == "silent");
    assert_eq!(status["sender"]["eta_seconds"], Value::Null);
    assert!(site.run(&["status"]).expect_code(0).stdout().contains("the sender fell silent at "));
    let notes = notes(&site);
    assert!(notes.contains("sender {") && notes.contains("relay 127.0.0.1:"), "{notes}");
    assert!(!notes.contains('@'), "an address in a note: {notes}");
}

#[test]
fn a_relay_that_refuses_mail_is_shown_with_its_reason_while_the_other_works() {
    let busy = Sink::start(Script {
        faults: vec![Fault::Refuse("MAIL", "421 4.3.2 closed for repairs, ask root@relay.example")],
        ..Script::default()
    });
    let good = Sink::start(Script { delay: Duration::from_millis(30), ..Script::default() });
    let site = site(&[busy.port(), good.port()], &readers(1_500));
    let child = start(&site, &["publish", "--yes"]);
    let is_told =
        |status: &Value| status["relays"][0]["state"] != "working" && status["sender"]["settled"].as_u64() > Some(0);
    let status =
        wait_for(&site, "a relay that rests is told", |status| status["relays"][0].is_object() && is_told(status));
    let (first, second) = (&status["relays"][0], &status["relays"][1]);
    let reason = first["reason"].as_str().expect("a reason");
    assert!(reason.contains("421 4.3.2 closed for repairs") && !reason.contains("root@"), "{first}");
    assert_eq!(second["state"], "working");
    let text = site.run(&["status"]).expect_code(0).stdout();
    assert!(text.contains("closed for repairs"), "{text}");
    kill(child);
    assert!(!notes(&site).replace("***@***", "").contains('@'));
}

#[test]
fn reasons_are_counted_by_domain_and_the_next_try_is_told() {
    let sink = Sink::start(Script::default());
    let named: Vec<String> = ["tempfail-1@a.example", "tempfail-2@a.example", "550-x@b.example", "ada@c.example"]
        .map(str::to_owned)
        .to_vec();
    let site = site(&[sink.port()], &named);
    site.run(&["publish", "--yes"]).expect_code(1);
    let status = site.run(&["status", "--json"]).expect_code(0).json();
    let campaign = &status["campaigns"][0];
    let reasons = campaign["reasons"].as_array().expect("reasons");
    let told: Vec<_> = reasons.iter().map(|one| (&one["domain"], &one["state"], &one["count"])).collect();
    let expected = [("a.example", "deferred", 2), ("b.example", "rejected", 1)];
    assert_eq!(told.len(), 2, "{reasons:#?}");
    for ((domain, state, count), (told_domain, told_state, told_count)) in expected.into_iter().zip(told) {
        assert_eq!((told_domain, told_state, told_count), (&domain.into(), &state.into(), &count.into()));
    }
    assert!(reasons[0]["said"].as_str().expect("text").starts_with("451 "), "{reasons:#?}");
    assert_eq!(campaign["waiting"], 2);
    let first = campaign["next_due"].as_str().expect("a moment").to_owned();
    let report = site.report();
    let deliveries = report["campaigns"][0]["deliveries"].as_array().expect("deliveries");
    let due = deliveries.iter().filter_map(|one| one["next"].as_str()).min();
    assert_eq!(due, Some(first.as_str()));
    assert_eq!((&status["sender"]["state"], &status["sender"]["settled"]), (&"ended".into(), &4.into()));
    let text = site.run(&["status"]).expect_code(0).stdout();
    assert!(text.contains("2 deferred at a.example: 451 ") && text.contains("2 wait, the next until "), "{text}");
    assert!(text.contains("no sender is at work; the last one ended at "), "{text}");
}

#[test]
fn a_report_as_csv_names_relay_and_moments_and_runs_no_formula() {
    let sink = Sink::start(Script::default());
    let site = site(&[sink.port()], &["=1+1@a.example".to_owned(), "ada@c.example".to_owned()]);
    site.run(&["publish", "--yes"]).expect_code(0);
    let csv = site.run(&["report", "--csv"]).expect_code(0).stdout();
    let lines: Vec<&str> = csv.lines().collect();
    let header = "campaign,address,state,message_id,attempts,ever_in_doubt,reply,reason,next,relay,first_try,settled";
    assert_eq!(lines[0], header);
    assert!(lines[1].starts_with("c1,'=1+1@a.example,accepted,"), "{csv}");
    assert!(lines[2].contains(&format!(",127.0.0.1:{},20", sink.port())), "{csv}");
    let report = site.report();
    let delivery = &report["campaigns"][0]["deliveries"][1];
    assert_eq!(delivery["relay"], format!("127.0.0.1:{}", sink.port()));
    assert!(delivery["settled"].is_string() && delivery["first_try"].is_string(), "{delivery}");
}

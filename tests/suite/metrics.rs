//! `publish --metrics`: what a collector gets, and that no client delays the mail.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::http::ask;
use crate::support::sink::{Script, Sink};
use crate::support::site::Site;

fn site(port: u16, readers: usize) -> Site {
    let site = Site::with_config(&format!(
        "[mail]\nfrom = \"Test Notes <notes@example.org>\"\nsince = \"2020-01-01\"\n\
         [subscribers]\nfile = \"subscribers.toml\"\n[[relay]]\nurl = \"smtp://127.0.0.1:{port}\"\nconnections = 2\n"
    ));
    site.write("content/hello.md", "---\ntitle: Hello\ndate: 2026-01-02\n---\n\nA post about nothing.\n");
    site.write_subscribers(readers);
    site
}

/// A publish that serves metrics, and where.
fn publishing(site: &Site) -> (Child, SocketAddr) {
    let mut command = site.command(&["publish", "--yes", "--metrics", "127.0.0.1:0"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let mut lines = BufReader::new(child.stderr.take().expect("stderr is piped")).lines();
    let address = lines.find_map(|line| {
        let line = line.expect("stderr is text");
        Some(line.strip_prefix("metrics: http://")?.strip_suffix("/metrics")?.parse().expect("an address"))
    });
    std::thread::spawn(move || lines.for_each(drop));
    (child, address.expect("the address is told"))
}

fn scrape(address: SocketAddr) -> String {
    let answer = ask(address, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("text/plain; version=0.0.4"), "{head}");
    assert_is_exposition(body);
    body.to_owned()
}

/// The text format: every sample follows the HELP and TYPE of its family, and has a number.
fn assert_is_exposition(text: &str) {
    let mut family = "";
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            family = help.split(' ').next().expect("a name");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').expect("a name and a kind");
            assert_eq!(name, family, "{text}");
            assert!(["counter", "gauge", "summary"].contains(&kind), "{line}");
        } else {
            let (sample, value) = line.rsplit_once(' ').expect("a sample and its value");
            let name = sample.split('{').next().expect("a name");
            assert!(
                name == family || [format!("{family}_sum"), format!("{family}_count")].contains(&name.to_owned()),
                "{line}"
            );
            assert!(value.parse::<f64>().is_ok() && sample.contains('{') == sample.ends_with('}'), "{line}");
        }
    }
    assert!(text.ends_with('\n') && !text.contains('@'), "{text}");
}

fn value(text: &str, sample: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' ')?.parse().ok())
}

fn accepted(text: &str) -> f64 {
    value(text, "fieldpost_deliveries_total{outcome=\"accepted\"}").expect("the counter is always there")
}

#[test]
fn metrics_grow_while_mail_flows_and_clients_that_say_nothing_delay_nobody() {
    let sink = Sink::start(Script { delay: Duration::from_millis(20), ..Script::default() });
    let site = site(sink.port(), 600);
    let (mut child, address) = publishing(&site);
    let deadline = Instant::now() + Duration::from_mins(1);
    let relay = format!("relay=\"127.0.0.1:{}\"", sink.port());
    let mut last = scrape(address);
    while accepted(&last) == 0.0 || value(&last, "fieldpost_deliveries_per_second").is_none_or(|rate| rate == 0.0) {
        assert!(Instant::now() < deadline, "nothing grows: {last}");
        std::thread::sleep(Duration::from_millis(50));
        last = scrape(address);
    }
    assert_eq!(value(&last, &format!("fieldpost_relay_up{{{relay}}}")), Some(1.0), "{last}");
    assert!(value(&last, &format!("fieldpost_wire_seconds_sum{{{relay}}}")) > Some(0.0), "{last}");
    let mute: Vec<TcpStream> = (0..40).map(|_| TcpStream::connect(address).expect("somebody listens")).collect();
    let status = child.wait().expect("the process is ours");
    assert_eq!(status.code(), Some(0));
    assert_eq!(sink.accepted_count(), 600, "everybody has it while {} clients are still silent", mute.len());
}

#[test]
fn only_get_metrics_is_answered_and_no_long_head_is_read() {
    let sink = Sink::start(Script { delay: Duration::from_millis(100), ..Script::default() });
    let site = site(sink.port(), 2_000);
    let (mut child, address) = publishing(&site);
    assert!(
        ask(address, "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").starts_with("HTTP/1.1 405 ")
    );
    assert!(ask(address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 404 "));
    let headers: String = vec!["X: y\r\n"; 100].concat();
    assert!(ask(address, &format!("GET /metrics HTTP/1.1\r\n{headers}\r\n")).starts_with("HTTP/1.1 431 "));
    child.kill().expect("the process is ours");
    child.wait().expect("the process is ours");
}

#[test]
fn an_address_that_is_taken_is_said_before_anything_is_sent() {
    let sink = Sink::start(Script::default());
    let site = site(sink.port(), 3);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("it is bound").to_string();
    let ran = site.run(&["publish", "--yes", "--metrics", &address]).expect_code(2);
    assert!(ran.stderr().contains(&format!("--metrics {address}")), "{}", ran.stderr());
    site.run(&["publish", "--yes", "--metrics", "nowhere"]).expect_code(2);
    assert_eq!(sink.accepted_count(), 0);
    site.run(&["publish", "--yes"]).expect_code(0);
    assert_eq!(sink.accepted_count(), 3);
}

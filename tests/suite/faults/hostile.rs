//! F15 and F16, C3: relays that are not who they say they are, and relays that attack.

use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use super::{assert_all_accepted, assert_balanced, count, interrupt, relay, site, wait_until};
use crate::support::sink::{Certificate, Encryption, Fault, Lie, Login, Script, Sink};
use crate::support::site::Site;

const LOGIN: Login = Login { mechanisms: "PLAIN LOGIN", user: "ada", password: "opensesame" };

/// A relay with a login, and a site that means to use it over TLS.
fn guarded(encryption: Encryption, scheme: &str) -> (Sink, Site) {
    let sink = Sink::start(Script { encryption, login: Some(LOGIN), ..Script::default() });
    let url = format!("{scheme}://ada@localhost:{}", sink.port());
    let site = site(&format!("[[relay]]\nurl = \"{url}\"\nca_file = \"relay-ca.pem\"\nconnections = 2\n"), 5);
    site.write("relay-ca.pem", sink.ca_pem());
    (sink, site)
}

fn publish(site: &Site) -> Command {
    let mut command = site.command(&["publish", "--yes"]);
    command.env("FIELDPOST_RELAY_PASSWORD", LOGIN.password).env("FIELDPOST_SMTP_TIMEOUT", "2");
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    command
}

/// Lets a site try its relay some times, then asks it to stop.
fn try_for_a_while(site: &Site, sink: &Sink, connections: usize) -> Peak {
    let mut child = publish(site).spawn().expect("the binary starts");
    let mut peak = Peak::default();
    wait_until("the relay is tried", || {
        peak.note(&child);
        sink.connection_count() >= connections || has_ended(&mut child)
    });
    for _ in 0..50 {
        peak.note(&child);
        thread::sleep(Duration::from_millis(10));
    }
    if !has_ended(&mut child) {
        interrupt(&child);
    }
    wait_until("the process ends", || {
        peak.note(&child);
        has_ended(&mut child)
    });
    peak
}

fn has_ended(child: &mut Child) -> bool {
    child.try_wait().expect("the process is ours").is_some()
}

/// The most memory a process ever held, in kilobytes.
#[derive(Debug, Default, Clone, Copy)]
struct Peak(u64);

impl Peak {
    fn note(&mut self, child: &Child) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        self.0 = self.0.max(kilobytes.unwrap_or_default());
    }
}

#[test]
fn a_relay_that_cannot_prove_itself_gets_no_credentials_and_no_mail() {
    let (sink, site) = guarded(Encryption::Implicit(Certificate::Good), "smtps");
    assert!(publish(&site).status().expect("the binary runs").success(), "a good relay is used");
    assert_all_accepted(&site, 5);
    assert!(sink.login_count() > 0);

    let bad = [Certificate::Expired, Certificate::WrongName, Certificate::SelfSigned];
    let mut cases: Vec<(Encryption, &str)> = bad.map(|one| (Encryption::Implicit(one), "smtps")).into();
    cases.extend(bad.map(|one| (Encryption::StartTls(one), "smtp+starttls")));
    cases.extend([(Encryption::None, "smtp+starttls"), (Encryption::StartTlsInjected, "smtp+starttls")]);
    let tried: Vec<usize> = thread::scope(|scope| {
        let tries: Vec<_> =
            cases.iter().map(|(encryption, scheme)| scope.spawn(|| distrust(*encryption, scheme))).collect();
        tries.into_iter().map(|one| one.join().expect("each case passes")).collect()
    });
    println!(
        "F15: {} relays not to be trusted, connections to each: {tried:?}; 0 credentials, 0 messages",
        cases.len()
    );
}

fn distrust(encryption: Encryption, scheme: &str) -> usize {
    let (sink, site) = guarded(encryption, scheme);
    try_for_a_while(&site, &sink, 2);
    assert_eq!((sink.login_count(), sink.accepted_count()), (0, 0), "{encryption:?}");
    let said = sink.commands();
    let is_greeting = |line: &String| line.starts_with("EHLO") || line == "STARTTLS" || line == "QUIT";
    assert!(said.iter().all(is_greeting), "{encryption:?}: {said:?}");
    assert_eq!(count(&site.totals(), "pending"), 5, "{encryption:?}");
    assert!(sink.connection_count() >= 2, "{encryption:?}: never tried");
    sink.connection_count()
}

#[test]
fn no_attack_of_a_relay_is_taken_for_an_acceptance_or_fills_the_memory() {
    let good = Sink::start(Script::default());
    let ordinary = site(&relay(&good, 2), 5);
    let usual = try_for_a_while(&ordinary, &good, 2);
    let lies = [
        Lie::EndlessLine,
        Lie::EndlessReply,
        Lie::Drip(Duration::from_secs(1)),
        Lie::OneReplyTooMany,
        Lie::DataBeforeMail,
        Lie::AcceptAtData,
        Lie::AcceptBeforeTheDot,
        Lie::FarewellAtTheDot,
    ];
    for lie in lies {
        let sink = Sink::start(Script { faults: vec![Fault::Lie(lie)], ..Script::default() });
        let site = site(&format!("{}[delivery]\nin_doubt = \"hold\"\n", relay(&sink, 2)), 5);
        let peak = try_for_a_while(&site, &sink, 2);
        assert!(sink.connection_count() > 0, "{lie:?}: never tried");
        let totals = site.totals();
        assert_balanced(&totals);
        assert_eq!(count(&totals, "accepted"), 0, "{lie:?}: a false acceptance: {totals:#}");
        assert!(count(&totals, "in_doubt") >= sink.accepted_count(), "{lie:?}: taken and not in doubt: {totals:#}");
        let grown = peak.0.saturating_sub(usual.0);
        assert!(grown < 5 * 1024, "{lie:?}: {grown} kB more than the usual {} kB", usual.0);
        println!("F16 ({lie:?}): {} connections, {} kB, usually {} kB", sink.connection_count(), peak.0, usual.0);
    }
}

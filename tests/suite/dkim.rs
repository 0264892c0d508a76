//! Signed mail: verified by dkimpy and `OpenDKIM`, signed again by the same keys or not at all.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::sink::{Received, Script, Sink};
use crate::support::site::Site;
use crate::support::tools::judge;

/// The judge, which calls dkimpy and `OpenDKIM`.
const VERIFY: &str = "scripts/verify-dkim";
/// How long the sink takes for a message where the sender is to be killed.
const DELAY: Duration = Duration::from_millis(100);

/// A publication that signs with a new RSA key and a new Ed25519 key: one post, news, for so
/// many people.
fn signed_site(recipients: usize, relay: &str) -> Site {
    let site = Site::with_config(&format!(
        "[mail]\nfrom = \"Test Notes <notes@example.org>\"\nreply_to = \"editor@example.org\"\nsince = \"2020-01-01\"\n\
         [subscribers]\nfile = \"subscribers.toml\"\n{relay}"
    ));
    site.write("content/hello.md", "---\ntitle: Grüße\ndate: 2026-01-02\n---\n\nA post  about **nothing** much.\n");
    site.write_subscribers(recipients);
    let made = site.run(&["keys", "dkim", "--selector", "mail", "--json"]).expect_code(0).json();
    let config = site.read("fieldpost.toml") + "\n" + made["config"].as_str().expect("sections to paste");
    site.write("fieldpost.toml", config);
    site
}

/// Has every message of a folder verified, both signatures by both judges, and demands that
/// there were so many.
#[track_caller]
fn assert_all_verify(site: &Site, folder: &Path, count: usize) {
    let keys = site.run(&["keys", "show", "--json"]).expect_code(0).stdout();
    site.write("keys.json", keys);
    let Some(told) = judge(VERIFY, &[site.file("keys.json").as_path(), folder]) else { return };
    println!("{told}");
    for verdict in ["rsa by dkimpy", "rsa by OpenDKIM", "ed25519 by dkimpy", "ed25519 by OpenDKIM"] {
        assert!(told.contains(&format!("{count} {verdict}")), "{told}");
    }
}

#[test]
fn every_message_of_an_outbox_verifies_by_both_keys_in_dkimpy_and_opendkim() {
    let recipients = 1000;
    let site = signed_site(recipients, "");
    site.run(&["publish", "--yes"]).expect_code(0);
    assert_all_verify(&site, &site.file(".fieldpost/outbox/new"), recipients);
}

#[test]
fn every_message_a_relay_got_verifies_by_both_keys_in_dkimpy_and_opendkim() {
    let recipients = 1000;
    let sink = Sink::start(Script::default());
    let site = signed_site(recipients, &format!("[[relay]]\nurl = \"smtp://127.0.0.1:{}\"\n", sink.port()));
    site.run(&["publish", "--yes"]).expect_code(0);
    for (number, message) in sink.messages().iter().enumerate() {
        site.write(&format!("relayed/{number}.eml"), &message.bytes);
    }
    assert_all_verify(&site, &site.file("relayed"), recipients);
}

#[test]
fn a_test_copy_is_signed_too() {
    let site = signed_site(1, "");
    site.run(&["test", "hello", "--to", "me@example.org"]).expect_code(0);
    assert_all_verify(&site, &site.file(".fieldpost/outbox/new"), 1);
}

#[test]
fn a_relay_that_takes_no_second_signature_gets_one() {
    let sink = Sink::start(Script::default());
    for (sign, signatures) in [("rsa", 1), ("none", 0)] {
        let relay = format!("[[relay]]\nurl = \"smtp://127.0.0.1:{}\"\nsign = \"{sign}\"\n", sink.port());
        let before = sink.accepted_count();
        signed_site(3, &relay).run(&["publish", "--yes"]).expect_code(0);
        let messages = sink.messages().split_off(before);
        assert_eq!(messages.len(), 3);
        for message in messages {
            let text = String::from_utf8_lossy(&message.bytes).into_owned();
            assert_eq!(text.matches("DKIM-Signature: ").count(), signatures, "{sign}");
            assert_eq!(text.matches("a=rsa-sha256").count(), signatures, "{sign}");
        }
    }
}

#[test]
fn keys_are_made_for_their_owner_alone_and_never_written_over() {
    let site = Site::with_config("[mail]\nfrom = \"notes@news.example.org\"\n");
    let made = site.run(&["keys", "dkim", "--selector", "mail", "--json"]).expect_code(0).json();
    let keys = made["keys"].as_array().expect("keys");
    assert_eq!(keys.iter().map(|key| &key["algorithm"]).collect::<Vec<_>>(), ["rsa", "ed25519"]);
    for key in keys {
        let file = site.file(key["key_file"].as_str().expect("a path"));
        assert_eq!(file.metadata().expect("the key is there").permissions().mode() & 0o777, 0o600);
        let strings: Vec<&str> = key["strings"].as_array().expect("strings").iter().filter_map(Value::as_str).collect();
        assert!(strings.iter().all(|string| string.len() <= 255), "{strings:?}");
        assert_eq!(strings.concat(), key["text"].as_str().expect("a text"));
    }
    assert_eq!(keys[0]["name"], "mail-rsa._domainkey.news.example.org");
    assert_eq!(site.read(".fieldpost/.gitignore"), "*\n", "no key is committed by accident");

    let first = site.read(".fieldpost/dkim/mail-rsa.pem");
    let again = site.run(&["keys", "dkim", "--selector", "mail"]).expect_code(2);
    assert!(again.stderr().contains("mail-rsa.pem` is there already"), "{}", again.stderr());
    assert_eq!(site.read(".fieldpost/dkim/mail-rsa.pem"), first);
    site.run(&["keys", "dkim", "--selector", "../mail"]).expect_code(2);

    let unsigned = site.run(&["keys", "show"]).expect_code(0);
    assert!(unsigned.stderr().contains("mail leaves unsigned"), "{}", unsigned.stderr());
    let config = site.read("fieldpost.toml") + made["config"].as_str().expect("sections");
    site.write("fieldpost.toml", config);
    let shown = site.run(&["keys", "show"]).expect_code(0).stdout();
    for key in keys {
        assert!(shown.contains(key["zone_line"].as_str().expect("a line")), "{shown}");
        assert!(shown.contains(key["text"].as_str().expect("a text")), "{shown}");
    }
    assert!(!shown.contains("PRIVATE"));
}

/// How often each address was reached.
fn copies(sink: &Sink) -> BTreeMap<String, Vec<Received>> {
    let mut copies: BTreeMap<String, Vec<Received>> = BTreeMap::new();
    for message in sink.messages() {
        copies.entry(message.recipient.clone()).or_default().push(message);
    }
    copies
}

/// Kills the sender until recovery finds somebody in doubt; nobody is resent to meanwhile.
fn kill_until_in_doubt(site: &Site, sink: &Sink) -> Vec<String> {
    let deadline = Instant::now() + Duration::from_mins(2);
    loop {
        assert!(Instant::now() < deadline, "no kill struck between a final dot and its answer");
        let before = sink.accepted_count();
        let mut child = site.start(&["publish", "--yes"]);
        while sink.accepted_count() == before && child.try_wait().expect("the process is ours").is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().expect("the process is ours");
        child.wait().expect("the process is ours");
        site.run(&["pause", "c1"]).expect_code(0);
        site.run(&["publish", "--yes"]);
        let doubtful = in_doubt(site);
        if !doubtful.is_empty() {
            return doubtful.into_keys().collect();
        }
        site.run(&["resume", "c1"]).expect_code(0);
    }
}

/// The addresses in doubt, with the reason.
fn in_doubt(site: &Site) -> BTreeMap<String, String> {
    let report = site.report();
    let deliveries = report["campaigns"][0]["deliveries"].as_array().expect("deliveries");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let doubtful = deliveries.iter().filter(|delivery| delivery["state"] == "in_doubt");
    doubtful.map(|delivery| (text(&delivery["address"]), text(&delivery["reason"]))).collect()
}

#[test]
fn a_resend_after_a_kill_is_signed_by_the_same_keys_or_held_with_the_selector() {
    let recipients = 40;
    let sink = Sink::start(Script { delay: DELAY, ..Script::default() });
    let relay = format!("[[relay]]\nurl = \"smtp://127.0.0.1:{}\"\nconnections = 4\n", sink.port());
    let site = signed_site(recipients, &relay);
    let doubtful = kill_until_in_doubt(&site, &sink);
    println!("{} in doubt when the key was changed", doubtful.len());

    let old = site.read(".fieldpost/dkim/mail-ed25519.pem");
    site.run(&["keys", "dkim", "--selector", "other", "--algorithm", "ed25519"]).expect_code(0);
    let new = site.read(".fieldpost/dkim/other.pem");
    let file = ".fieldpost/dkim/mail-ed25519.pem";
    site.write(file, &new);
    site.run(&["resume", "c1"]).expect_code(0);
    site.run(&["publish", "--yes"]).expect_code(1);
    let held = in_doubt(&site);
    assert_eq!(held.keys().collect::<Vec<_>>(), doubtful.iter().collect::<Vec<_>>());
    for (address, reason) in &held {
        assert!(reason.contains("not resent: DKIM selector `mail-ed25519` signed it"), "{address}: {reason}");
        assert_eq!(copies(&sink)[address].len(), 1, "{address}: nothing was sent with other bytes");
    }
    assert_eq!(copies(&sink).len(), recipients, "everybody else got the mail, signed by the new key");

    site.write(file, &old);
    site.run(&["resolve", "c1", "resend"]).expect_code(0);
    site.run(&["publish", "--yes"]).expect_code(0);
    for address in &doubtful {
        let copies = &copies(&sink)[address];
        assert_eq!(copies.len(), 2, "{address}");
        assert_eq!(copies[0].bytes, copies[1].bytes, "{address}: the resend differs");
    }
    assert_eq!(site.totals()["accepted"], recipients);
}

#[test]
fn a_deferred_delivery_is_signed_by_the_keys_of_the_day() {
    let sink = Sink::start(Script::default());
    let site = signed_site(1, &format!("[[relay]]\nurl = \"smtp://127.0.0.1:{}\"\n", sink.port()));
    site.write("subscribers.toml", "[[subscriber]]\nemail = \"once-451-busy@example.org\"\n");
    site.run(&["publish", "--yes"]).expect_code(0);
    assert_eq!((sink.accepted_count(), &site.totals()["deferred"]), (0, &Value::from(1)));

    site.run(&["keys", "dkim", "--selector", "next"]).expect_code(0);
    let config = site.read("fieldpost.toml").replace("mail-", "next-");
    site.write("fieldpost.toml", config);
    site.run(&["retry", "c1"]).expect_code(0);
    site.run(&["publish", "--yes"]).expect_code(0);
    site.write("relayed/0.eml", &sink.messages()[0].bytes);
    assert_all_verify(&site, &site.file("relayed"), 1);
}

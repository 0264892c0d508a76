//! A real series, from a git clone to a real Postfix and into real mailboxes.

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;

use crate::support::corpora;
use crate::support::mail::Mail;
use crate::support::postfix::Postfix;
use crate::support::site::Site;

/// Unpacks the series and adopts it, with a relay and 25 subscribers.
fn adopt(bundle: &Path, relay: &str) -> Site {
    let site = Site::empty();
    git(&site, &["clone", "--quiet", bundle.to_str().expect("a path of UTF-8"), "."]);
    let init = site.run(&["init"]).expect_code(0);
    let said = init.stdout() + &init.stderr();
    for finding in ["3 posts", "README.md", "LICENSE", "git"] {
        assert!(said.contains(finding), "init says nothing of {finding}:\n{said}");
    }
    let config = site.read("fieldpost.toml");
    site.write("fieldpost.toml", format!("{config}\n[subscribers]\nfile = \"subscribers.toml\"\n\n{relay}"));
    site.write_subscribers(25);
    site
}

fn git(site: &Site, arguments: &[&str]) {
    let status = Command::new("git")
        .current_dir(site.path())
        .args(["-c", "user.name=Ada Author", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .status()
        .expect("git runs");
    assert!(status.success(), "git {arguments:?}");
}

#[test]
fn the_series_reaches_every_subscriber_through_a_real_postfix_exactly_once() {
    let Some(bundle) = corpora::file("ml-field-notes.bundle") else { return };
    let Some(postfix) = Postfix::start_or_skip() else { return };
    let site = adopt(&bundle, &postfix.relay_table());
    std::fs::write(site.file("relay-ca.pem"), &postfix.ca_pem).expect("the CA can be written");
    write_password(&site, &postfix.password);

    site.run(&["publish", "--yes", "--backfill", "3"]).expect_code(0);
    postfix.wait_until_empty();
    let received: Vec<Mail> = postfix.received().iter().map(|bytes| Mail::parse(bytes)).collect();
    assert_eq!(received.len(), 75, "3 posts for 25 subscribers");
    check_series(&received);

    site.run(&["publish", "--yes"]).expect_code(0);
    postfix.wait_until_empty();
    assert_eq!(postfix.received().len(), 75, "a second publish sends nothing");

    site.write("field-notes/4-calibration.md", "# 4. Calibrate Before You Threshold\n\nA score is no probability.\n");
    git(&site, &["add", "field-notes"]);
    git(&site, &["commit", "--quiet", "-m", "Add the fourth post"]);
    site.run(&["publish", "--yes"]).expect_code(0);
    postfix.wait_until_empty();
    let received: Vec<Mail> = postfix.received().iter().map(|bytes| Mail::parse(bytes)).collect();
    assert_eq!(received.len(), 100, "the fourth post reaches exactly 25");
    let fourth = received.iter().filter(|mail| mail.subject() == "Calibrate Before You Threshold").count();
    assert_eq!(fourth, 25);
    println!("ML Field Notes: {} messages received from a real Postfix over TLS with AUTH", received.len());
}

fn write_password(site: &Site, password: &str) {
    use std::os::unix::fs::PermissionsExt;
    site.write("relay.password", password);
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(site.file("relay.password"), private).expect("the mode can be set");
}

/// What a subscriber would see, and what mail providers ask of a newsletter.
fn check_series(received: &[Mail]) {
    let subjects: HashSet<String> = received.iter().map(Mail::subject).collect();
    assert_eq!(
        subjects,
        HashSet::from([
            "Stop Using 80/20 Blindly".to_owned(),
            "The Label Noise That Actually Kills Your Model".to_owned(),
            "Which Samples Should You Label Next?".to_owned(),
        ])
    );
    let mut tokens = HashSet::new();
    let mut message_ids = HashSet::new();
    for mail in received {
        let (text, html) = (mail.part("text/plain"), mail.part("text/html"));
        for part in [&text, &html] {
            assert!(!part.contains("Back to Contents"), "the footer link is left out");
            assert!(!part.contains("../"), "no relative link is left");
            assert!(!part.trim().is_empty());
        }
        if mail.subject() != "Stop Using 80/20 Blindly" {
            assert!(html.contains("src=\"https://"), "the cover is absolute: {html}");
        }
        assert!(mail.header("List-Id").is_some_and(|id| id.contains('<')));
        assert_eq!(mail.header("List-Unsubscribe-Post").as_deref(), Some("List-Unsubscribe=One-Click"));
        let unsubscribe = mail.header("List-Unsubscribe").expect("a List-Unsubscribe header");
        assert!(unsubscribe.starts_with("<https://"), "{unsubscribe}");
        let url = unsubscribe.trim_matches(['<', '>']).to_owned();
        assert!(text.contains(&url) && html.contains(&url), "both parts carry the reader's own link");
        tokens.insert(url);
        message_ids.insert(mail.header("Message-ID").expect("a Message-ID"));
    }
    assert_eq!(tokens.len(), 25, "each subscriber has a token of their own");
    assert_eq!(message_ids.len(), 75);
}

//! A resend is the first copy, byte for byte, whatever was changed since the crash; where it
//! cannot be, it is held with the reason.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use rusqlite::Connection;

use super::{CONNECTIONS, change_relay, check_clean, in_state, relay, site, text, wait_until};
use crate::support::sink::{Received, Script, Sink};
use crate::support::site::Site;

const READERS: usize = 24;

/// A publication whose sender was killed with messages on the wire.
struct Crashed {
    site: Site,
    sink: Sink,
}

impl Crashed {
    fn new(prepare: impl FnOnce(&Site)) -> Self {
        // Longer than anything else takes: the kill strikes while the relay ponders.
        let delay = Duration::from_millis(400);
        let sink = Sink::start(Script { delay, ..Script::default() });
        let site = site(&relay(&sink, CONNECTIONS), READERS);
        prepare(&site);
        let mut child = site.start(&["publish", "--yes"]);
        wait_until("mail flows", || sink.accepted_count() >= CONNECTIONS);
        std::thread::sleep(delay / 3);
        child.kill().expect("the process is ours");
        child.wait().expect("the process is ours");
        std::thread::sleep(delay);
        Self { site, sink }
    }

    fn tamper(&self, sql: &str) {
        let db = Connection::open(self.site.file(".fieldpost/state.db")).expect("the state can be opened");
        db.execute_batch(sql).expect("our own SQL");
    }

    /// Publishes after the change: every doubtful one is resent, and nothing differs.
    fn resends_the_same(&self, what: &str) {
        self.site.run(&["publish", "--yes"]).expect_code(0);
        self.has_resent_the_same(what, &self.sink.messages());
    }

    fn has_resent_the_same(&self, what: &str, received: &[Received]) {
        let account = check_clean(&self.site, received);
        assert_eq!(account.accepted, READERS, "{what}");
        assert!(account.duplicates > 0, "{what}: nothing was resent");
        println!("byte identity ({what}): {} resent, all identical", account.duplicates);
    }

    /// Publishes after the change: no doubtful one is resent, and each says why.
    fn holds(&self, what: &str, code: i32, reason: &str) -> BTreeSet<String> {
        let ran = self.site.run(&["publish", "--yes"]);
        assert_eq!(ran.code(), code, "{what}: {}", ran.stderr());
        let held = in_state(&self.site, "in_doubt");
        assert!(!held.is_empty(), "{what}: nobody was in doubt");
        for (address, delivery) in &held {
            assert!(text(&delivery["reason"]).contains(reason), "{what}: {address}: {delivery}");
        }
        let account = check_clean(&self.site, &self.sink.messages());
        assert_eq!(account.duplicates, 0, "{what}: a held one was resent");
        println!("byte identity ({what}): {} held: {reason}", held.len());
        held.into_keys().collect()
    }
}

#[test]
fn a_changed_template_does_not_change_a_resend() {
    let crashed = Crashed::new(|_| ());
    for template in ["mail/issue.html", "mail/issue.txt"] {
        let built_in = format!("{}/templates/{template}", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(built_in).expect("the built-in templates are in the repository");
        crashed.site.write(&format!("templates/{template}"), text.replace("unsubscribe", "UNSUBSCRIBE-HERE"));
    }
    crashed.site.write("content/hello.md", "---\ntitle: Hello\ndate: 2026-01-02\n---\n\nEdited.\n");
    crashed.resends_the_same("template and post edited");
}

#[test]
fn a_renamed_subscriber_does_not_change_a_resend() {
    let crashed = Crashed::new(|_| ());
    let list = crashed.site.read("subscribers.toml").replace("name = \"Reader", "name = \"Renamed");
    crashed.site.write("subscribers.toml", list);
    crashed.resends_the_same("subscribers renamed");
    let people = crashed.site.run(&["subscribers", "list", "--json"]).expect_code(0).stdout();
    assert!(people.contains("Renamed 0"), "nobody was renamed");
}

#[test]
fn rotated_token_and_message_id_keys_do_not_change_a_resend() {
    let crashed = Crashed::new(|_| ());
    crashed.tamper("UPDATE secrets SET key = randomblob(32) WHERE name IN ('unsubscribe', 'message-id')");
    crashed.resends_the_same("token and Message-ID keys rotated");
}

#[test]
fn another_relay_does_not_change_a_resend() {
    let crashed = Crashed::new(|_| ());
    let other = Sink::start(Script::default());
    change_relay(&crashed.site, &crashed.sink, &other);
    crashed.site.run(&["publish", "--yes"]).expect_code(0);
    crashed.has_resent_the_same("relay failed over", &[crashed.sink.messages(), other.messages()].concat());
}

/// Makes DKIM keys and puts them into the configuration in the place of any before.
fn sign_with_new_keys(site: &Site, now: &str) {
    let config = site.read("fieldpost.toml");
    let before = config.split("[[dkim]]").next().expect("a text has a beginning").to_owned();
    site.write("fieldpost.toml", &before);
    site.run_with(&[("FIELDPOST_NOW", now)], &["keys", "dkim"]).expect_code(0);
    let month = now[..7].replace('-', "");
    let section = |kind| {
        format!("[[dkim]]\nselector = \"fp{month}-{kind}\"\nkey_file = \".fieldpost/dkim/fp{month}-{kind}.pem\"\n")
    };
    site.write("fieldpost.toml", format!("{before}\n{}{}", section("rsa"), section("ed25519")));
}

#[test]
fn rotated_dkim_keys_hold_a_resend_with_the_reason_and_the_old_ones_let_it_go() {
    let crashed = Crashed::new(|site| sign_with_new_keys(site, "2026-01-02T00:00:00Z"));
    let signed = crashed.sink.messages();
    assert!(signed.iter().all(|one| one.header("DKIM-Signature").is_some()), "nothing was signed");
    let old = crashed.site.read("fieldpost.toml");
    sign_with_new_keys(&crashed.site, "2026-07-02T00:00:00Z");
    let held = crashed.holds("DKIM keys rotated", 1, "not resent");
    crashed.site.write("fieldpost.toml", old);
    crashed.site.run(&["resolve", "c1", "resend"]).expect_code(0);
    crashed.site.run(&["publish", "--yes"]).expect_code(0);
    let account = check_clean(&crashed.site, &crashed.sink.messages());
    assert_eq!((account.accepted, account.duplicates), (READERS, held.len()));
}

#[test]
fn unchanged_dkim_keys_sign_a_resend_with_the_same_signature() {
    let crashed = Crashed::new(|site| sign_with_new_keys(site, "2026-01-02T00:00:00Z"));
    crashed.resends_the_same("signed, nothing changed");
}

/// A later assembler's issue stands in the ledger, as after going back to an older binary.
#[test]
fn an_issue_of_another_assembler_is_held_with_the_reason() {
    let crashed = Crashed::new(|_| ());
    let version = |from: u32, to: u32| {
        format!(
            "UPDATE issues SET frozen = cast(replace(cast(frozen AS TEXT), '\"version\":{from}', '\"version\":{to}') AS BLOB)"
        )
    };
    crashed.tamper(&version(2, 99));
    let before = crashed.sink.accepted_count();
    let held = crashed.holds("another assembler", 1, "assembler 99");
    assert_eq!(crashed.sink.accepted_count(), before, "something was sent of an issue that cannot be read");
    crashed.tamper(&version(99, 2));
    crashed.site.run(&["resume", "c1"]).expect_code(0);
    crashed.site.run(&["resolve", "c1", "resend"]).expect_code(0);
    crashed.site.run(&["publish", "--yes"]).expect_code(0);
    let account = check_clean(&crashed.site, &crashed.sink.messages());
    assert_eq!((account.accepted, account.duplicates), (READERS, held.len()));
}

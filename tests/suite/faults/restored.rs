//! F22: a state put back from a backup that was made in mid-campaign.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use rusqlite::Connection;

use super::{CONNECTIONS, assert_balanced, check_clean, count, in_state, interrupt, relay, site, size, wait_until};
use crate::support::sink::{Received, Script, Sink};
use crate::support::site::Site;

/// How the backup comes back.
#[derive(Debug, Clone, Copy)]
enum Return {
    /// Its bytes are written over the file that stands there.
    InPlace,
    /// It takes the place of the file.
    ByRename,
}

fn backup(site: &Site) {
    let db = Connection::open(site.file(".fieldpost/state.db")).expect("the state can be read");
    db.execute("VACUUM INTO ?1", [site.file("backup.db").to_str().expect("UTF-8")]).expect("a backup is made");
}

fn put_back(site: &Site, how: Return) {
    let state = site.file(".fieldpost/state.db");
    for suffix in ["-wal", "-shm"] {
        drop(fs::remove_file(site.file(&format!(".fieldpost/state.db{suffix}"))));
    }
    match how {
        Return::InPlace => drop(fs::copy(site.file("backup.db"), state).expect("the backup is copied")),
        Return::ByRename => fs::rename(site.file("backup.db"), state).expect("the backup is moved"),
    }
}

fn addresses(messages: &[Received]) -> BTreeSet<String> {
    messages.iter().map(|message| message.recipient.clone()).collect()
}

/// A site whose sender was stopped, whose state was saved in mid-send, and put back.
fn restored(how: Return) -> (Site, Sink, BTreeSet<String>) {
    let n = size(400, 10_000);
    let sink = Sink::start(Script { delay: Duration::from_millis(10), ..Script::default() });
    let site = site(&relay(&sink, CONNECTIONS), n);
    let mut child = site.start(&["publish", "--yes"]);
    wait_until("mail flows", || sink.accepted_count() > n / 8);
    backup(&site);
    let saved = addresses(&sink.messages());
    wait_until("more mail flows", || sink.accepted_count() > n / 2);
    interrupt(&child);
    child.wait().expect("the process is ours");
    put_back(&site, how);
    (site, sink, saved)
}

fn decide(how: Return) {
    let (site, sink, saved) = restored(how);
    let before = sink.messages();
    let reached = addresses(&before);
    let ran = site.run(&["publish", "--yes"]).expect_code(74);
    assert!(ran.stderr().contains("older copy") && ran.stderr().contains("state accept"), "{}", ran.stderr());
    assert_eq!(sink.accepted_count(), before.len(), "{how:?}: something was sent before the decision");

    // A post that came after the backup: the lost state may have mailed it.
    site.write("content/later.md", "---\ntitle: Later\ndate: 2026-01-03\n---\n\nWritten after the backup.\n");
    site.run(&["state", "accept"]).expect_code(0);
    let doubtful: BTreeSet<String> = in_state(&site, "in_doubt").into_keys().collect();
    let accepted: BTreeSet<String> = in_state(&site, "accepted").into_keys().collect();
    assert!(reached.iter().all(|one| accepted.contains(one) || doubtful.contains(one)), "the gap is not shown");
    let gap = doubtful.intersection(&reached).count();
    assert!(gap > 0, "{how:?}: the backup missed nothing, nothing was tested");
    assert!(doubtful.len() - gap <= 256, "{} more in doubt than could have been begun", doubtful.len() - gap);
    site.run(&["publish", "--yes"]).expect_code(1);
    assert_eq!(sink.accepted_count(), before.len(), "{how:?}: a paused campaign was sent");

    site.run(&["resume", "c1"]).expect_code(0);
    site.run(&["publish", "--yes"]).expect_code(1);
    let after = sink.messages();
    let again: Vec<_> = after[before.len()..].iter().filter(|one| reached.contains(&one.recipient)).collect();
    assert!(again.is_empty(), "{how:?}: {} were mailed a second time", again.len());
    check_clean(&site, &after);
    let totals = site.totals();
    assert_balanced(&totals);
    assert_eq!(count(&totals, "in_doubt"), doubtful.len());
    println!(
        "F22 ({how:?}): backup after {} of {}, {} sent when it was put back; {gap} of them shown in doubt, \
         {} in doubt that were not sent, 0 sent before the decision, 0 twice",
        saved.len(),
        count(&totals, "planned"),
        reached.len(),
        doubtful.len() - gap
    );
    // Whoever got nothing gets it by the author's order.
    for address in doubtful.difference(&reached) {
        site.run(&["resolve", "c1", "resend", "--address", address]).expect_code(0);
    }
    site.run(&["resolve", "c1", "arrived", "--address", doubtful.intersection(&reached).next().expect("one")])
        .expect_code(0);
    site.run(&["publish", "--yes"]);
    assert_eq!(addresses(&sink.messages()).len(), count(&totals, "planned"), "{how:?}: somebody is lost");
}

#[test]
fn a_backup_put_back_in_place_sends_nothing_before_a_decision_and_shows_the_gap() {
    decide(Return::InPlace);
}

#[test]
fn a_backup_put_back_by_rename_sends_nothing_before_a_decision_and_shows_the_gap() {
    decide(Return::ByRename);
}

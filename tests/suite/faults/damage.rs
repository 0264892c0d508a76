//! F9: the files of a campaign half done, cut short or with one bit flipped.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, fs};

use rusqlite::Connection;
use serde_json::Value;

use super::{CONNECTIONS, assert_balanced, in_state, readers, relay, site, size, text, wait_until};
use crate::support::sink::{Script, Sink};
use crate::support::site::{Ran, Site};

const READERS: usize = 80;

/// What is done to a file.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Flip { offset: usize, bit: usize },
    Cut { length: usize },
}

impl Damage {
    /// So many flips and so many cuts, spread over a file of that length.
    fn spread(length: usize, count: usize) -> Vec<Self> {
        let place = |i: usize| i * length / count + (i * 37) % (length / count).max(1);
        let flips = (0..count).map(|i| Self::Flip { offset: place(i).min(length - 1), bit: i % 8 });
        flips.chain((0..count).map(|i| Self::Cut { length: place(i).min(length - 1) })).collect()
    }

    fn befall(self, path: &Path) {
        let mut bytes = fs::read(path).expect("the file can be read");
        match self {
            Self::Flip { offset, bit } => bytes[offset] ^= 1 << bit,
            Self::Cut { length } => bytes.truncate(length),
        }
        fs::write(path, bytes).expect("the file can be written");
    }
}

/// A publication whose sender died, or was stopped, half-way; put back before each damage.
struct HalfDone {
    site: Site,
    sink: Sink,
    saved: BTreeMap<PathBuf, Vec<u8>>,
    /// Whom the ledger shows as accepted once it has recovered undamaged.
    accepted: BTreeSet<String>,
}

/// How the sender ended.
#[derive(Clone, Copy)]
enum End {
    Killed,
    /// With everything in the state file and nothing in the log beside it.
    KilledAndCheckpointed,
    Stopped,
}

impl HalfDone {
    fn new(end: End) -> Self {
        let sink = Sink::start(Script { delay: Duration::from_millis(15), ..Script::default() });
        let more = format!("{}[delivery]\nin_doubt = \"hold\"\nbegin_ahead = 16\n", relay(&sink, CONNECTIONS));
        let site = site(&more, READERS);
        let mut child = site.start(&["publish", "--yes"]);
        wait_until("half is sent", || sink.accepted_count() >= READERS / 2);
        match end {
            End::Killed | End::KilledAndCheckpointed => child.kill().expect("the process is ours"),
            End::Stopped => super::interrupt(&child),
        }
        child.wait().expect("the process is ours");
        std::thread::sleep(Duration::from_millis(50));
        if matches!(end, End::KilledAndCheckpointed) {
            // Opening and closing it brings the log into the file.
            let db = Connection::open(site.file(".fieldpost/state.db")).expect("the state can be opened");
            db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("a checkpoint");
        }
        let mut saved = BTreeMap::new();
        for folder in [".fieldpost", ".home/.local/state/fieldpost"] {
            for entry in fs::read_dir(site.file(folder)).expect("a folder").flatten().filter(|one| one.path().is_file())
            {
                saved.insert(entry.path(), fs::read(entry.path()).expect("the file can be read"));
            }
        }
        let mut half = Self { site, sink, saved, accepted: BTreeSet::new() };
        half.site.run(&["pause", "c1"]).expect_code(0);
        half.site.run(&["publish", "--yes"]);
        half.accepted = in_state(&half.site, "accepted").into_keys().collect();
        assert!(half.accepted.len() > READERS / 4 && half.accepted.len() < READERS, "it is half done");
        half
    }

    fn put_back(&self) {
        for folder in [".fieldpost", ".home/.local/state/fieldpost"] {
            for entry in fs::read_dir(self.site.file(folder)).expect("a folder").flatten() {
                drop(fs::remove_file(entry.path()));
            }
        }
        for (path, bytes) in &self.saved {
            fs::write(path, bytes).expect("the file can be written");
        }
    }

    /// Puts everything back but for what this statement changes; how many rows those are.
    fn put_back_but(&self, sql: &str) -> usize {
        self.put_back();
        let db = Connection::open(self.site.file(".fieldpost/state.db")).expect("the state can be opened");
        db.execute(sql, []).expect("our own SQL")
    }

    /// Damages one file and publishes; whether that was refused, or the report on it was: some of what it
    /// reads no sender looks at.
    fn survive(&self, file: &str, damage: Damage) -> bool {
        self.put_back();
        damage.befall(&self.site.file(".fieldpost").join(file));
        let before = self.sink.accepted_count();
        let ran = self.site.run(&["publish", "--yes"]);
        let taken = self.sink.messages().split_off(before);
        let mailed: BTreeSet<String> = taken.iter().map(|message| message.recipient.clone()).collect();
        assert_eq!(mailed.len(), taken.len(), "{damage:?}: somebody was mailed twice in one run");
        let again: Vec<_> = mailed.intersection(&self.accepted).collect();
        assert!(again.is_empty(), "{damage:?}: accepted and mailed again: {again:?}\n{}", ran.stderr());
        if ![0, 1].contains(&ran.code()) {
            assert_named(damage, &ran);
            return true;
        }
        let report = self.site.run(&["report", "--json"]);
        if report.code() != 0 {
            assert_named(damage, &report);
            return true;
        }
        self.everybody_is_accounted_for(&report.json(), damage, &mailed);
        false
    }

    fn everybody_is_accounted_for(&self, report: &Value, damage: Damage, mailed: &BTreeSet<String>) {
        let campaign = &report["campaigns"][0];
        assert_balanced(&campaign["totals"]);
        let deliveries = campaign["deliveries"].as_array().expect("deliveries");
        let rows: BTreeMap<&str, &Value> = deliveries.iter().map(|one| (text(&one["address"]), one)).collect();
        for name in readers(READERS) {
            let address = format!("{name}@example.org");
            let has_it = self.accepted.contains(&address) || mailed.contains(&address);
            let row = rows.get(address.as_str());
            match row.map(|row| text(&row["state"])) {
                Some("accepted") => assert!(has_it, "{damage:?}: shown as accepted and never sent: {address}"),
                Some("in_doubt") => assert!(!mailed.contains(&address), "{damage:?}: mailed and in doubt: {address}"),
                // A letter of a settled reader's address: no state, but said by `state verify`.
                None if self.accepted.contains(&address) => drop(self.site.run(&["state", "verify"]).expect_code(74)),
                _ => panic!("{damage:?}: nothing was refused, and of {address} it says {row:?}"),
            }
        }
    }
}

/// A refusal says which file it is about, and what to do.
fn assert_named(damage: impl fmt::Debug, ran: &Ran) {
    assert_eq!(ran.code(), 74, "{damage:?}: {}", ran.stderr());
    let said = ran.stderr();
    assert!(said.contains("state.db") && said.contains("help:"), "{damage:?}: {said}");
}

fn damage_everywhere(end: End, file: &str, name: &str) {
    let half = HalfDone::new(end);
    let length = half.saved[&half.site.file(".fieldpost").join(file)].len();
    let all = Damage::spread(length, size(25, 200));
    let refused = all.iter().filter(|damage| half.survive(file, **damage)).count();
    println!(
        "F9 ({name}): {} flips and {} cuts of {length} bytes: {refused} refused with the file named, {} repaired or \
         without effect; nobody accepted was mailed again",
        all.len() / 2,
        all.len() / 2,
        all.len() - refused
    );
}

#[test]
fn a_damaged_state_file_is_refused_or_repaired_and_mails_nobody_again() {
    damage_everywhere(End::KilledAndCheckpointed, "state.db", "state file after a kill");
}

#[test]
fn a_damaged_state_file_that_was_left_in_order_is_refused_or_repaired_and_mails_nobody_again() {
    damage_everywhere(End::Stopped, "state.db", "state file after a clean stop");
}

#[test]
fn frozen_values_that_cannot_be_read_are_damage_and_no_fault_of_the_reader() {
    let half = HalfDone::new(End::Stopped);
    let sound = "'{\"unsubscribe_url\":\"https://example.org/u\"}'";
    let damaged =
        [("'{'", "x@example.org"), ("CAST(x'7bff7d' AS TEXT)", "x@example.org"), (sound, "x\u{7}@example.org")];
    for (merge, message_id) in damaged {
        let sql = format!(
            "INSERT OR REPLACE INTO frozen (delivery, date, merge, message_id, keys, digest)
                SELECT id, 0, {merge}, '{message_id}', '', zeroblob(32) FROM deliveries WHERE state = 'planned' LIMIT 1"
        );
        assert_eq!(half.put_back_but(&sql), 1, "nobody was left to be mailed");
        assert_named(merge, &half.site.run(&["publish", "--yes"]));
        assert!(in_state(&half.site, "rejected").is_empty(), "{merge}: the reader was blamed");
    }
}

#[test]
fn a_text_that_only_the_report_reads_is_refused_there() {
    let half = HalfDone::new(End::Stopped);
    let sql = "UPDATE deliveries SET message_id = CAST(x'61ff' AS TEXT) WHERE state = 'accepted'";
    assert!(half.put_back_but(sql) > 0, "nobody had been mailed");
    half.site.run(&["publish", "--yes"]).expect_code(0);
    assert_named(sql, &half.site.run(&["report", "--json"]));
}

#[test]
fn a_damaged_write_ahead_log_is_refused_or_repaired_and_mails_nobody_again() {
    damage_everywhere(End::Killed, "state.db-wal", "write-ahead log");
}

#[test]
fn a_damaged_mark_file_is_refused_or_repaired_and_mails_nobody_again() {
    damage_everywhere(End::Killed, "state.db.marks", "mark file");
}

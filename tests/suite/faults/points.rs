//! F2 and F5: killed at each durable point, and what stands on disk there.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::{assert_all_accepted, check_clean, in_state, relay, site, size, until_settled, wait_until};
use crate::support::sink::{Script, Sink};
use crate::support::site::Site;
use crate::support::strace::Strace;

const READERS: usize = 3;
const KILL: &str = "signal=SIGKILL";

/// A delivery as a dead process left it: the word in its row, and the word in its slot.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Left {
    row: String,
    slot: Option<String>,
}

impl Left {
    /// The point of `docs/LEDGER.md` at which the process died, as this delivery shows it.
    fn point(&self) -> &'static str {
        match (self.row.as_str(), self.slot.as_deref()) {
            // A claim is in the sender's memory: it leaves nothing.
            ("planned", None) => "planned",
            ("planned", Some(_)) => "a slot written, the begin not committed",
            ("begun", Some("begun")) => "begun",
            ("begun", Some("dot")) => "the dot marked",
            ("begun", Some("replied")) => "the reply marked",
            ("accepted", _) => "settled",
            other => panic!("no kill leaves this: {other:?}"),
        }
    }

    /// Whether the next sender must put it in doubt.
    fn is_doubtful(&self) -> bool {
        self.row == "begun" && self.slot.as_deref() == Some("dot")
    }
}

/// What a dead process left.
struct Wreck {
    /// Whether there is a campaign that claims cannot see.
    is_drafting: bool,
    deliveries: BTreeMap<String, Left>,
}

impl Wreck {
    fn read(site: &Site) -> Self {
        let state = site.file(".fieldpost/state.db");
        let none = Self { is_drafting: false, deliveries: BTreeMap::new() };
        if !state.exists() {
            return none;
        }
        let db = Connection::open(&state).expect("the state can be opened");
        // The next process shall find the log as the dead one left it.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).expect("a setting of SQLite's");
        let Ok(drafts) = db.query_row("SELECT count(*) FROM campaigns WHERE state = 'drafting'", [], |row| row.get(0))
        else {
            return none;
        };
        let drafts: i64 = drafts;
        let slots = slots(&site.file(".fieldpost/state.db.marks"));
        let sql = "SELECT s.address, d.id, iif(d.id IN (SELECT id FROM under_way), 'begun', d.state), d.attempt
            FROM deliveries d JOIN subscribers s ON s.id = d.subscriber JOIN campaigns c ON c.id = d.campaign
            WHERE c.state <> 'drafting'";
        // Killed between the first schema and the next one: nothing is in it yet.
        let Ok(mut statement) = db.prepare(sql) else { return none };
        let rows = statement.query_map([], |row| {
            let (id, row_state, attempt): (i64, String, u32) = (row.get(1)?, row.get(2)?, row.get(3)?);
            // A slot is written for the attempt that the row will have once it is settled.
            let attempt = if ["planned", "begun"].contains(&row_state.as_str()) { attempt + 1 } else { attempt };
            Ok((row.get(0)?, Left { row: row_state, slot: slots.get(&(id, attempt)).cloned() }))
        });
        let deliveries = rows.expect("our own SQL").map(|row| row.expect("a row")).collect();
        Self { is_drafting: drafts > 0, deliveries }
    }

    fn points(&self) -> BTreeSet<&'static str> {
        let point = if self.is_drafting { "drafting" } else { "no campaign" };
        let points: BTreeSet<_> = self.deliveries.values().map(Left::point).collect();
        if points.is_empty() { BTreeSet::from([point]) } else { points }
    }

    fn doubtful(&self) -> BTreeSet<String> {
        self.deliveries.iter().filter(|(_, left)| left.is_doubtful()).map(|(address, _)| address.clone()).collect()
    }
}

/// The words in the mark file, by delivery and attempt.
fn slots(marks: &Path) -> HashMap<(i64, u32), String> {
    let bytes = std::fs::read(marks).unwrap_or_default();
    let slots = bytes.get(4096..).unwrap_or_default().chunks_exact(256).filter(|slot| slot[12] != 0);
    slots
        .map(|slot| {
            let delivery = i64::from_le_bytes(slot[..8].try_into().expect("eight bytes"));
            let attempt = u32::from_le_bytes(slot[8..12].try_into().expect("four bytes"));
            let word = String::from_utf8_lossy(&slot[12..20]).trim_end_matches('\0').to_owned();
            ((delivery, attempt), word)
        })
        .collect()
}

/// One publication before one relay, about to be killed.
struct Victim {
    site: Site,
    sink: Sink,
}

impl Victim {
    fn new() -> Self {
        Self::before(Script { delay: Duration::from_millis(5), ..Script::default() })
    }

    fn before(script: Script) -> Self {
        let sink = Sink::start(script);
        let more = format!("{}[delivery]\nbegin_ahead = 2\nin_doubt = \"hold\"\n", relay(&sink, 1));
        Self { site: site(&more, READERS), sink }
    }

    /// The same with its campaign planned, and a sender dead before its first word to the relay.
    fn planned() -> Self {
        let victim = Self::new();
        let strace = Strace::of("sendto").inject(&format!("sendto:{KILL}:when=1"));
        assert_eq!(strace.run(&victim.site, &["publish", "--yes"]).code(), -1, "nothing was killed");
        victim
    }

    /// Publishes and dies at the `n`-th of these calls; `None` when there are not so many.
    fn die_at(&self, calls: &str, file: Option<&str>, n: usize) -> Option<Wreck> {
        let mut strace = Strace::of(calls);
        for call in calls.split(',') {
            strace = strace.inject(&format!("{call}:{KILL}:when={n}"));
        }
        if let Some(file) = file {
            strace = strace.on(&self.site.file(".fieldpost").join(file));
        }
        let ran = strace.run(&self.site, &["publish", "--yes"]);
        // What was on the wire arrives, or does not.
        std::thread::sleep(Duration::from_millis(20));
        (ran.code() == -1).then(|| Wreck::read(&self.site))
    }

    /// The next sender makes of each delivery exactly what DESIGN.md says, and under `hold`
    /// nobody gets a second copy; then the author orders the doubtful ones sent.
    fn is_recovered_from(&self, wreck: &Wreck) {
        let ran = self.site.run(&["publish", "--yes"]);
        let doubtful: BTreeSet<String> = in_state(&self.site, "in_doubt").into_keys().collect();
        assert_eq!(doubtful, wreck.doubtful(), "{:?}\n{}", wreck.deliveries, ran.stderr());
        assert_eq!(ran.code(), i32::from(!doubtful.is_empty()), "{}", ran.stderr());
        let account = check_clean(&self.site, &self.sink.messages());
        assert_eq!((account.accepted, account.duplicates), (READERS - doubtful.len(), 0));
        until_settled(&self.site);
        check_clean(&self.site, &self.sink.messages());
        assert_all_accepted(&self.site, READERS);
    }
}

/// Dies at every `stride`-th of these calls, each time with a new victim; the points it died at.
fn die_at_each(
    calls: &str,
    file: Option<&str>,
    stride: usize,
    victim: impl Fn() -> Victim,
) -> BTreeMap<&'static str, usize> {
    let mut points = BTreeMap::new();
    for n in (1..).step_by(stride) {
        let victim = victim();
        let Some(wreck) = victim.die_at(calls, file, n) else { break };
        for point in wreck.points() {
            *points.entry(point).or_default() += 1;
        }
        victim.is_recovered_from(&wreck);
    }
    println!("F2: killed at each {calls} on {}: {points:?}", file.unwrap_or("any file"));
    points
}

#[track_caller]
fn assert_struck(points: &BTreeMap<&str, usize>, wanted: &[&str]) {
    for point in wanted {
        assert!(points.contains_key(point), "no kill at the point `{point}`: {points:?}");
    }
}

#[test]
fn killed_at_each_sync_of_a_first_publish_the_campaign_is_there_once_or_not_at_all() {
    let points = die_at_each("fsync,fdatasync", Some("state.db-wal"), 1, Victim::new);
    assert_struck(&points, &["no campaign", "drafting", "planned"]);
}

#[test]
fn killed_at_each_sync_of_a_sender_every_delivery_is_where_the_row_says() {
    let points = die_at_each("fsync,fdatasync", Some("state.db-wal"), 1, Victim::planned);
    assert_struck(&points, &["planned", "begun", "settled"]);
}

#[test]
fn killed_before_each_mark_the_slot_tells_what_had_left() {
    let points = die_at_each("pwrite64", Some("state.db.marks"), 1, Victim::planned);
    assert_struck(&points, &["planned"]);
    assert!(points.contains_key("begun") || points.contains_key("the dot marked"), "only before a begin: {points:?}");
}

#[test]
fn killed_before_a_commit_reaches_the_log_the_step_has_not_happened() {
    // Every write, since only few of them are of a begin: all that begin together are one row.
    let points = die_at_each("pwrite64", Some("state.db-wal"), 1, Victim::planned);
    assert_struck(&points, &["planned", "a slot written, the begin not committed", "the reply marked", "settled"]);
}

#[test]
fn killed_before_each_write_and_read_of_the_wire_only_a_marked_dot_is_in_doubt() {
    let writes = die_at_each("sendto", None, 1, Victim::planned);
    assert_struck(&writes, &["begun", "the dot marked"]);
    let reads = die_at_each("recvfrom", None, 1, Victim::planned);
    assert_struck(&reads, &["begun"]);
}

#[test]
fn killed_while_the_relay_ponders_the_one_message_it_has_is_in_doubt() {
    let kills = size(3, 20);
    for _ in 0..kills {
        let victim = Victim::before(Script { delay: Duration::from_millis(400), ..Script::default() });
        let mut child = victim.site.start(&["publish", "--yes"]);
        wait_until("the body is on its way", || victim.sink.commands().iter().any(|line| line == "DATA"));
        std::thread::sleep(Duration::from_millis(150));
        child.kill().expect("the process is ours");
        child.wait().expect("the process is ours");
        assert_eq!(victim.sink.accepted_count(), 0, "the relay was too quick");
        let wreck = Wreck::read(&victim.site);
        assert_eq!(wreck.doubtful().len(), 1, "{:?}", wreck.deliveries);
        wait_until("the relay has taken it", || victim.sink.accepted_count() == 1);
        victim.is_recovered_from(&wreck);
    }
    println!("F2: killed {kills} times between the dot and its answer, one in doubt each time");
}

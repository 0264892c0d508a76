//! F5: killed while a state file of the first schema is brought up to date.

use std::fs;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::Value;

use super::{CONNECTIONS, assert_all_accepted, check_clean, interrupt, relay, site, size, wait_until};
use crate::support::sink::{Script, Sink};
use crate::support::site::Site;
use crate::support::strace::Strace;

const READERS: usize = 60;
/// Never edited, only appended to: the first schema is what it was.
const SCHEMA_1: &str = include_str!("../../../src/ledger/schema.sql");

/// Writes a campaign half done into a file of the first schema.
fn of_the_first_schema(site: &Site) {
    let state = site.file(".fieldpost/state.db");
    let old = site.file("old.db");
    let new = Connection::open(&old).expect("a file can be made");
    new.execute_batch(SCHEMA_1).expect("the first schema");
    new.execute("ATTACH ?1 AS now", [state.to_str().expect("UTF-8")]).expect("the state can be read");
    for table in
        ["ledger", "secrets", "posts", "subscribers", "consents", "issues", "campaigns", "exclusions", "coverage"]
    {
        let columns = columns(&new, table);
        let sql = format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM now.{table}");
        new.execute(&sql, []).unwrap_or_else(|error| panic!("{table}: {error}"));
    }
    let same =
        "id, campaign, subscriber, state, epoch, attempt, tries, failures, first_try, next, doubts, resend, relay,
        reply, reason, feedback";
    let sql = format!(
        "INSERT INTO main.deliveries ({same}, date, merge, message_id, digest)
            SELECT {same}, date, merge, d.message_id, digest FROM now.deliveries d LEFT JOIN now.frozen ON delivery = id;
        INSERT INTO main.attempts (delivery, attempt, epoch, relay, begun, settled, outcome, reply, reason)
            SELECT id, attempt, epoch, relay, begun, settled, outcome, reply, reason FROM now.deliveries WHERE attempt > 0;
        DETACH now; PRAGMA application_id = 0x666c6470; PRAGMA user_version = 1; PRAGMA journal_mode = WAL;"
    );
    new.execute_batch(&sql).expect("the rows of the first schema");
    drop(new);
    fs::rename(old, state).expect("the file can be moved");
}

fn columns(db: &Connection, table: &str) -> String {
    let mut statement = db.prepare("SELECT name FROM pragma_table_info(?1, 'main')").expect("our own SQL");
    let names = statement.query_map([table], |row| row.get::<_, String>(0)).expect("our own SQL");
    names.map(|name| name.expect("a name")).collect::<Vec<_>>().join(", ")
}

fn version(site: &Site) -> i64 {
    let db = Connection::open(site.file(".fieldpost/state.db")).expect("the state can be opened");
    db.query_row("PRAGMA user_version", [], |row| row.get(0)).expect("a number")
}

fn totals(site: &Site) -> Value {
    site.run(&["status", "--json"]).expect_code(0).json()["campaigns"][0]["totals"].clone()
}

/// Kills the first command that opens the old file, at every such call; how often it died, and at
/// which schemas the file was found.
fn kill_at_each(site: &Site, old: &[u8], before: &Value, call: &str, stride: usize) -> (usize, [usize; 2]) {
    let state = site.file(".fieldpost/state.db");
    let mut found = [0; 2];
    for (kills, n) in (1..).step_by(stride).enumerate() {
        for suffix in ["-wal", "-shm"] {
            drop(fs::remove_file(site.file(&format!(".fieldpost/state.db{suffix}"))));
        }
        fs::write(&state, old).expect("the file can be written");
        let strace = Strace::of(call).on(&state).on(&site.file(".fieldpost/state.db-wal"));
        let ran = strace.inject(&format!("{call}:signal=SIGKILL:when={n}")).run(site, &["status"]);
        if ran.code() != -1 {
            ran.expect_code(0);
            return (kills, found);
        }
        let at = version(site);
        found[usize::from(at == 2)] += 1;
        assert!(at == 1 || at == 2, "killed at the {n}th {call}: schema {at}");
        assert_eq!(totals(site), *before, "killed at the {n}th {call}");
        site.run(&["state", "verify"]).expect_code(0);
    }
    unreachable!("the calls of one run are counted")
}

#[test]
fn killed_while_it_is_migrated_the_file_is_at_the_old_schema_or_at_the_new_one() {
    let sink = Sink::start(Script { delay: Duration::from_millis(10), ..Script::default() });
    let site = site(&relay(&sink, CONNECTIONS), READERS);
    let mut child = site.start(&["publish", "--yes"]);
    wait_until("half is sent", || sink.accepted_count() >= READERS / 3);
    interrupt(&child);
    child.wait().expect("the process is ours");
    let before = totals(&site);
    of_the_first_schema(&site);
    assert_eq!(version(&site), 1);
    let old = fs::read(site.file(".fieldpost/state.db")).expect("the file can be read");

    let (syncs, at_syncs) = kill_at_each(&site, &old, &before, "fsync,fdatasync", 1);
    let (writes, at_writes) = kill_at_each(&site, &old, &before, "pwrite64", size(8, 1));
    let [first, second] = [0, 1].map(|i| at_syncs[i] + at_writes[i]);
    assert!(first > 0 && second > 0, "no kill struck on both sides of the commit: {first}, {second}");

    fs::write(site.file(".fieldpost/state.db"), &old).expect("the file can be written");
    site.run(&["publish", "--yes"]).expect_code(0);
    assert_eq!(version(&site), 2);
    assert_eq!(check_clean(&site, &sink.messages()).duplicates, 0);
    assert_all_accepted(&site, READERS);
    println!(
        "F5: killed at {syncs} syncs and {writes} writes; found at schema 1 {first} times, at schema 2 {second} times"
    );
}

//! The files: who may open, hold and believe them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn a_state_file_is_created_with_its_folders_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/state.db");
    let _ledger = Ledger::open(&path, at(0)).unwrap();
    for name in ["state.db", "state.db-wal"] {
        let mode = fs::metadata(path.with_file_name(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_read_only_state_is_refused_with_the_remedy() {
    let house = House::with_readers(0);
    fs::set_permissions(house.path(), fs::Permissions::from_mode(0o400)).unwrap();
    let error = Ledger::open(&house.path(), at(1)).unwrap_err();
    assert!(matches!(error, LedgerError::NotWritable { .. }));
    assert!(error.to_string().contains("chmod u+w"), "{error}");
}

#[test]
fn what_is_no_ledger_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.db");
    fs::write(&text, "certainly not a database, but long enough to be mistaken for one".repeat(40)).unwrap();
    assert!(matches!(Ledger::open(&text, at(0)), Err(LedgerError::Damaged { .. })));
    let other = folder.path().join("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)").unwrap();
    assert!(matches!(Ledger::open(&other, at(0)), Err(LedgerError::Damaged { .. })));
    let rows: i64 = rusqlite::Connection::open(&other)
        .unwrap()
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 1);
}

#[test]
fn a_file_of_a_newer_fieldpost_is_refused() {
    let house = House::with_readers(0);
    house.tamper("PRAGMA user_version = 99");
    assert!(matches!(Ledger::open(&house.path(), at(1)), Err(LedgerError::Newer { found: 99, .. })));
}

#[test]
fn a_second_sender_is_told_who_holds_the_state() {
    let house = House::with_readers(0);
    let sender = house.sender();
    let error = house.ledger.become_sender(&Terms::default(), at(5)).unwrap_err();
    match &error {
        LedgerError::Held { pid, since, .. } => {
            assert_eq!((*pid, *since), (Some(std::process::id()), Some(at(1))));
        }
        other => panic!("{other}"),
    }
    drop(sender);
    assert_eq!(house.recovered(InDoubtPolicy::Resend).1.epoch, 2);
}

#[test]
fn of_many_senders_started_at_once_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let start = |path: PathBuf| {
        let ledger = Ledger::open(&path, at(0))?;
        ledger.become_sender(&Terms::default(), at(0))
    };
    let threads: Vec<_> = (0..20)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || start(path))
        })
        .collect();
    let results: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let won = results.iter().filter(|result| result.is_ok()).count();
    let held = results.iter().filter(|result| matches!(result, Err(LedgerError::Held { pid: Some(_), .. }))).count();
    assert_eq!((won, held), (1, 19), "{results:?}");
}

#[test]
fn an_old_copy_of_the_state_never_sends_until_the_author_decides() {
    let house = House::with_readers(2);
    let id = house.open_campaign();
    let witness = house.folder.path().join("witness");
    let terms = Terms { witness: Some(witness.clone()), ..Terms::default() };
    let become_sender = |ledger: &Ledger| ledger.become_sender(&terms, at(1)).map(|(sender, _)| sender);
    let sender = become_sender(&house.ledger).unwrap();
    let copy = house.folder.path().join("copy.db");
    house.tamper(&format!("VACUUM INTO '{}'", copy.display()));
    let claim = claim_one(&sender);
    begun(&sender, &claim);
    settle_one(&sender, &claim, accepted());
    drop(sender);
    let house = house.restored(&copy);
    let ledger = &house.ledger;
    let error = become_sender(ledger).unwrap_err();
    assert!(matches!(error, LedgerError::OldState { .. }), "{error}");
    assert_eq!(ledger.accept_old_state(&witness, at(3)).unwrap(), Accepted { paused: 1, in_doubt: 1 });
    let sender = become_sender(ledger).unwrap();
    assert!(sender.claim(9, at(4)).unwrap().is_empty(), "paused until the author resumes");
    ledger.resume(&id, at(9)).unwrap();
    let rest = sender.claim(9, at(4)).unwrap();
    assert_eq!(rest.iter().map(|claim| claim.purpose).collect::<Vec<_>>(), [Purpose::Send], "one may have been sent");
    assert_eq!(ledger.resolve(&Doubtful::Of(id), &Resolution::Resend, at(5)).unwrap(), 1);
    let resend = claim_one(&sender);
    assert_eq!((resend.purpose, &resend.frozen), (Purpose::Resend, &None));
    begun(&sender, &resend);
    assert_eq!(ledger.verify().unwrap(), Vec::new());
}

#[test]
fn of_an_old_copy_without_a_word_how_far_it_got_everything_unsettled_is_in_doubt() {
    let house = House::with_readers(3);
    house.open_campaign();
    let witness = house.folder.path().join("witness");
    let terms = Terms { witness: Some(witness.clone()), ..Terms::default() };
    drop(house.ledger.become_sender(&terms, at(1)).unwrap());
    house.tamper("UPDATE ledger SET sequence = 0, epoch = 0");
    let file = fs::read_dir(&witness).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&file).unwrap();
    let old: Vec<&str> = text.lines().skip(1).take(3).collect();
    fs::write(&file, format!("fieldpost witness 1\n{}\n", old.join("\n"))).unwrap();
    let accepted = house.ledger.accept_old_state(&witness, at(3)).unwrap();
    assert_eq!(accepted, Accepted { paused: 1, in_doubt: 3 });
    assert_eq!(house.ledger.accept_old_state(&witness, at(4)).unwrap(), Accepted { paused: 0, in_doubt: 0 });
}

#[test]
fn another_ledger_in_the_place_of_the_last_one_is_held() {
    let folder = tempfile::tempdir().unwrap();
    let witness = folder.path().join("witness");
    let terms = Terms { witness: Some(witness.clone()), ..Terms::default() };
    let path = folder.path().join("state.db");
    let start = || {
        let ledger = Ledger::open(&path, at(0)).unwrap();
        ledger.become_sender(&terms, at(0))
    };
    drop(start().unwrap());
    drop(start().unwrap());
    for suffix in ["", "-wal", "-shm"] {
        drop(fs::remove_file(folder.path().join(format!("state.db{suffix}"))));
    }
    assert!(matches!(start(), Err(LedgerError::OldState { .. })));
}

#[test]
fn a_damaged_file_is_found_after_an_unclean_end() {
    let house = House::with_readers(50);
    house.open_campaign();
    drop(house.sender());
    house.tamper("PRAGMA wal_checkpoint(TRUNCATE)");
    house.tamper("PRAGMA ignore_check_constraints = ON; UPDATE deliveries SET state = 'acceptee' WHERE id = 7");
    let error = house.ledger.become_sender(&Terms::default(), at(5)).unwrap_err();
    assert!(matches!(error, LedgerError::Damaged { .. }), "{error}");
    assert!(!house.ledger.verify().unwrap().is_empty());
}

#[test]
fn a_damaged_definition_in_the_file_is_a_damaged_file() {
    let house = House::with_readers(1);
    let id = house.open_campaign();
    house.tamper(
        "PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = replace(sql, 'beginnings', 'bewinnings') WHERE name = 'under_way'",
    );
    let ledger = Ledger::open(&house.path(), at(1)).unwrap();
    let error = ledger.totals(&id).unwrap_err();
    assert!(matches!(error, LedgerError::Damaged { .. }), "{error}");
}

#[test]
fn verify_finds_coverage_that_does_not_vouch_for_its_delivery() {
    let house = House::with_readers(2);
    house.open_campaign();
    house.sound();
    house.tamper("DELETE FROM coverage WHERE subscriber = 1; UPDATE coverage SET delivery = 77 WHERE subscriber = 2");
    assert_eq!(house.ledger.verify().unwrap().len(), 3);
}

#[test]
fn verify_finds_an_address_that_was_altered_in_the_file() {
    let house = House::with_readers(2);
    house.tamper("UPDATE subscribers SET address = 'readers@example.org' WHERE id = 2");
    let findings = house.ledger.verify().unwrap();
    assert_eq!(findings.len(), 1);
    assert!(findings[0].what.contains("subscriber 2"), "{findings:?}");
}

#[test]
fn the_table_itself_refuses_states_that_contradict_a_doubt() {
    let house = House::with_readers(1);
    house.open_campaign();
    let db = rusqlite::Connection::open(house.path()).unwrap();
    for sql in [
        "UPDATE deliveries SET doubts = 1",
        "UPDATE deliveries SET state = 'in_doubt'",
        "UPDATE deliveries SET state = 'begun'",
        "UPDATE deliveries SET state = 'sent'",
    ] {
        assert!(db.execute(sql, []).is_err(), "{sql}");
    }
}

/// One delivery in every state that schema 1 knew, with what it kept of each.
const SCHEMA_1_ROWS: &str = "
    INSERT INTO ledger (one, identity, created, epoch) VALUES (1, '0123456789abcdef0123456789abcdef', 1, 3);
    INSERT INTO posts VALUES (1, 'p', 'a.md', 'd', 'yes', 'news');
    INSERT INTO issues VALUES (1, 'i', 1, 'A', 'https://example.org/a/', NULL, x'00');
    INSERT INTO campaigns (id, post, issue, generation, state, opened) VALUES (1, 1, 1, 1, 'running', 1);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5)
    INSERT INTO subscribers (id, address, key, hash, topics, cadence, attributes, state, since, changed)
        SELECT i, 'r' || i || '@example.org', 'r' || i || '@example.org', zeroblob(32), '[]', 'every', '{}', 'active', 1, 1
        FROM n;
    INSERT INTO deliveries (id, campaign, subscriber, state, epoch) VALUES (1, 1, 1, 'planned', NULL), (2, 1, 2, 'claimed', 3);
    INSERT INTO deliveries (id, campaign, subscriber, state, epoch, attempt, date, merge, message_id, relay, digest)
        VALUES (3, 1, 3, 'begun', 3, 1, 5, '{}', 'm3@x', 'relay', zeroblob(32));
    INSERT INTO deliveries (id, campaign, subscriber, state, epoch, attempt, tries, failures, date, merge, message_id,
            relay, digest, reply) VALUES (4, 1, 4, 'accepted', 3, 2, 2, 1, 5, '{}', 'm4@x', 'relay', zeroblob(32), '250 ok');
    INSERT INTO deliveries (id, campaign, subscriber, state, epoch, attempt, tries, doubts, date, merge, message_id,
            relay, digest) VALUES (5, 1, 5, 'in_doubt', 3, 1, 1, 1, 5, '{}', 'm5@x', 'relay', zeroblob(32));
    INSERT INTO attempts VALUES (3, 1, 3, 'relay', 6, NULL, NULL, NULL, NULL, NULL),
        (4, 1, 3, 'relay', 6, 7, 'deferred', '450 no', NULL, NULL), (4, 2, 3, 'relay', 8, 9, 'accepted', '250 ok', NULL, NULL),
        (5, 1, 3, 'relay', 6, 7, 'in_doubt', NULL, 'reset', NULL);
    INSERT INTO coverage SELECT 1, 1, subscriber, id FROM deliveries;";

#[test]
fn a_ledger_of_schema_1_is_brought_up_with_every_delivery_and_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../schema.sql")).unwrap();
    old.execute_batch(SCHEMA_1_ROWS).unwrap();
    old.execute_batch("PRAGMA application_id = 1718379632; PRAGMA user_version = 1").unwrap();
    drop(old);
    let ledger = Ledger::open(&path, at(0)).unwrap();
    // The rows above bear no true hashes of their addresses.
    let is_of_the_rows = |finding: &Finding| finding.what.starts_with("the address of");
    assert!(ledger.verify().unwrap().iter().all(is_of_the_rows));
    let mut told = Vec::new();
    let campaign = CampaignId::parse("c1").unwrap();
    ledger.each_delivery(&campaign, &mut |row| told.push((row.state.word(), row.attempts))).unwrap();
    assert_eq!(told, [("planned", 0), ("planned", 0), ("begun", 0), ("accepted", 2), ("in_doubt", 1)]);
    let attempts = ledger.attempts(DeliveryId(4)).unwrap();
    let outcomes: Vec<_> = attempts.iter().map(|one| (one.number, one.outcome.as_deref())).collect();
    assert_eq!(outcomes, [(1, Some("deferred")), (2, Some("accepted"))]);
    let (_, recovery) = ledger.become_sender(&Terms::default(), at(1)).unwrap();
    assert_eq!(recovery.in_doubt, [DeliveryId(3)], "what had begun in an older program is in doubt");
}

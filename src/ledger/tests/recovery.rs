//! What each crash leaves, and what the next sender makes of it.

use std::fs;

use super::*;
use crate::domain::rules::{Action, Rule, Rules, TextPattern};
use crate::ledger::marks;

/// Four deliveries at every point a process can die at: claimed, begun, dot, replied.
struct Wreck {
    house: House,
    claims: Vec<Claim>,
}

impl Wreck {
    fn new(reply: &Reply) -> Self {
        let house = House::with_readers(4);
        house.open_campaign();
        let sender = house.sender();
        let claims = sender.claim(4, at(2)).unwrap();
        let slots: Vec<_> = claims[1..].iter().map(|claim| begun(&sender, claim)).collect();
        sender.mark_dot(slots[1], claims[2].delivery, 1).unwrap();
        sender.mark_dot(slots[2], claims[3].delivery, 1).unwrap();
        sender.mark_replied(slots[2], claims[3].delivery, 1, reply).unwrap();
        drop(sender);
        Self { house, claims }
    }

    fn recover(&self) -> Recovery {
        let (sender, recovery) = self.house.recovered(InDoubtPolicy::Resend);
        drop(sender);
        self.house.sound();
        recovery
    }

    fn states(&self) -> Vec<&'static str> {
        self.claims.iter().map(|claim| self.house.state(claim.delivery).word()).collect()
    }
}

fn ok() -> Reply {
    Reply::new(250, "2.0.0 ok")
}

#[test]
fn in_the_same_boot_the_mark_file_tells_what_each_delivery_came_to() {
    let wreck = Wreck::new(&ok());
    assert_eq!(wreck.states(), ["planned", "begun", "begun", "begun"]);
    let recovery = wreck.recover();
    assert_eq!(wreck.states(), ["planned", "planned", "in_doubt", "accepted"]);
    let expected = Recovery {
        epoch: 2,
        planned_again: 1,
        settled_from_marks: 1,
        in_doubt: vec![wreck.claims[2].delivery],
        ..Recovery::default()
    };
    assert_eq!(recovery, expected);
}

#[test]
fn a_marked_refusal_is_settled_as_the_living_sender_would() {
    for (reply, state) in [
        (Reply::new(451, "4.7.1 greylisted"), "deferred"),
        (Reply::new(554, "5.7.1 spam"), "rejected"),
        (Reply::new(221, "2.0.0 odd but positive"), "accepted"),
    ] {
        let wreck = Wreck::new(&reply);
        wreck.recover();
        assert_eq!(wreck.states()[3], state, "{reply}");
    }
}

#[test]
fn after_a_restart_of_the_machine_everything_begun_is_in_doubt() {
    let wreck = Wreck::new(&ok());
    marks::age_by_a_restart(&wreck.house.path(), 1);
    let recovery = wreck.recover();
    assert_eq!(wreck.states(), ["planned", "in_doubt", "in_doubt", "in_doubt"]);
    assert_eq!(recovery.marks_unusable.as_deref(), Some("the machine has been restarted since"));
}

#[test]
fn without_a_mark_file_everything_begun_is_in_doubt() {
    let wreck = Wreck::new(&ok());
    fs::remove_file(wreck.house.path().with_extension("db.marks")).unwrap();
    wreck.recover();
    assert_eq!(wreck.states(), ["planned", "in_doubt", "in_doubt", "in_doubt"]);
}

#[test]
fn one_flipped_bit_in_the_mark_file_puts_everything_begun_in_doubt() {
    for offset in [3, 20, 30, 70, 4096, 4096 + 256 + 12, 4096 + 512 + 100] {
        let wreck = Wreck::new(&ok());
        let path = wreck.house.path().with_extension("db.marks");
        let mut bytes = fs::read(&path).unwrap();
        bytes[offset] ^= 4;
        fs::write(&path, bytes).unwrap();
        wreck.recover();
        assert_eq!(wreck.states(), ["planned", "in_doubt", "in_doubt", "in_doubt"], "byte {offset}");
    }
}

#[test]
fn a_truncated_mark_file_accepts_and_plans_nobody_it_does_not_name() {
    let wreck = Wreck::new(&ok());
    let path = wreck.house.path().with_extension("db.marks");
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(4096 + 256).unwrap();
    wreck.recover();
    assert_eq!(wreck.states(), ["planned", "planned", "in_doubt", "in_doubt"]);
}

#[test]
fn a_second_recovery_changes_nothing() {
    let wreck = Wreck::new(&ok());
    wreck.recover();
    let states = wreck.states();
    let again = wreck.recover();
    assert_eq!(again, Recovery { epoch: 3, ..Recovery::default() });
    assert_eq!(wreck.states(), states);
}

#[test]
fn killed_in_a_resend_before_its_dot_the_first_doubt_stays_and_the_resend_is_not_spent() {
    let house = House::with_readers(1);
    house.open_campaign();
    let sender = house.sender();
    let first = claim_one(&sender);
    begun(&sender, &first);
    settle_one(&sender, &first, in_doubt());
    let resend = claim_one(&sender);
    begun(&sender, &resend);
    drop(sender);
    let (sender, recovery) = house.recovered(InDoubtPolicy::Resend);
    assert_eq!(recovery.in_doubt, Vec::new(), "it was in doubt before");
    assert_eq!(house.state(resend.delivery), DeliveryState::InDoubt);
    let again = claim_one(&sender);
    assert_eq!((again.purpose, again.attempt), (Purpose::Resend, 3));
    let slot = begun(&sender, &again);
    sender.mark_dot(slot, again.delivery, 3).unwrap();
    drop(sender);
    let (sender, recovery) = house.recovered(InDoubtPolicy::Resend);
    assert_eq!(recovery.in_doubt, vec![again.delivery]);
    assert!(sender.claim(9, at(99)).unwrap().is_empty(), "now it is spent, and held");
}

#[test]
fn a_clean_stop_leaves_everything_planned_and_nothing_to_recover() {
    let house = House::with_readers(3);
    house.open_campaign();
    let sender = house.sender();
    let claims = sender.claim(3, at(2)).unwrap();
    begun(&sender, &claims[0]);
    settle_one(&sender, &claims[0], accepted());
    wait(sender.release(at(4))).unwrap();
    drop(sender);
    assert_eq!(house.state(claims[1].delivery), DeliveryState::Planned);
    let (_sender, recovery) = house.recovered(InDoubtPolicy::Resend);
    assert_eq!(recovery, Recovery { epoch: 2, ..Recovery::default() });
}

#[test]
fn a_marked_reply_means_what_the_authors_rules_say() {
    let busy = Reply::new(550, "5.7.1 come back on Monday");
    let own = Rule {
        stage: None,
        code: None,
        text: Some(TextPattern::parse("on Monday").unwrap()),
        action: Action::PauseCampaign,
    };
    for (rules, state) in [(Rules::default(), "rejected"), (Rules::with(vec![own]), "planned")] {
        let wreck = Wreck::new(&busy);
        let (sender, recovery) = wreck.house.ledger.become_sender(&Terms { rules, ..Terms::default() }, at(5)).unwrap();
        drop(sender);
        assert_eq!((wreck.states()[3], recovery.settled_from_marks), (state, 1));
        wreck.house.sound();
    }
}

/// Two deliveries begun in one commit, and their sender dead.
fn two_under_way() -> House {
    let house = House::with_readers(3);
    house.open_campaign();
    let sender = house.sender();
    let claims = sender.claim(2, at(2)).unwrap();
    wait(sender.begin(claims.iter().map(beginning).collect(), at(2))).unwrap();
    drop(sender);
    house
}

#[test]
fn a_log_that_was_altered_begins_nobody_else_and_is_refused() {
    let in_the_list = |from, to| ("deliveries", format!("replace(deliveries, '{from}', '{to}')"));
    let in_the_letters = |from, to| ("letters", format!("unhex(replace(hex(letters), '{from}', '{to}'))"));
    for (column, altered) in [
        in_the_list("\"2\":1", "\"3\":1"),
        in_the_list("\"2\":1", "\"2\":0"),
        in_the_list("{", "["),
        // The second letter, behind the digest of the first: delivery 2 becomes 3, then its attempt 0.
        in_the_letters("07070401", "07070601"),
        in_the_letters("07070401", "07070400"),
        // The length of a text, a digest cut short, and a byte too many.
        in_the_letters("0572656C6179", "0672656C6179"),
        in_the_letters("0707", "07"),
        ("letters", "unhex(hex(letters) || '00')".to_owned()),
        ("epoch", "3".to_owned()),
    ] {
        let house = two_under_way();
        house.tamper(&format!("UPDATE beginnings SET {column} = {altered}"));
        let error = house.ledger.become_sender(&Terms::default(), at(5)).unwrap_err();
        assert!(matches!(error, LedgerError::Damaged { .. }), "{altered}: {error}");
        assert_eq!(house.ledger.verify().unwrap().len(), 1, "{altered}");
    }
    let (_sender, recovery) = two_under_way().recovered(InDoubtPolicy::Resend);
    assert_eq!(recovery.planned_again, 2, "unaltered it is believed");
}

#[test]
fn a_restored_copy_with_something_under_way_has_it_in_doubt() {
    let house = two_under_way();
    let witness = house.folder.path().join("witness");
    let terms = Terms { witness: Some(witness.clone()), ..Terms::default() };
    let copy = house.folder.path().join("copy.db");
    house.tamper(&format!("VACUUM INTO '{}'", copy.display()));
    drop(house.ledger.become_sender(&terms, at(1)).unwrap());
    let house = house.restored(&copy);
    let ledger = &house.ledger;
    assert_eq!(ledger.accept_old_state(&witness, at(3)).unwrap(), Accepted { paused: 1, in_doubt: 2 });
    let (_sender, recovery) = ledger.become_sender(&terms, at(4)).unwrap();
    assert_eq!(recovery.in_doubt, Vec::new(), "they are in doubt already");
    assert_eq!(ledger.verify().unwrap(), Vec::new());
}

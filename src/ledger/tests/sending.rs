//! Claim, begin, settle.

use super::*;
use crate::domain::audience::Suppressed;
use crate::domain::delivery::CampaignState;
use crate::domain::subscriber::SubscriberState;

#[test]
fn a_delivery_goes_from_planned_to_accepted_and_the_campaign_finishes() {
    let house = House::with_readers(1);
    let id = house.open_campaign();
    let sender = house.sender();
    let claim = claim_one(&sender);
    assert_eq!((claim.attempt, claim.purpose, &claim.frozen), (1, Purpose::Send, &None));
    assert_eq!((claim.name.as_deref(), &claim.address), (Some("Reader 0"), &address(0)));
    assert_eq!(house.state(claim.delivery), DeliveryState::Planned, "a claim is written nowhere");
    begun(&sender, &claim);
    assert_eq!(house.ledger.campaign(&id).unwrap().state, CampaignState::Running);
    let row = house.ledger.delivery(claim.delivery).unwrap().unwrap();
    assert_eq!(row.state, DeliveryState::Begun);
    assert_eq!(row.message_id, Some(frozen(claim.delivery, 7).message_id), "it is known from now on");
    assert_eq!(settle_one(&sender, &claim, accepted()), Settled::Recorded(DeliveryState::Accepted));
    let row = house.ledger.delivery(claim.delivery).unwrap().unwrap();
    assert_eq!((row.attempts, row.doubts, row.reply.as_deref()), (1, 0, Some("250 2.0.0 ok")));
    assert_eq!((row.message_id, row.first_try), (Some(frozen(claim.delivery, 7).message_id), Some(at(2))));
    assert_eq!(house.ledger.campaign(&id).unwrap().state, CampaignState::Finished);
    assert!(sender.claim(9, at(9)).unwrap().is_empty());
    house.sound();
}

#[test]
fn an_unsubscribe_counts_until_begun() {
    let house = House::with_readers(3);
    let id = house.open_campaign();
    let sender = house.sender();
    let claims = sender.claim(3, at(2)).unwrap();
    begun(&sender, &claims[0]);
    house.ledger.unsubscribe(claims[0].subscriber, at(3)).unwrap();
    house.ledger.unsubscribe(claims[1].subscriber, at(3)).unwrap();
    house.ledger.suppress(&claims[2].address, "by hand", at(3)).unwrap();
    assert_eq!(begin_one(&sender, &claims[1]), BeginAnswer::Refused(Refusal::Unsubscribed));
    assert_eq!(begin_one(&sender, &claims[2]), BeginAnswer::Refused(Refusal::Suppressed));
    settle_one(&sender, &claims[0], accepted());
    let totals = house.ledger.totals(&id).unwrap();
    assert_eq!((totals.accepted, totals.suppressed, totals.pending), (1, 2, 0));
    assert_eq!(house.ledger.campaign(&id).unwrap().state, CampaignState::Finished);
    house.sound();
}

#[test]
fn a_doubtful_one_is_resent_once_with_the_same_bytes_and_then_held() {
    let house = House::with_readers(1);
    let id = house.open_campaign();
    let sender = house.sender();
    let first = claim_one(&sender);
    begun(&sender, &first);
    settle_one(&sender, &first, in_doubt());
    let resend = claim_one(&sender);
    assert_eq!((resend.purpose, resend.attempt), (Purpose::Resend, 2));
    assert_eq!(resend.frozen, Some(frozen(resend.delivery, 7)));
    assert!(sender.claim(9, at(2)).unwrap().is_empty(), "claimed for the resend already");
    assert_eq!(sender.pending(at(2)).unwrap().in_hand, 1);
    begun(&sender, &resend);
    settle_one(&sender, &resend, in_doubt());
    assert!(sender.claim(9, at(9)).unwrap().is_empty(), "a second doubt is held");
    let totals = house.ledger.totals(&id).unwrap();
    assert_eq!((totals.in_doubt, totals.ever_in_doubt), (1, 1));
    assert_eq!(house.ledger.campaign(&id).unwrap().state, CampaignState::Running);
    house.sound();
}

#[test]
fn a_resend_that_would_differ_is_held_with_the_reason() {
    let house = House::with_readers(1);
    house.open_campaign();
    let sender = house.sender();
    let first = claim_one(&sender);
    begun(&sender, &first);
    settle_one(&sender, &first, in_doubt());
    let resend = claim_one(&sender);
    let other = Begin { frozen: frozen(resend.delivery, 8), ..beginning(&resend) };
    let answer = wait(sender.begin(vec![other], at(3))).unwrap();
    assert_eq!(answer, vec![BeginAnswer::Refused(Refusal::DigestDiffers)]);
    let row = house.ledger.delivery(resend.delivery).unwrap().unwrap();
    assert_eq!(row.state, DeliveryState::InDoubt);
    assert!(row.reason.unwrap().contains("same bytes"));
    assert!(sender.claim(9, at(9)).unwrap().is_empty());
}

#[test]
fn after_a_doubt_nothing_that_befalls_the_resend_makes_it_planned_or_deferred() {
    for outcome in [withdrawn(), deferred(60)] {
        let house = House::with_readers(1);
        house.open_campaign();
        let sender = house.sender();
        let first = claim_one(&sender);
        begun(&sender, &first);
        settle_one(&sender, &first, in_doubt());
        let resend = claim_one(&sender);
        begun(&sender, &resend);
        assert_eq!(settle_one(&sender, &resend, outcome), Settled::Recorded(DeliveryState::InDoubt));
        let again = sender.claim(1, at(60)).unwrap().remove(0);
        assert_eq!((again.purpose, again.attempt), (Purpose::Resend, 3), "its resend is not spent");
        house.sound();
    }
}

#[test]
fn a_resend_that_is_under_way_is_no_doubt_the_author_could_settle() {
    let house = House::with_readers(1);
    let id = house.open_campaign();
    let sender = house.sender();
    let first = claim_one(&sender);
    begun(&sender, &first);
    settle_one(&sender, &first, in_doubt());
    let resend = claim_one(&sender);
    begun(&sender, &resend);
    for which in [Doubtful::Of(id.clone()), Doubtful::One(resend.delivery)] {
        assert_eq!(house.ledger.resolve(&which, &Resolution::Abandon, at(4)).unwrap(), 0);
    }
    let totals = house.ledger.totals(&id).unwrap();
    assert_eq!((totals.in_doubt, totals.pending), (0, 1));
    assert_eq!(settle_one(&sender, &resend, accepted()), Settled::Recorded(DeliveryState::Accepted));
    house.sound();
}

#[test]
fn of_those_that_are_begun_together_each_begins_by_its_own_standing() {
    for together in [vec![0, 1, 2, 3], vec![0, 1, 2, 19]] {
        let house = House::with_readers(20);
        house.open_campaign();
        let sender = house.sender();
        let claims = sender.claim(20, at(2)).unwrap();
        house.ledger.unsubscribe(claims[1].subscriber, at(2)).unwrap();
        house.ledger.suppress(&claims[2].address, "complaint by letter", at(2)).unwrap();
        let begins = together.iter().map(|nth| beginning(&claims[*nth])).collect();
        let answers = wait(sender.begin(begins, at(2))).unwrap();
        assert!(matches!(answers[0], BeginAnswer::Begun { .. }) && matches!(answers[3], BeginAnswer::Begun { .. }));
        assert_eq!(answers[1], BeginAnswer::Refused(Refusal::Unsubscribed));
        assert_eq!(answers[2], BeginAnswer::Refused(Refusal::Suppressed));
        let again = [0, 3].map(|nth| beginning(&claims[together[nth]])).to_vec();
        let answers = wait(sender.begin(again, at(2))).unwrap();
        assert_eq!(answers, [BeginAnswer::Refused(Refusal::NotClaimed); 2], "they are under way");
    }
}

#[test]
fn the_log_holds_a_commit_until_all_that_began_in_it_is_settled() {
    let house = House::with_readers(3);
    house.open_campaign();
    let sender = house.sender();
    let count = "SELECT count(*) FROM beginnings";
    let rows = || house.ledger.read(|tx| Ok(tx.query_row(count, [], |row| row.get::<_, i64>(0))?));
    let claims = sender.claim(3, at(2)).unwrap();
    wait(sender.begin(claims.iter().map(beginning).collect(), at(2))).unwrap();
    for (claim, left) in claims.iter().zip([1, 1, 0]) {
        settle_one(&sender, claim, accepted());
        assert_eq!(rows().unwrap(), left);
    }
}

#[test]
fn under_hold_only_the_author_resends() {
    let house = House::with_readers(1);
    let id = house.open_campaign();
    let (sender, _) = house.recovered(InDoubtPolicy::Hold);
    let first = claim_one(&sender);
    begun(&sender, &first);
    settle_one(&sender, &first, in_doubt());
    assert!(sender.claim(9, at(9)).unwrap().is_empty());
    let which = Doubtful::Of(id.clone());
    assert_eq!(house.ledger.resolve(&which, &Resolution::Resend, at(4)).unwrap(), 1);
    let resend = claim_one(&sender);
    begun(&sender, &resend);
    settle_one(&sender, &resend, in_doubt());
    let evidence = Resolution::Accepted { evidence: "relay log line 17".into() };
    assert_eq!(house.ledger.resolve(&Doubtful::One(resend.delivery), &evidence, at(5)).unwrap(), 1);
    assert_eq!(house.state(resend.delivery), DeliveryState::Accepted);
    assert_eq!(house.ledger.resolve(&which, &Resolution::Abandon, at(6)).unwrap(), 0, "no doubt is left");
    assert_eq!(house.ledger.campaign(&id).unwrap().state, CampaignState::Finished);
}

#[test]
fn a_resend_that_was_abandoned_meanwhile_does_not_begin() {
    let house = House::with_readers(1);
    let id = house.open_campaign();
    let sender = house.sender();
    let first = claim_one(&sender);
    begun(&sender, &first);
    settle_one(&sender, &first, in_doubt());
    let resend = claim_one(&sender);
    house.ledger.resolve(&Doubtful::Of(id), &Resolution::Abandon, at(4)).unwrap();
    assert_eq!(begin_one(&sender, &resend), BeginAnswer::Refused(Refusal::NotClaimed));
    assert_eq!(house.state(resend.delivery), DeliveryState::Abandoned);
}

#[test]
fn a_rejection_that_names_a_missing_mailbox_suppresses_it() {
    let house = House::with_readers(2);
    house.open_campaign();
    let sender = house.sender();
    let claims = sender.claim(2, at(2)).unwrap();
    begun(&sender, &claims[0]);
    settle_one(&sender, &claims[0], rejected(Suppress::Yes));
    settle_one(&sender, &claims[1], rejected(Suppress::No));
    assert_eq!(house.ledger.is_suppressed(&claims[0].address).unwrap(), Suppressed::Yes);
    assert_eq!(house.ledger.is_suppressed(&claims[1].address).unwrap(), Suppressed::No);
    let state = |n: usize| house.ledger.subscriber(claims[n].subscriber).unwrap().unwrap().state;
    assert_eq!((state(0), state(1)), (SubscriberState::Bounced, SubscriberState::Active));
    let row = house.ledger.delivery(claims[0].delivery).unwrap().unwrap();
    assert_eq!(row.reply.as_deref(), Some("550 5.1.1 <***@***> unknown"), "stored masked");
    house.sound();
}

#[test]
fn a_withdrawal_counts_no_failure_and_no_attempt() {
    let house = House::with_readers(1);
    house.open_campaign();
    let sender = house.sender();
    let claim = claim_one(&sender);
    assert_eq!(settle_one(&sender, &claim, withdrawn()), Settled::Recorded(DeliveryState::Planned));
    let claim = claim_one(&sender);
    begun(&sender, &claim);
    assert_eq!(settle_one(&sender, &claim, withdrawn()), Settled::Recorded(DeliveryState::Planned));
    let again = claim_one(&sender);
    assert_eq!((again.attempt, again.failures), (2, 0), "the number is used up: a mark may bear it");
    assert_eq!(house.ledger.delivery(again.delivery).unwrap().unwrap().attempts, 0);
}

#[test]
fn what_was_never_claimed_or_settled_already_is_not_begun() {
    let house = House::with_readers(1);
    house.open_campaign();
    let sender = house.sender();
    let claim = claim_one(&sender);
    let wrong = Begin { attempt: 5, ..beginning(&claim) };
    assert_eq!(wait(sender.begin(vec![wrong], at(2))).unwrap(), vec![BeginAnswer::Refused(Refusal::NotClaimed)]);
    begun(&sender, &claim);
    assert_eq!(begin_one(&sender, &claim), BeginAnswer::Refused(Refusal::NotClaimed), "begun already");
    settle_one(&sender, &claim, accepted());
    assert_eq!(settle_one(&sender, &claim, in_doubt()), Settled::Late);
    assert_eq!(house.state(claim.delivery), DeliveryState::Accepted);
    let unknown = Settle { delivery: DeliveryId(99), attempt: 1, outcome: accepted() };
    assert_eq!(wait(sender.settle(vec![unknown], at(3))).unwrap(), vec![Settled::Late]);
}

#[test]
fn a_settle_for_what_an_earlier_sender_began_is_refused_and_kept_as_evidence() {
    let house = House::with_readers(1);
    house.open_campaign();
    let sender = house.sender();
    let claim = claim_one(&sender);
    begun(&sender, &claim);
    drop(sender);
    let sender = house.sender();
    assert_eq!(settle_one(&sender, &claim, accepted()), Settled::Late);
    assert_eq!(house.state(claim.delivery), DeliveryState::Planned);
    let attempts = house.ledger.attempts(claim.delivery).unwrap();
    assert_eq!(attempts[0].late.as_deref(), Some("accepted: 250 2.0.0 ok"));
}

#[test]
fn a_superseded_sender_can_write_nothing_more() {
    let house = House::with_readers(1);
    house.open_campaign();
    let sender = house.sender();
    let claim = claim_one(&sender);
    house.tamper("UPDATE ledger SET epoch = epoch + 1");
    let error = wait(sender.begin(vec![beginning(&claim)], at(2))).unwrap_err();
    assert!(matches!(error, LedgerError::Superseded { .. }), "{error}");
    assert_eq!(house.state(claim.delivery), DeliveryState::Planned);
}

#[test]
fn a_slot_is_not_reused_before_its_settle_is_durable() {
    let house = House::with_readers(3);
    house.open_campaign();
    let sender = house.sender();
    let claims = sender.claim(3, at(2)).unwrap();
    let first = begun(&sender, &claims[0]);
    let second = begun(&sender, &claims[1]);
    assert_ne!(first, second);
    settle_one(&sender, &claims[0], accepted());
    assert_eq!(begun(&sender, &claims[2]), first);
}

#[test]
fn a_delivery_whose_subscriber_was_altered_in_the_file_is_not_sent() {
    let house = House::with_readers(2);
    house.open_campaign();
    let sender = house.sender();
    house.tamper("UPDATE subscribers SET address = 'other@example.org' WHERE id = 1");
    let error = sender.claim(1, at(2)).unwrap_err();
    assert!(matches!(error, LedgerError::Damaged { .. }), "{error}");
    let error = sender.claim(1, at(2)).unwrap_err();
    assert!(matches!(error, LedgerError::Damaged { .. }), "it stays stopped: {error}");
}

#[test]
fn many_jobs_share_a_commit_and_all_are_answered() {
    let house = House::with_readers(300);
    let id = house.open_campaign();
    let sender = house.sender();
    let claims = sender.claim(300, at(2)).unwrap();
    let asked: Vec<_> = claims.iter().map(|claim| sender.begin(vec![beginning(claim)], at(2))).collect();
    for answer in asked {
        assert!(matches!(wait(answer).unwrap()[0], BeginAnswer::Begun { .. }));
    }
    let settle = |claim: &Claim| Settle { delivery: claim.delivery, attempt: claim.attempt, outcome: accepted() };
    for claim in &claims {
        drop(sender.settle(vec![settle(claim)], at(3)));
    }
    drop(sender);
    assert_eq!(house.ledger.totals(&id).unwrap().accepted, 300, "queued outcomes are recorded before the end");
    house.sound();
}

#[test]
fn a_postponed_delivery_is_claimed_when_its_time_has_come_and_counts_no_attempt() {
    let house = House::with_readers(2);
    house.open_campaign();
    let sender = house.sender();
    let claims = sender.claim(2, at(2)).unwrap();
    let postpone = Postpone { delivery: claims[0].delivery, until: at(60), reason: "quiet hours".into() };
    wait(sender.postpone(vec![postpone], at(2))).unwrap();
    begun(&sender, &claims[1]);
    settle_one(&sender, &claims[1], accepted());
    assert!(sender.claim(9, at(59)).unwrap().is_empty());
    let pending = sender.pending(at(59)).unwrap();
    assert_eq!((pending.waiting, pending.ready, pending.next_due), (1, 0, Some(at(60))));
    let again = sender.claim(9, at(60)).unwrap().pop().unwrap();
    assert_eq!((again.delivery, again.attempt), (claims[0].delivery, 1));
    begun(&sender, &again);
    settle_one(&sender, &again, accepted());
    house.sound();
}

#[test]
fn what_a_pause_gave_back_is_claimed_again_however_far_the_claims_had_come() {
    let house = House::with_readers(5);
    let id = house.open_campaign();
    let sender = house.sender();
    let first = sender.claim(2, at(2)).unwrap();
    house.ledger.pause(&id, "by hand").unwrap();
    for claim in &first {
        assert_eq!(begin_one(&sender, claim), BeginAnswer::Refused(Refusal::Paused));
    }
    house.ledger.resume(&id, at(9)).unwrap();
    assert_eq!(sender.claim(9, at(2)).unwrap().len(), 5);
}

#[test]
fn every_attempt_is_kept_the_last_one_in_the_row() {
    let house = House::with_readers(1);
    house.open_campaign();
    let sender = house.sender();
    for outcome in [deferred(4), withdrawn(), accepted()] {
        let claim = sender.claim(1, at(5)).unwrap().pop().unwrap();
        begun(&sender, &claim);
        settle_one(&sender, &claim, outcome);
    }
    let attempts = house.ledger.attempts(DeliveryId(1)).unwrap();
    let told: Vec<_> = attempts.iter().map(|one| (one.number, one.outcome.as_deref(), one.begun.is_some())).collect();
    assert_eq!(told, [(1, Some("deferred"), true), (2, Some("withdrawn"), true), (3, Some("accepted"), true)]);
    assert_eq!(attempts[0].reply.as_deref(), Some("450 4.2.1 busy"));
}

#[test]
fn a_note_stands_until_the_next_one_of_its_scope() {
    let house = House::with_readers(0);
    let sender = house.sender();
    for text in ["1", "2"] {
        let note = |scope: &str| Note { scope: scope.into(), note: text.into() };
        wait(sender.note(vec![note("relay a:25"), note("domain b.org")], at(2))).unwrap();
    }
    let notes = house.ledger.notes("relay ").unwrap();
    assert_eq!(notes, BTreeMap::from([("relay a:25".to_owned(), "2".to_owned())]));
}

#[test]
fn a_doubt_that_the_author_holds_is_not_resent_until_the_next_decision() {
    let house = House::with_readers(1);
    let id = house.open_campaign();
    let sender = house.sender();
    let first = claim_one(&sender);
    begun(&sender, &first);
    settle_one(&sender, &first, in_doubt());
    let which = Doubtful::Of(id);
    house.ledger.resolve(&which, &Resolution::Hold, at(4)).unwrap();
    assert!(sender.claim(9, at(9)).unwrap().is_empty());
    house.ledger.resolve(&which, &Resolution::Resend, at(10)).unwrap();
    assert_eq!(claim_one(&sender).purpose, Purpose::Resend);
    house.sound();
}

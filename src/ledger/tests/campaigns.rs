//! Opening and steering campaigns.

use super::*;
use crate::domain::delivery::CampaignState;

#[test]
fn a_draft_is_invisible_to_claims_and_discarded_by_the_next_opening() {
    let house = House::with_readers(3);
    let dead = house.open_campaign();
    house.tamper("UPDATE campaigns SET state = 'drafting'");
    let sender = house.sender_beside_a_drafter();
    assert!(sender.claim(10, at(2)).unwrap().is_empty());
    assert!(house.ledger.campaigns().unwrap().is_empty());
    let fresh = house.open_campaign();
    assert_ne!(fresh, dead);
    assert_eq!(house.ledger.totals(&fresh).unwrap().planned, 3);
    house.sound();
}

#[test]
fn a_draft_left_by_a_crash_is_discarded_by_the_next_sender() {
    let house = House::with_readers(3);
    house.open_campaign();
    house.tamper("UPDATE campaigns SET state = 'drafting'");
    let (_sender, recovery) = house.recovered(InDoubtPolicy::Resend);
    assert_eq!(recovery.drafts_discarded, 1);
    let audience = house.ledger.resolve_audience(&[], &post(), Generation::FIRST).unwrap();
    assert_eq!(audience.members.len(), 3, "the draft's coverage is given back");
    house.sound();
}

#[test]
fn coverage_keeps_a_second_campaign_from_the_same_people() {
    let house = House::with_readers(3);
    let new = house.new_campaign();
    house.ledger.open_campaign(&new, at(0)).unwrap();
    let second = house.ledger.open_campaign(&new, at(1)).unwrap();
    let second = house.ledger.campaign(&second).unwrap();
    assert_eq!(second.excluded, BTreeMap::from([("covered".to_owned(), 3)]));
    assert_eq!(second.state, CampaignState::Finished, "nobody is left to send it to");
    let next = NewCampaign { generation: Generation(2), ..new };
    let third = house.ledger.open_campaign(&next, at(2)).unwrap();
    assert_eq!(house.ledger.totals(&third).unwrap().planned, 3, "another generation covers anew");
    assert_eq!(house.ledger.latest_generation(&post()).unwrap(), Some(Generation(2)));
    house.sound();
}

#[test]
fn who_leaves_between_resolving_and_planning_is_suppressed() {
    let house = House::with_readers(3);
    let new = house.new_campaign();
    house.ledger.unsubscribe(new.audience.members[1], at(0)).unwrap();
    let id = house.ledger.open_campaign(&new, at(1)).unwrap();
    let totals = house.ledger.totals(&id).unwrap();
    assert_eq!((totals.planned, totals.pending, totals.suppressed), (3, 2, 1));
    house.sound();
}

#[test]
fn a_pause_stops_claims_and_begins_and_loses_nobody() {
    let house = House::with_readers(2);
    let id = house.open_campaign();
    let sender = house.sender();
    let claim = claim_one(&sender);
    house.ledger.pause(&id, "the author said so").unwrap();
    assert_eq!(begin_one(&sender, &claim), BeginAnswer::Refused(Refusal::Paused));
    assert_eq!(house.state(claim.delivery), DeliveryState::Planned);
    assert!(sender.claim(10, at(2)).unwrap().is_empty());
    assert_eq!(sender.pending(at(2)).unwrap(), Pending::default());
    assert_eq!(house.ledger.campaign(&id).unwrap().reason.as_deref(), Some("the author said so"));
    house.ledger.resume(&id, at(9)).unwrap();
    assert_eq!(sender.claim(10, at(2)).unwrap().len(), 2);
}

#[test]
fn cancelling_cancels_what_has_not_begun_and_releases_its_coverage() {
    let house = House::with_readers(4);
    let id = house.open_campaign();
    let sender = house.sender();
    let claims = sender.claim(3, at(2)).unwrap();
    begun(&sender, &claims[0]);
    begun(&sender, &claims[1]);
    assert_eq!(house.ledger.cancel(&id, at(3)).unwrap(), 2);
    assert_eq!(begin_one(&sender, &claims[2]), BeginAnswer::Refused(Refusal::Cancelled));
    assert_eq!(settle_one(&sender, &claims[0], accepted()), Settled::Recorded(DeliveryState::Accepted));
    assert_eq!(settle_one(&sender, &claims[1], deferred(60)), Settled::Recorded(DeliveryState::Cancelled));
    let totals = house.ledger.totals(&id).unwrap();
    assert_eq!((totals.accepted, totals.cancelled, totals.pending), (1, 3, 0));
    let audience = house.ledger.resolve_audience(&[], &post(), Generation::FIRST).unwrap();
    assert_eq!(audience.members.len(), 3, "only the accepted one is still covered");
    house.sound();
}

#[test]
fn a_finished_campaign_refuses_to_be_steered_and_an_unknown_one_is_named() {
    let house = House::with_readers(1);
    let id = house.open_campaign();
    let sender = house.sender();
    let claim = claim_one(&sender);
    begun(&sender, &claim);
    settle_one(&sender, &claim, accepted());
    assert_eq!(house.ledger.campaign(&id).unwrap().state, CampaignState::Finished);
    assert!(matches!(house.ledger.pause(&id, "x"), Err(LedgerError::WrongState { .. })));
    assert!(matches!(house.ledger.resume(&id, at(9)), Err(LedgerError::WrongState { .. })));
    assert!(matches!(house.ledger.cancel(&id, at(4)), Err(LedgerError::WrongState { .. })));
    for name in ["c9", "9", "c-1", "x"] {
        let name = CampaignId::parse(name).unwrap();
        assert!(matches!(house.ledger.campaign(&name), Err(LedgerError::UnknownCampaign { .. })), "{name}");
    }
}

#[test]
fn nothing_is_claimed_before_its_time_or_begun_after_it() {
    let house = House::with_readers(1);
    let new = NewCampaign { not_before: Some(at(100)), expires: Some(at(200)), ..house.new_campaign() };
    let id = house.ledger.open_campaign(&new, at(0)).unwrap();
    let sender = house.sender();
    assert!(sender.claim(1, at(99)).unwrap().is_empty());
    let pending = sender.pending(at(99)).unwrap();
    assert_eq!((pending.waiting, pending.next_due), (1, Some(at(100))));
    let claim = sender.claim(1, at(100)).unwrap().remove(0);
    let answer = wait(sender.begin(vec![beginning(&claim)], at(200))).unwrap();
    assert_eq!(answer, vec![BeginAnswer::Refused(Refusal::Expired)]);
    assert_eq!(house.ledger.totals(&id).unwrap().expired, 1);
    assert_eq!(house.ledger.campaign(&id).unwrap().state, CampaignState::Finished);
    house.sound();
}

#[test]
fn retry_makes_what_waits_due_now() {
    let house = House::with_readers(1);
    let id = house.open_campaign();
    let sender = house.sender();
    let claim = claim_one(&sender);
    begun(&sender, &claim);
    settle_one(&sender, &claim, deferred(3600));
    assert!(sender.claim(1, at(60)).unwrap().is_empty());
    assert_eq!(house.ledger.retry(&id, at(60)).unwrap(), 1);
    let again = sender.claim(1, at(60)).unwrap().remove(0);
    assert_eq!((again.attempt, again.failures, again.purpose), (2, 1, Purpose::Send));
    assert_eq!(again.frozen, Some(frozen(again.delivery, 7)));
}

impl House {
    /// A sender that starts while another process is drafting.
    fn sender_beside_a_drafter(&self) -> Sender {
        let _drafting = crate::ledger::lock::lock_drafting(&self.path()).unwrap();
        self.sender()
    }
}

//! Posts, people, suppression, audience.

use super::*;
use crate::domain::audience::{Exclusion, Suppressed};
use crate::domain::post::KnownPost;
use crate::domain::subscriber::{ImportCount, SubscriberState};

#[test]
fn an_import_can_be_repeated_and_counts_what_it_did() {
    let house = House::with_readers(3);
    let mut list: Vec<_> = (0..4).map(enrolment).collect();
    list[1].topics = vec!["rust".into()];
    let count = house.ledger.enrol(&list, at(9)).unwrap();
    assert_eq!(count, ImportCount { added: 1, updated: 1, unchanged: 2, kept_out: 0 });
    let again = house.ledger.enrol(&list, at(10)).unwrap();
    assert_eq!(again, ImportCount { unchanged: 4, ..ImportCount::default() });
    let one = house.ledger.subscriber_by_address(&address(1)).unwrap().unwrap();
    assert_eq!((one.topics, one.since), (vec!["rust".to_owned()], at(0)));
    assert_eq!(house.ledger.consents(one.id).unwrap().len(), 1);
}

#[test]
fn an_import_never_revives_who_left_or_is_suppressed() {
    let house = House::with_readers(4);
    let id = |n| house.ledger.subscriber_by_address(&address(n)).unwrap().unwrap().id;
    house.ledger.unsubscribe(id(0), at(1)).unwrap();
    house.tamper("UPDATE subscribers SET state = 'bounced' WHERE id = 2");
    house.ledger.suppress(&address(2), "complaint by letter", at(1)).unwrap();
    house.ledger.suppress(&address(9), "never", at(1)).unwrap();
    let mut list: Vec<_> = (0..4).map(enrolment).collect();
    list.push(enrolment(9));
    list[0].address = Address::parse("READER0@Example.org").unwrap();
    let count = house.ledger.enrol(&list, at(2)).unwrap();
    assert_eq!(count, ImportCount { unchanged: 1, kept_out: 4, ..ImportCount::default() });
    assert_eq!(house.ledger.subscriber(id(0)).unwrap().unwrap().state, SubscriberState::Unsubscribed);
    assert_eq!(house.ledger.subscriber_by_address(&address(9)).unwrap(), None);
    assert_eq!(house.ledger.is_suppressed(&Address::parse("Reader9@example.ORG").unwrap()).unwrap(), Suppressed::Yes);
}

#[test]
fn who_is_removed_and_joins_again_keeps_the_row_and_the_coverage() {
    let house = House::with_readers(1);
    let before = house.ledger.subscriber_by_address(&address(0)).unwrap().unwrap();
    house.open_campaign();
    assert_eq!(house.ledger.remove(&address(0), at(1)).unwrap(), Removal::Removed);
    assert_eq!(house.ledger.remove(&address(0), at(1)).unwrap(), Removal::Unknown);
    assert!(house.ledger.subscribers().unwrap().is_empty());
    let count = house.ledger.enrol(&[enrolment(0)], at(2)).unwrap();
    assert_eq!(count.added, 1);
    assert_eq!(house.ledger.subscriber_by_address(&address(0)).unwrap().unwrap().id, before.id);
    let audience = house.ledger.resolve_audience(&[], &post(), Generation::FIRST).unwrap();
    assert_eq!(audience.excluded, BTreeMap::from([(Exclusion::Covered, 1)]));
}

#[test]
fn an_audience_counts_everybody_it_leaves_out() {
    let house = House::with_readers(6);
    let all = house.ledger.subscribers().unwrap();
    house.ledger.unsubscribe(all[0].id, at(1)).unwrap();
    house.ledger.suppress(&address(1), "bounced", at(1)).unwrap();
    house.tamper(
        "UPDATE subscribers SET state = 'pending' WHERE id = 3; UPDATE subscribers SET cadence = 'weekly' WHERE id = 4",
    );
    let mut rust_only = enrolment(4);
    rust_only.topics = vec!["Rust".into()];
    house.ledger.enrol(&[rust_only], at(2)).unwrap();
    let audience = house.ledger.resolve_audience(&["python".into()], &post(), Generation::FIRST).unwrap();
    assert_eq!(audience.members, vec![all[5].id]);
    let excluded = [
        (Exclusion::Suppressed, 1),
        (Exclusion::Unconfirmed, 1),
        (Exclusion::Unsubscribed, 1),
        (Exclusion::Topic, 1),
        (Exclusion::Cadence, 1),
    ];
    assert_eq!(audience.excluded, BTreeMap::from(excluded));
}

#[test]
fn posts_are_remembered_and_news_is_decided_once() {
    let house = House::with_readers(0);
    let known = |id: &str, source: &str| KnownPost {
        id: PostId::parse(id).unwrap(),
        source: source.into(),
        source_digest: "d".into(),
        published: false,
    };
    house.ledger.record_posts(&[known("a", "a.md"), known("b", "b.md"), known("c", "c.md")]).unwrap();
    house.ledger.record_posts(&[KnownPost { published: true, ..known("a", "a.md") }]).unwrap();
    house.ledger.record_posts(&[known("a", "moved/a.md")]).unwrap();
    let posts = house.ledger.known_posts().unwrap();
    assert_eq!((posts[0].source.as_str(), posts[0].published), ("moved/a.md", true));
    assert_eq!(posts.len(), 3);
    let id = |text| PostId::parse(text).unwrap();
    assert_eq!(house.ledger.first_published().unwrap(), None);
    house.ledger.decide_news(&[id("c")], &[id("a")], at(5)).unwrap();
    house.ledger.decide_news(&[], &[], at(6)).unwrap();
    assert_eq!(house.ledger.undecided_posts().unwrap(), vec![id("b")]);
    let decisions = house.ledger.mail_decisions().unwrap();
    assert_eq!(decisions[&id("c")], MailDecision::News);
    assert_eq!(decisions[&id("a")], MailDecision::Old);
    assert_eq!(house.ledger.first_published().unwrap(), Some(at(5)));
}

#[test]
fn a_secret_is_minted_once_and_never_shown() {
    let house = House::with_readers(0);
    let secret = house.ledger.secret("message-id").unwrap();
    let reopened = Ledger::open(&house.path(), at(1)).unwrap();
    assert_eq!(reopened.secret("message-id").unwrap(), secret);
    assert_ne!(house.ledger.secret("unsubscribe").unwrap(), secret);
    assert_eq!(format!("{secret:?}"), "***");
}

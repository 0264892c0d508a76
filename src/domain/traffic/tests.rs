//! Who goes where, and when.

use chrono::Duration;
use proptest::prelude::*;

use super::*;
use crate::domain::quota::WarmUp;
use crate::domain::span::Span;
use crate::domain::time::from_millis;

const WORKING: Condition = Condition::Working(0);

fn at(seconds: i64) -> Instant {
    from_millis(1_700_000_400_000 + seconds * 1000)
}

fn relay(name: &str, rate: Option<&str>, weight: u32) -> RelayLimits {
    let rate = rate.map(|rate| Rate::parse(rate).unwrap());
    RelayLimits { name: name.to_owned(), connections: 4, rate, daily: None, warm_up: None, weight }
}

fn rates(pairs: &[(&str, &str)]) -> BTreeMap<String, Rate> {
    pairs.iter().map(|(domain, rate)| ((*domain).to_owned(), Rate::parse(rate).unwrap())).collect()
}

fn traffic(relays: Vec<RelayLimits>, domains: &[(&str, &str)]) -> Traffic {
    Traffic::new(relays, rates(domains), BTreeMap::new(), at(0))
}

fn ask(traffic: &mut Traffic, now: Instant) -> Passage {
    traffic.ask("example.org", |_| WORKING, 100, now)
}

fn hear(traffic: &mut Traffic, number: usize, consequence: &Consequence, now: Instant) -> Effect {
    traffic.heard(number, "example.org", &News { consequence, doubt: None }, now)
}

fn shares(traffic: &mut Traffic, turns: usize, condition: impl Fn(usize) -> Condition + Copy) -> Vec<usize> {
    let mut shares = vec![0; traffic.relays.len()];
    for _ in 0..turns {
        match traffic.ask("example.org", condition, 100, at(0)) {
            Passage::Go(number) => shares[number] += 1,
            other => panic!("{other:?}"),
        }
    }
    shares
}

fn reason() -> String {
    "452 4.3.1 full".to_owned()
}

#[test]
fn relays_share_by_weight_and_the_reserve_waits() {
    let mut traffic = traffic(vec![relay("a", None, 3), relay("b", None, 1), relay("c", None, 0)], &[]);
    let resting = |below: usize| move |number| if number < below { Condition::Resting } else { WORKING };
    assert_eq!(shares(&mut traffic, 100, resting(0)), [75, 25, 0]);
    assert_eq!(shares(&mut traffic, 100, resting(1)), [0, 100, 0], "one rests, the other takes all");
    assert_eq!(shares(&mut traffic, 100, resting(2)), [0, 0, 100], "the reserve steps in");
    let stuck = |number| Condition::Working(if number == 0 { 75 } else { 0 });
    assert_eq!(shares(&mut traffic, 100, stuck), [0, 100, 0], "one holds its share and is slow, the other takes all");
    let all_rest = shares(&mut traffic, 100, |_| Condition::Resting);
    assert_eq!((all_rest[0] + all_rest[1], all_rest[2]), (100, 0), "when all rest, they are asked all the same");
}

#[test]
fn a_paused_relay_is_passed_over_and_comes_back_in_time() {
    let mut traffic = traffic(vec![relay("a", None, 1), relay("b", None, 1)], &[]);
    let wait = Span::of_minutes(10);
    let pause = Consequence::PauseRelay { reason: reason(), wait };
    assert_eq!(hear(&mut traffic, 0, &pause, at(0)), Effect::None);
    hear(&mut traffic, 0, &pause, at(300));
    assert_eq!(shares(&mut traffic, 10, |_| WORKING), [0, 10]);
    hear(&mut traffic, 1, &pause, at(60));
    let none = Passage::NoneFit { until: Some(at(600)), reason: reason() };
    assert_eq!(ask(&mut traffic, at(61)), none, "what came of it later does not renew the pause");
    assert_eq!(ask(&mut traffic, at(600)), Passage::Go(0));
    let paused = traffic.standing(at(600)).remove(1);
    assert_eq!(paused.fitness, Fitness::Paused { until: at(660), reason: reason() });
    assert!(matches!(ask(&mut traffic, at(-7200)), Passage::Go(_)), "a clock set back ends the pause");
}

#[test]
fn an_author_who_has_looked_can_end_a_pause() {
    let mut traffic = traffic(vec![relay("a", Some("1/s"), 1)], &[]);
    ask(&mut traffic, at(0));
    hear(&mut traffic, 0, &Consequence::PauseRelay { reason: reason(), wait: Span::of_minutes(60) }, at(0));
    let (scope, note) = traffic.take_notes().remove(0);
    let note = without_pause(&note).unwrap();
    assert_eq!(without_pause(&note), None, "there is none any more");
    assert_eq!(without_pause("{}"), None);
    let mut again = Traffic::new(vec![relay("a", Some("1/s"), 1)], BTreeMap::new(), [(scope, note)].into(), at(0));
    assert_eq!(ask(&mut again, at(0)), Passage::RelaysFull(at(2)), "what was taken stays taken, the pace slowed");
}

#[test]
fn the_campaign_pauses_when_the_last_relay_is_abandoned() {
    let mut traffic = traffic(vec![relay("a", None, 1), relay("b", None, 0)], &[]);
    let abandon = Consequence::AbandonRelay { reason: "535 at AUTH".to_owned() };
    assert_eq!(hear(&mut traffic, 0, &abandon, at(0)), Effect::None);
    assert_eq!(ask(&mut traffic, at(0)), Passage::Go(1));
    assert_eq!(hear(&mut traffic, 1, &abandon, at(0)), Effect::PauseCampaign("535 at AUTH".to_owned()));
    let none = Passage::NoneFit { until: None, reason: "535 at AUTH".to_owned() };
    assert_eq!(ask(&mut traffic, at(1_000_000)), none);
}

#[test]
fn a_relay_at_its_rate_leaves_the_rest_to_the_other() {
    let mut traffic = traffic(vec![relay("a", Some("1/min"), 1), relay("b", Some("2/min"), 1)], &[]);
    assert_eq!([ask(&mut traffic, at(0)), ask(&mut traffic, at(0))], [Passage::Go(0), Passage::Go(1)]);
    assert_eq!(ask(&mut traffic, at(0)), Passage::RelaysFull(at(30)));
    assert_eq!(ask(&mut traffic, at(30)), Passage::Go(1));
    assert_eq!(ask(&mut traffic, at(30)), Passage::RelaysFull(at(60)));
}

#[test]
fn a_clear_sign_slows_connections_and_rate_of_that_relay() {
    let mut traffic = traffic(vec![relay("a", Some("60/min"), 1)], &[]);
    assert_eq!(traffic.connections(0), 4);
    hear(&mut traffic, 0, &Consequence::SlowRelay { reason: reason() }, at(0));
    assert_eq!((traffic.connections(0), traffic.standing(at(0))[0].share), (2, 500));
    assert_eq!(ask(&mut traffic, at(0)), Passage::Go(0));
    assert_eq!(ask(&mut traffic, at(0)), Passage::RelaysFull(at(2)));
    let rest = Consequence::RestRelay { reason: reason() };
    assert_eq!(hear(&mut traffic, 0, &rest, at(10)), Effect::Rest(reason()));
    assert_eq!(traffic.connections(0), 1);
    for second in 0..200 {
        hear(&mut traffic, 0, &Consequence::None, at(20 + second));
    }
    assert_eq!(traffic.connections(0), 4, "good messages bring it back");
}

#[test]
fn too_many_doubts_pause_the_relay() {
    let mut traffic = traffic(vec![relay("a", None, 1)], &[]);
    let consequence = Consequence::RestRelay { reason: reason() };
    for _ in 0..11 {
        assert!(matches!(ask(&mut traffic, at(0)), Passage::Go(0)));
        traffic.heard(0, "a.b", &News { consequence: &consequence, doubt: Some(Doubt::InDoubt) }, at(0));
    }
    let reason = "11 of the last 200 messages are in doubt".to_owned();
    assert_eq!(ask(&mut traffic, at(0)), Passage::NoneFit { until: Some(at(3600)), reason });
}

#[test]
fn a_full_domain_promises_everybody_a_moment_of_their_own_and_holds_nobody_else_up() {
    let mut traffic = traffic(vec![relay("a", None, 1)], &[("big.example", "1/s"), ("*", "1/min")]);
    let mut big = |now| traffic.ask("big.example", |_| WORKING, 100, now);
    assert_eq!(big(at(0)), Passage::Go(0));
    assert_eq!([big(at(0)), big(at(0))], [1, 2].map(|second| Passage::DomainFull(at(second))));
    assert_eq!(big(at(1)), Passage::Go(0));
    assert_eq!(traffic.ask("small.example", |_| WORKING, 100, at(0)), Passage::Go(0));
    assert_eq!(traffic.ask("small.example", |_| WORKING, 100, at(0)), Passage::DomainFull(at(60)));
    assert_eq!(traffic.ask("other.example", |_| WORKING, 100, at(0)), Passage::Go(0), "each for itself");
}

#[test]
fn a_daily_cap_and_a_warm_up_hold_over_a_restart() {
    let limits =
        || RelayLimits { daily: Some(5), warm_up: Some(WarmUp { start: 2, double_every: 1 }), ..relay("a", None, 1) };
    let mut traffic = traffic(vec![limits()], &[]);
    assert!((0..2).all(|_| ask(&mut traffic, at(0)) == Passage::Go(0)));
    assert!(matches!(ask(&mut traffic, at(0)), Passage::RelaysFull(_)));
    let notes = traffic.take_notes().into_iter().collect();
    let mut traffic = Traffic::new(vec![limits()], BTreeMap::new(), notes, at(60));
    let Passage::RelaysFull(until) = ask(&mut traffic, at(60)) else { panic!("the cap was forgotten") };
    assert!(until > at(86_000), "{until}");
    let later = at(2 * 86_400 + 1200);
    assert!(
        (0..4).all(|_| ask(&mut traffic, later) == Passage::Go(0)),
        "the third day's cap is eight, the author's five"
    );
}

#[test]
fn what_was_taken_is_noted_once_and_read_back() {
    let make = |notes| Traffic::new(vec![relay("a", Some("1/min"), 1)], rates(&[("*", "1/hour")]), notes, at(0));
    let mut traffic = make(BTreeMap::new());
    assert_eq!(traffic.take_notes(), []);
    assert_eq!(ask(&mut traffic, at(0)), Passage::Go(0));
    let notes = traffic.take_notes();
    let scopes: Vec<&str> = notes.iter().map(|(scope, _)| scope.as_str()).collect();
    assert_eq!(scopes, ["pace relay a", "pace domain example.org"]);
    assert_eq!(traffic.take_notes(), [], "unchanged");
    let mut again = make(notes.into_iter().collect());
    assert_eq!(ask(&mut again, at(1)), Passage::RelaysFull(at(60)));
    assert_eq!(ask(&mut again, at(60)), Passage::DomainFull(at(3600)));
    let mut nonsense = make([("pace relay a".to_owned(), "{".to_owned())].into());
    assert_eq!(ask(&mut nonsense, at(0)), Passage::Go(0));
}

proptest! {
    /// Whatever is asked and heard: nobody is told to come back in the past, no rate is
    /// passed, and somebody may go in the end.
    #[test]
    fn nothing_starves_and_nothing_is_passed(
        steps in prop::collection::vec((0..3000i64, 0..8u8, 0..2usize), 1..200),
        weights in (0..4u32, 0..4u32),
    ) {
        let relays = vec![relay("a", Some("30/min"), weights.0), relay("b", Some("60/min"), weights.1)];
        let mut traffic = traffic(relays, &[("example.org", "50/min")]);
        let mut now = at(0);
        let mut gone: Vec<Instant> = Vec::new();
        for (pause, news, number) in steps {
            now += Duration::milliseconds(pause);
            match ask(&mut traffic, now) {
                Passage::Go(number) => {
                    prop_assert!(number < 2);
                    gone.push(now);
                }
                Passage::DomainFull(until) | Passage::RelaysFull(until) => prop_assert!(until > now),
                Passage::NoneFit { until, .. } => prop_assert!(until.is_some_and(|until| until > now)),
            }
            let consequence = match news {
                0 => Consequence::SlowRelay { reason: reason() },
                1 => Consequence::Strain { reason: reason() },
                2 => Consequence::PauseRelay { reason: reason(), wait: Span::of_minutes(1) },
                _ => Consequence::None,
            };
            hear(&mut traffic, number, &consequence, now);
        }
        for (i, first) in gone.iter().enumerate() {
            let in_a_minute = gone[i..].iter().filter(|at| **at - *first < Duration::minutes(1)).count();
            prop_assert!(in_a_minute <= 51, "{in_a_minute} in a minute");
        }
        let later = now + Duration::hours(1);
        prop_assert!(matches!(ask(&mut traffic, later), Passage::Go(_)));
    }
}

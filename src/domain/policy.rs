//! The one decider: what a failure means.
//!
//! In prose first. An attempt ends in one of four ways.
//!
//! 1. **The relay answered the final dot.** `2xx`: accepted. `4xx`: deferred. `5xx`: rejected;
//!    the address is suppressed only if the code says that the mailbox does not exist.
//! 2. **The relay refused a command before the dot.** To RCPT, the refusal is about this
//!    recipient: `4xx` defers, `5xx` rejects. To DATA, likewise, but it never suppresses. Before
//!    RCPT it is about us, and the delivery is withdrawn, for no recipient is at fault: a `4xx`
//!    lets the relay rest; a `5xx` to MAIL pauses the campaign; an earlier `5xx` (the greeting,
//!    TLS, AUTH) means that this relay is not to be used until the author has looked.
//! 3. **The connection failed before any byte of the final dot left.** Nothing was sent: the
//!    delivery is withdrawn and the relay rests.
//! 4. **The connection failed after the dot may have left.** The delivery is in doubt. Nothing
//!    else is ever in doubt.
//!
//! Some refusals say more than their first digit:
//!
//! - A **quota** (`432`, `452`, `454`, `4.3.x`, `4.5.3`, unless the enhanced code speaks of the
//!   recipient's mailbox) is about our allowance: the delivery is withdrawn, with no attempt
//!   counted, and the relay is paused for ten minutes.
//! - A `421` to a later command closes the connection: the delivery is deferred, the relay
//!   rests and is slowed.
//! - A `450`, `451` or `452` is a weak sign of too high a pace: the sender counts them.
//! - A **rule** of the table ([`super::rules`]) overrides all of that for the replies it is
//!   about, the author's rules before the shipped ones. It cannot turn an acceptance into
//!   anything else, nor a broken connection.
//!
//! What the sender sees over many replies (a fifth refused, a twentieth in doubt) is judged by
//! [`super::guard`]. Nobody else in this crate decides what a failure means.

use super::delivery::{Outcome, Suppress};
use super::reply::{Reply, Stage};
use super::retry;
use super::rules::{Action, Rules};
use super::span::Span;
use super::time::Instant;

/// For how long a relay is left alone when it speaks of a quota and no rule knows better.
pub const QUOTA_PAUSE: Span = Span::of_minutes(10);

/// So often in a row a delivery is tried again at once.
const AT_ONCE: u32 = 2;

/// What happened to one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The relay replied at that stage. At [`Stage::Dot`] it is the final answer.
    Replied(Stage, Reply),
    /// The connection broke, timed out or lied at that stage; the text says how.
    Broke(Stage, String),
}

/// What the sender does beyond this one delivery. Each reason is for the status and never
/// holds an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consequence {
    /// Nothing: go on.
    None,
    /// Count it as a weak sign that the pace is too high.
    Strain {
        /// What was said.
        reason: String,
    },
    /// Slow this relay, and the recipient's domain.
    SlowRelay {
        /// What was said.
        reason: String,
    },
    /// Go on over another connection: this one is used up.
    Reconnect,
    /// Leave this relay alone for a moment, longer each time in a row, and slow it.
    RestRelay {
        /// What happened.
        reason: String,
    },
    /// Leave this relay alone for so long.
    PauseRelay {
        /// What was said.
        reason: String,
        /// For how long.
        wait: Span,
    },
    /// Do not use this relay again until the author has looked: with no other left, stop the
    /// campaign.
    AbandonRelay {
        /// What was said.
        reason: String,
    },
    /// Stop the campaign until the author has looked.
    PauseCampaign {
        /// What was said.
        reason: String,
    },
}

/// An outcome for the delivery and a consequence for the sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What the ledger records.
    pub outcome: Outcome,
    /// What the sender does next.
    pub consequence: Consequence,
}

/// The history of a delivery that a decision needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// When it was first tried.
    pub first_try: Instant,
    /// How often it was deferred before.
    pub failures: u32,
    /// Any number that differs between deliveries, to spread retries.
    pub spread: u64,
}

/// Decides what an event means for a delivery and for the sender.
pub fn decide(event: &Event, history: History, rules: &Rules, now: Instant) -> Verdict {
    match event {
        Event::Broke(Stage::Dot, how) => Verdict {
            outcome: Outcome::InDoubt { reason: format!("{how} {}", Stage::Dot.describe()) },
            consequence: Consequence::RestRelay { reason: how.clone() },
        },
        Event::Broke(stage, how) => {
            let reason = format!("{how} {}", stage.describe());
            withdrawn(&reason, Consequence::RestRelay { reason: reason.clone() })
        }
        Event::Replied(stage, reply) => match rules.action(*stage, reply) {
            None => by_code(*stage, reply, history, now),
            Some(action) => by_rule(action, *stage, reply, history, now),
        },
    }
}

fn by_rule(action: Action, stage: Stage, reply: &Reply, history: History, now: Instant) -> Verdict {
    let reason = said(stage, reply);
    match action {
        Action::PauseRelay(wait) => withdrawn(&reason, Consequence::PauseRelay { reason: reason.clone(), wait }),
        Action::PauseCampaign => withdrawn(&reason, Consequence::PauseCampaign { reason: reason.clone() }),
        Action::Suppress => rejected(reply, Suppress::Yes),
        Action::Plain if is_about_us(stage) => by_code(stage, reply, history, now),
        Action::Plain => Verdict { outcome: outcome(stage, reply, history, now), consequence: Consequence::None },
        // Withdrawn, it comes back at once: only a rest keeps this from going round in a circle.
        Action::Slow | Action::RetryNow if is_about_us(stage) => {
            withdrawn(&reason, Consequence::RestRelay { reason: reason.clone() })
        }
        Action::Slow => {
            Verdict { outcome: outcome(stage, reply, history, now), consequence: Consequence::SlowRelay { reason } }
        }
        Action::RetryNow => Verdict { outcome: at_once(reply, history, now), consequence: Consequence::Reconnect },
    }
}

/// What the stage and the code mean when no rule speaks.
fn by_code(stage: Stage, reply: &Reply, history: History, now: Instant) -> Verdict {
    let reason = || said(stage, reply);
    let again = |consequence| withdrawn(&reason(), consequence);
    match (is_about_us(stage), reply.is_transient()) {
        (_, true) if is_quota(reply) => again(Consequence::PauseRelay { reason: reason(), wait: QUOTA_PAUSE }),
        (true, true) => again(Consequence::RestRelay { reason: reason() }),
        (true, false) if stage == Stage::Mail => again(Consequence::PauseCampaign { reason: reason() }),
        (true, false) => again(Consequence::AbandonRelay { reason: reason() }),
        (false, _) => {
            let consequence = match reply.code {
                421 => Consequence::RestRelay { reason: reason() },
                450..=452 if !is_about_a_mailbox(reply) => Consequence::Strain { reason: reason() },
                _ => Consequence::None,
            };
            Verdict { outcome: outcome(stage, reply, history, now), consequence }
        }
    }
}

/// What a reply to RCPT or later means for its delivery.
fn outcome(stage: Stage, reply: &Reply, history: History, now: Instant) -> Outcome {
    if reply.is_transient() {
        return deferred(reply, history, now);
    }
    if stage == Stage::Dot && reply.is_positive() {
        return Outcome::Accepted { reply: reply.clone() };
    }
    let is_dead = stage != Stage::Data && names_a_missing_mailbox(reply);
    let suppress = if is_dead { Suppress::Yes } else { Suppress::No };
    rejected(reply, suppress).outcome
}

fn withdrawn(reason: &str, consequence: Consequence) -> Verdict {
    Verdict { outcome: Outcome::Withdrawn { reason: reason.to_owned() }, consequence }
}

fn rejected(reply: &Reply, suppress: Suppress) -> Verdict {
    let outcome = Outcome::Rejected { reply: Some(reply.clone()), reason: reply.masked(), suppress };
    Verdict { outcome, consequence: Consequence::None }
}

fn deferred(reply: &Reply, history: History, now: Instant) -> Outcome {
    match retry::next_try(history.first_try, now, history.failures + 1, history.spread) {
        Some(next) => Outcome::Deferred { reply: Some(reply.clone()), reason: reply.masked(), next },
        None => Outcome::Expired { reason: reply.masked() },
    }
}

/// Deferred until now, so that it is tried again at once, as an attempt that counts: a relay
/// that never relents is not asked for ever.
fn at_once(reply: &Reply, history: History, now: Instant) -> Outcome {
    match deferred(reply, history, now) {
        Outcome::Deferred { reply, reason, .. } if history.failures < AT_ONCE => {
            Outcome::Deferred { reply, reason, next: now }
        }
        later => later,
    }
}

fn said(stage: Stage, reply: &Reply) -> String {
    format!("{} {}", reply.masked(), stage.describe())
}

/// Before RCPT no recipient is known to the relay: what it refuses is us.
fn is_about_us(stage: Stage) -> bool {
    match stage {
        Stage::Connect | Stage::Greeting | Stage::Tls | Stage::Auth | Stage::Mail => true,
        Stage::Recipient | Stage::Data | Stage::Dot => false,
    }
}

/// A reply that speaks of our allowance, not of a recipient (vendors' own words are in
/// [`super::rules`]).
fn is_quota(reply: &Reply) -> bool {
    match reply.enhanced {
        Some((4, 3, _) | (4, 5, 3)) => true,
        Some(_) if is_about_a_mailbox(reply) => false,
        Some(_) | None => matches!(reply.code, 432 | 452 | 454),
    }
}

/// RFC 3463, 4.2.x: one recipient's mailbox is full or slow. That is theirs, not ours.
fn is_about_a_mailbox(reply: &Reply) -> bool {
    matches!(reply.enhanced, Some((4, 2, _)))
}

/// RFC 3463: 5.1.1 bad mailbox, 5.1.6 moved, 5.1.10 null MX, 5.2.1 disabled.
fn names_a_missing_mailbox(reply: &Reply) -> bool {
    matches!(reply.enhanced, Some((5, 1, 1 | 6 | 10) | (5, 2, 1)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::rules::{CodePattern, Rule, TextPattern};
    use crate::domain::time::from_millis;

    const STAGES: [Stage; 8] = [
        Stage::Connect,
        Stage::Greeting,
        Stage::Tls,
        Stage::Auth,
        Stage::Mail,
        Stage::Recipient,
        Stage::Data,
        Stage::Dot,
    ];

    fn word(event: &Event, rules: &Rules) -> String {
        let history = History { first_try: from_millis(0), failures: 0, spread: 1 };
        let verdict = decide(event, history, rules, from_millis(1000));
        let outcome = match verdict.outcome {
            Outcome::Accepted { .. } => "accepted",
            Outcome::Deferred { next, .. } if next == from_millis(1000) => "now",
            Outcome::Deferred { .. } => "deferred",
            Outcome::Rejected { suppress: Suppress::Yes, .. } => "rejected+suppress",
            Outcome::Rejected { suppress: Suppress::No, .. } => "rejected",
            Outcome::InDoubt { .. } => "in doubt",
            Outcome::Withdrawn { .. } => "withdrawn",
            Outcome::Expired { .. } => "expired",
        };
        let consequence = match verdict.consequence {
            Consequence::None => "",
            Consequence::Strain { .. } => ", strain",
            Consequence::SlowRelay { .. } => ", slow",
            Consequence::Reconnect => ", reconnect",
            Consequence::RestRelay { .. } => ", rest",
            Consequence::PauseRelay { .. } => ", pause relay",
            Consequence::AbandonRelay { .. } => ", abandon relay",
            Consequence::PauseCampaign { .. } => ", pause campaign",
        };
        format!("{outcome}{consequence}")
    }

    fn replied(stage: Stage, code: u16, text: &str) -> Event {
        Event::Replied(stage, Reply::new(code, text))
    }

    #[test]
    fn every_stage_and_reply_has_its_meaning() {
        let broke = |stage| Event::Broke(stage, "connection reset".into());
        let table = [
            (replied(Stage::Dot, 250, "2.0.0 ok"), "accepted"),
            (replied(Stage::Dot, 451, "4.7.1 greylisted"), "deferred"),
            (replied(Stage::Dot, 451, "4.7.1 try later"), "deferred, strain"),
            (replied(Stage::Dot, 421, "4.7.0 closing"), "deferred, rest"),
            (replied(Stage::Dot, 452, "4.3.1 full"), "withdrawn, pause relay"),
            (replied(Stage::Recipient, 452, "4.2.2 mailbox full"), "deferred"),
            (replied(Stage::Recipient, 450, "4.7.1 busy"), "deferred, strain"),
            (replied(Stage::Recipient, 447, "4.4.7 odd"), "deferred"),
            (replied(Stage::Recipient, 454, "4.7.0 later"), "withdrawn, pause relay"),
            (replied(Stage::Dot, 554, "5.7.1 spam"), "rejected"),
            (replied(Stage::Recipient, 550, "5.1.1 unknown"), "rejected+suppress"),
            (replied(Stage::Recipient, 550, "5.7.1 denied"), "rejected"),
            (replied(Stage::Data, 550, "5.1.1 odd"), "rejected"),
            (replied(Stage::Mail, 550, "5.7.1 sender"), "withdrawn, pause campaign"),
            (replied(Stage::Mail, 451, "4.7.1 later"), "withdrawn, rest"),
            (replied(Stage::Mail, 452, "4.3.1 full"), "withdrawn, pause relay"),
            (replied(Stage::Auth, 535, "5.7.8 bad"), "withdrawn, abandon relay"),
            (replied(Stage::Auth, 454, "4.7.0 temporary"), "withdrawn, pause relay"),
            (replied(Stage::Greeting, 554, "no service"), "withdrawn, abandon relay"),
            (replied(Stage::Greeting, 421, "too busy"), "withdrawn, rest"),
            (broke(Stage::Connect), "withdrawn, rest"),
            (broke(Stage::Data), "withdrawn, rest"),
            (broke(Stage::Dot), "in doubt, rest"),
        ];
        for (event, meaning) in table {
            assert_eq!(word(&event, &Rules::default()), meaning, "{event:?}");
        }
    }

    #[test]
    fn each_action_of_a_rule_has_its_meaning_at_each_kind_of_stage() {
        let hour = Action::PauseRelay(Span::of_minutes(60));
        for (action, at_mail, later, never) in [
            (Action::Plain, "withdrawn, pause relay", "deferred", "rejected+suppress"),
            (Action::Slow, "withdrawn, rest", "deferred, slow", "rejected+suppress, slow"),
            (hour, "withdrawn, pause relay", "withdrawn, pause relay", "withdrawn, pause relay"),
            (
                Action::PauseCampaign,
                "withdrawn, pause campaign",
                "withdrawn, pause campaign",
                "withdrawn, pause campaign",
            ),
            (Action::Suppress, "withdrawn, pause relay", "rejected+suppress", "rejected+suppress"),
            (Action::RetryNow, "withdrawn, rest", "now, reconnect", "now, reconnect"),
        ] {
            let text = TextPattern::parse("wombat").unwrap();
            let rules = Rules::with(vec![Rule { stage: None, code: None, text: Some(text), action }]);
            assert_eq!(word(&replied(Stage::Mail, 452, "a wombat"), &rules), at_mail, "{action:?}");
            assert_eq!(word(&replied(Stage::Dot, 452, "a wombat"), &rules), later, "{action:?}");
            assert_eq!(word(&replied(Stage::Recipient, 550, "5.1.1 a wombat"), &rules), never, "{action:?}");
            assert_eq!(word(&replied(Stage::Dot, 250, "a wombat"), &rules), "accepted", "{action:?}");
        }
    }

    #[test]
    fn what_is_tried_at_once_is_not_tried_at_once_for_ever() {
        let rules = Rules::default();
        let event = replied(Stage::Recipient, 452, "4.5.3 too many recipients");
        let nexts = (0..4).map(|failures| {
            let history = History { first_try: from_millis(0), failures, spread: 1 };
            match decide(&event, history, &rules, from_millis(0)).outcome {
                Outcome::Deferred { next, .. } => next > from_millis(0),
                other => panic!("{other:?}"),
            }
        });
        assert_eq!(nexts.collect::<Vec<_>>(), [false, false, true, true]);
    }

    #[test]
    fn patience_ends() {
        let history = History { first_try: from_millis(0), failures: 50, spread: 1 };
        for text in ["4.2.1 busy", "4.5.3 too many recipients"] {
            let event = replied(Stage::Recipient, if text.contains("busy") { 450 } else { 452 }, text);
            let verdict = decide(&event, history, &Rules::default(), from_millis(0) + retry::PATIENCE);
            assert!(matches!(verdict.outcome, Outcome::Expired { .. }), "{text}");
        }
    }

    fn actions() -> impl Strategy<Value = Action> {
        prop_oneof![
            Just(Action::Plain),
            Just(Action::Slow),
            Just(Action::PauseRelay(Span::of_minutes(1))),
            Just(Action::PauseCampaign),
            Just(Action::Suppress),
            Just(Action::RetryNow),
        ]
    }

    proptest! {
        /// The laws that no rule can break.
        #[test]
        fn only_the_dot_accepts_only_silence_doubts_and_no_recipient_is_blamed_before_rcpt(
            stage in prop::sample::select(&STAGES[..]),
            code in 200..600u16,
            text in r"(4\.[0-9]\.[0-9] |5\.[0-9]\.[0-9] )?[a-z ]{0,20}",
            action in actions(),
            hole in prop::sample::select(&["4xx", "5xx", "4.x.x", "5.x.x"][..]),
        ) {
            let code_pattern = CodePattern::parse(hole).unwrap();
            let rules = Rules::with(vec![Rule { stage: None, code: Some(code_pattern), text: None, action }]);
            let history = History { first_try: from_millis(0), failures: 0, spread: 7 };
            let verdict = decide(&replied(stage, code, &text), history, &rules, from_millis(0));
            let positive_dot = stage == Stage::Dot && code < 300;
            let is_accepted = matches!(verdict.outcome, Outcome::Accepted { .. });
            prop_assert_eq!(is_accepted, positive_dot);
            let is_in_doubt = matches!(verdict.outcome, Outcome::InDoubt { .. });
            prop_assert!(!is_in_doubt);
            if stage < Stage::Recipient {
                let is_withdrawn = matches!(verdict.outcome, Outcome::Withdrawn { .. });
                prop_assert!(is_withdrawn);
            }
            // What comes back at once comes back after some consequence: no busy loop.
            if matches!(verdict.outcome, Outcome::Withdrawn { .. }) {
                let goes_on = matches!(verdict.consequence, Consequence::None | Consequence::Strain { .. });
                prop_assert!(!goes_on, "{:?}", verdict);
            }
        }
    }
}

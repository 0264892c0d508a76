//! The one decider: what a failure means.
//!
//! In prose first. An attempt ends in one of four ways.
//!
//! 1. **The relay answered the final dot.** `2xx`: accepted. `4xx`: deferred. `5xx`: rejected;
//!    the address is suppressed only if the code says that the mailbox does not exist.
//! 2. **The relay refused a command before the dot.** To RCPT, the refusal is about this
//!    recipient: `4xx` defers, `5xx` rejects. To DATA, likewise, but it never suppresses. To
//!    AUTH or MAIL it is about us: a `5xx` pauses the campaign, a `4xx` lets the relay rest;
//!    either way the delivery is withdrawn, for no recipient is at fault. A quota (`452 4.5.3`,
//!    `4.3.x`, `454`, `432`) or a `421` to any later command defers the delivery and lets the
//!    relay rest.
//! 3. **The connection failed before any byte of the final dot left.** Nothing was sent: the
//!    delivery is withdrawn and the relay rests.
//! 4. **The connection failed after the dot may have left.** The delivery is in doubt. Nothing
//!    else is ever in doubt.
//!
//! Nobody else in this crate decides what a failure means.

use super::delivery::{Outcome, Suppress};
use super::reply::{Reply, Stage};
use super::retry;
use super::time::Instant;

/// What happened to one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The relay replied at that stage. At [`Stage::Dot`] it is the final answer.
    Replied(Stage, Reply),
    /// The connection broke, timed out or lied at that stage; the text says how.
    Broke(Stage, String),
}

/// What the sender does beyond this one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consequence {
    /// Nothing: go on.
    None,
    /// Leave this relay alone for a while.
    RestRelay {
        /// Why, for the status.
        reason: String,
    },
    /// Stop the campaign until the author has looked.
    PauseCampaign {
        /// Why, for the author.
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
pub fn decide(event: &Event, history: History, now: Instant) -> Verdict {
    match event {
        Event::Broke(Stage::Dot, how) => Verdict {
            outcome: Outcome::InDoubt { reason: format!("{how} {}", Stage::Dot.describe()) },
            consequence: Consequence::RestRelay { reason: how.clone() },
        },
        Event::Broke(stage, how) => unsent(&format!("{how} {}", stage.describe()), RestOrPause::Rest),
        Event::Replied(stage, reply) => decide_reply(*stage, reply, history, now),
    }
}

#[derive(Clone, Copy)]
enum RestOrPause {
    Rest,
    Pause,
}

fn unsent(reason: &str, reaction: RestOrPause) -> Verdict {
    let reason = reason.to_owned();
    let consequence = match reaction {
        RestOrPause::Rest => Consequence::RestRelay { reason: reason.clone() },
        RestOrPause::Pause => Consequence::PauseCampaign { reason: reason.clone() },
    };
    Verdict { outcome: Outcome::Withdrawn { reason }, consequence }
}

fn decide_reply(stage: Stage, reply: &Reply, history: History, now: Instant) -> Verdict {
    let said = format!("{} {}", reply.masked(), stage.describe());
    match stage {
        Stage::Connect | Stage::Greeting | Stage::Tls | Stage::Auth | Stage::Mail => {
            unsent(&said, if reply.is_transient() { RestOrPause::Rest } else { RestOrPause::Pause })
        }
        Stage::Recipient | Stage::Data | Stage::Dot if reply.is_transient() => {
            let outcome = deferred(reply, history, now);
            if reply.code == 421 || is_quota(reply) {
                return Verdict { outcome, consequence: Consequence::RestRelay { reason: said } };
            }
            Verdict { outcome, consequence: Consequence::None }
        }
        Stage::Dot if reply.is_positive() => {
            Verdict { outcome: Outcome::Accepted { reply: reply.clone() }, consequence: Consequence::None }
        }
        Stage::Recipient | Stage::Data | Stage::Dot => rejected(stage, reply),
    }
}

fn deferred(reply: &Reply, history: History, now: Instant) -> Outcome {
    match retry::next_try(history.first_try, now, history.failures + 1, history.spread) {
        Some(next) => Outcome::Deferred { reply: Some(reply.clone()), reason: reply.masked(), next },
        None => Outcome::Expired { reason: reply.masked() },
    }
}

fn rejected(stage: Stage, reply: &Reply) -> Verdict {
    let suppress = if stage != Stage::Data && names_a_missing_mailbox(reply) { Suppress::Yes } else { Suppress::No };
    Verdict {
        outcome: Outcome::Rejected { reply: Some(reply.clone()), reason: reply.masked(), suppress },
        consequence: Consequence::None,
    }
}

/// A reply that speaks of our allowance, not of a recipient (vendors' own words are in the
/// manual's page on relays).
fn is_quota(reply: &Reply) -> bool {
    match reply.enhanced {
        // One recipient's mailbox is full or slow: that is theirs, not ours.
        Some((4, 2, _)) => false,
        Some((4, 3, _) | (4, 5, 3)) => true,
        Some(_) | None => matches!(reply.code, 432 | 452 | 454),
    }
}

/// RFC 3463: 5.1.1 bad mailbox, 5.1.6 moved, 5.1.10 null MX, 5.2.1 disabled.
fn names_a_missing_mailbox(reply: &Reply) -> bool {
    matches!(reply.enhanced, Some((5, 1, 1 | 6 | 10) | (5, 2, 1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::from_millis;

    fn word(event: &Event) -> String {
        let history = History { first_try: from_millis(0), failures: 0, spread: 1 };
        let verdict = decide(event, history, from_millis(1000));
        let outcome = match verdict.outcome {
            Outcome::Accepted { .. } => "accepted",
            Outcome::Deferred { .. } => "deferred",
            Outcome::Rejected { suppress: Suppress::Yes, .. } => "rejected+suppress",
            Outcome::Rejected { suppress: Suppress::No, .. } => "rejected",
            Outcome::InDoubt { .. } => "in doubt",
            Outcome::Withdrawn { .. } => "withdrawn",
            Outcome::Expired { .. } => "expired",
        };
        let consequence = match verdict.consequence {
            Consequence::None => "",
            Consequence::RestRelay { .. } => ", rest",
            Consequence::PauseCampaign { .. } => ", pause",
        };
        format!("{outcome}{consequence}")
    }

    #[test]
    fn every_stage_and_reply_has_its_meaning() {
        let replied = |stage, code, text| Event::Replied(stage, Reply::new(code, text));
        let broke = |stage| Event::Broke(stage, "connection reset".into());
        let table = [
            (replied(Stage::Dot, 250, "2.0.0 ok"), "accepted"),
            (replied(Stage::Dot, 451, "4.7.1 greylisted"), "deferred"),
            (replied(Stage::Dot, 421, "4.7.0 closing"), "deferred, rest"),
            (replied(Stage::Dot, 452, "4.3.1 full"), "deferred, rest"),
            (replied(Stage::Recipient, 452, "4.2.2 mailbox full"), "deferred"),
            (replied(Stage::Dot, 554, "5.7.1 spam"), "rejected"),
            (replied(Stage::Recipient, 450, "4.2.1 busy"), "deferred"),
            (replied(Stage::Recipient, 550, "5.1.1 unknown"), "rejected+suppress"),
            (replied(Stage::Recipient, 550, "5.7.1 denied"), "rejected"),
            (replied(Stage::Data, 550, "5.1.1 odd"), "rejected"),
            (replied(Stage::Mail, 550, "5.7.515 sender"), "withdrawn, pause"),
            (replied(Stage::Mail, 454, "Throttling failure"), "withdrawn, rest"),
            (replied(Stage::Auth, 535, "5.7.8 bad"), "withdrawn, pause"),
            (broke(Stage::Connect), "withdrawn, rest"),
            (broke(Stage::Data), "withdrawn, rest"),
            (broke(Stage::Dot), "in doubt, rest"),
        ];
        for (event, meaning) in table {
            assert_eq!(word(&event), meaning, "{event:?}");
        }
    }

    #[test]
    fn patience_ends() {
        let history = History { first_try: from_millis(0), failures: 50, spread: 1 };
        let verdict = decide(
            &Event::Replied(Stage::Recipient, Reply::new(450, "4.2.1 busy")),
            history,
            from_millis(0) + retry::PATIENCE,
        );
        assert!(matches!(verdict.outcome, Outcome::Expired { .. }));
    }
}

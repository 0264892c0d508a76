//! Who gets a campaign, and who does not and why.

use std::collections::BTreeMap;

use super::ids::SubscriberId;
use super::subscriber::{Cadence, Subscriber, SubscriberState};

/// Why a known subscriber is not in an audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Exclusion {
    /// The address must never be mailed.
    Suppressed,
    /// Signed up and never confirmed.
    Unconfirmed,
    /// Left.
    Unsubscribed,
    /// The address failed.
    Bounced,
    /// Called us spam.
    Complained,
    /// Follows other topics.
    Topic,
    /// Wants digests, not every post.
    Cadence,
    /// Has already been sent this post.
    Covered,
}

impl Exclusion {
    /// The reason in words, as in `12 suppressed`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Suppressed => "suppressed",
            Self::Unconfirmed => "unconfirmed",
            Self::Unsubscribed => "unsubscribed",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::Topic => "topic",
            Self::Cadence => "cadence",
            Self::Covered => "covered",
        }
    }
}

/// The people a campaign is for, and the count of those it is not for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Audience {
    /// Who gets it, in the ledger's order.
    pub members: Vec<SubscriberId>,
    /// Who does not, by reason.
    pub excluded: BTreeMap<Exclusion, u64>,
}

/// Decides whether a subscriber belongs to the audience of a post with these tags.
/// Suppression and coverage are facts of the ledger and are passed in.
pub fn place(
    subscriber: &Subscriber,
    tags: &[String],
    suppressed: Suppressed,
    covered: Covered,
) -> Result<(), Exclusion> {
    may_be_mailed(subscriber, suppressed)?;
    if covered == Covered::Yes {
        return Err(Exclusion::Covered);
    }
    if !follows(&subscriber.topics, tags) {
        return Err(Exclusion::Topic);
    }
    wants(subscriber, Cadence::Every)
}

/// Decides which of a digest's posts a subscriber gets by it, by their places in the list: those
/// that they follow and were not sent. `tags` are those of each post, `covered` says which were.
pub fn place_in_digest(
    subscriber: &Subscriber,
    cadence: Cadence,
    tags: &[&[String]],
    suppressed: Suppressed,
    covered: impl Fn(usize) -> Covered,
) -> Result<Vec<usize>, Exclusion> {
    may_be_mailed(subscriber, suppressed)?;
    wants(subscriber, cadence)?;
    let followed = tags.iter().enumerate().filter(|(_, tags)| follows(&subscriber.topics, tags));
    let followed: Vec<usize> = followed.map(|(place, _)| place).collect();
    if followed.is_empty() {
        return Err(Exclusion::Topic);
    }
    let open: Vec<usize> = followed.into_iter().filter(|place| covered(*place) == Covered::No).collect();
    if open.is_empty() { Err(Exclusion::Covered) } else { Ok(open) }
}

fn wants(subscriber: &Subscriber, cadence: Cadence) -> Result<(), Exclusion> {
    if subscriber.cadence == cadence { Ok(()) } else { Err(Exclusion::Cadence) }
}

/// Whether anything may be sent to somebody.
fn may_be_mailed(subscriber: &Subscriber, suppressed: Suppressed) -> Result<(), Exclusion> {
    match subscriber.state {
        SubscriberState::Unsubscribed => return Err(Exclusion::Unsubscribed),
        SubscriberState::Bounced => return Err(Exclusion::Bounced),
        SubscriberState::Complained => return Err(Exclusion::Complained),
        SubscriberState::Pending | SubscriberState::Active => {}
    }
    if suppressed == Suppressed::Yes {
        return Err(Exclusion::Suppressed);
    }
    if subscriber.state == SubscriberState::Pending { Err(Exclusion::Unconfirmed) } else { Ok(()) }
}

/// Whether an address is on the suppression list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suppressed {
    /// It is.
    Yes,
    /// It is not.
    No,
}

/// Whether a subscriber was already sent this post in this generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covered {
    /// They were.
    Yes,
    /// They were not.
    No,
}

/// Whether someone who follows `topics` wants a post with `tags`: no topics means all,
/// and the comparison ignores case.
pub fn follows(topics: &[String], tags: &[String]) -> bool {
    topics.is_empty() || topics.iter().any(|topic| tags.iter().any(|tag| tag.to_lowercase() == topic.to_lowercase()))
}

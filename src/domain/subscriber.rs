//! A person known by one address.

use std::collections::BTreeMap;

use super::address::Address;
use super::ids::SubscriberId;
use super::time::Instant;

/// Where a subscriber stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriberState {
    /// Signed up, not confirmed: gets no issue.
    Pending,
    /// Gets mail.
    Active,
    /// Left; only the person can come back.
    Unsubscribed,
    /// The address failed for good.
    Bounced,
    /// Marked our mail as spam.
    Complained,
}

impl SubscriberState {
    /// The word the ledger stores.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Unsubscribed => "unsubscribed",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
        }
    }

    /// Reads the stored word; `None` for anything else, so that a flipped bit is no state.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Pending, Self::Active, Self::Unsubscribed, Self::Bounced, Self::Complained]
            .into_iter()
            .find(|state| state.word() == word)
    }
}

/// How often a subscriber wants mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cadence {
    /// Every post as it comes.
    #[default]
    Every,
    /// One mail a day at most.
    Daily,
    /// One mail a week at most.
    Weekly,
    /// One mail a month at most.
    Monthly,
}

impl Cadence {
    /// The word in files and in the ledger.
    pub fn word(self) -> &'static str {
        match self {
            Self::Every => "every",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }

    /// Reads the word; `None` for anything else.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Every, Self::Daily, Self::Weekly, Self::Monthly].into_iter().find(|c| c.word() == word)
    }
}

/// What a list file says of one person: input to an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// Whom to mail.
    pub address: Address,
    /// The name, if known; never holds control characters.
    pub name: Option<String>,
    /// The topics to follow; empty means all.
    pub topics: Vec<String>,
    /// How often.
    pub cadence: Cadence,
    /// Anything else the list says.
    pub attributes: BTreeMap<String, String>,
    /// How the person joined, for the consent record: `file`, `import`, `command line`.
    pub source: String,
}

/// A subscriber as the ledger knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscriber {
    /// The ledger's row.
    pub id: SubscriberId,
    /// Where mail goes.
    pub address: Address,
    /// The name, if known.
    pub name: Option<String>,
    /// Topics followed; empty means all.
    pub topics: Vec<String>,
    /// How often.
    pub cadence: Cadence,
    /// Anything else.
    pub attributes: BTreeMap<String, String>,
    /// Where they stand.
    pub state: SubscriberState,
    /// When they were first known.
    pub since: Instant,
}

/// What an import did, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct ImportCount {
    /// New subscribers.
    pub added: u64,
    /// Known ones whose name, topics, cadence or attributes changed.
    pub updated: u64,
    /// Known ones that were as the list says.
    pub unchanged: u64,
    /// Left as they are because they unsubscribed, bounced, complained or are suppressed.
    pub kept_out: u64,
}

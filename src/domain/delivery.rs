//! The states of a delivery and what may follow what (`docs/LEDGER.md` tells the story).

use super::reply::Reply;
use super::time::Instant;

/// Where a delivery stands, as the ledger stores it. Each variant says who moves it on and
/// what a crash leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Nothing was sent. The sender claims it, in its own memory; a crash changes nothing.
    Planned,
    /// Durable before the final dot may leave: not as a word, but as a letter in the ledger's log. After
    /// a crash the mark file says: planned (no mark), in doubt (dot marked), or settled (reply marked).
    Begun,
    /// The relay took it: 250 to the final dot. Terminal.
    Accepted,
    /// A 4xx; tried again when due. The sender claims it.
    Deferred,
    /// A 5xx about this recipient or this message. Terminal.
    Rejected,
    /// The final dot may have arrived and no reply is known. Resent once, or held, by policy;
    /// resolved by evidence or by the author.
    InDoubt,
    /// The author gave up on a doubtful one. Terminal.
    Abandoned,
    /// The address was suppressed before anything was sent. Terminal.
    Suppressed,
    /// The campaign was cancelled before anything was sent. Terminal.
    Cancelled,
    /// Deferred for too long. Terminal.
    Expired,
}

impl DeliveryState {
    /// Every state there is.
    pub const ALL: [Self; 10] = [
        Self::Planned,
        Self::Begun,
        Self::Accepted,
        Self::Deferred,
        Self::Rejected,
        Self::InDoubt,
        Self::Abandoned,
        Self::Suppressed,
        Self::Cancelled,
        Self::Expired,
    ];

    /// The word the ledger stores and reports print.
    pub fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Begun => "begun",
            Self::Accepted => "accepted",
            Self::Deferred => "deferred",
            Self::Rejected => "rejected",
            Self::InDoubt => "in_doubt",
            Self::Abandoned => "abandoned",
            Self::Suppressed => "suppressed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// Reads the stored word; `None` for anything else, so that a flipped bit is no state.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether nothing will ever move it again.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Accepted | Self::Rejected | Self::Abandoned | Self::Suppressed | Self::Cancelled | Self::Expired => {
                true
            }
            Self::Planned | Self::Begun | Self::Deferred | Self::InDoubt => false,
        }
    }

    /// Whether the transition is one of DESIGN's; the ledger refuses every other.
    pub fn may_become(self, next: Self) -> bool {
        use DeliveryState as S;
        match self {
            // Rejected without a begin: no message can be made for this recipient.
            S::Planned | S::Deferred => {
                matches!(next, S::Begun | S::Suppressed | S::Cancelled | S::Expired | S::Rejected)
            }
            S::Begun => {
                matches!(next, S::Accepted | S::Deferred | S::Rejected | S::InDoubt | S::Planned | S::Expired)
            }
            S::InDoubt => matches!(next, S::Begun | S::Accepted | S::Rejected | S::Abandoned | S::InDoubt),
            S::Accepted | S::Rejected | S::Abandoned | S::Suppressed | S::Cancelled | S::Expired => false,
        }
    }
}

/// What one attempt came to, decided by `domain::policy` and written by the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The relay took it.
    Accepted {
        /// What it said.
        reply: Reply,
    },
    /// Not now.
    Deferred {
        /// What was said, if anything was.
        reply: Option<Reply>,
        /// What happened, in a few words for the report.
        reason: String,
        /// When to try again.
        next: Instant,
    },
    /// Never.
    Rejected {
        /// What was said, if a relay said it.
        reply: Option<Reply>,
        /// What happened, in a few words.
        reason: String,
        /// Whether the address shall be suppressed.
        suppress: Suppress,
    },
    /// The dot may have arrived.
    InDoubt {
        /// What happened, in a few words.
        reason: String,
    },
    /// Proved unsent, and no fault of this recipient: planned again, no attempt counted.
    Withdrawn {
        /// What happened, in a few words.
        reason: String,
    },
    /// Tried for too long.
    Expired {
        /// The last thing that was said.
        reason: String,
    },
}

/// Whether a rejection puts the address on the suppression list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suppress {
    /// The mailbox does not exist: never again.
    Yes,
    /// The refusal says nothing about the mailbox.
    No,
}

/// The account of a campaign. `pending` is planned and begun together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[allow(missing_docs, reason = "each field counts the deliveries in the state of its name")]
pub struct Totals {
    pub planned: u64,
    pub accepted: u64,
    pub rejected: u64,
    pub suppressed: u64,
    pub cancelled: u64,
    pub expired: u64,
    pub abandoned: u64,
    pub deferred: u64,
    pub in_doubt: u64,
    pub pending: u64,
    pub bounced: u64,
    pub complained: u64,
    pub ever_in_doubt: u64,
}

impl Totals {
    /// Counts `n` deliveries of a state; `planned` grows with each, whatever its state.
    pub fn add(&mut self, state: DeliveryState, n: u64) {
        self.planned += n;
        *match state {
            DeliveryState::Planned | DeliveryState::Begun => &mut self.pending,
            DeliveryState::Accepted => &mut self.accepted,
            DeliveryState::Deferred => &mut self.deferred,
            DeliveryState::Rejected => &mut self.rejected,
            DeliveryState::InDoubt => &mut self.in_doubt,
            DeliveryState::Abandoned => &mut self.abandoned,
            DeliveryState::Suppressed => &mut self.suppressed,
            DeliveryState::Cancelled => &mut self.cancelled,
            DeliveryState::Expired => &mut self.expired,
        } += n;
    }

    /// The law of the ledger: every planned delivery is in exactly one state.
    pub fn balances(&self) -> bool {
        self.planned
            == self.accepted
                + self.rejected
                + self.suppressed
                + self.cancelled
                + self.expired
                + self.abandoned
                + self.deferred
                + self.in_doubt
                + self.pending
    }
}

/// Where a campaign stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignState {
    /// Its deliveries are being written; claims cannot see it; a crash discards it.
    Drafting,
    /// Complete and waiting for a sender.
    Planned,
    /// A sender has begun to send it.
    Running,
    /// Held by the author or by policy, with a reason.
    Paused,
    /// Every delivery is terminal.
    Finished,
    /// Stopped by the author; what was not begun is cancelled.
    Cancelled,
}

impl CampaignState {
    /// The word the ledger stores.
    pub fn word(self) -> &'static str {
        match self {
            Self::Drafting => "drafting",
            Self::Planned => "planned",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the stored word; `None` for anything else.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Drafting, Self::Planned, Self::Running, Self::Paused, Self::Finished, Self::Cancelled]
            .into_iter()
            .find(|state| state.word() == word)
    }
}

/// What to do with a delivery that is in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InDoubtPolicy {
    /// Send the same bytes once more; a second doubt is held.
    #[default]
    Resend,
    /// Leave it for the author.
    Hold,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_states_are_one_to_one() {
        for state in DeliveryState::ALL {
            assert_eq!(DeliveryState::from_word(state.word()), Some(state));
        }
        assert_eq!(DeliveryState::from_word("acceptee"), None);
    }

    #[test]
    fn nothing_follows_a_terminal_state() {
        for state in DeliveryState::ALL {
            let has_successor = DeliveryState::ALL.into_iter().any(|next| state.may_become(next));
            assert_eq!(has_successor, !state.is_terminal(), "{state:?}");
        }
    }

    #[test]
    fn totals_balance_whatever_is_counted() {
        let mut totals = Totals::default();
        for (n, state) in (1..).zip(DeliveryState::ALL) {
            totals.add(state, n);
        }
        assert!(totals.balances());
        totals.accepted += 1;
        assert!(!totals.balances());
    }
}

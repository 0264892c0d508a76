//! What did happen, from the ledger alone.

use super::Ledger;
use super::error::LedgerError;
use crate::domain::address::Address;
use crate::domain::delivery::{DeliveryState, Totals};
use crate::domain::ids::{CampaignId, DeliveryId, MessageId};
use crate::domain::time::Instant;

/// One delivery, as a report shows it. It holds an address: data, never a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// The row.
    pub id: DeliveryId,
    /// To whom.
    pub address: Address,
    /// Where it stands.
    pub state: DeliveryState,
    /// Known from the first `begin` on.
    pub message_id: Option<MessageId>,
    /// Attempts that came to something; a withdrawn one does not count.
    pub attempts: u32,
    /// How often it came into doubt.
    pub doubts: u32,
    /// The relay's last reply, addresses masked.
    pub reply: Option<String>,
    /// What happened, in a few words.
    pub reason: Option<String>,
    /// When it is tried again.
    pub next: Option<Instant>,
}

/// One thing `state verify` found wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong, in one sentence.
    pub what: String,
}

impl Ledger {
    /// The account of a campaign. It always balances; one that did not would be `Damaged`.
    pub fn totals(&self, id: &CampaignId) -> Result<Totals, LedgerError> {
        let _ = id;
        unimplemented!()
    }

    /// Calls `each` for every delivery of a campaign, in the order of planning. `each` must
    /// not call the ledger.
    pub fn each_delivery(&self, id: &CampaignId, each: &mut dyn FnMut(DeliveryRow)) -> Result<(), LedgerError> {
        let _ = (id, each);
        unimplemented!()
    }

    /// One delivery, wherever it belongs; `None` if there is none.
    pub fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryRow>, LedgerError> {
        let _ = id;
        unimplemented!()
    }

    /// Reads the whole file and lists what is wrong with it: SQLite's own integrity, words
    /// that are no state, accounts that do not balance, coverage without its delivery.
    pub fn verify(&self) -> Result<Vec<Finding>, LedgerError> {
        unimplemented!()
    }
}

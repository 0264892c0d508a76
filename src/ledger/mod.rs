//! The durable record of who got what (`docs/LEDGER.md` tells the story).

mod audience;
mod campaigns;
mod error;
mod issues;
mod marks;
mod posts;
mod report;
mod secrets;
mod sender;
mod subscribers;
mod suppression;

use std::path::Path;

use crate::domain::time::Instant;

pub use campaigns::{Campaign, Doubtful, NewCampaign, Resolution};
pub use error::LedgerError;
pub use issues::IssueRow;
pub use marks::MarkSlot;
pub use posts::MailDecision;
pub use report::{DeliveryRow, Finding};
pub use secrets::Secret;
pub use sender::{Begin, BeginAnswer, Claim, Frozen, Pending, Purpose, Recovery, Refusal, Sender, Settle, Settled};
pub use subscribers::{Consent, Removal};

/// The state file. Cheap to clone; every method is a short transaction that can run beside a
/// sender, in this process or another.
#[derive(Debug, Clone)]
pub struct Ledger {}

impl Ledger {
    /// Opens the state file, creating it (mode 0600) and its folders, and brings its schema
    /// up to date.
    pub fn open(path: &Path, now: Instant) -> Result<Self, LedgerError> {
        let _ = (path, now);
        unimplemented!()
    }
}

//! The people, how they joined, and how they leave.

use super::Ledger;
use super::error::LedgerError;
use crate::domain::address::Address;
use crate::domain::ids::SubscriberId;
use crate::domain::subscriber::{Enrolment, ImportCount, Subscriber};
use crate::domain::time::Instant;

/// How someone joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// `file`, `import`, `command line`, later `form`.
    pub source: String,
    /// When.
    pub at: Instant,
    /// The text of the form they agreed to, if there was one.
    pub form: Option<String>,
}

impl Ledger {
    /// Takes a list in: new people become active with a consent record, known ones get the
    /// list's name, topics, cadence and attributes. Nobody who unsubscribed, bounced,
    /// complained or is suppressed is revived: those count as `kept_out`. Running it again
    /// changes nothing. One transaction per 1,000.
    pub fn enrol(&self, list: &[Enrolment], now: Instant) -> Result<ImportCount, LedgerError> {
        let _ = (list, now);
        unimplemented!()
    }

    /// Everybody who was not removed, in the order of joining.
    pub fn subscribers(&self) -> Result<Vec<Subscriber>, LedgerError> {
        unimplemented!()
    }

    /// Calls `each` for everybody who was not removed, in the order of joining, without
    /// holding the list in memory. `each` must not call the ledger.
    pub fn each_subscriber(&self, each: &mut dyn FnMut(Subscriber)) -> Result<(), LedgerError> {
        let _ = each;
        unimplemented!()
    }

    /// The subscriber of that address, letters' case ignored; `None` if unknown or removed.
    pub fn subscriber_by_address(&self, address: &Address) -> Result<Option<Subscriber>, LedgerError> {
        let _ = address;
        unimplemented!()
    }

    /// The subscriber of that row; `None` if unknown or removed.
    pub fn subscriber(&self, id: SubscriberId) -> Result<Option<Subscriber>, LedgerError> {
        let _ = id;
        unimplemented!()
    }

    /// How they joined, oldest first.
    pub fn consents(&self, id: SubscriberId) -> Result<Vec<Consent>, LedgerError> {
        let _ = id;
        unimplemented!()
    }

    /// Someone leaves. Durable on return; whatever has not begun for them is not sent. The
    /// second call, and one for somebody unknown, change nothing.
    pub fn unsubscribe(&self, id: SubscriberId, now: Instant) -> Result<(), LedgerError> {
        let _ = (id, now);
        unimplemented!()
    }

    /// Takes an address off the list, as if it had never joined; what was sent stays on
    /// record, and joining again brings the same row back. `false` when it was not there.
    pub fn remove(&self, address: &Address, now: Instant) -> Result<Removal, LedgerError> {
        let _ = (address, now);
        unimplemented!()
    }
}

/// What [`Ledger::remove`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It is off the list.
    Removed,
    /// It was not on the list.
    Unknown,
}

//! Addresses that must never be mailed: a keyed hash outlives the person.

use super::Ledger;
use super::error::LedgerError;
use crate::domain::address::Address;
use crate::domain::audience::Suppressed;
use crate::domain::time::Instant;

impl Ledger {
    /// Never mail this address again. The first reason and date are kept.
    pub fn suppress(&self, address: &Address, reason: &str, now: Instant) -> Result<(), LedgerError> {
        let _ = (address, reason, now);
        unimplemented!()
    }

    /// Whether the address is on the suppression list.
    pub fn is_suppressed(&self, address: &Address) -> Result<Suppressed, LedgerError> {
        let _ = address;
        unimplemented!()
    }
}

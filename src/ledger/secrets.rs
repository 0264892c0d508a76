//! Keys that are minted once and live in the ledger.

use std::fmt;

use ring::hmac;

use super::Ledger;
use super::error::LedgerError;

/// A random key of 32 bytes. `Debug` prints `***`.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// The key itself, for a keyed hash.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Ledger {
    /// The key of that name: minted from the system's randomness at the first call, the same
    /// ever after. Names in use: `message-id`, `unsubscribe`; the ledger's own is `suppression`.
    pub fn secret(&self, name: &str) -> Result<Secret, LedgerError> {
        let _ = (name, hmac::HMAC_SHA256);
        unimplemented!()
    }
}

//! Keys that are minted once and live in the ledger.

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use rusqlite::{Connection, OptionalExtension, params};

use super::Ledger;
use super::error::LedgerError;
use super::open::write_on;
use crate::domain::address::Address;
use crate::domain::hex::hex;

/// A random key of 32 bytes. `Debug` prints `***`.
#[derive(Clone, PartialEq, Eq)]
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
        let known = self.read(|tx| Ok(find(tx, name)?))?;
        match known {
            Some(secret) => Ok(secret),
            None => self.write(|tx| mint_in(tx, name)),
        }
    }
}

/// The key of that name on a connection, minted if need be.
pub(super) fn mint(db: &mut Connection, name: &str) -> Result<Secret, LedgerError> {
    match find(db, name)? {
        Some(secret) => Ok(secret),
        None => write_on(db, |tx| mint_in(tx, name)),
    }
}

fn mint_in(tx: &Connection, name: &str) -> Result<Secret, LedgerError> {
    let sql = "INSERT INTO secrets (name, key) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
    tx.execute(sql, params![name, random::<32>()])?;
    Ok(find(tx, name)?.expect("the row was inserted above, or was there before"))
}

fn find(db: &Connection, name: &str) -> rusqlite::Result<Option<Secret>> {
    db.prepare_cached("SELECT key FROM secrets WHERE name = ?1")?
        .query_row([name], |row| row.get(0).map(Secret))
        .optional()
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the system's randomness does not fail once it has started");
    bytes
}

/// 32 random hexadecimal digits: a ledger's identity.
pub(super) fn random_name() -> String {
    hex(&random::<16>())
}

/// The keyed hash by which a suppressed address is known again after the person is erased.
pub(super) fn address_hash(key: &hmac::Key, address: &Address) -> [u8; 32] {
    let tag = hmac::sign(key, address.key().as_bytes());
    tag.as_ref().try_into().expect("HMAC-SHA256 gives 32 bytes")
}

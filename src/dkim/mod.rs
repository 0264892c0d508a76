//! DKIM: keys, the DNS records of their public halves, and signatures (RFC 6376, RFC 8301,
//! RFC 8463). Knows nothing of newsletters.
//!
//! A [`Signer`] is a private key with the domain and the selector it signs for; [`Signers`]
//! are all that sign one message, in order. A signature covers the body and every header
//! field that says who a message is ([`Signers::sign`]), relaxed/relaxed, and takes its `t=`
//! from the caller: the same message, keys and moment give the same bytes.
//!
//! Nothing here reads the clock, a file or the network.

mod canonical;
mod key;
mod published;
mod record;
mod sign;
mod signer;
mod tags;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod verify;

pub use key::{Algorithm, KeyError, SigningKey};
pub use published::{Published, RecordError};
pub use record::Record;
pub use signer::{KeyGone, KeyId, NameError, Signer, Signers};
pub use tags::{TagError, tags};

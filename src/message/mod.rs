//! An issue becomes mail: assembled once, spliced per recipient.
//!
//! [`freeze`] turns an issue into a [`Frozen`] template: every header and body byte that is
//! the same for everybody, already encoded, with named gaps for what differs. The ledger
//! keeps it. [`assemble`] fills the gaps for one recipient, signs the result ([`crate::dkim`])
//! and does nothing else, so the same arguments give the same bytes today, after a crash, and
//! after an upgrade (`docs/LEDGER.md`, "A retry is byte-identical").
//!
//! What comes out is 7-bit: quoted-printable bodies, RFC 2047 headers, lines of at most 76
//! bytes wherever a line can be folded, none that begins with a dot. A value that could add a
//! header or a line is encoded or refused ([`Unrenderable`]), and a byte scanner reads every
//! finished message before anybody may send it.
//!
//! Nothing here reads the clock, a file or the network.

mod error;
mod filling;
mod freeze;
mod frozen;
mod header;
mod identity;
mod pictures;
mod quoted_printable;
#[cfg(test)]
pub(crate) mod samples;
mod scan;
mod splice;
mod stencil;
mod words;

pub use error::{Field, Reason, Unrenderable};
pub use freeze::freeze;
pub use frozen::{Frozen, Part, Segment, Someone, ThawError};
pub use identity::{MessageIdKey, message_id, return_path};
pub use scan::Flaw;
pub use splice::{Message, Recipient, assemble, assemble_in};

/// How templates are spliced, at its newest. Every [`Frozen`] bears the lowest version that can
/// splice it; a change that would give other bytes for an old template takes the next number and
/// keeps the old way for old ones. Version 2 knows defaults, attributes, the preferences URL, and
/// variants for those who lack what a template asks about; version 3 knows pictures in the mail.
pub const ASSEMBLER_VERSION: u32 = 3;

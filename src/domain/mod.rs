//! Pure values and transitions: no I/O, no clock, no async.
//!
//! Every id, address and digest has a private field and a `parse`; every state is an enum
//! that is matched exhaustively. What the words mean is in `docs/LEDGER.md` and the manual.

pub mod adapt;
pub mod address;
pub mod audience;
pub mod bucket;
pub mod bytes;
pub mod delivery;
pub mod digest;
pub mod document;
pub mod entry;
pub mod guard;
pub mod hex;
pub mod ids;
pub mod issue;
pub mod lines;
pub mod policy;
pub mod post;
pub mod preset;
pub mod publication;
pub mod quota;
pub mod rate;
pub mod reply;
pub mod retry;
pub mod rules;
mod shipped_rules;
pub mod span;
pub mod spliced;
pub mod subscriber;
pub mod time;
pub mod traffic;
pub mod walk;
pub mod window;
pub mod words;

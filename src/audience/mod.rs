//! Who reads: lists of subscribers in and out of files, and the tokens in their mail.
//!
//! A list is `subscribers.toml` or a CSV file. Reading one never fails as a whole: a row that
//! cannot be used is a [`Diagnostic`](crate::diagnostic::Diagnostic) with its line, and the
//! others go on. What a list says becomes an [`Enrolment`](crate::domain::subscriber::Enrolment);
//! whether the person may be mailed is the ledger's to say.
//!
//! Nothing here opens the ledger, reads the clock or the network.

mod cell;
mod columns;
mod export;
mod field;
mod list;
mod notes;
mod rows;
mod table;
pub mod token;

pub use cell::guarded as guarded_cell;
pub use export::{csv_header, csv_row, toml_entry};
pub use field::{EnrolmentError, enrolment};
pub use list::{List, ListError, ListKind, Listing, read};
pub use token::{Purpose, Token, TokenKey, preferences_url, unsubscribe_url};

#[cfg(test)]
mod tests;

//! The durable record of who got what (`docs/LEDGER.md` tells the story).
//!
//! [`Ledger`] is the open state file: short transactions for everybody. [`Sender`] is the one
//! right to send: it claims, begins and settles through a writer of its own.
//!
//! | file | holds |
//! |---|---|
//! | `open`, `schema`, `secrets`, `words`, `error` | the file: settings, migrations, keys, the words read back |
//! | `posts`, `subscribers`, `suppression`, `audience`, `issues` | what a campaign is made of |
//! | `draft`, `campaigns` | opening a campaign; steering it |
//! | `lock`, `witness`, `recovery`, `restored`, `sender` | becoming the sender |
//! | `claim`, `postpone`, `begin`, `settle`, `standing`, `moves` | a delivery's way through its states |
//! | `writer`, `work`, `job`, `desk` | group commit: who opens a transaction, who works on it, at what, knowing what |
//! | `letters`, `under_way`, `marks` | the log of what has begun; what a killed process leaves |
//! | `report`, `survey`, `notes`, `verify` | what did happen; what waits and why; what the sender says of itself; whether the file is sound |

mod audience;
mod begin;
mod campaigns;
mod claim;
mod desk;
mod draft;
mod error;
mod issues;
mod job;
mod letters;
mod lock;
mod marks;
mod moves;
mod notes;
mod open;
mod postpone;
mod posts;
mod recovery;
mod report;
mod restored;
mod schema;
mod secrets;
mod sender;
mod settle;
mod standing;
mod subscribers;
mod suppression;
mod survey;
mod under_way;
mod verify;
mod witness;
mod words;
mod work;
mod writer;

#[cfg(test)]
mod tests;

pub use begin::{Begin, BeginAnswer, Refusal};
pub use campaigns::{Campaign, Doubtful, OVERDUE, Resolution};
pub use claim::{Claim, Frozen, Purpose};
pub use draft::NewCampaign;
pub use error::LedgerError;
pub use issues::IssueRow;
pub use marks::MarkSlot;
pub use notes::Note;
pub use open::Ledger;
pub use postpone::Postpone;
pub use posts::MailDecision;
pub use recovery::Recovery;
pub use report::{AttemptRow, DeliveryRow};
pub use restored::{Accepted, OLD_COPY};
pub use secrets::Secret;
pub use sender::{Pending, Sender, Terms};
pub use settle::{Settle, Settled};
pub use subscribers::{Consent, Removal};
pub use survey::{Reason, Survey};
pub use verify::Finding;

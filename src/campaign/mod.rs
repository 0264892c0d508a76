//! The story: read the folder, write the site, decide what is news, open campaigns, deliver.
//!
//! [`prepare`] reads; [`plan`] tells what would happen and changes nothing; [`build`] writes
//! the site; [`open`] freezes issues and audiences in the ledger; [`send`] delivers whatever
//! the ledger holds. The command line calls them in this order and asks in between.

mod cards;
mod caution;
mod digest;
mod news;
mod open;
mod plan;
mod prepare;
mod proof;
mod send;
mod site;

pub use caution::Caution;
pub use news::Choice;
pub use open::{OpenError, Opened, Timeframe, call_old, open};
pub use plan::{Plan, PlannedCampaign, plan};
pub use prepare::{Prepared, Unmailable, choose_named, find_post, prepare};
pub use proof::{Proof, entry, proof};
pub use send::{SendError, Sent, send, send_test};
pub use site::{BuildError, build, build_for_preview, foresee};

//! What several tests lean on.

pub mod sink;
pub mod site;
pub mod corpora;
pub mod mail;
pub mod postfix;

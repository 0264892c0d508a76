//! What several tests lean on.

pub mod corpora;
pub mod dns;
pub mod golden;
pub mod http;
pub mod mail;
pub mod postfix;
pub mod proxy;
pub mod sink;
pub mod site;
pub mod strace;
pub mod tools;

//! What several tests lean on.

pub mod sink;

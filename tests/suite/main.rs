//! Whole-tool tests: the built binary over fixture sites, real files and real servers.

#[path = "../support/mod.rs"]
mod support;

mod smtp;

//! Whole-tool tests: the built binary over fixture sites, real files and real servers.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "tests print the figures they measured")]

#[path = "../support/mod.rs"]
mod support;

mod check;
mod digest;
mod dkim;
mod dns;
mod faults;
mod feeds;
mod formulas;
mod gallery;
mod golden;
mod incremental;
mod lists;
mod message;
mod metrics;
mod ml_field_notes;
mod pacing;
mod pictures;
mod postfix;
mod preview;
mod proxy;
mod publishing;
mod sample;
mod sender;
mod smtp;
mod status;
mod this_week_in_rust;
mod wrong_files;

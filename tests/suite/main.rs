//! Whole-tool tests: the built binary over fixture sites, real files and real servers.

mod message;
